"""A font of our own, drawn with a pen: strokes through points on a grid 100 high, y downwards.

A stroke is written as points ``x,y x,y ...`` or as an arc ``(cx,cy rx,ry from>to)`` of an ellipse with angles in
degrees, clockwise from the right. There is no other font, so that words look the same wherever they are drawn.
"""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Points = tuple[tuple[int, int], ...]

_DEGREES_PER_STEP = 15
_GAP = 34
"""Between two glyphs, in grid units; half of it on either side."""
_HEIGHT = 100

# Width of the drawing, then its strokes.
_DRAWINGS: dict[str, tuple[int, tuple[str, ...]]] = {
    "A": (72, ("0,100 36,0 72,100", "13,66 59,66")),
    "B": (
        60,
        (
            "0,0 0,100",
            "0,0 34,0",
            "(34,24 22,24 -90>90)",
            "0,48 36,48",
            "(36,74 24,26 -90>90)",
            "0,100 36,100",
        ),
    ),
    "C": (66, ("(38,50 38,50 -50>-310)",)),
    "D": (66, ("0,0 0,100", "0,0 24,0", "(24,50 42,50 -90>90)", "24,100 0,100")),
    "E": (54, ("54,0 0,0 0,100 54,100", "0,48 44,48")),
    "F": (52, ("52,0 0,0 0,100", "0,50 42,50")),
    "G": (70, ("(38,50 38,50 -50>-270)", "38,100 56,96 70,86 70,54 42,54")),
    "H": (64, ("0,0 0,100", "64,0 64,100", "0,48 64,48")),
    "I": (8, ("4,0 4,100",)),
    "J": (46, ("46,0 46,72", "(24,72 22,28 0>160)")),
    "K": (62, ("0,0 0,100", "60,0 0,62", "22,40 62,100")),
    "L": (50, ("0,0 0,100 50,100",)),
    "M": (80, ("0,100 0,0 40,62 80,0 80,100",)),
    "N": (66, ("0,100 0,0 66,100 66,0",)),
    "O": (78, ("(39,50 39,50 0>360)",)),
    "P": (58, ("0,100 0,0 30,0", "(30,28 28,28 -90>90)", "30,56 0,56")),
    "Q": (78, ("(39,50 39,50 0>360)", "48,72 76,100")),
    "R": (60, ("0,100 0,0 32,0", "(32,27 26,27 -90>90)", "32,54 0,54", "28,54 60,100")),
    "S": (60, ("(30,25 27,25 -25>-245)", "(30,25 27,25 -245>-270)", "(30,75 29,27 -90>150)")),
    "T": (64, ("0,0 64,0", "32,0 32,100")),
    "U": (66, ("0,0 0,66", "(33,66 33,34 180>0)", "66,66 66,0")),
    "V": (70, ("0,0 35,100 70,0",)),
    "W": (100, ("0,0 24,100 50,18 76,100 100,0",)),
    "X": (66, ("0,0 66,100", "66,0 0,100")),
    "Y": (66, ("0,0 33,50 66,0", "33,50 33,100")),
    "Z": (62, ("0,0 62,0 0,100 62,100",)),
    "0": (64, ("(32,50 32,50 0>360)",)),
    "1": (28, ("0,20 26,0 26,100",)),
    "2": (58, ("(29,28 28,28 -170>30)", "53,42 0,100 58,100")),
    "3": (56, ("0,0 52,0 24,38", "(24,69 30,31 -90>150)")),
    "4": (66, ("46,100 46,0 0,70 66,70",)),
    "5": (56, ("50,0 8,0 4,46", "(25,68 30,32 -135>145)")),
    "6": (60, ("46,0 6,54", "(30,68 29,32 0>360)")),
    "7": (58, ("0,0 58,0 20,100",)),
    "8": (60, ("(30,25 24,25 0>360)", "(30,75 30,25 0>360)")),
    "9": (60, ("14,100 54,46", "(30,32 29,32 0>360)")),
    " ": (24, ()),
    ".": (8, ("4,100 4,100",)),
    ",": (10, ("7,88 2,100",)),
    ":": (8, ("4,40 4,40", "4,96 4,96")),
    "!": (8, ("4,0 4,66", "4,100 4,100")),
    "?": (50, ("(25,26 24,26 -175>55)", "38,48 25,58 25,70", "25,100 25,100")),
    "-": (36, ("0,52 36,52",)),
    "+": (52, ("0,52 52,52", "26,26 26,78")),
    "'": (6, ("3,0 3,24",)),
    "&": (
        70,
        ("(28,22 18,22 150>410)", "40,39 12,56", "(28,76 28,24 -125>-320)", "49,91 66,58", "12,33 68,100"),
    ),
    "#": (64, ("22,4 12,96", "52,4 42,96", "4,34 64,34", "0,66 60,66")),
    "/": (44, ("44,0 0,100",)),
    "*": (44, ("22,8 22,52", "3,19 41,41", "41,19 3,41")),
}

