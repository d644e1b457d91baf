"""How pages look: light or dark, round or sharp, flat or raised, narrow or wide."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

_STYLE = (Path(__file__).parent / "page.css").read_text(encoding="utf-8")
_FAMILIES = (
    '"DejaVu Sans", sans-serif',
    "system-ui, sans-serif",
    '"DejaVu Serif", serif',
    '"DejaVu Sans Mono", monospace',
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """A look.

    Attributes:
        is_dark: Light letters on dark.
        hue: Of the accent, in degrees.
        radius: Of corners, in pixels; buttons and fields have this, cards a little more.
        edge: "raised", "outlined" or "flat".
        family: Of letters.
        gap: Between parts, in pixels.
    """

    is_dark: bool
    hue: int
    radius: int
    edge: str
    family: str
    gap: int

    @property
    def style(self) -> str:
        """The style sheet."""
        paper, card, ink, line = (
            ("14% 0.010", "20% 0.014", "93% 0.006", "33% 0.016")
            if self.is_dark
            else ("97% 0.006", "100% 0", "24% 0.016", "87% 0.010")
        )
        shadow = "0 2px 10px rgb(0 0 0 / 18%)" if self.edge == "raised" else "none"
        width = "1px" if self.edge == "outlined" else "0"
        accent = f"oklch({'72%' if self.is_dark else '52%'} 0.14 {self.hue})"
        values = {
            "paper": f"oklch({paper} {self.hue})",
            "card": f"oklch({card} {self.hue})",
            "ink": f"oklch({ink} {self.hue})",
            "line": f"oklch({line} {self.hue})",
            "accent": accent,
            "on-accent": "#111" if self.is_dark else "#fff",
            "radius": f"{self.radius}px",
            "card-radius": f"{min(self.radius + 4, 28)}px",
            "shadow": shadow,
            "edge": width,
            "gap": f"{self.gap}px",
            "family": self.family,
        }
        root = "".join(f"--{name}:{value};" for name, value in values.items())
        return f":root{{{root}color-scheme:{'dark' if self.is_dark else 'light'}}}{_STYLE}"


def some_theme(rng: random.Random, *, is_dark: bool) -> Theme:
    """A look by chance."""
    return Theme(
        is_dark=is_dark,
        hue=rng.randrange(360),
        radius=rng.choice((0, 4, 8, 12, 24)),
        edge=rng.choice(("raised", "outlined", "flat")),
        family=rng.choice(_FAMILIES),
        gap=rng.choice((12, 16, 22)),
    )
