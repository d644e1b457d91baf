"""Asks a separate, limited process what an uploaded file is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet import errors
from masklet.errors import DamagedMediaError, MediaError, MediaLimitError
from masklet.studio.decoding import KEPT_VARIABLES
from masklet.studio.settings import Limits
from masklet.studio.standstill import watching

_PROGRAM = "from masklet.studio.probe_worker import main; main()"


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What a file is; ``suffix`` is the ending of its server-made name."""

    kind: str
    suffix: str
    width: int
    height: int
    num_frames: int
    fps: float | None
    duration_s: float | None
    is_variable_frame_rate: bool
    codec: str | None
    container: str | None
    rotation: int
    damage: str | None


class Prober:
    """Opens files that somebody sent, each in a process of its own, which may be started before the file is there."""

    def __init__(self, limits: Limits) -> None:
        """Start nothing yet.

        Args:
            limits: Memory, time and pixels.
        """
        self._limits = limits
        self._lock = threading.Lock()
        self._spare: subprocess.Popen[bytes] | None = None

    def warm(self) -> None:
        """Start the process for the next file, unless it waits already; does not wait for it."""
        with self._lock:
            if self._spare is not None and self._spare.poll() is not None:
                _end(self._spare)
                self._spare = None
            self._spare = self._spare or _start()

    def close(self) -> None:
        """End the process that waits."""
        with self._lock:
            spare, self._spare = self._spare, None
        if spare is not None:
            _end(spare)

    def probe(self, path: Path, shown_name: str, *, allow_damaged: bool = False) -> Probed:
        """What a file is.

        Args:
            path: The file, alone in a folder of its own.
            shown_name: What messages call it.
            allow_damaged: Accept what is left of a cut or broken video.

        Raises:
            MediaError: Or one of its kinds, when it is not what it should be, or takes too much.
        """
        seconds = self._limits.probe_seconds
        request = {
            "path": str(path.resolve()),
            "pixels": self._limits.pixels,
            "memory_bytes": self._limits.probe_memory_bytes,
            "seconds": seconds,
            "allow_damaged": allow_damaged,
        }
        process = self._take()
        try:
            with watching(process, 2 * seconds) as watched:
                answer, _ = process.communicate(json.dumps(request).encode())
        finally:
            if process.poll() is None:
                _end(process)
        if watched.is_late:
            raise MediaLimitError(f"{shown_name!r} takes too long to open; cut it in parts.")
        if process.returncode != 0:
            raise DamagedMediaError(
                f"{shown_name!r} makes its decoder stop (code {process.returncode}); it is damaged or too large, so "
                "convert it to H.264 in MP4 or to PNG."
            )
        return _read(answer, path.name, shown_name)

    def _take(self) -> subprocess.Popen[bytes]:
        """A process that waits for its request."""
        self.warm()
        with self._lock:
            spare, self._spare = self._spare, None
        return spare or _start()


def _start() -> subprocess.Popen[bytes]:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.communicate()


def _read(answer: bytes, name: str, shown_name: str) -> Probed:
    try:
        facts: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        raise DamagedMediaError(f"{shown_name!r} cannot be opened; it is damaged.") from error
    if "error" in facts:
        kind = getattr(errors, facts["error"], MediaError)
        raise kind(facts["message"].replace(repr(name), repr(shown_name)))
    return Probed(**facts)
