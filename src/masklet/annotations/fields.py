"""Typed reading of a JSON object; whatever does not fit is a FormatError that names the place."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from typing import TypeVar, cast

from masklet.errors import FormatError

MAX_NUMBER = 2**53
"""Largest whole number that every reader of JSON keeps exact."""

Value = TypeVar("Value")


class Fields:
    """The fields of one JSON object.

    Args:
        value: The parsed JSON.
        where: Name of the place, for messages.

    Raises:
        FormatError: When the value is no object.
    """

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise FormatError(f"{where} must be a JSON object, got {_kind(value)}.")
        self._values = cast("dict[str, object]", value)
        self._where = where

    def check_names(self, allowed: Collection[str]) -> None:
        """Refuse fields that nobody would read, so that nothing is lost in silence.

        Raises:
            FormatError: When a field is not allowed.
        """
        unknown = sorted(set(self._values) - set(allowed))
        if unknown:
            raise FormatError(
                f"{self._where} has the unknown field {unknown[0]!r}; known are {sorted(allowed)}."
            )

    def has(self, name: str) -> bool:
        """Whether a field is there and not null."""
        return self._values.get(name) is not None

    def raw(self, name: str) -> object:
        """A field as it is.

        Raises:
            FormatError: When it is missing.
        """
        if name not in self._values:
            raise FormatError(f"{self._where} lacks the field {name!r}.")
        return self._values[name]

    def whole(self, name: str, *, least: int = 0, most: int = MAX_NUMBER) -> int:
        """A whole number in [least, most]."""
        value = self.raw(name)
        if type(value) is not int or not least <= value <= most:
            raise self._refused(name, f"a whole number from {least} to {most}", value)
        return value

    def number(self, name: str) -> float:
        """A finite number."""
        value = self.raw(name)
        if not is_finite_number(value):
            raise self._refused(name, "a finite number", value)
        return float(cast("float", value))

    def text(self, name: str) -> str:
        """A string."""
        value = self.raw(name)
        if not isinstance(value, str):
            raise self._refused(name, "a string", value)
        return value

    def flag(self, name: str) -> bool:
        """True or false."""
        value = self.raw(name)
        if not isinstance(value, bool):
            raise self._refused(name, "true or false", value)
        return value

    def items(self, name: str) -> list[object]:
        """A list."""
        value = self.raw(name)
        if not isinstance(value, list):
            raise self._refused(name, "a list", value)
        return cast("list[object]", value)

    def numbers(self, name: str, length: int) -> list[float]:
        """A list of so many finite numbers."""
        values = self.items(name)
        if len(values) != length or not all(is_finite_number(value) for value in values):
            raise self._refused(name, f"a list of {length} numbers", values)
        return [float(cast("float", value)) for value in values]

    def optional(self, name: str, read: Callable[[str], Value]) -> Value | None:
        """What ``read`` makes of a field, or None when it is missing or null."""
        return read(name) if self.has(name) else None

    def _refused(self, name: str, wanted: str, value: object) -> FormatError:
        return FormatError(f"{self._where}: {name!r} must be {wanted}, got {_kind(value)}.")


def is_finite_number(value: object) -> bool:
    """Whether a JSON value is a number that a float can hold; true and false are none."""
    return type(value) in (int, float) and abs(cast("float", value)) <= sys.float_info.max


def rounded(value: float) -> float:
    """A number as it is written, with 6 significant digits; never minus zero."""
    short = float(f"{value:.6g}")
    return 0.0 if short == 0 else short


def _kind(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 40 else text[:37] + '...'}"
