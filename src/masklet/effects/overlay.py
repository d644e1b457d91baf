"""Overlay: an object's own colour over it, as a fill, a line or stripes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import as_alpha, dimmed, mix, percent, scaled
from masklet.effects.base import (
    AUTO,
    Alpha,
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Values,
    Variant,
    color_of,
    whole_of,
)
from masklet.effects.edges import Region, distance_to, region_of, soft_alpha
from masklet.video.overlay import object_color


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    region = region_of(layer.mask, 2)
    if region is None:
        return canvas
    color = color_of(values, "color", auto=object_color(layer.object_id))
    soft = soft_alpha(layer.mask)[region]
    part = mix(canvas[region], color, dimmed(soft, percent(whole_of(values, "fill"))))
    if whole_of(values, "stripes"):
        side = scaled(whole_of(values, "stripes"), canvas.shape)
        striped = dimmed(soft, percent(whole_of(values, "stripe_strength")))
        part = mix(part, color, dimmed(striped, _stripes(region, side, layer.scene.index)))
    if whole_of(values, "line"):
        width = scaled(whole_of(values, "line"), canvas.shape)
        inside = distance_to(~layer.mask[region])
        part = mix(part, color, dimmed(soft, as_alpha(width + 1 - inside)))
    drawn = canvas.copy()
    drawn[region] = part
    return drawn


def _stripes(region: Region, side: int, index: int) -> Alpha:
    """Slanted stripes that walk by a pixel per frame, with edges that are soft over a pixel."""
    rows, columns = (np.arange(part.start, part.stop, dtype=np.int64) for part in region)
    phase: npt.NDArray[np.int64] = (rows[:, None] + columns[None, :] + index) % (2 * side)
    return np.clip((2 * np.abs(phase - side) - side) * 64 + 128, 0, 255).astype(np.uint8)


OVERLAY_OBJECT = ObjectEffect(
    id="overlay",
    label="Overlay",
    variants=(
        Variant(id="tint", label="Tint", values={}),
        Variant(id="fill", label="Fill", values={"fill": 50, "line": 0}),
        Variant(id="outline", label="Outline", values={"fill": 0, "line": 9}),
        Variant(id="stripes", label="Stripes", values={"fill": 16, "stripes": 16, "line": 5}),
    ),
    parameters=(
        Parameter(id="color", label="Colour", kind="color", default=AUTO),
        Parameter(id="fill", label="Fill", kind="whole", default=45, least=0, most=100),
        Parameter(id="line", label="Line", kind="whole", default=5, least=0, most=60),
        Parameter(id="stripes", label="Stripes", kind="whole", default=0, least=0, most=100),
        Parameter(
            id="stripe_strength", label="Strength of stripes", kind="whole", default=72, least=0, most=100
        ),
    ),
    render=_object,
)
