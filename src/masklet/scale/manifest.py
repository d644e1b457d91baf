"""What became of every input, one line of JSON each: the memory of a run that is killed and goes on.

The first line says what was asked. Only the driver writes. A line that a kill cut short is dropped when the run goes on;
its item is done again and replaces its own output.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import cast

from masklet.errors import MediaError, SessionError
from masklet.scale import storage

DONE, FAILED = "done", "failed"
_VERSION = 1
_REMOTE_EVERY_LINES, _REMOTE_EVERY_S = 20, 10.0
"""An object store cannot append, so its manifest is written anew, but not for every line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What became of one input.

    Attributes:
        key: Name of its output.
        name: Its short name.
        uri: Where it is.
        status: "done" or "failed".
        num_tries: Tries in the run that settled it.
        seconds: How long the last try took.
        worker: Who did it.
        error: Why it failed, in one sentence.
        output: Where the output is.
        output_sha256: Hash of the output's bytes.
        input_sha256: Hash of the input's bytes.
        input_bytes: Their number.
        numbers: Plain values that the job tells of the item.
    """

    key: str
    name: str
    uri: str
    status: str
    num_tries: int = 1
    seconds: float = 0.0
    worker: str = ""
    error: str = ""
    output: str = ""
    output_sha256: str = ""
    input_sha256: str = ""
    input_bytes: int = 0
    numbers: Mapping[str, int | float | str] = field(default_factory=dict[str, "int | float | str"])


class Manifest:
    """The lines of one run, in a file or an object store."""

    def __init__(self, uri: str, asked: Mapping[str, str]) -> None:
        """Name a manifest; nothing is touched yet.

        Args:
            uri: Its path or address.
            asked: What decides about the outputs, in words, by topic.
        """
        self._uri = uri
        self._asked = dict(asked)
        self._records: dict[str, Record] = {}
        self._unwritten = 0
        self._written_at = time.monotonic()

    def begin(self) -> None:
        """Start with nothing done, in place of what was there.

        Raises:
            MaskletError: When it cannot be written.
        """
        self._records = {}
        self._write_all()

    def resume(self, *, parts: Sequence[str] = ()) -> None:
        """Take up what is there, or start with nothing.

        Items whose output is gone count as not done. The file is written anew, each key once.

        Args:
            parts: Manifests of shards of the same run, which are taken over too.

        Raises:
            SessionError: When the run was asked something else or the file is no manifest.
            MaskletError: When it cannot be read or written.
        """
        self._records = {}
        for uri in (*parts, self._uri):
            content = storage.read(uri)
            if content is not None:
                self._take_over(uri, content)
        self._records = {key: one for key, one in self._records.items() if _is_whole(one)}
        self._write_all()

    def _take_over(self, uri: str, content: bytes) -> None:
        lines = content.decode("utf-8", "replace").splitlines()
        self._check_asked(uri, lines[0] if lines else "")
        for number, line in enumerate(lines[1:], start=2):
            try:
                record = Record(**json.loads(line))
            except (ValueError, TypeError) as error:
                if number == len(lines) and not content.endswith(b"\n"):
                    break  # a kill cut the last line short
                raise SessionError(
                    f"Line {number} of {uri} cannot be read ({error}); leave --resume out to start anew."
                ) from error
            self._records[record.key] = record

    def __iter__(self) -> Iterator[Record]:
        """Records, one per item, in the order in which they were settled."""
        return iter(list(self._records.values()))

    def is_done(self, key: str) -> bool:
        """Whether an item is done."""
        found = self._records.get(key)
        return found is not None and found.status == DONE

    def append(self, record: Record) -> None:
        """Note what became of an item, on disk before this returns; in an object store soon after.

        Raises:
            MediaError: When it cannot be written.
        """
        self._records.pop(record.key, None)
        self._records[record.key] = record
        if storage.is_remote(self._uri):
            self._unwritten += 1
            is_due = time.monotonic() - self._written_at > _REMOTE_EVERY_S
            if self._unwritten >= _REMOTE_EVERY_LINES or is_due:
                self._write_all()
            return
        try:
            with Path(self._uri).open("ab") as file:
                file.write(_line(asdict(record)))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise MediaError(
                f"{self._uri} cannot be written ({error.strerror or error}); free space, then run with --resume."
            ) from error

    def flush(self) -> None:
        """Write what is not written yet.

        Raises:
            MediaError: When it cannot be written.
        """
        if self._unwritten:
            self._write_all()

    def _write_all(self) -> None:
        head = _line({"version": _VERSION, "asked": self._asked})
        storage.write(self._uri, head + b"".join(_line(asdict(one)) for one in self._records.values()))
        self._unwritten = 0
        self._written_at = time.monotonic()

    def _check_asked(self, uri: str, line: str) -> None:
        try:
            head = cast("dict[str, object]", json.loads(line))
            found = cast("dict[str, str]", head["asked"])
            is_known = head["version"] == _VERSION
        except (ValueError, KeyError, TypeError) as error:
            raise SessionError(
                f"{uri} is no manifest ({error!r}); give another folder or leave --resume out."
            ) from error
        topics = sorted(one for one in {*found, *self._asked} if found.get(one) != self._asked.get(one))
        if topics or not is_known:
            raise SessionError(
                f"{uri} belongs to a run with another {', '.join(topics) or 'layout'}, so it cannot be resumed; "
                "give the same as then, or leave --resume out to start anew."
            )


def _line(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"


def _is_whole(record: Record) -> bool:
    """Whether a record is worth keeping: a failed one is tried again, a done one must still have its output."""
    if record.status != DONE:
        return False
    content = storage.read(record.output)
    if content is None:
        return False
    return hashlib.sha256(content).hexdigest() == record.output_sha256
