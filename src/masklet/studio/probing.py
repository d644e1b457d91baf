"""Asks a separate, limited process what an uploaded file is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet import errors
from masklet.errors import DamagedMediaError, MediaError, MediaLimitError
from masklet.studio.decoding import KEPT_VARIABLES
from masklet.studio.settings import Limits

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


def probe_file(path: Path, shown_name: str, limits: Limits, *, allow_damaged: bool = False) -> Probed:
    """Open a file that somebody sent, away from this process.

    Args:
        path: The file, alone in a folder of its own.
        shown_name: What messages call it.
        limits: Memory, time and pixels.
        allow_damaged: Accept what is left of a cut or broken video.

    Raises:
        MediaError: Or one of its kinds, when it is not what it should be, or takes too much.
    """
    request = {
        "path": str(path),
        "pixels": limits.pixels,
        "memory_bytes": limits.probe_memory_bytes,
        "seconds": limits.probe_seconds,
        "allow_damaged": allow_damaged,
    }
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=json.dumps(request).encode(),
            capture_output=True,
            cwd=path.parent,
            env=environment,
            timeout=2 * limits.probe_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise MediaLimitError(
            f"{shown_name!r} takes longer than {2 * limits.probe_seconds} s to open; cut it in parts."
        ) from error
    if done.returncode != 0:
        raise DamagedMediaError(
            f"{shown_name!r} makes its decoder stop (code {done.returncode}); it is damaged or too large, so convert it "
            "to H.264 in MP4 or to PNG."
        )
    return _read(done.stdout, path.name, shown_name)


def _read(answer: bytes, name: str, shown_name: str) -> Probed:
    try:
        facts: dict[str, Any] = json.loads(answer)
    except ValueError as error:
        raise DamagedMediaError(f"{shown_name!r} cannot be opened; it is damaged.") from error
    if "error" in facts:
        kind = getattr(errors, facts["error"], MediaError)
        raise kind(facts["message"].replace(repr(name), repr(shown_name)))
    return Probed(**facts)
