"""Decodes frames in a process of its own, with little memory and no network; asked by ``decoding``.

Each request is a line of JSON, each answer a line of JSON and then as many bytes as it says. It ends with its input.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from masklet.errors import MaskletError, MediaError, MediaLimitError
from masklet.studio.confinement import confine
from masklet.video.frames import open_source
from masklet.video.source import FrameSource

Answer = tuple[dict[str, Any], bytes]


def main() -> None:
    """Answer requests until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints does not get among the answers
    confine(int(sys.argv[1]), None)
    serve(sys.stdin.buffer, answers, Desk())


def serve(requests: BinaryIO, answers: BinaryIO, desk: Desk) -> None:
    """Answer each request; one that takes all memory is the last."""
    is_over = False
    while not is_over and (line := requests.readline()):
        content = b""
        try:
            said, content = desk.answer(json.loads(line))
        except MemoryError:
            is_over = True
            said = {
                "error": MediaLimitError.__name__,
                "message": "The file needs more memory than it may take; make it smaller first.",
            }
        except MaskletError as error:
            said = {"error": type(error).__name__, "message": str(error)}
        except Exception as error:  # noqa: BLE001 - decoders raise what they like; see the list in the design
            said = {
                "error": MediaError.__name__,
                "message": f"A frame cannot be decoded ({type(error).__name__}).",
            }
        answers.write(
            json.dumps({**said, "num_bytes": len(content), "is_last": is_over}).encode() + b"\n" + content
        )
        answers.flush()


class Desk:
    """The files that are open, by number."""

    def __init__(self) -> None:
        self._open: dict[int, FrameSource] = {}

    def answer(self, request: Mapping[str, Any]) -> Answer:
        """What a request asks for."""
        number = int(request["source"])
        if request["do"] == "open":
            return self._opened(number, request), b""
        if request["do"] == "close":
            found = self._open.pop(number, None)
            if found is not None:
                found.close()
            return {}, b""
        frame = self._open[number].read(int(request["index"]))
        return {"shape": frame.image.shape}, np.ascontiguousarray(frame.image).tobytes()

    def _opened(self, number: int, request: Mapping[str, Any]) -> dict[str, Any]:
        source = self._open[number] = open_source(
            Path(request["path"]), allow_damaged=request["allow_damaged"], max_pixels=request["max_pixels"]
        )
        num_frames = source.num_frames or 0
        return {
            "size": source.size.hw,
            "num_frames": num_frames,
            "fps": source.fps,
            "pts_s": None
            if source.pts_s(0) is None
            else [source.pts_s(index) for index in range(num_frames)],
        }
