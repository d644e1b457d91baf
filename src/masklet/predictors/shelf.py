"""Packed results of a session: in memory up to a budget, the rest in a temporary file."""

from __future__ import annotations

import logging
import tempfile
import weakref
from pathlib import Path
from typing import IO

from masklet.errors import SessionError

_log = logging.getLogger(__name__)


class _Shelved:
    """Bytes on a shelf: here, or where they lie in its file."""

    __slots__ = ("_packed", "_shelf", "_start", "num_bytes")

    def __init__(self, shelf: ResultShelf, packed: bytes | None, start: int, num_bytes: int) -> None:
        self._shelf, self._packed, self._start, self.num_bytes = shelf, packed, start, num_bytes

    def __del__(self) -> None:
        if self._packed is not None:
            self._shelf.memory_bytes -= self.num_bytes

    def read(self) -> bytes:
        """The bytes."""
        if self._packed is not None:
            return self._packed
        return self._shelf.read(self._start, self.num_bytes)


class ResultShelf:
    """Keeps packed results.

    What was put into the file stays there until the session is closed, also when its results were replaced: an edit
    that dropped them may be undone.
    """

    def __init__(self, budget_bytes: int, folder: Path | None = None) -> None:
        """Make an empty shelf.

        Args:
            budget_bytes: Bytes held in memory; what comes later goes into the file.
            folder: Where the file is made, when it is needed; None for the system's place.
        """
        self._budget, self._folder = budget_bytes, folder
        self._file: IO[bytes] | None = None
        self._end = 0
        self._is_full, self._is_closed = False, False
        self.memory_bytes = 0

    @property
    def disk_bytes(self) -> int:
        """Bytes in the file."""
        return self._end

    def keep(self, packed: bytes) -> _Shelved:
        """Keep bytes; in memory beyond the budget where the disk takes no more."""
        if self.memory_bytes + len(packed) > self._budget and self._write(packed):
            self._end += len(packed)
            return _Shelved(self, None, self._end - len(packed), len(packed))
        self.memory_bytes += len(packed)
        return _Shelved(self, packed, 0, len(packed))

    def read(self, start: int, num_bytes: int) -> bytes:
        """Bytes of the file.

        Raises:
            SessionError: When they cannot be read, or the session was closed.
        """
        if self._file is None:
            raise SessionError(
                "The results of a closed session are gone; save a session before you close it."
            )
        try:
            self._file.seek(start)
            found = self._file.read(num_bytes)
        except OSError as error:
            raise SessionError(f"Results that were put on disk cannot be read: {error}.") from error
        if len(found) != num_bytes:
            raise SessionError("Results that were put on disk are not whole; track the video again.")
        return found

    def close(self) -> None:
        """Give back the file."""
        self._is_closed = True
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, packed: bytes) -> bool:
        """Append to the file; False where that is not possible."""
        if self._is_full or self._is_closed:
            return False
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="masklet-results-", dir=self._folder)  # noqa: SIM115
                weakref.finalize(self, self._file.close)
            self._file.seek(self._end)
            self._file.write(packed)
            self._file.flush()
        except OSError as error:  # a full disk
            _log.warning("results stay in memory, as the disk takes no more: %s", error)
            self._is_full = True
            return False
        return True
