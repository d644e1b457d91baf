"""Effects on backgrounds and objects: pure functions of pixels, masks, settings and a frame index."""

from masklet.effects.base import BackgroundEffect, Effect, ObjectEffect, Parameter, Variant
from masklet.effects.compose import compose, matte
from masklet.effects.settings import EffectChoice, EffectSettings
from masklet.effects.surprise import surprise_me
from masklet.effects.table import BACKGROUNDS, OBJECTS

__all__ = [
    "BACKGROUNDS",
    "OBJECTS",
    "BackgroundEffect",
    "Effect",
    "EffectChoice",
    "EffectSettings",
    "ObjectEffect",
    "Parameter",
    "Variant",
    "compose",
    "matte",
    "surprise_me",
]
