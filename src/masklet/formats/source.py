"""A file or folder of labels as importers see it: listed once, parsed once, every size limited."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar, cast
from xml.etree import ElementTree

from masklet.errors import FormatError
from masklet.formats.paths import contain

MAX_TEXT_BYTES = 2 * 2**30
"""Largest JSON or XML file that is parsed; it is held in memory."""
MAX_FILES = 2_000_000
"""Most files of one folder."""
IMAGE_SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"))
"""Endings of images, in lower case."""

Number = TypeVar("Number", int, float)


class Source:
    """Labels on the disk.

    Args:
        path: A file or a folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._files: tuple[str, ...] | None = None
        self._json: dict[str, object] = {}

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @property
    def root(self) -> Path:
        """The folder that file names of the labels are relative to."""
        return self.path if self.is_folder else self.path.parent

    @property
    def name(self) -> str:
        """Name of the file or folder, for messages."""
        return self.path.resolve().name

    def files(self) -> tuple[str, ...]:
        """Relative names of all plain files of the folder, "/" between folders, sorted; links are passed over.

        Raises:
            FormatError: When the folder holds too many files or cannot be listed.
        """
        if self._files is None:
            self._files = tuple(sorted(self._listed())) if self.is_folder else (self.path.name,)
        return self._files

    def _listed(self) -> list[str]:
        found: list[str] = []
        for folder, _, names in os.walk(self.path, onerror=_raise):
            inside = Path(folder)
            for name in names:
                path = inside / name
                if not path.is_symlink() and path.is_file():
                    found.append(path.relative_to(self.path).as_posix())
            if len(found) > MAX_FILES:
                raise FormatError(
                    f"{self.name!r} holds more than {MAX_FILES} files; convert its folders one by one."
                )
        return found

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Names of the files with one of these endings, in lower case with the dot."""
        return [name for name in self.files() if name.lower().endswith(suffixes)]

    def read(self, name: str | None = None) -> bytes:
        """The bytes of a file of the folder, or of the file itself.

        Raises:
            FormatError: When it cannot be read or is too large.
        """
        path = self.path if name is None or not self.is_folder else contain(self.path, name)
        try:
            if path.stat().st_size > MAX_TEXT_BYTES:
                raise FormatError(
                    f"{path.name!r} has {path.stat().st_size} bytes, the most is {MAX_TEXT_BYTES}; split it."
                )
            return path.read_bytes()
        except OSError as error:
            raise FormatError(f"{path.name!r} cannot be read: {error.strerror}.") from error

    def text(self, name: str | None = None) -> str:
        """The text of a file.

        Raises:
            FormatError: When it cannot be read or is not UTF-8.
        """
        try:
            return self.read(name).decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(f"{name or self.name!r} is not text in UTF-8; save it as such.") from error

    def json(self, name: str | None = None) -> object:
        """The parsed JSON of a file; kept, since detection and reading both ask for it.

        Raises:
            FormatError: When it cannot be read or is not JSON.
        """
        key = name or ""
        if key not in self._json:
            try:
                self._json[key] = json.loads(self.read(name), parse_constant=_refuse_constant)
            except (ValueError, RecursionError) as error:
                raise FormatError(f"{name or self.name!r} is not JSON: {error}.") from error
        return self._json[key]

    def json_object(self) -> Mapping[str, object]:
        """The JSON object of the file, or an empty one when it is anything else; for detection."""
        if self.is_folder or self.path.suffix.lower() != ".json":
            return {}
        value = self.json()
        return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}

    def xml(self, name: str | None = None) -> ElementTree.Element:
        """The root of an XML file.

        Raises:
            FormatError: When it cannot be read, is not XML, or declares entities.
        """
        return parse_xml(self.read(name), name or self.name)


def parse_xml(content: bytes, name: str) -> ElementTree.Element:
    """The root of a text of XML.

    Args:
        content: The text.
        name: What messages call it.

    Raises:
        FormatError: When it is not XML, or declares entities.
    """
    # Entities of a document type can grow a small file to any size or name other files.
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\0" in content:
        raise FormatError(f"{name!r} declares a document type; remove it and try again.")
    try:
        return ElementTree.fromstring(content)
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise FormatError(f"{name!r} is not XML: {error}.") from error


def as_object(value: object, where: str) -> dict[str, object]:
    """A JSON object.

    Raises:
        FormatError: When it is something else.
    """
    if not isinstance(value, dict):
        raise FormatError(f"{where} must be a JSON object, got {type(value).__name__}.")
    return cast("dict[str, object]", value)


def as_list(value: object, where: str) -> list[object]:
    """A JSON list.

    Raises:
        FormatError: When it is something else.
    """
    if not isinstance(value, list):
        raise FormatError(f"{where} must be a list, got {type(value).__name__}.")
    return cast("list[object]", value)


def as_whole(value: object, where: str, *, least: int = 0, most: int = 2**53) -> int:
    """A whole number; 3.0 and "3" count as 3, since other programs write them.

    Raises:
        FormatError: When it is something else or out of range.
    """
    number = value
    if isinstance(value, str):
        try:
            number = float(value) if len(value) < 40 else None
        except ValueError:
            number = None
    if isinstance(number, float) and number.is_integer():
        number = int(number)
    if type(number) is not int or not least <= number <= most:
        raise FormatError(f"{where} must be a whole number from {least} to {most}, got {value!r:.60}.")
    return number


def as_numbers(value: object, where: str) -> list[float]:
    """A list of finite numbers.

    Raises:
        FormatError: When it is something else.
    """
    items = as_list(value, where)
    if not all(type(one) in (int, float) and abs(cast("float", one)) <= 1e15 for one in items):
        raise FormatError(f"{where} must hold finite numbers only.")
    return [float(cast("float", one)) for one in items]


def as_text(value: object, where: str) -> str:
    """A string.

    Raises:
        FormatError: When it is something else.
    """
    if not isinstance(value, str):
        raise FormatError(f"{where} must be a string, got {type(value).__name__}.")
    return value


def to_bytes(value: object) -> bytes:
    """JSON in ASCII with one final line break; keys keep their order."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"


def objects_of(value: object, where: str) -> Sequence[dict[str, object]]:
    """A list of JSON objects.

    Raises:
        FormatError: When it is something else.
    """
    return [as_object(one, f"An entry of {where}") for one in as_list(value, where)]


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def _raise(error: OSError) -> None:
    raise FormatError(f"A folder cannot be listed: {error.strerror}.") from error
