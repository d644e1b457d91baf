"""Small pictures of our own, made of filled polygons on a grid of 1000 by 1000, y downwards, painted in order."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass

from masklet.effects.base import Color

Polygon = tuple[tuple[int, int], ...]
_NUM_CURVE_STEPS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One polygon of one colour."""

    color: Color
    polygon: Polygon


Shape = tuple[Patch, ...]


@functools.cache
def shapes() -> dict[str, Shape]:
    """All pictures by name, in a fixed order."""
    return {
        "star": _star(),
        "heart": _heart(),
        "smile": _smile(),
        "fire": _fire(),
        "flower": _flower(),
        "bolt": _bolt(),
    }


def _star() -> Shape:
    return (
        Patch(color=(226, 140, 20), polygon=_spikes(5, 490, 225, 500, 525)),
        Patch(color=(255, 200, 46), polygon=_spikes(5, 430, 195, 500, 525)),
        Patch(color=(255, 226, 120), polygon=_spikes(5, 270, 125, 500, 500)),
    )


def _heart() -> Shape:
    return (
        Patch(color=(190, 24, 62), polygon=_heart_line(28.5, 500, 468)),
        Patch(color=(240, 56, 92), polygon=_heart_line(25.5, 500, 468)),
        Patch(color=(255, 142, 160), polygon=_ellipse(330, 320, 72, 46, -40)),
    )


def _smile() -> Shape:
    mouth = [
        *_arc(500, 540, 270, 250, 0, 180),
        *_curve((230, 540), (500, 600), (770, 540)),
    ]
    tongue = _ellipse(500, 730, 140, 60, 0)
    return (
        Patch(color=(214, 142, 10), polygon=_ellipse(500, 500, 488, 488, 0)),
        Patch(color=(255, 208, 56), polygon=_ellipse(500, 490, 456, 450, 0)),
        Patch(color=(82, 44, 16), polygon=_ellipse(345, 370, 62, 92, 0)),
        Patch(color=(82, 44, 16), polygon=_ellipse(655, 370, 62, 92, 0)),
        Patch(color=(255, 255, 255), polygon=_ellipse(364, 336, 20, 28, 0)),
        Patch(color=(255, 255, 255), polygon=_ellipse(674, 336, 20, 28, 0)),
        Patch(color=(110, 34, 24), polygon=tuple(mouth)),
        Patch(color=(240, 96, 104), polygon=tongue),
    )


def _fire() -> Shape:
    outer = _path((500, 990), (90, 960, 60, 520), (230, 330, 260, 420), (340, 480, 300, 180), (560, 10, 560, 240),
                  (720, 380, 740, 320), (740, 300, 1010, 560), (860, 960, 500, 990))  # fmt: skip
    middle = _path((500, 980), (200, 940, 220, 660), (310, 560, 330, 640), (400, 660, 390, 470), (540, 380, 540, 520),
                   (640, 600, 660, 540), (830, 740, 740, 940), (620, 980, 500, 980))  # fmt: skip
    inner = _path(
        (500, 970), (340, 930, 380, 790), (450, 720, 480, 640), (560, 720, 620, 800), (640, 930, 500, 970)
    )
    return (
        Patch(color=(226, 62, 24), polygon=outer),
        Patch(color=(255, 150, 30), polygon=middle),
        Patch(color=(255, 228, 110), polygon=inner),
    )


def _flower() -> Shape:
    petals = [_turned(500, 235, 165, 220, 60 * number) for number in range(6)]
    inner = [_turned(500, 250, 120, 180, 60 * number) for number in range(6)]
    return (
        *(Patch(color=(196, 60, 150), polygon=petal) for petal in petals),
        *(Patch(color=(246, 120, 196), polygon=petal) for petal in inner),
        Patch(color=(222, 150, 20), polygon=_ellipse(500, 500, 160, 160, 0)),
        Patch(color=(255, 212, 70), polygon=_ellipse(500, 495, 132, 132, 0)),
    )


