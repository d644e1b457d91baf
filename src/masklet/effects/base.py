"""What an effect is: a pure function of pixels, masks, parameters and a frame index, with named variants."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from masklet.effects.glyphs import CHARACTERS
from masklet.errors import EffectError

Image: TypeAlias = npt.NDArray[np.uint8]
"""RGB uint8 (h, w, 3)."""
Mask: TypeAlias = npt.NDArray[np.bool_]
"""bool (h, w)."""
Alpha: TypeAlias = npt.NDArray[np.uint8]
"""Opacity, uint8 (h, w): 0 leaves what is below, 255 covers it."""
Color: TypeAlias = tuple[int, int, int]
Value: TypeAlias = int | str
Values: TypeAlias = Mapping[str, Value]

AUTO = "auto"
"""The value of a colour parameter that follows the object's own colour."""
_COLOR = re.compile(r"#[0-9a-f]{6}")
_MAX_CHARACTERS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One number, colour, text or option of an effect.

    Attributes:
        id: Its name in settings.
        label: English words for a page.
        kind: ``whole`` is a whole number, ``color`` is ``#rrggbb`` or ``auto``.
        default: Value where a variant says nothing.
        least: Smallest whole number.
        most: Largest whole number.
        options: What an option may be.
    """

    id: str
    label: str
    kind: Literal["whole", "color", "text", "option"]
    default: Value
    least: int = 0
    most: int = 0
    options: tuple[str, ...] = ()

    def checked(self, value: object) -> Value:
        """The value itself when it is allowed.

        Raises:
            EffectError: When it is of another kind or out of range.
        """
        if self.kind == "whole":
            if isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most:
                return value
        elif isinstance(value, str) and self._is_allowed(value):
            return value
        raise EffectError(f"Parameter {self.id!r} must be {self.allowed()}, got {value!r}.")

    def allowed(self) -> str:
        """What may be given, in words."""
        if self.kind == "whole":
            return f"a whole number from {self.least} to {self.most}"
        if self.kind == "color":
            return "a colour such as '#ff8800', or 'auto' for the object's own"
        if self.kind == "option":
            return f"one of {', '.join(self.options)}"
        return f"1 to {_MAX_CHARACTERS} of the characters {CHARACTERS!r}"

    def _is_allowed(self, value: str) -> bool:
        if self.kind == "color":
            return value == AUTO or _COLOR.fullmatch(value) is not None
        if self.kind == "option":
            return value in self.options
        return 0 < len(value.strip()) <= len(value) <= _MAX_CHARACTERS and set(value.upper()) <= set(
            CHARACTERS
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Named values for some parameters of an effect."""

    id: str
    label: str
    values: Values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scene:
    """What every effect of a frame sees.

    Attributes:
        frame: The frame as it was filmed.
        shown: Where an object is that stays in the picture.
        index: Frame index; what moves, moves with it.
        seed: Decides what is left to chance, together with the index.
    """

    frame: Image
    shown: Mask
    index: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """What an object effect works on.

    Attributes:
        scene: The frame and what holds for all of it.
        backdrop: What would be seen if no object were there.
        mask: The object, or all objects of one choice for effects around them; never empty.
        object_id: The object's id, the lowest of several.
    """

    scene: Scene
    backdrop: Image
    mask: Mask
    object_id: int


class RenderBackground(Protocol):
    """Makes the backdrop of a frame."""

    def __call__(self, ground: Image, scene: Scene, values: Values) -> Image:
        """A new image.

        Args:
            ground: The frame, with objects taken out for effects that mix neighbouring pixels.
            scene: The frame and what holds for all of it.
            values: A value for every parameter.
        """
        ...


class RenderObject(Protocol):
    """Draws an object, or what is around it."""

    def __call__(self, canvas: Image, layer: Layer, values: Values) -> Image:
        """A new image.

        Args:
            canvas: The picture so far.
            layer: The object.
            values: A value for every parameter.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What backgrounds and objects have in common.

    Attributes:
        id: Its name in settings.
        label: English words for a page.
        variants: At least three; the first is meant when none is named.
        parameters: Everything that can be set.
    """

    id: str
    label: str
    variants: tuple[Variant, ...]
    parameters: tuple[Parameter, ...]

    def values(self, variant: str, changes: Values) -> Values:
        """A value for every parameter: the default, then the variant's, then the change.

        Args:
            variant: Id of a variant, or "" for the first.
            changes: Values by parameter id.

        Raises:
            EffectError: When the variant or a parameter does not exist, or a value is not allowed.
        """
        by_id = {one.id: one for one in self.variants}
        if variant and variant not in by_id:
            raise EffectError(f"{self.id!r} has no variant {variant!r}; choose {', '.join(by_id)}.")
        chosen = {one.id: one.default for one in self.parameters}
        chosen.update(by_id[variant].values if variant else self.variants[0].values)
        parameters = {one.id: one for one in self.parameters}
        for name, value in changes.items():
            if name not in parameters:
                names = ", ".join(parameters) or "none"
                raise EffectError(f"{self.id!r} has no parameter {name!r}; it has {names}.")
            chosen[name] = parameters[name].checked(value)
        return chosen


@dataclass(frozen=True, slots=True, kw_only=True)
class BackgroundEffect(Effect):
    """An effect on everything that is no object.

    Attributes:
        render: Makes the backdrop.
        mixes_neighbours: Whether colours of the objects would run into the backdrop if they were not taken out first.
    """

    render: RenderBackground
    mixes_neighbours: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEffect(Effect):
    """An effect on an object.

    Attributes:
        render: Draws the object.
        is_around: Whether it draws around the objects and comes before effects that draw on them.
        is_removal: Whether the object is not meant to be seen any more.
    """

    render: RenderObject
    is_around: bool = False
    is_removal: bool = False


def whole_of(values: Values, name: str) -> int:
    """A parameter that is a whole number."""
    return int(values[name])


def color_of(values: Values, name: str, *, auto: Color = (255, 255, 255)) -> Color:
    """A parameter that is a colour, as red, green and blue.

    Args:
        values: A value for every parameter.
        name: The parameter.
        auto: What ``auto`` means.
    """
    text = str(values[name])
    if text == AUTO:
        return auto
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def option_of(values: Values, name: str) -> str:
    """A parameter that is an option or a text."""
    return str(values[name])
