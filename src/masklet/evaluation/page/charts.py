"""Charts as inline SVG; colours come from the page's style, so that they follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

COLOURS = ("var(--accent)", "var(--second)", "var(--third)", "var(--bad)")

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP, _RIGHT = 480, 290, 38, 50, 26, 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve.

    Args:
        name: What it is.
        points: (x, y), y in [0, 1], in order of x, at least one.
    """

    name: str
    points: Sequence[tuple[float, float]]


def line_chart(
    lines: Sequence[Line], *, x_label: str, y_label: str, ticks: Sequence[float], floor: float = 0.0
) -> str:
    """Curves over one axis; y goes up to 1.

    Args:
        lines: At most four curves.
        x_label: What the horizontal axis is, with its unit.
        y_label: What the vertical axis is.
        ticks: Places on the horizontal axis that are written, at least one, in order.
        floor: Where y begins, in [0, 1); see good_floor.
    """
    low, high = ticks[0], ticks[-1]

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - low) / (high - low) if high > low else 0.5
        return (
            _LEFT + across * (_WIDTH - _LEFT - _RIGHT),
            _HEIGHT - _BOTTOM - (y - floor) / (1 - floor) * (_HEIGHT - _TOP - _BOTTOM),
        )

    parts = [_grid(x_label, y_label, floor)]
    parts += [_x_tick(place(tick, floor)[0], f"{tick:g}") for tick in ticks]
    for line, colour in zip(lines, COLOURS, strict=False):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in line.points))
        parts.append(
            f'<polyline points="{path}" fill="none" style="stroke:{colour}" stroke-width="2.4" '
            'stroke-linejoin="round" stroke-linecap="round"/>'
        )
        if len(line.points) <= 12:
            parts += [_dot(*place(*point), colour) for point in line.points]
    return _svg(_WIDTH, _HEIGHT, f"{y_label} by {x_label}", parts)


def good_floor(lines: Sequence[Line]) -> float:
    """Where y may begin so that curves which lie close together are told apart; one of 0, 0.2, 0.6 and 0.8."""
    lowest = min(y for line in lines for _, y in line.points)
    return max((floor for floor in (0.2, 0.6, 0.8) if floor <= lowest - 0.03), default=0.0)


def bar_chart(values: Sequence[float], *, label: str, of: str = "objects", is_high_good: bool = True) -> str:
    """How many values lie in each tenth of [0, 1].

    Args:
        values: The values.
        label: What they are.
        of: What has them, in the plural.
        is_high_good: Whether the low half stands out as bad, or else the high one.
    """
    counts = [0] * 10
    for value in values:
        counts[min(int(value * 10), 9)] += 1
    most = max([*counts, 1])
    step = (_WIDTH - _LEFT - _RIGHT) / 10
    parts = [f'<path class="axis" d="M{_LEFT} {_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>']
    for index, number in enumerate(counts):
        height = number / most * (_HEIGHT - _TOP - _BOTTOM - 16)
        x, y = _LEFT + index * step + 2, _HEIGHT - _BOTTOM - height
        colour = "var(--accent)" if (index >= 5) == is_high_good else "var(--bad)"
        parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{step - 4:.1f}" height="{height:.1f}" rx="3" style="fill:{colour}"/>'
        )
        if number:
            parts.append(
                f'<text class="value" x="{x + step / 2 - 2:.1f}" y="{y - 5:.1f}" text-anchor="middle">{number}</text>'
            )
    parts += [_x_tick(_LEFT + tick * step * 10, f"{tick:g}") for tick in (0, 0.25, 0.5, 0.75, 1)]
    parts.append(_x_title(label))
    return _svg(_WIDTH, _HEIGHT, f"Number of {of} by {label}", parts)