def _bolt() -> Shape:
    edge = ((600, 10), (150, 570), (440, 590), (330, 990), (850, 390), (545, 380), (720, 10))
    core = ((612, 62), (216, 534), (500, 552), (414, 860), (772, 426), (486, 416), (650, 62))
    return (Patch(color=(190, 110, 0), polygon=edge), Patch(color=(255, 216, 40), polygon=core))


def _spikes(number: int, outer: int, inner: int, center_x: int, center_y: int) -> Polygon:
    turns = [math.pi * step / number - math.pi / 2 for step in range(2 * number)]
    return _rounded(
        (
            center_x + (inner if step % 2 else outer) * math.cos(turn),
            center_y + (inner if step % 2 else outer) * math.sin(turn),
        )
        for step, turn in enumerate(turns)
    )


def _heart_line(scale: float, center_x: int, center_y: int) -> Polygon:
    """Source: the well-known curve 16 sin^3 t, 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t."""
    turns = [2 * math.pi * step / 60 for step in range(60)]
    return _rounded(
        (
            center_x + scale * 16 * math.sin(turn) ** 3,
            center_y - scale * (13 * math.cos(turn) - 5 * math.cos(2 * turn) - 2 * math.cos(3 * turn) - math.cos(4 * turn)),
        )
        for turn in turns
    )  # fmt: skip


def _ellipse(center_x: int, center_y: int, radius_x: int, radius_y: int, degrees: int) -> Polygon:
    lean = math.radians(degrees)
    points = []
    for step in range(40):
        turn = 2 * math.pi * step / 40
        x, y = radius_x * math.cos(turn), radius_y * math.sin(turn)
        points.append(
            (
                center_x + x * math.cos(lean) - y * math.sin(lean),
                center_y + x * math.sin(lean) + y * math.cos(lean),
            )
        )
    return _rounded(points)


def _turned(center_x: int, center_y: int, radius_x: int, radius_y: int, degrees: int) -> Polygon:
    """An ellipse turned about the middle of the picture."""
    lean = math.radians(degrees)
    points = []
    for x, y in _ellipse(center_x, center_y, radius_x, radius_y, 0):
        off_x, off_y = x - 500, y - 500
        points.append(
            (
                500 + off_x * math.cos(lean) - off_y * math.sin(lean),
                500 + off_x * math.sin(lean) + off_y * math.cos(lean),
            )
        )
    return _rounded(points)


def _arc(center_x: int, center_y: int, radius_x: int, radius_y: int, start: int, stop: int) -> Polygon:
    turns = [math.radians(start + (stop - start) * step / 20) for step in range(21)]
    return _rounded(
        (center_x + radius_x * math.cos(turn), center_y + radius_y * math.sin(turn)) for turn in turns
    )


def _curve(start: tuple[int, int], bend: tuple[int, int], stop: tuple[int, int]) -> Polygon:
    """A quadratic Bezier curve without its start."""
    points = []
    for step in range(1, _NUM_CURVE_STEPS + 1):
        share = step / _NUM_CURVE_STEPS
        first, second, third = (1 - share) ** 2, 2 * share * (1 - share), share**2
        points.append(
            (
                first * start[0] + second * bend[0] + third * stop[0],
                first * start[1] + second * bend[1] + third * stop[1],
            )
        )
    return _rounded(points)


def _path(start: tuple[int, int], *bends: tuple[int, int, int, int]) -> Polygon:
    """Curves one after the other: each its bend, then its end."""
    points: list[tuple[int, int]] = [start]
    for bend_x, bend_y, x, y in bends:
        points.extend(_curve(points[-1], (bend_x, bend_y), (x, y)))
    return tuple(points)


def _rounded(points: Iterable[tuple[float, float]]) -> Polygon:
    return tuple((round(x), round(y)) for x, y in points)
