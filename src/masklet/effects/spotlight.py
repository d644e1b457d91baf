"""Spotlight: everything but the object in the dark, with a soft edge."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import as_alpha, dimmed, mix, percent, scaled
from masklet.effects.base import (
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Values,
    Variant,
    color_of,
    option_of,
    whole_of,
)
from masklet.effects.edges import FAR, distance_to, region_of, soft_alpha


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    soft = scaled(whole_of(values, "softness"), canvas.shape)
    shape = option_of(values, "shape")
    if shape == "edge":
        dark = np.uint8(255) - soft_alpha(layer.mask)
    else:
        away = _from_circle(layer) if shape == "circle" else _from_mask(layer, soft)
        # Smoothstep: the edge begins and ends without a visible line.
        share = np.clip(away / soft, 0.0, 1.0)
        dark = as_alpha(share * share * (3.0 - 2.0 * share))
    return mix(canvas, color_of(values, "color"), dimmed(dark, percent(whole_of(values, "darkness"))))


def _from_mask(layer: Layer, soft: int) -> npt.NDArray[np.float64]:
    """Distance from the object where it is below ``soft``; far elsewhere."""
    away = np.full(layer.mask.shape, FAR)
    region = region_of(layer.mask, soft + 1)
    if region is not None:
        away[region] = distance_to(layer.mask[region])
    return away


def _from_circle(layer: Layer) -> npt.NDArray[np.float64]:
    """Distance from a circle that holds most of the object."""
    region = region_of(layer.mask, 0)
    if region is None:
        return np.full(layer.mask.shape, FAR)
    rows, columns = region
    radius = max(rows.stop - rows.start, columns.stop - columns.start) * 0.55
    ys = (np.arange(layer.mask.shape[0]) - (rows.start + rows.stop - 1) / 2)[:, None]
    xs = (np.arange(layer.mask.shape[1]) - (columns.start + columns.stop - 1) / 2)[None, :]
    return np.sqrt(xs * xs + ys * ys) - radius


SPOTLIGHT_OBJECT = ObjectEffect(
    id="spotlight",
    label="Spotlight",
    variants=(
        Variant(id="soft", label="Soft", values={}),
        Variant(id="sharp", label="Sharp", values={"shape": "edge", "darkness": 80}),
        Variant(id="stage", label="Stage", values={"shape": "circle", "softness": 50, "darkness": 86}),
        Variant(id="night", label="Night", values={"color": "#0a1a4a", "softness": 200, "darkness": 82}),
    ),
    parameters=(
        Parameter(
            id="shape", label="Shape", kind="option", default="object", options=("object", "edge", "circle")
        ),
        Parameter(id="softness", label="Softness", kind="whole", default=90, least=1, most=400),
        Parameter(id="darkness", label="Darkness", kind="whole", default=74, least=0, most=100),
        Parameter(id="color", label="Colour of the dark", kind="color", default="#000000"),
    ),
    render=_object,
    is_around=True,
)
