"""Blur: the background out of focus, without a halo of the objects."""

from __future__ import annotations

from masklet.effects.arithmetic import box_blurred, brightened, scaled
from masklet.effects.base import BackgroundEffect, Image, Parameter, Scene, Values, Variant, whole_of


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    radius = scaled(whole_of(values, "radius"), ground.shape)
    # Two boxes make a pyramid-shaped kernel: close enough to a lens, and fast at any radius.
    blurred = box_blurred(box_blurred(ground, radius), radius)
    return brightened(blurred, whole_of(values, "brightness"))


BLUR_BACKGROUND = BackgroundEffect(
    id="blur",
    label="Blur",
    variants=(
        Variant(id="medium", label="Medium", values={}),
        Variant(id="soft", label="Soft", values={"radius": 9}),
        Variant(id="strong", label="Strong", values={"radius": 45}),
        Variant(id="dim", label="Blurred and dim", values={"brightness": 55}),
    ),
    parameters=(
        Parameter(id="radius", label="Strength", kind="whole", default=22, least=1, most=150),
        Parameter(id="brightness", label="Brightness", kind="whole", default=100, least=0, most=200),
    ),
    render=_background,
    mixes_neighbours=True,
)
