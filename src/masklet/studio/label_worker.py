"""Reads labels that somebody sent in a process of its own, with little memory and time and no network.

Run by ``label_reading``; an archive or a file that makes a reader eat memory, loop or crash takes only this process with
it. What was read is written beside the file in masklet's own format, and beside it the records that it was read from.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from masklet.errors import FormatError, MaskletError
from masklet.formats import ArchiveLimits, Entry, Media, read_labels, records_to_json, write_labels
from masklet.geometry import Size
from masklet.studio.confinement import confine
from masklet.video.source import FrameSource

WRITTEN = "read.json"
RECORDS = "records.json"


@dataclass(frozen=True, slots=True)
class KnownSizes(Media):
    """Media of which nothing but their sizes is known here.

    Args:
        sizes: Size of each medium as shown, by its name.
    """

    sizes: Mapping[str, Size]

    def image(self, name: str) -> Path | None:  # noqa: ARG002 - the name is that of every media
        """No file is given to a reader of labels."""
        return None

    def image_size(self, name: str) -> Size | None:
        """Size of a medium, or None."""
        return self.sizes.get(name)

    def open(self, entry: Entry) -> FrameSource:
        """No frame either.

        Raises:
            FormatError: Always.
        """
        raise FormatError(f"The labels of {entry.name!r} need its pictures; save them in another format.")


def main() -> None:
    """Read a request from standard input, write the answer to standard output."""
    request = json.load(sys.stdin)
    confine(request["memory_bytes"], request["seconds"], file_bytes=request["file_bytes"])
    try:
        answer = _read(request)
    except MaskletError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        answer = {
            "error": FormatError.__name__,
            "message": "The labels need more memory than they may take; import them in parts.",
        }
    json.dump(answer, sys.stdout)


def _read(request: Mapping[str, Any]) -> dict[str, Any]:
    path = Path(request["path"])
    sizes = {name: Size(height, width) for name, (height, width) in request["sizes"].items()}
    name, labels = read_labels(
        path,
        format_name=request["format"],
        media=KnownSizes(path.parent, sizes),
        limits=ArchiveLimits(bytes=request["file_bytes"]),
    )
    write_labels(labels, path.parent / WRITTEN, "masklet")
    (path.parent / RECORDS).write_text(json.dumps(records_to_json(labels)), encoding="ascii")
    return {"format": name, "notes": list(labels.notes)}
