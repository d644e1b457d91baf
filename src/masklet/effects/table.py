"""All effects by id, in the order in which a page shows them. A new effect is one file and one line here."""

from __future__ import annotations

from masklet.effects.base import BackgroundEffect, ObjectEffect
from masklet.effects.blur import BLUR_BACKGROUND
from masklet.effects.burst import BURST_OBJECT
from masklet.effects.desaturate import DESATURATE_BACKGROUND
from masklet.effects.emoji import EMOJI_OBJECT
from masklet.effects.erase import ERASE_BACKGROUND, ERASE_OBJECT
from masklet.effects.gradient import GRADIENT_BACKGROUND, GRADIENT_OBJECT
from masklet.effects.original import ORIGINAL_BACKGROUND, ORIGINAL_OBJECT
from masklet.effects.outline import OUTLINE_BACKGROUND
from masklet.effects.overlay import OVERLAY_OBJECT
from masklet.effects.pixelate import PIXELATE_BACKGROUND, PIXELATE_OBJECT
from masklet.effects.spotlight import SPOTLIGHT_OBJECT
from masklet.effects.text import TEXT_BACKGROUND

BACKGROUNDS: dict[str, BackgroundEffect] = {
    one.id: one
    for one in (
        ORIGINAL_BACKGROUND,
        ERASE_BACKGROUND,
        GRADIENT_BACKGROUND,
        PIXELATE_BACKGROUND,
        DESATURATE_BACKGROUND,
        TEXT_BACKGROUND,
        BLUR_BACKGROUND,
        OUTLINE_BACKGROUND,
    )
}
OBJECTS: dict[str, ObjectEffect] = {
    one.id: one
    for one in (
        ORIGINAL_OBJECT,
        ERASE_OBJECT,
        GRADIENT_OBJECT,
        PIXELATE_OBJECT,
        OVERLAY_OBJECT,
        EMOJI_OBJECT,
        BURST_OBJECT,
        SPOTLIGHT_OBJECT,
    )
}
