"""Frames of media that somebody sent, decoded by a separate, limited process; its crash or hang costs one frame."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from masklet import errors
from masklet.errors import DamagedMediaError, MediaError, MediaLimitError
from masklet.geometry import Size
from masklet.studio.settings import Limits
from masklet.studio.standstill import watching
from masklet.video.source import ClosingSource, Frame, FrameSource, check_index

KEPT_VARIABLES = ("PATH", "PYTHONPATH", "SYSTEMROOT", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "LANG")
_PROGRAM = "from masklet.studio.decode_worker import main; main()"


class Opener(Protocol):
    """Whoever opens media."""

    def open(self, path: Path, shown_name: str, *, allow_damaged: bool) -> FrameSource:
        """The frames of a file.

        Args:
            path: The file.
            shown_name: What messages call it.
            allow_damaged: Take what is left of a cut or broken video.

        Raises:
            MediaError: When it cannot be opened.
        """
        ...

    @property
    def process_id(self) -> int | None:
        """The process that decodes, if it is another one and runs."""
        ...

    def warm(self) -> None:
        """Get ready before the first file is opened; does not wait."""
        ...

    def close(self) -> None:
        """Give back what is held."""
        ...


class DecodeProcess:
    """One process that decodes for many files, one request at a time; started when first needed, and again after a crash."""

    def __init__(self, limits: Limits, *, program: str = _PROGRAM) -> None:
        """Start nothing yet.

        Args:
            limits: Memory, pixels, and seconds for one request.
            program: What the process runs.
        """
        self._limits = limits
        self._program = program
        self._lock = threading.RLock()
        self._numbers = count(1)
        self._process: subprocess.Popen[bytes] | None = None
        self.num_starts = 0

    def open(self, path: Path, shown_name: str, *, allow_damaged: bool) -> FrameSource:
        """The frames of a file.

        Raises:
            MediaError: When it cannot be opened.
        """
        request = {
            "do": "open",
            "source": next(self._numbers),
            "path": str(path.resolve()),
            "allow_damaged": allow_damaged,
            "max_pixels": self._limits.pixels,
        }
        return ApartSource(self, request, path.name, shown_name)

    def warm(self) -> None:
        """Start the process before it is needed; does not wait for it."""
        with self._lock:
            self._running()

    @property
    def process_id(self) -> int | None:
        """The process, while there is one."""
        process = self._process
        return None if process is None else process.pid

    def close(self) -> None:
        """End the process."""
        with self._lock:
            if self._process is not None:
                self._end(self._process)
                self._process = None

    def ask(
        self, requests: list[dict[str, Any]], shown_name: str, *, known_start: int
    ) -> tuple[dict[str, Any], bytearray, int]:
        """Ask one thing.

        Args:
            requests: What to ask, last the thing itself; those before it are only asked of a process that was started
                after the one that was asked last.
            shown_name: What messages call the file.
            known_start: Number of the start that was asked last, 0 for none.

        Returns:
            What was said, its bytes, and the number of the start that said it.

        Raises:
            MediaError: What the process says, or that it stopped or took too long.
        """
        with self._lock:
            process = self._running()
            if known_start == self.num_starts:
                requests = requests[-1:]
            said: dict[str, Any] = {}
            content = bytearray()
            for request in requests:
                said, content = self._exchange(process, request, shown_name)
                if "error" in said:
                    break
            return said, content, self.num_starts

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
            environment |= {
                "OMP_NUM_THREADS": "1",
                "OPENBLAS_NUM_THREADS": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
            }
            self._process = subprocess.Popen(
                [sys.executable, "-c", self._program, str(self._limits.probe_memory_bytes)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=environment,
            )
            self.num_starts += 1
        return self._process

    def _exchange(
        self, process: subprocess.Popen[bytes], request: dict[str, Any], shown_name: str
    ) -> tuple[dict[str, Any], bytearray]:
        seconds = 2 * self._limits.probe_seconds if request["do"] == "open" else self._limits.decode_seconds
        with watching(process, seconds) as watched:
            answer = _answer(process, request)
        if answer is None or watched.is_late or answer[0].pop("is_last"):
            self._end(process)
        if answer is not None and not watched.is_late:
            return answer
        if watched.is_late:
            raise MediaLimitError(
                f"{shown_name!r} takes too long to decode; convert it to H.264 in MP4 and add it again."
            )
        raise DamagedMediaError(
            f"{shown_name!r} makes its decoder stop here (code {process.returncode}); it is damaged, so convert it to H.264 in MP4."
        )

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was still to be sent has no reader
                    continue


def _answer(
    process: subprocess.Popen[bytes], request: dict[str, Any]
) -> tuple[dict[str, Any], bytearray] | None:
    """What a process answers, or None when it ends before it has."""
    if process.stdin is None or process.stdout is None:
        return None
    try:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        line = process.stdout.readline()
        if not line.endswith(b"\n"):
            return None
        said = json.loads(line)
        content = bytearray(said.pop("num_bytes"))
        if content and process.stdout.readinto(content) < len(content):  # type: ignore[attr-defined]
            return None
    except (OSError, ValueError):
        return None
    return said, content


class ApartSource(ClosingSource):
    """A file whose frames another process decodes."""

    def __init__(
        self, process: DecodeProcess, request: dict[str, Any], file_name: str, shown_name: str
    ) -> None:
        self._process = process
        self._request = request
        self._file_name = file_name
        self._name = shown_name
        self._start = 0
        facts, _ = self._ask([request])
        self._size = Size(*facts["size"])
        self._num_frames = int(facts["num_frames"])
        self._fps: float | None = facts["fps"]
        self._pts_s: list[float] | None = facts["pts_s"]

    @property
    def name(self) -> str:
        """The name it was sent with."""
        return self._name

    @property
    def size(self) -> Size:
        """Size of every frame, as shown."""
        return self._size

    @property
    def num_frames(self) -> int:
        """Exact number of frames."""
        return self._num_frames

    @property
    def fps(self) -> float | None:
        """Average frames per second; None for an image."""
        return self._fps

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.read(index) for index in range(self._num_frames))

    def read(self, index: int) -> Frame:
        """One frame.

        Raises:
            MediaError: No such frame, or it cannot be decoded.
        """
        check_index(index, self._num_frames, self._name)
        request = {"do": "read", "source": self._request["source"], "index": index}
        said, content = self._ask([self._request, request])
        shape = tuple(said["shape"])
        if shape != (*self._size.hw, 3):
            raise MediaError(
                f"Frame {index} of {self._name!r} has another size than the first; convert it first."
            )
        return Frame(
            index=index, pts_s=self.pts_s(index), image=np.frombuffer(content, np.uint8).reshape(shape)
        )

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown; None for an image."""
        return None if self._pts_s is None else self._pts_s[index]

    def close(self) -> None:
        """Close the file there; a process that is gone has closed it already."""
        if self._start == self._process.num_starts:
            try:
                self._ask([{"do": "close", "source": self._request["source"]}])
            except MediaError:
                return
            finally:
                self._start = 0

    def _ask(self, requests: list[dict[str, Any]]) -> tuple[dict[str, Any], bytearray]:
        said, content, self._start = self._process.ask(requests, self._name, known_start=self._start)
        if "error" in said:
            kind = getattr(errors, said["error"], MediaError)
            message = said["message"].replace(repr(self._file_name), repr(self._name))
            raise kind(message.replace(self._file_name, self._name))
        return said, content
