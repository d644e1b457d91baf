"""Text: words behind the objects, in the font of ours."""

from __future__ import annotations

import numpy as np

from masklet.effects.arithmetic import dimmed, mix, percent, scaled
from masklet.effects.base import (
    Alpha,
    BackgroundEffect,
    Image,
    Parameter,
    Scene,
    Values,
    Variant,
    color_of,
    option_of,
    whole_of,
)
from masklet.effects.glyphs import Lettering, word_alpha, word_units

_LINE_HEIGHT_PERCENT = 150
_FILLED_PERCENT = 92
_LARGEST_PERCENT = 78


def _background(ground: Image, scene: Scene, values: Values) -> Image:
    alpha = _one_word(ground.shape, values)
    if option_of(values, "layout") == "rows":
        alpha = _rows(ground.shape, scene.index, values)
    paper = mix(ground, color_of(values, "paper"), percent(whole_of(values, "cover")))
    return mix(paper, color_of(values, "color"), dimmed(alpha, percent(whole_of(values, "strength"))))


def _rows(shape: tuple[int, ...], index: int, values: Values) -> Alpha:
    """The word again and again, row by row, every second row the other way."""
    height_px = scaled(whole_of(values, "size"), shape)
    word = word_alpha(f"{option_of(values, 'text')} ", _lettering(height_px, values))
    line_px = max(word.shape[0], height_px * _LINE_HEIGHT_PERCENT // 100)
    moved = index * scaled(whole_of(values, "speed"), shape) if whole_of(values, "speed") else 0
    alpha = np.zeros(shape[:2], dtype=np.uint8)
    columns = np.arange(shape[1])
    for row in range(-(-shape[0] // line_px)):
        top = row * line_px
        shift = row * (word.shape[1] // 3) + (moved if row % 2 else -moved)
        line = word[: min(word.shape[0], shape[0] - top), (columns + shift) % word.shape[1]]
        alpha[top : top + line.shape[0]] = line
    return alpha


def _one_word(shape: tuple[int, ...], values: Values) -> Alpha:
    """The word once, as large as it fits, in the middle."""
    text = option_of(values, "text")
    # The font's height is 100 units, so that percents of the width become a height without another factor.
    height_px = min(shape[1] * _FILLED_PERCENT / word_units(text), shape[0] * _LARGEST_PERCENT / 100)
    word = word_alpha(text, _lettering(height_px, values))
    alpha = np.zeros(shape[:2], dtype=np.uint8)
    rows, columns = min(word.shape[0], shape[0]), min(word.shape[1], shape[1])
    top, left = (shape[0] - rows) // 2, (shape[1] - columns) // 2
    from_row, from_column = (word.shape[0] - rows) // 2, (word.shape[1] - columns) // 2
    alpha[top : top + rows, left : left + columns] = word[
        from_row : from_row + rows, from_column : from_column + columns
    ]
    return alpha


def _lettering(height_px: float, values: Values) -> Lettering:
    return Lettering(
        height_px=height_px, weight=whole_of(values, "weight"), outline=whole_of(values, "outline")
    )


TEXT_BACKGROUND = BackgroundEffect(
    id="text",
    label="Text",
    variants=(
        Variant(id="rows", label="Rows", values={}),
        Variant(id="giant", label="Giant", values={"layout": "one", "color": "#ffffff", "cover": 0, "strength": 88}),
        Variant(id="hollow", label="Hollow", values={"paper": "#05070d", "cover": 62, "color": "#f7f7f2", "outline": 5, "weight": 24, "size": 150}),
        Variant(id="newsprint", label="Newsprint", values={"paper": "#f4efe2", "cover": 92, "color": "#2a2622", "size": 42, "weight": 15, "speed": 0, "strength": 80}),
    ),
    parameters=(
        Parameter(id="text", label="Text", kind="text", default="MASKLET"),
        Parameter(id="layout", label="Layout", kind="option", default="rows", options=("rows", "one")),
        Parameter(id="size", label="Size", kind="whole", default=110, least=20, most=800),
        Parameter(id="weight", label="Weight", kind="whole", default=20, least=4, most=34),
        Parameter(id="outline", label="Hollow", kind="whole", default=0, least=0, most=10),
        Parameter(id="color", label="Letters", kind="color", default="#ffd166"),
        Parameter(id="strength", label="Opacity of letters", kind="whole", default=100, least=0, most=100),
        Parameter(id="paper", label="Background", kind="color", default="#22306b"),
        Parameter(id="cover", label="Opacity of background", kind="whole", default=100, least=0, most=100),
        Parameter(id="speed", label="Speed", kind="whole", default=4, least=0, most=50),
    ),
    render=_background,
)  # fmt: skip
