"""Original: the picture as it was filmed, lighter or darker if wanted; of an object, the picture in its place."""

from __future__ import annotations

from masklet.effects.arithmetic import brightened, mix
from masklet.effects.base import (
    BackgroundEffect,
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Scene,
    Values,
    Variant,
    whole_of,
)
from masklet.effects.edges import soft_alpha

_PARAMETERS = (Parameter(id="brightness", label="Brightness", kind="whole", default=100, least=0, most=300),)
_VARIANTS = (
    Variant(id="plain", label="Plain", values={}),
    Variant(id="dim", label="Dim", values={"brightness": 45}),
    Variant(id="bright", label="Bright", values={"brightness": 140}),
)


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    return brightened(ground, whole_of(values, "brightness"))


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    if whole_of(values, "brightness") == 100:
        return canvas
    return mix(canvas, brightened(canvas, whole_of(values, "brightness")), soft_alpha(layer.mask))


ORIGINAL_BACKGROUND = BackgroundEffect(
    id="original", label="Original", variants=_VARIANTS, parameters=_PARAMETERS, render=_background
)
ORIGINAL_OBJECT = ObjectEffect(
    id="original", label="Original", variants=_VARIANTS, parameters=_PARAMETERS, render=_object
)
