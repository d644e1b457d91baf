"""Surprise me: effects that somebody else chose."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from masklet.effects.base import Effect
from masklet.effects.settings import EffectChoice, EffectSettings
from masklet.effects.table import BACKGROUNDS, OBJECTS

# Both drawn from these would leave nothing to look at, or nothing changed.
_BLAND = frozenset({"original", "erase"})


def surprise_me(rng: np.random.Generator) -> EffectSettings:
    """Effects drawn at random: one for the background, one for all objects, never only the original.

    Args:
        rng: Where chance comes from; equal generators give equal effects.
    """
    while True:
        background, objects = _draw(rng, list(BACKGROUNDS.values())), _draw(rng, list(OBJECTS.values()))
        if not {background.name, objects.name} <= _BLAND:
            return EffectSettings(
                background=background, objects=objects, seed=int(rng.integers(0, 2**31 - 1))
            )


def _draw(rng: np.random.Generator, effects: Sequence[Effect]) -> EffectChoice:
    effect = effects[int(rng.integers(len(effects)))]
    variant = effect.variants[int(rng.integers(len(effect.variants)))]
    return EffectChoice(name=effect.id, variant=variant.id)
