"""Erase: nothing behind the objects, or an object taken out of the picture."""

from __future__ import annotations

import numpy as np

from masklet.effects.arithmetic import dimmed, hashed_cells, mix, percent, scaled
from masklet.effects.base import (
    BackgroundEffect,
    Color,
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Scene,
    Values,
    Variant,
    color_of,
    option_of,
    whole_of,
)
from masklet.effects.edges import soft_alpha
from masklet.effects.plate import removal_rim
from masklet.masks.morphology import grown

CHECKER = "checker"
_LIGHT: Color = (255, 255, 255)
_DARK: Color = (204, 204, 204)
_SQUARE = 22
_SOFT = 2
"""Pixels on which a soft edge is not yet opaque."""


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    if option_of(values, "fill") != CHECKER:
        return np.broadcast_to(np.array(color_of(values, "color"), dtype=np.uint8), ground.shape).copy()
    side = scaled(_SQUARE, ground.shape)
    rows, columns = (np.arange(length) // side for length in ground.shape[:2])
    is_dark = (rows[:, None] + columns[None, :]) % 2 == 1
    return np.where(is_dark[..., None], np.array(_DARK, np.uint8), np.array(_LIGHT, np.uint8))


def shows_behind(values: Values) -> bool:
    """Whether what was behind an erased object is to be seen, not a colour."""
    return option_of(values, "fill") != "color"


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    if not shows_behind(values):
        return mix(canvas, color_of(values, "color"), soft_alpha(layer.mask))
    alpha = soft_alpha(grown(layer.mask, removal_rim(canvas.shape) + _SOFT))
    fill = layer.backdrop
    if whole_of(values, "grain"):
        fill = _grained(fill, layer.scene, whole_of(values, "grain"))
    return mix(canvas, fill, dimmed(alpha, percent(whole_of(values, "strength"))))


def _grained(image: Image, scene: Scene, grain: int) -> Image:
    """Noise such as cameras have, another on every frame."""
    height, width = image.shape[:2]
    cells = np.arange(height * width, dtype=np.uint32).reshape(height, width)
    noise = (hashed_cells(scene.seed, scene.index, cells) & np.uint32(255)).astype(np.int32) - 128
    return np.clip(image + ((noise * grain) >> 7)[..., None], 0, 255).astype(np.uint8)


ERASE_BACKGROUND = BackgroundEffect(
    id="erase",
    label="Erase",
    variants=(
        Variant(id="transparent", label="Transparent", values={"fill": CHECKER}),
        Variant(id="black", label="Black", values={"color": "#000000"}),
        Variant(id="white", label="White", values={"color": "#ffffff"}),
        Variant(id="green", label="Green screen", values={"color": "#00b140"}),
    ),
    parameters=(
        Parameter(id="fill", label="Fill", kind="option", default="color", options=("color", CHECKER)),
        Parameter(id="color", label="Colour", kind="color", default="#000000"),
    ),
    render=_background,
)
ERASE_OBJECT = ObjectEffect(
    id="erase",
    label="Erase",
    variants=(
        Variant(id="fill", label="Fill in", values={}),
        Variant(id="grain", label="Fill in with grain", values={"grain": 10}),
        Variant(id="ghost", label="Ghost", values={"strength": 72}),
        Variant(id="black", label="Black", values={"fill": "color"}),
    ),
    parameters=(
        Parameter(
            id="fill", label="Fill", kind="option", default="surroundings", options=("surroundings", "color")
        ),
        Parameter(id="color", label="Colour", kind="color", default="#000000"),
        Parameter(id="strength", label="Strength", kind="whole", default=100, least=0, most=100),
        Parameter(id="grain", label="Grain", kind="whole", default=0, least=0, most=64),
    ),
    render=_object,
    is_removal=True,
)
