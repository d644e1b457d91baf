"""What of a long run is finished, one line of JSON each, so that the run can be stopped and gone on with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast


def journal_key(facts: Sequence[object]) -> str:
    """A short name of everything that must be the same for finished parts to be taken over; facts as JSON values."""
    return hashlib.sha256(json.dumps(list(facts)).encode()).hexdigest()[:16]


class Journal:
    """Finished parts of a run by name.

    Args:
        path: The file, or None to keep nothing.
        key: What journal_key gave; lines of other keys are left alone.
    """

    def __init__(self, path: Path | None, key: str) -> None:
        self._path, self._key = path, key
        self._is_open = False

    def read(self) -> dict[str, dict[str, Any]]:
        """Values of the finished parts; a line that was cut off is left out."""
        if self._path is None or not self._path.is_file():
            return {}
        found: dict[str, dict[str, Any]] = {}
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                value = json.loads(line)
            except ValueError:
                continue
            if isinstance(value, dict):
                values = cast("dict[str, Any]", value)
                if values.pop("key", None) == self._key and isinstance(values.get("name"), str):
                    found[values["name"]] = values
        return found

    def add(self, name: str, value: Mapping[str, object]) -> None:
        """Note a finished part.

        Args:
            name: Its name, which no other part has.
            value: JSON values; "key" and "name" are taken.
        """
        if self._path is None:
            return
        if not self._is_open:
            self._open(self._path)
        line = json.dumps({**value, "key": self._key, "name": name}) + "\n"
        with self._path.open("ab") as file:
            file.write(line.encode())

    def discard(self) -> None:
        """Remove the file, once the result is safe."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _open(self, path: Path) -> None:
        """End a line that a stop cut off, or it would take the next one with it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+") as file:
            if file.tell() > 0:
                file.seek(-1, 2)
                if file.read(1) != b"\n":
                    file.write(b"\n")
        self._is_open = True
