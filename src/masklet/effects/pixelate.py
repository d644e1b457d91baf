"""Pixelate: large squares or dots of one colour each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import as_alpha, mix, scaled, tinted
from masklet.effects.base import (
    Alpha,
    BackgroundEffect,
    Image,
    Layer,
    Mask,
    ObjectEffect,
    Parameter,
    Scene,
    Values,
    Variant,
    option_of,
    whole_of,
)
from masklet.effects.edges import region_of, soft_alpha

_GROUND_LEVEL = 60
"""Brightness of what is between dots, of 255."""

_PARAMETERS = (
    Parameter(id="cell", label="Size", kind="whole", default=30, least=2, most=200),
    Parameter(id="shape", label="Shape", kind="option", default="square", options=("square", "dot")),
)
_VARIANTS = (
    Variant(id="medium", label="Medium", values={}),
    Variant(id="fine", label="Fine", values={"cell": 15}),
    Variant(id="coarse", label="Coarse", values={"cell": 65}),
    Variant(id="dots", label="Dots", values={"shape": "dot", "cell": 24}),
)


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    return _pixelated(ground, None, scaled(whole_of(values, "cell"), ground.shape), values)


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    region = region_of(layer.mask, 2)
    if region is None:
        return canvas
    side = scaled(whole_of(values, "cell"), canvas.shape)
    # Cells keep their place in the picture, so that they do not swim with the object.
    rows, columns = (slice(part.start // side * side, part.stop) for part in region)
    drawn, mask = canvas.copy(), layer.mask[rows, columns]
    cells = _pixelated(canvas[rows, columns], mask, side, values)
    drawn[rows, columns] = mix(canvas[rows, columns], cells, soft_alpha(layer.mask)[rows, columns])
    return drawn


def _pixelated(image: Image, mask: Mask | None, side: int, values: Values) -> Image:
    """Each cell in the mean colour of its pixels, or of those on a mask."""
    height, width = image.shape[:2]
    weights = np.ones((height, width), dtype=np.uint32) if mask is None else mask.astype(np.uint32)
    sums = _cell_sums(image.astype(np.uint32) * weights[..., None], side)
    counts = _cell_sums(weights, side)[..., None]
    means = ((sums + counts // 2) // np.maximum(counts, 1)).astype(np.uint8)
    rows, columns = np.arange(height) // side, np.arange(width) // side
    cells = means[rows][:, columns]
    if option_of(values, "shape") == "square":
        return cells
    darker = tinted(np.full((height, width), _GROUND_LEVEL, dtype=np.uint8), cells)
    return mix(darker, cells, _dots(height, width, side))


def _cell_sums(numbers: npt.NDArray[np.uint32], side: int) -> npt.NDArray[np.uint32]:
    rows = np.add.reduceat(numbers, np.arange(0, numbers.shape[0], side), axis=0)
    return np.add.reduceat(rows, np.arange(0, numbers.shape[1], side), axis=1)


def _dots(height: int, width: int, side: int) -> Alpha:
    """A disc in every cell."""
    ys = (np.arange(height) % side + 0.5 - side / 2)[:, None]
    xs = (np.arange(width) % side + 0.5 - side / 2)[None, :]
    return as_alpha(side * 0.46 + 0.5 - np.sqrt(xs * xs + ys * ys))


PIXELATE_BACKGROUND = BackgroundEffect(
    id="pixelate",
    label="Pixelate",
    variants=_VARIANTS,
    parameters=_PARAMETERS,
    render=_background,
    mixes_neighbours=True,
)
PIXELATE_OBJECT = ObjectEffect(
    id="pixelate", label="Pixelate", variants=_VARIANTS, parameters=_PARAMETERS, render=_object
)
