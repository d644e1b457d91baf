"""Outline: a line or a glow around the objects."""

from __future__ import annotations

from masklet.effects.arithmetic import as_alpha, brightened, dimmed, mix, percent, scaled
from masklet.effects.base import (
    BackgroundEffect,
    Image,
    Parameter,
    Scene,
    Values,
    Variant,
    color_of,
    whole_of,
)
from masklet.effects.edges import distance_to, region_of


def _background(ground: Image, scene: Scene, values: Values) -> Image:
    width = scaled(whole_of(values, "width"), ground.shape)
    glow = whole_of(values, "glow")
    soft = scaled(glow, ground.shape) if glow else 1
    drawn = brightened(ground, whole_of(values, "brightness"))
    region = region_of(scene.shown, width + soft + 1)
    if region is None:
        return drawn
    share = (width + soft - distance_to(scene.shown[region])) / soft
    # A glow fades faster near the object than far from it.
    alpha = as_alpha(share * abs(share) if glow else share)
    line = dimmed(alpha, percent(whole_of(values, "strength")))
    drawn[region] = mix(drawn[region], color_of(values, "color"), line)
    return drawn


OUTLINE_BACKGROUND = BackgroundEffect(
    id="outline",
    label="Outline",
    variants=(
        Variant(id="white", label="White", values={}),
        Variant(id="sticker", label="Sticker", values={"width": 22, "brightness": 70}),
        Variant(id="neon", label="Neon", values={"color": "#27f5e4", "width": 4, "glow": 60, "brightness": 45}),
        Variant(id="halo", label="Halo", values={"color": "#ffd54a", "width": 2, "glow": 110}),
    ),
    parameters=(
        Parameter(id="color", label="Colour", kind="color", default="#ffffff"),
        Parameter(id="width", label="Width", kind="whole", default=9, least=1, most=100),
        Parameter(id="glow", label="Glow", kind="whole", default=0, least=0, most=200),
        Parameter(id="strength", label="Strength", kind="whole", default=100, least=0, most=100),
        Parameter(id="brightness", label="Background brightness", kind="whole", default=100, least=0, most=200),
    ),
    render=_background,
)  # fmt: skip