CHARACTERS = "".join(_DRAWINGS)
"""Everything that can be written; small letters are written as capitals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyph:
    """One character.

    Attributes:
        width: Of the drawing, in grid units.
        strokes: Points of each stroke, in grid units.
    """

    width: int
    strokes: tuple[Points, ...]


@functools.cache
def font() -> dict[str, Glyph]:
    """All glyphs by character."""
    return {
        character: Glyph(width=width, strokes=tuple(_points(stroke) for stroke in strokes))
        for character, (width, strokes) in _DRAWINGS.items()
    }


def _points(stroke: str) -> Points:
    if not stroke.startswith("("):
        return tuple((int(x), int(y)) for x, y in (point.split(",") for point in stroke.split()))
    centre, radii, angles = stroke.strip("()").split()
    center_x, center_y = map(int, centre.split(","))
    radius_x, radius_y = map(int, radii.split(","))
    start, stop = map(int, angles.split(">"))
    num_steps = max(1, abs(stop - start) // _DEGREES_PER_STEP)
    turns = [math.radians(start + (stop - start) * step / num_steps) for step in range(num_steps + 1)]
    return tuple(
        (round(center_x + radius_x * math.cos(turn)), round(center_y + radius_y * math.sin(turn)))
        for turn in turns
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lettering:
    """How a word is written.

    Attributes:
        height_px: Height of the letters' centre lines.
        weight: Thickness of the pen, in grid units.
        outline: Thickness of the rim in grid units where letters are hollow, 0 where they are filled.
    """

    height_px: float
    weight: int
    outline: int = 0

    @property
    def unit_px(self) -> float:
        """Length of a grid unit in pixels."""
        return self.height_px / _HEIGHT


def word_units(text: str) -> int:
    """Width of a word in grid units, with half a gap on either side."""
    glyphs = font()
    return sum(glyphs[character].width + _GAP for character in text.upper())


@functools.lru_cache(maxsize=16)
def word_alpha(text: str, lettering: Lettering) -> npt.NDArray[np.uint8]:
    """A word as opacity; repeated side by side, it goes on at an even distance.

    Args:
        text: Characters of the font.
        lettering: How it is written.

    Returns:
        uint8 (h, w); letters stand in the middle, with the pen's thickness around them.
    """
    unit = lettering.unit_px
    pad = math.ceil(lettering.weight * unit / 2 + 1)
    height, width = math.ceil(lettering.height_px) + 2 * pad, max(1, math.ceil(word_units(text) * unit))
    alpha = np.zeros((height, width), dtype=np.uint8)
    at_units = 0
    for character in text.upper():
        glyph = font()[character]
        left = (at_units + _GAP / 2) * unit
        _draw(alpha, glyph, left, pad, lettering)
        at_units += glyph.width + _GAP
    alpha.setflags(write=False)
    return alpha


def _draw(alpha: npt.NDArray[np.uint8], glyph: Glyph, left_px: float, pad: int, lettering: Lettering) -> None:
    """Write one glyph into a word, in place."""
    unit = lettering.unit_px
    first = max(0, math.floor(left_px) - pad)
    last = min(alpha.shape[1], math.ceil(left_px + glyph.width * unit) + pad)
    if not glyph.strokes or last <= first:
        return
    xs = np.arange(first, last, dtype=np.float64)[None, :] + 0.5 - left_px
    ys = np.arange(alpha.shape[0], dtype=np.float64)[:, None] + 0.5 - pad
    distance = np.full((alpha.shape[0], last - first), 1e6)
    for stroke in glyph.strokes:
        for start, stop in itertools.pairwise(stroke):
            ends = (start[0] * unit, start[1] * unit, stop[0] * unit, stop[1] * unit)
            distance = np.minimum(distance, _squared_distance(xs, ys, ends))
    reach = np.sqrt(distance) - lettering.weight * unit / 2
    if lettering.outline:
        reach = np.abs(reach + lettering.outline * unit / 2) - lettering.outline * unit / 2
    drawn = np.floor(np.clip(0.5 - reach, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
    alpha[:, first:last] = np.maximum(alpha[:, first:last], drawn)


def _squared_distance(
    xs: npt.NDArray[np.float64], ys: npt.NDArray[np.float64], ends: tuple[float, float, float, float]
) -> npt.NDArray[np.float64]:
    """Squared distance of pixels to a line between two points."""
    x0, y0, x1, y1 = ends
    along_x, along_y = x1 - x0, y1 - y0
    length = along_x * along_x + along_y * along_y
    if length == 0:
        return (xs - x0) * (xs - x0) + (ys - y0) * (ys - y0)
    share = np.clip(((xs - x0) * along_x + (ys - y0) * along_y) / length, 0.0, 1.0)
    off_x, off_y = xs - x0 - share * along_x, ys - y0 - share * along_y
    return off_x * off_x + off_y * off_y