def radar_chart(axes: Sequence[str], layers: Mapping[str, Sequence[float]]) -> str:
    """One closed line per layer around as many axes as there are domains.

    Args:
        axes: Names, at least three.
        layers: For each name the value on each axis, in [0, 1]; at most four layers.
    """
    width, height, radius = 500.0, 390.0, 160.0
    centre_x, centre_y = width / 2, height / 2

    def place(index: int, value: float) -> tuple[float, float]:
        angle = 2 * math.pi * index / len(axes) - math.pi / 2
        return centre_x + value * radius * math.cos(angle), centre_y + value * radius * math.sin(angle)

    def ring(values: Sequence[float]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(i, v) for i, v in enumerate(values)))

    parts = [
        f'<polygon class="grid" points="{ring([level] * len(axes))}"/>' for level in (0.25, 0.5, 0.75, 1)
    ]
    for index, name in enumerate(axes):
        x, y = place(index, 1)
        parts.append(f'<path class="grid" d="M{centre_x} {centre_y}L{x:.1f} {y:.1f}"/>')
        x, y = place(index, 1.08)
        anchor = "middle" if abs(x - centre_x) < 12 else "start" if x > centre_x else "end"
        parts.append(f'<text x="{x:.1f}" y="{y + 4:.1f}" text-anchor="{anchor}">{escape(name)}</text>')
    for values, colour in zip(layers.values(), COLOURS, strict=False):
        parts.append(
            f'<polygon points="{ring(values)}" style="stroke:{colour};fill:{colour}" fill-opacity="0.13" stroke-width="2.2"/>'
        )
        parts += [_dot(*place(index, value), colour) for index, value in enumerate(values)]
    # the numbers of the rings stand between two axes, clear of their names
    for level in (0.5, 1):
        (x0, y0), (x1, y1) = place(0, level), place(1, level)
        parts.append(f'<text x="{(x0 + x1) / 2 + 3:.1f}" y="{(y0 + y1) / 2 - 3:.1f}">{level:g}</text>')
    return _svg(width, height, "Scores of every domain", parts)


def spark_line(values: Sequence[float]) -> str:
    """A curve without words, values in [0, 1]."""
    step = 138 / max(len(values) - 1, 1)
    path = " ".join(f"{1 + index * step:.1f},{24 - value * 22:.1f}" for index, value in enumerate(values))
    return _svg(
        140,
        26,
        "J on each frame",
        [
            '<path class="grid" d="M0 24H140M0 13H140M0 2H140"/>',
            f'<polyline points="{path}" fill="none" style="stroke:var(--accent)" stroke-width="1.6"/>',
        ],
    )


def correction_chart(
    frames: Sequence[int], *, before: Sequence[float], after: Sequence[float], marked: Sequence[int]
) -> str:
    """A small chart of a score on each frame, before and after corrections.

    Args:
        frames: Frame indices in order, at least one.
        before: A value in [0, 1] for each, drawn pale.
        after: The same, drawn strong.
        marked: Frames that get a dot, at the score of the nearest frame that has one.
    """
    width, height, low, high = 240, 92, min([*frames, *marked]), max([*frames, *marked])

    def across(frame: float) -> float:
        return 4 + (frame - low) / max(high - low, 1) * (width - 8)

    def path(values: Sequence[float]) -> str:
        points = zip(frames, values, strict=True)
        return " ".join(f"{across(frame):.1f},{84 - 78 * value:.1f}" for frame, value in points)

    def height_of(frame: int) -> float:
        nearest = min(range(len(frames)), key=lambda at: abs(frames[at] - frame))
        return 84 - 78 * after[nearest]

    parts = [f'<path class="grid" d="M0 84H{width}M0 45H{width}M0 6H{width}"/>']
    parts += [
        f'<polyline points="{path(values)}" fill="none" style="stroke:{colour}" stroke-width="{line:g}" '
        'stroke-linejoin="round"/>'
        for values, colour, line in ((before, "var(--pale)", 1.6), (after, "var(--accent)", 2))
    ]
    parts += [
        f'<circle cx="{across(frame):.1f}" cy="{height_of(frame):.1f}" r="3.4" style="fill:var(--second)"/>'
        for frame in marked
    ]
    return _svg(width, height, "J on each frame, before and after corrections", parts)


def colour_key(names: Sequence[str]) -> str:
    """Which colour is which layer or line."""
    items = [
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>'
        for name, colour in zip(names, COLOURS, strict=False)
    ]
    return f'<div class="key">{"".join(items)}</div>'


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    inside = "".join(parts)
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">{inside}</svg>'


def _grid(x_label: str, y_label: str, floor: float) -> str:
    parts: list[str] = []
    for part in (0, 0.25, 0.5, 0.75, 1):
        level = floor + part * (1 - floor)
        y = _HEIGHT - _BOTTOM - part * (_HEIGHT - _TOP - _BOTTOM)
        parts.append(f'<path class="grid" d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{level:g}</text>')
    parts.append(f'<text x="{_LEFT}" y="11">{escape(y_label)}</text>')
    parts.append(_x_title(x_label))
    return "".join(parts)


def _x_tick(x: float, text: str) -> str:
    return f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 17}" text-anchor="middle">{escape(text)}</text>'


def _x_title(text: str) -> str:
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    return f'<text x="{middle:g}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(text)}</text>'


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" style="fill:{colour}"/>'
