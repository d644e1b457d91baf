"""Charts as small SVG files that follow the reader's light or dark theme; the same numbers give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#24292f}.soft{fill:#57606a}.grid{stroke:#d0d7de}"
    ".c0{fill:#0969da;stroke:#0969da}.c1{fill:#bc4c00;stroke:#bc4c00}.c2{fill:#1a7f37;stroke:#1a7f37}.line{fill:none;stroke-width:2}"
    "@media(prefers-color-scheme:dark){text{fill:#e6edf3}.soft{fill:#8d96a0}.grid{stroke:#30363d}"
    ".c0{fill:#4493f8;stroke:#4493f8}.c1{fill:#f0883e;stroke:#f0883e}.c2{fill:#3fb950;stroke:#3fb950}.line{fill:none}}"
)
_WIDTH, _LABEL, _VALUE = 720, 220, 70
_ROW, _BAR, _TEXT = 24, 14, 15
_HEIGHT, _LEFT, _RIGHT, _TOP, _FOOT = 260, 56, 130, 36, 40


def bars(title: str, values: Mapping[str, float], *, form: str = "{:.2f}") -> str:
    """Horizontal bars from zero, one per name, with their numbers beside them."""
    most = max(values.values())
    room = _WIDTH - _LABEL - _VALUE
    parts = [_text(0, 18, title)]
    for row, (name, value) in enumerate(values.items()):
        top = _TOP + row * _ROW
        width = room * value / most
        parts.append(_text(_LABEL - 8, top + 12, name, anchor="end"))
        parts.append(f'<rect class="c0" x="{_LABEL}" y="{top}" width="{width:.1f}" height="{_BAR}" rx="2"/>')
        parts.append(_text(_LABEL + width + 6, top + 12, form.format(value), kind="soft"))
    return _svg(title, parts, _TOP + len(values) * _ROW + 8)


def lines(
    title: str,
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    axes: tuple[str, str],
    low: float,
    high: float,
) -> str:
    """Up to three curves of (x, y) with a grid; y runs from ``low`` to ``high``."""
    xs = [x for points in series.values() for x, _ in points]
    first, last = min(xs), max(xs)
    right, bottom = _WIDTH - _RIGHT, _HEIGHT - _FOOT

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - first) / (last - first or 1)
        return _LEFT + across * (right - _LEFT), bottom - (y - low) / (high - low) * (bottom - _TOP)

    parts = [_text(0, 18, f"{title} ({axes[1]})")]
    for y in _ticks(low, high):
        level = place(first, y)[1]
        parts.append(f'<path class="grid" d="M{_LEFT} {level:.1f}H{right}"/>')
        parts.append(_text(_LEFT - 6, level + 4, f"{y:g}", anchor="end", kind="soft"))
    for x in (first, last):
        parts.append(_text(place(x, low)[0], bottom + 18, f"{x:,.0f}", anchor="middle", kind="soft"))
    parts.append(_text((_LEFT + right) / 2, bottom + 32, axes[0], anchor="middle", kind="soft"))
    ends: dict[str, float] = {}
    for number, (name, points) in enumerate(series.items()):
        places = [place(*point) for point in points]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        parts.append(f'<path class="c{number} line" d="M{path}"/>')
        ends[name] = places[-1][1] + 4
    free = -math.inf
    for name, level in sorted(ends.items(), key=lambda item: item[1]):
        free = max(level, free + _TEXT)
        parts.append(_text(right + 8, free, name))
    return _svg(title, parts, _HEIGHT)


def _ticks(low: float, high: float) -> list[float]:
    """Three to seven round numbers."""
    least = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(least))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= least)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 10) for k in range(first, last + 1)]


def _text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place}{f' class={chr(34)}{kind}{chr(34)}' if kind else ''}>{escape(words)}</text>"


def _svg(title: str, parts: Sequence[str], height: int) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img">'
    return "\n".join((head, f"<title>{escape(title)}</title><style>{_STYLE}</style>", *parts, "</svg>", ""))
