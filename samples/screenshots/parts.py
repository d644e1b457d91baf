"""The parts that pages are made of. What is to be found carries ``data-kind``: button, field, icon, card or image."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

PHOTOS = tuple(sorted((Path(__file__).parents[1] / "gallery").glob("*.jpg")))

_ICONS = {
    "heart": '<path d="M12 20 4.5 12.6a4.6 4.6 0 0 1 6.5-6.5l1 1 1-1a4.6 4.6 0 0 1 6.5 6.5z"/>',
    "star": '<path d="m12 3 2.7 5.8 6.3.8-4.6 4.4 1.2 6.3L12 17.2l-5.6 3.1 1.2-6.3L3 9.6l6.3-.8z"/>',
    "home": '<path d="M4 11.5 12 4l8 7.5V20h-5.5v-5h-5v5H4z"/>',
    "bell": '<path d="M6 17V11a6 6 0 0 1 12 0v6l1.5 2h-15z"/><path d="M10 21h4"/>',
    "search": '<circle cx="10.5" cy="10.5" r="6"/><path d="m15 15 5.5 5.5"/>',
    "menu": '<path d="M4 6.5h16M4 12h16M4 17.5h16"/>',
    "mail": '<rect x="3.5" y="5.5" width="17" height="13" rx="2"/><path d="m4 7 8 6 8-6"/>',
    "play": '<path d="M7 4.5v15l13-7.5z"/>',
    "plus": '<path d="M12 4.5v15M4.5 12h15"/>',
    "close": '<path d="m5.5 5.5 13 13M18.5 5.5l-13 13"/>',
    "check": '<path d="m4.5 12.5 5 5 10-11"/>',
    "user": '<circle cx="12" cy="8" r="4"/><path d="M4.5 20.5a7.5 7.5 0 0 1 15 0z"/>',
    "cog": '<circle cx="12" cy="12" r="3.2"/><path d="M12 2.8v3.4M12 17.8v3.4M2.8 12h3.4M17.8 12h3.4M5.5 5.5l2.4 2.4'
    'M16.1 16.1l2.4 2.4M18.5 5.5l-2.4 2.4M7.9 16.1l-2.4 2.4"/>',
    "chart": '<path d="M5 20V11M12 20V4.5M19 20v-6"/>',
    "camera": '<path d="M3.5 8h4l1.5-2.5h6L16.5 8h4v11.5h-17z"/><circle cx="12" cy="13.5" r="3.6"/>',
    "clock": '<circle cx="12" cy="12" r="8.5"/><path d="M12 7v5.3l3.5 2"/>',
    "pin": '<path d="M12 21.5s-7-6.6-7-11.7a7 7 0 0 1 14 0c0 5.1-7 11.7-7 11.7z"/><circle cx="12" cy="9.8" r="2.5"/>',
    "trash": '<path d="M4.5 6.5h15M9 6V3.5h6V6M6.5 6.5l1 14h9l1-14"/>',
    "share": '<circle cx="6" cy="12" r="2.7"/><circle cx="17.5" cy="5.5" r="2.7"/><circle cx="17.5" cy="18.5" r="2.7"/>'
    '<path d="m8.5 10.7 6.6-3.8M8.5 13.3l6.6 3.8"/>',
    "music": '<path d="M9 18V5.5l11-2V16"/><circle cx="6.5" cy="18" r="2.5"/><circle cx="17.5" cy="16" r="2.5"/>',
}
ICONS = tuple(_ICONS)


def icon(name: str, *, size: int = 22, is_filled: bool = False) -> str:
    """A drawn sign; what is painted of it is the icon."""
    look = "fill" if is_filled and name in ("heart", "star", "home", "play", "user", "pin") else "line"
    return (
        f'<svg class="icon {look}" data-kind="icon" viewBox="0 0 24 24" width="{size}" height="{size}" '
        f'aria-hidden="true">{_ICONS[name]}</svg>'
    )


def button(words: str, *, sign: str = "", look: str = "main", is_wide: bool = False) -> str:
    """A button; look is "main", "soft" or "bare"."""
    inside = (icon(sign, size=18) if sign else "") + f"<span>{escape(words)}</span>"
    return f'<button data-kind="button" class="button {look}{" wide" if is_wide else ""}">{inside}</button>'


def round_button(sign: str, *, size: int = 44, look: str = "soft") -> str:
    """A round button with a sign alone."""
    return (
        f'<button data-kind="button" class="button round {look}" style="width:{size}px;height:{size}px">'
        f"{icon(sign, size=size // 2)}</button>"
    )


def field(label: str, value: str = "", *, sign: str = "", kind: str = "text") -> str:
    """A labelled field."""
    mark = icon(sign, size=18) if sign else ""
    return (
        f'<label class="labelled"><span>{escape(label)}</span><span class="field" data-kind="field">{mark}'
        f'<input type="{kind}" value="{escape(value)}" placeholder="{escape(label)}"></span></label>'
    )


def search_field(words: str) -> str:
    """A field without a label above it."""
    return (
        f'<span class="field search" data-kind="field">{icon("search", size=18)}'
        f'<input placeholder="{escape(words)}"></span>'
    )


def choice(label: str, options: Sequence[str]) -> str:
    """A labelled list to choose from."""
    listed = "".join(f"<option>{escape(one)}</option>" for one in options)
    return (
        f'<label class="labelled"><span>{escape(label)}</span>'
        f'<select class="field" data-kind="field">{listed}</select></label>'
    )


def image(address: str, *, shape: str = "wide") -> str:
    """A photograph; shape is "wide", "square", "tall" or "round"."""
    return f'<img class="photo {shape}" data-kind="image" src="{address}" alt="">'


def card(*parts: str, extra: str = "") -> str:
    """A framed part."""
    return f'<section class="card {extra}" data-kind="card">{"".join(parts)}</section>'


def row(*parts: str, extra: str = "") -> str:
    """Parts side by side."""
    return f'<div class="row {extra}">{"".join(parts)}</div>'


def title(words: str, level: int = 2) -> str:
    """A heading."""
    return f"<h{level}>{escape(words)}</h{level}>"


def text(words: str, *, is_faint: bool = False) -> str:
    """A paragraph."""
    return f"<p{' class=faint' if is_faint else ''}>{escape(words)}</p>"
