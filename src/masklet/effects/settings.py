"""Which effects a video gets: frozen values, and the same as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from masklet.effects.base import BackgroundEffect, Effect, ObjectEffect, Values
from masklet.effects.table import BACKGROUNDS, OBJECTS
from masklet.errors import EffectError

_MAX_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectChoice:
    """An effect with a variant and changes to it.

    Attributes:
        name: Id of the effect.
        variant: Id of the variant; "" means the first.
        changes: Values by parameter id that differ from the variant's.
    """

    name: str
    variant: str = ""
    changes: Values = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectSettings:
    """Effects of a whole video.

    Attributes:
        background: For everything that is no object.
        objects: For every object without an effect of its own.
        by_object: Effects of single objects, by object id.
        seed: Decides what effects leave to chance, 0 to 2^31 - 1.

    Raises:
        EffectError: When an effect, a variant or a parameter does not exist, or a value is not allowed.
    """

    background: EffectChoice = field(default_factory=lambda: EffectChoice(name="original"))
    objects: EffectChoice = field(default_factory=lambda: EffectChoice(name="original"))
    by_object: Mapping[int, EffectChoice] = field(default_factory=dict)
    seed: int = 0

    def __post_init__(self) -> None:
        """Resolve everything once, so that no frame meets a mistake."""
        background_of(self.background)
        for choice in (self.objects, *self.by_object.values()):
            object_of(choice)
        if not 0 <= self.seed <= _MAX_SEED:
            raise EffectError(f"The seed of effects must be 0 to {_MAX_SEED}, got {self.seed}.")

    def choice_for(self, object_id: int) -> EffectChoice:
        """The effect of an object."""
        return self.by_object.get(object_id, self.objects)

    def to_json(self) -> dict[str, object]:
        """As plain JSON values."""
        return {
            "background": _choice_to_json(self.background),
            "objects": _choice_to_json(self.objects),
            "by_object": {str(key): _choice_to_json(one) for key, one in sorted(self.by_object.items())},
            "seed": self.seed,
        }

    @classmethod
    def from_json(cls, value: object) -> EffectSettings:
        """Settings from what ``to_json`` gave; parts that are left out are as in ``EffectSettings()``.

        Raises:
            EffectError: When something in it does not fit.
        """
        fields = _fields(value, {"background", "objects", "by_object", "seed"}, "Effect settings")
        seed = fields.get("seed", 0)
        if not isinstance(seed, int) or isinstance(seed, bool):
            raise EffectError(f"The seed of effects must be a whole number, got {seed!r}.")
        original = {"name": "original"}
        by_object = fields.get("by_object", {})
        if not isinstance(by_object, dict):
            raise EffectError(f"by_object must be an object of JSON, got {type(by_object).__name__}.")
        return cls(
            background=_choice_from_json(fields.get("background", original)),
            objects=_choice_from_json(fields.get("objects", original)),
            by_object={_object_id(key): _choice_from_json(one) for key, one in by_object.items()},
            seed=seed,
        )


def background_of(choice: EffectChoice) -> tuple[BackgroundEffect, Values]:
    """The effect of a choice, and a value for each of its parameters.

    Raises:
        EffectError: When the choice does not fit.
    """
    effect = BACKGROUNDS.get(choice.name)
    if effect is None:
        raise _unknown("background", choice.name, BACKGROUNDS)
    return effect, effect.values(choice.variant, choice.changes)


def object_of(choice: EffectChoice) -> tuple[ObjectEffect, Values]:
    """The effect of a choice, and a value for each of its parameters.

    Raises:
        EffectError: When the choice does not fit.
    """
    effect = OBJECTS.get(choice.name)
    if effect is None:
        raise _unknown("object", choice.name, OBJECTS)
    return effect, effect.values(choice.variant, choice.changes)


def _unknown(what: str, name: str, table: Mapping[str, Effect]) -> EffectError:
    return EffectError(f"There is no {what} effect {name!r}; choose one of {', '.join(table)}.")


def _choice_to_json(choice: EffectChoice) -> dict[str, object]:
    return {"name": choice.name, "variant": choice.variant, "changes": dict(choice.changes)}


def _choice_from_json(value: object) -> EffectChoice:
    fields = _fields(value, {"name", "variant", "changes"}, "An effect")
    name, variant, changes = fields.get("name"), fields.get("variant", ""), fields.get("changes", {})
    if not isinstance(name, str) or not isinstance(variant, str) or not isinstance(changes, dict):
        raise EffectError(f"An effect needs a name, a variant and changes, got {fields!r}.")
    return EffectChoice(name=name, variant=variant, changes=cast("dict[str, int | str]", changes))


def _fields(value: object, allowed: set[str], what: str) -> dict[str, Any]:
    if not isinstance(value, dict) or not set(value) <= allowed:
        raise EffectError(
            f"{what} must be an object of JSON with {', '.join(sorted(allowed))}, got {value!r}."
        )
    return cast("dict[str, Any]", value)


def _object_id(key: object) -> int:
    text = str(key)
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise EffectError(f"by_object is keyed by object ids from 1, got {text!r}.")
    return int(text)
