"""The folder of one run: what was asked, how far it came, and everything that is needed to go on after a kill.

OUT/masks/NNNNN.png      one per frame, written as frames are done
OUT/tracks.json          written when the run ends
OUT/.run/manifest.json   what was asked and the last safe point; replaced whole, so it is never half written
OUT/.run/journal.jsonl   one line per step; lines after the last safe point are cut off when a run goes on
OUT/.run/session-N       the tracker's state after N steps; gone once the run is complete
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from masklet import __version__
from masklet.annotations import write_atomically
from masklet.errors import MediaError, SessionError
from masklet.pipeline.job import TrackJob, TrackPlan

_MASK_NAME = re.compile(r"\d{5,}\.png")
_SESSION_NAME = re.compile(r"session-\d+(\.\w+)?")
_VERSION = 1
_BLOCK_BYTES = 1 << 20

JsonRow = dict[str, Any]
"""One line of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The last safe point of a run.

    Attributes:
        asked: What decides about the results, in words, by topic.
        num_steps: Steps that are done.
        num_bytes: Bytes of the journal that belong to them.
        session: File name of the tracker's state after them, or None before the first safe point and after the end.
        is_complete: Whether the run has ended.
        version: Of this layout.
    """

    asked: Mapping[str, str]
    num_steps: int = 0
    num_bytes: int = 0
    session: str | None = None
    is_complete: bool = False
    version: int = _VERSION


class RunFolder:
    """Reads and writes one run's folder."""

    def __init__(self, out: Path) -> None:
        """Name a folder; nothing is touched yet.

        Args:
            out: The folder, which need not exist.
        """
        self._out = out
        self._state = out / ".run"
        self._manifest = Manifest(asked={})
        self._pending: list[str] = []

    @property
    def manifest(self) -> Manifest:
        """The last safe point."""
        return self._manifest

    @property
    def masks(self) -> Path:
        """Folder of the label images."""
        return self._out / "masks"

    @property
    def tracks(self) -> Path:
        """File of the document."""
        return self._out / "tracks.json"

    @property
    def session(self) -> Path | None:
        """The saved state of the tracker, or None when there is none."""
        return None if self._manifest.session is None else self._state / self._manifest.session

    def mask_path(self, index: int) -> Path:
        """Label image of a frame."""
        return self.masks / f"{index:05d}.png"

    def look(self) -> Manifest | None:
        """The last safe point of the run in the folder, or None when it holds none; nothing is touched.

        Raises:
            SessionError: When it cannot be read.
        """
        return self._read_manifest() if self._manifest_path.is_file() else None

    def begin(self, asked: Mapping[str, str]) -> None:
        """Start a run from nothing, in place of what an earlier run left.

        Raises:
            MediaError: When the folder cannot be written, or holds results that no run of this kind has written.
        """
        with _writing(self._out):
            if not self._manifest_path.is_file():
                self._refuse_foreign_results()
            self.masks.mkdir(parents=True, exist_ok=True)
            self._state.mkdir(exist_ok=True)
            # The old safe point goes first: a kill from here on leaves a folder that starts anew.
            self._replace_manifest(Manifest(asked=dict(asked)))
            for path in self.masks.iterdir():
                if _MASK_NAME.fullmatch(path.name):
                    path.unlink()
            self.tracks.unlink(missing_ok=True)
            self._journal_path.write_bytes(b"")
            self._drop_sessions_but(None)

    def resume(self, asked: Mapping[str, str]) -> None:
        """Take up the run that the folder holds, or start one when it holds none.

        Raises:
            SessionError: When the run was asked something else, or its state cannot be read.
            MediaError: When the folder cannot be written.
        """
        if not self._manifest_path.is_file():
            self.begin(asked)
            return
        found = self._read_manifest()
        topics = [topic for topic in {**found.asked, **asked} if found.asked.get(topic) != asked.get(topic)]
        if topics:
            raise SessionError(
                f"{self._out} holds a run with another {_listed(topics)}, so it cannot be resumed; "
                "give the same as then, or leave --resume out to start anew."
            )
        if found.num_steps == 0:
            self.begin(asked)
            return
        with _writing(self._out), self._journal_path.open("rb+") as journal:
            if journal.seek(0, os.SEEK_END) < found.num_bytes:
                raise SessionError(
                    f"The journal in {self._state} is shorter than its manifest says; leave --resume out to start anew."
                )
            journal.truncate(found.num_bytes)
        self._manifest = found

    def append(self, row: JsonRow) -> None:
        """Note one step; it is safe from the next safe point on."""
        self._pending.append(json.dumps(row, separators=(",", ":")) + "\n")

    def save(self, save_session: Callable[[Path], None]) -> None:
        """Make everything noted so far safe.

        Args:
            save_session: Writes the tracker's state to a path.

        Raises:
            MediaError: When the folder cannot be written.
        """
        if not self._pending:
            return
        num_steps = self._manifest.num_steps + len(self._pending)
        name = f"session-{num_steps:08d}"
        with _writing(self._out):
            num_bytes = self._write_pending()
            save_session(self._state / name)
            _flush_to_disk(self._state / name)
            self._replace_manifest(
                replace(self._manifest, num_steps=num_steps, num_bytes=num_bytes, session=name)
            )
            self._drop_sessions_but(name)

    def rows(self) -> Iterator[JsonRow]:
        """Every step that is safe, in the order of work.

        Raises:
            SessionError: When the journal is damaged.
        """
        try:
            with self._journal_path.open("rb") as journal:
                for line in journal:
                    yield json.loads(line)
        except (OSError, ValueError) as error:
            raise SessionError(
                f"The journal in {self._state} cannot be read ({error}); leave --resume out to start anew."
            ) from error

    def finish(self) -> None:
        """Mark the run as complete and drop the tracker's state; call it when all results are written.

        Raises:
            MediaError: When the folder cannot be written.
        """
        with _writing(self._out):
            num_bytes = self._write_pending()
            self._replace_manifest(
                replace(
                    self._manifest,
                    num_steps=self._manifest.num_steps + len(self._pending),
                    num_bytes=num_bytes,
                    session=None,
                    is_complete=True,
                )
            )
            self._drop_sessions_but(None)

    @property
    def _manifest_path(self) -> Path:
        return self._state / "manifest.json"

    @property
    def _journal_path(self) -> Path:
        return self._state / "journal.jsonl"

    def _refuse_foreign_results(self) -> None:
        taken = next(iter(self.masks.iterdir()), None) if self.masks.is_dir() else None
        taken = self.tracks if taken is None and self.tracks.exists() else taken
        if taken is not None:
            raise MediaError(
                f"{taken} was not written by a run in {self._out} and would be replaced; give an empty or new folder."
            )

    def _read_manifest(self) -> Manifest:
        try:
            values = json.loads(self._manifest_path.read_bytes())
            manifest = Manifest(**values)
            is_known = manifest.version == _VERSION and isinstance(manifest.asked, dict)
        except (OSError, ValueError, TypeError) as error:
            raise SessionError(
                f"{self._manifest_path} cannot be read ({error}); leave --resume out to start anew."
            ) from error
        if not is_known:
            raise SessionError(
                f"{self._manifest_path} was written by another version; leave --resume out to start anew."
            )
        return manifest

    def _replace_manifest(self, manifest: Manifest) -> None:
        write_atomically(self._manifest_path, json.dumps(asdict(manifest), indent=1).encode("ascii") + b"\n")
        self._manifest = manifest
        self._pending = []

    def _write_pending(self) -> int:
        """Bytes of the journal after everything noted is in it, on disk."""
        with self._journal_path.open("ab") as journal:
            journal.write("".join(self._pending).encode())
            journal.flush()
            os.fsync(journal.fileno())
            return journal.tell()

    def _drop_sessions_but(self, name: str | None) -> None:
        for path in self._state.iterdir():
            if _SESSION_NAME.fullmatch(path.name) and path.name != name:
                path.unlink(missing_ok=True)


