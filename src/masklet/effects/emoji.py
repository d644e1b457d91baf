"""Emoji: a picture over the object, or a crowd of small ones on it."""

from __future__ import annotations

from masklet.effects.arithmetic import hashed, scaled
from masklet.effects.base import (
    Image,
    Layer,
    Mask,
    ObjectEffect,
    Parameter,
    Values,
    Variant,
    option_of,
    whole_of,
)
from masklet.effects.edges import region_of
from masklet.effects.stamps import stamp

_NAMES = ("star", "heart", "smile", "fire", "flower", "bolt")
_MIXED = "mixed"
_PULSE = 24
"""Frames from one swelling to the next."""


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    drawn = canvas.copy()
    if whole_of(values, "crowd"):
        _draw_crowd(drawn, layer, values)
        return drawn
    region = region_of(layer.mask, 0)
    if region is None:
        return canvas
    rows, columns = region
    longer = max(rows.stop - rows.start, columns.stop - columns.start)
    swell = 100 + whole_of(values, "pulse") * _wave(layer.scene.index) // 6
    side = max(4, longer * whole_of(values, "size") * swell // 10_000)
    center = ((columns.start + columns.stop) // 2, (rows.start + rows.stop) // 2)
    stamp(drawn, _name(layer, 0, values), side, center)
    return drawn


def _draw_crowd(drawn: Image, layer: Layer, values: Values) -> None:
    """One small picture in every cell of a grid whose middle is on the object, in place."""
    cell = max(6, scaled(whole_of(values, "crowd"), drawn.shape))
    region = region_of(layer.mask, 0)
    if region is None:
        return
    rows, columns = region
    for row in range(rows.start // cell, (rows.stop - 1) // cell + 1):
        for column in range(columns.start // cell, (columns.stop - 1) // cell + 1):
            place = row * 4096 + column
            chance = hashed(layer.scene.seed, 0, place)
            x = column * cell + cell // 4 + (chance & 255) * cell // 512
            y = row * cell + cell // 4 + (chance >> 8 & 255) * cell // 512
            if not _is_on(layer.mask, x, y):
                continue
            bob = whole_of(values, "pulse") * _wave(layer.scene.index + place * 5) * cell // 600
            stamp(drawn, _name(layer, place, values), cell * whole_of(values, "size") // 100, (x, y + bob))


def _is_on(mask: Mask, x: int, y: int) -> bool:
    return x < mask.shape[1] and y < mask.shape[0] and bool(mask[y, x])


def _name(layer: Layer, place: int, values: Values) -> str:
    name = option_of(values, "shape")
    return _NAMES[hashed(layer.scene.seed, 1, place) % len(_NAMES)] if name == _MIXED else name


def _wave(index: int) -> int:
    """Up and down between 0 and 12."""
    return _PULSE // 2 - abs(index % _PULSE - _PULSE // 2)


def _one(name: str, label: str) -> Variant:
    return Variant(id=name, label=label, values={"shape": name})


EMOJI_OBJECT = ObjectEffect(
    id="emoji",
    label="Emoji",
    variants=(
        _one("smile", "Smile"),
        _one("star", "Star"),
        _one("heart", "Heart"),
        _one("fire", "Fire"),
        _one("flower", "Flower"),
        _one("bolt", "Bolt"),
        Variant(id="party", label="Party", values={"shape": _MIXED, "crowd": 95, "size": 110, "pulse": 8}),
    ),
    parameters=(
        Parameter(id="shape", label="Picture", kind="option", default="smile", options=(*_NAMES, _MIXED)),
        Parameter(id="size", label="Size", kind="whole", default=105, least=20, most=300),
        Parameter(id="crowd", label="Crowd", kind="whole", default=0, least=0, most=300),
        Parameter(id="pulse", label="Movement", kind="whole", default=3, least=0, most=20),
    ),
    render=_object,
)
