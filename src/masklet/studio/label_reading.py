"""Asks a separate, limited process what a file or an archive of labels says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from masklet import errors
from masklet.errors import FormatError
from masklet.formats import ArchiveLimits, LabelSet, read_labels, with_records
from masklet.geometry import Size
from masklet.studio.decoding import KEPT_VARIABLES
from masklet.studio.label_worker import RECORDS, WRITTEN
from masklet.studio.settings import Limits
from masklet.studio.standstill import watching

_PROGRAM = "from masklet.studio.label_worker import main; main()"


def read_apart(
    path: Path,
    shown_name: str,
    limits: Limits,
    *,
    format_name: str | None,
    sizes: Mapping[str, Size],
    program: str = _PROGRAM,
) -> tuple[str, LabelSet]:
    """Read labels that somebody sent, away from this process.

    Args:
        path: The file, alone in a folder of its own, which the process may write to.
        shown_name: What messages call it.
        limits: Memory and time.
        format_name: Name of the format, or None to recognise it.
        sizes: Size of each medium as shown, by its name, for formats that do not say sizes.
        program: What the process runs.

    Returns:
        The name of the format, and the labels with the records they were read from.

    Raises:
        FormatError: When they cannot be read, or take too much.
    """
    request = {
        "path": str(path.resolve()),
        "format": format_name,
        "sizes": {name: size.hw for name, size in sizes.items()},
        "memory_bytes": limits.probe_memory_bytes,
        "seconds": limits.labels_seconds,
        "file_bytes": min(ArchiveLimits().bytes, limits.upload_bytes),
    }
    answer = _answer(json.dumps(request).encode(), path, shown_name, limits, program)
    if "error" in answer:
        kind = getattr(errors, answer["error"], FormatError)
        raise kind(answer["message"].replace(path.name, shown_name))
    _, labels = read_labels(path.parent / WRITTEN, format_name="masklet")
    try:
        records: object = json.loads((path.parent / RECORDS).read_bytes())
        labels = with_records(labels, records)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"{shown_name!r} is nested too deep; export it again.") from error
    return answer["format"], replace(labels, notes=tuple(answer["notes"]))


def _answer(request: bytes, path: Path, shown_name: str, limits: Limits, program: str) -> dict[str, Any]:
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    environment |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(path.parent.resolve()),
    }
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=path.parent,
        env=environment,
    ) as process:
        try:
            with watching(process, 2 * limits.labels_seconds) as watched:
                said, _ = process.communicate(request)
        finally:
            process.kill()
    if watched.is_late:
        raise FormatError(f"{shown_name!r} takes too long to read; import it in parts.")
    try:
        answer: dict[str, Any] = json.loads(said)
    except ValueError as error:
        raise FormatError(
            f"{shown_name!r} makes its reader stop; it is damaged or too large, so export it again or import it in parts."
        ) from error
    return answer