def describe_request(job: TrackJob, plan: TrackPlan, identity: Mapping[str, str]) -> dict[str, str]:
    """What decides about the results of a run, by topic; equal requests give equal results on one machine.

    Args:
        job: The job.
        plan: What was made of it.
        identity: What the tracker says of itself.

    Raises:
        MediaError: When the source cannot be read.
    """
    asked: list[object] = [one.to_json() for one in plan.prompts]
    if plan.labels:
        asked.append({str(object_id): name for object_id, name in sorted(plan.labels.items())})
    said = json.dumps(asked, separators=(",", ":"))
    return {
        "video": source_digest(job.source),
        "range": f"{plan.start} to {plan.stop}",
        "direction": "forward" if plan.backward_stop == plan.start else "forward and backward",
        "prompts": hashlib.sha256(said.encode("ascii")).hexdigest(),
        **identity,
        "version of masklet": __version__,
    }


def source_digest(path: Path) -> str:
    """Checksum of a video file, or of the names and sizes of a folder's files.

    Raises:
        MediaError: When it cannot be read.
    """
    try:
        if path.is_dir():
            listing = sorted((one.name, one.stat().st_size) for one in path.iterdir() if one.is_file())
            return hashlib.sha256(json.dumps(listing).encode("ascii")).hexdigest()
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise MediaError(f"{path} cannot be read ({error.strerror or error}); check the path.") from error
    return digest.hexdigest()


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


@contextmanager
def _writing(path: Path) -> Generator[None]:
    """Turn a refusal of the operating system into an error that names the place and the cause."""
    try:
        yield
    except OSError as error:
        raise MediaError(
            f"{path} cannot be written ({error.strerror or error}); check the folder, its rights and the free space."
        ) from error


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
