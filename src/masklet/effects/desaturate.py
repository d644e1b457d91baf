"""Desaturate: colours taken back, wholly or in part, or all of one tone."""

from __future__ import annotations

import numpy as np

from masklet.effects.arithmetic import luma, mix, percent, tinted
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


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    contrast = whole_of(values, "contrast")
    table = [min(255, max(0, 128 + (level - 128) * contrast // 100)) for level in range(256)]
    levels = np.asarray(table, dtype=np.uint8)[luma(ground)]
    return mix(ground, tinted(levels, color_of(values, "tone")), percent(whole_of(values, "amount")))


DESATURATE_BACKGROUND = BackgroundEffect(
    id="desaturate",
    label="Desaturate",
    variants=(
        Variant(id="grey", label="Grey", values={}),
        Variant(id="faded", label="Faded", values={"amount": 62}),
        Variant(id="sepia", label="Sepia", values={"tone": "#ffe2b8", "contrast": 110}),
        Variant(id="noir", label="Noir", values={"contrast": 165}),
    ),
    parameters=(
        Parameter(id="amount", label="Amount", kind="whole", default=100, least=0, most=100),
        Parameter(id="contrast", label="Contrast", kind="whole", default=100, least=0, most=300),
        Parameter(id="tone", label="Tone", kind="color", default="#ffffff"),
    ),
    render=_background,
)
