"""Opens one uploaded file in a process of its own, with little memory and time, and says what it is, as JSON.

Run by ``probing``; a file that makes a decoder eat memory, loop or crash takes only this process with it.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from masklet.errors import MaskletError, MediaLimitError, UnsupportedMediaError
from masklet.studio.confinement import confine
from masklet.video.facts import probe
from masklet.video.image import read_image
from masklet.video.structure import sniff_container


def main() -> None:
    """Read a request from standard input, write the answer to standard output.

    The request may come long after the start, or never; then the input ends.
    """
    line = sys.stdin.read()
    if not line:
        return
    request = json.loads(line)
    os.chdir(Path(request["path"]).parent)
    confine(request["memory_bytes"], request["seconds"])
    try:
        answer = _facts(Path(request["path"]), request["pixels"], allow_damaged=request["allow_damaged"])
    except MaskletError as error:
        answer = {"error": type(error).__name__, "message": str(error)}
    except MemoryError:
        answer = {
            "error": MediaLimitError.__name__,
            "message": "The file needs more memory than it may take; make it smaller first.",
        }
    json.dump(answer, sys.stdout)


def _facts(path: Path, pixels: int, *, allow_damaged: bool) -> dict[str, Any]:
    if sniff_container(path) is None:
        return _image_facts(path, pixels)
    facts = probe(path, allow_damaged=allow_damaged, max_pixels=pixels)
    return {
        "kind": "video",
        "suffix": "video",
        "width": facts.size.width,
        "height": facts.size.height,
        "num_frames": facts.num_frames,
        "fps": facts.fps,
        "duration_s": facts.duration_s,
        "is_variable_frame_rate": facts.is_variable_frame_rate,
        "codec": facts.codec,
        "container": facts.container,
        "rotation": facts.rotation,
        "damage": facts.damage,
    }


def _image_facts(path: Path, pixels: int) -> dict[str, Any]:
    suffix = _image_suffix(path)
    height, width = read_image(path, max_pixels=pixels).shape[:2]
    return {
        "kind": "image",
        "suffix": suffix,
        "width": width,
        "height": height,
        "num_frames": 1,
        "fps": None,
        "duration_s": None,
        "is_variable_frame_rate": False,
        "codec": suffix,
        "container": None,
        "rotation": 0,
        "damage": None,
    }


def _image_suffix(path: Path) -> str:
    """The ending that a picture's first bytes call for, whatever its name says."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    for start, suffix in (
        (b"\x89PNG", "png"),
        (b"\xff\xd8\xff", "jpg"),
        (b"BM", "bmp"),
        (b"II*\x00", "tif"),
        (b"MM\x00*", "tif"),
    ):
        if head.startswith(start):
            return suffix
    raise UnsupportedMediaError(
        f"{path.name!r} is neither a video nor an image that is opened here; give MP4, MOV, MKV, WebM, AVI, GIF, PNG, "
        "JPEG, WebP, BMP or TIFF."
    )


if __name__ == "__main__":
    main()
