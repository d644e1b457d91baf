"""What the deployed service answers, without any server: pictures in, objects out, and a polite no when it is full.

GET  /health     200 {"status": "ok", ...}; it answers only where a model is loaded
POST /objects    an image file as the body; 200 {"size": [h, w], "objects": [{"segmentation", "box", "score", ...}]}
                 503 with Retry-After when too many wait, 413 for too many bytes, 422 for no image

Errors are {"error": "one sentence"}, without paths.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from masklet.errors import ConfigError, MaskletError, MediaError
from masklet.masks import rle
from masklet.pipeline.findings import Finder, Finding, FindingLimits, choose_findings
from masklet.video.image import read_image

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingLimits:
    """How much the service takes on.

    Attributes:
        at_once: Pictures that are worked on at one time, at least 1.
        waiting: Pictures that may wait for that; more get a 503.
        retry_after_s: Seconds after which a refused caller should try again, at least 1.
        max_bytes: Most bytes of a picture file.
        max_pixels: Most pixels of a picture.
    """

    at_once: int = 1
    waiting: int = 8
    retry_after_s: int = 2
    max_bytes: int = 32 * 2**20
    max_pixels: int = 50_000_000

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be kept."""
        if self.at_once < 1 or self.waiting < 0 or self.retry_after_s < 1:
            raise ConfigError(
                f"A service works on at least one picture and asks callers to wait at least a second, got {self}."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer: status, headers and JSON."""

    status: int
    value: Mapping[str, object]
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def body(self) -> bytes:
        """The JSON as bytes."""
        return json.dumps(self.value, separators=(",", ":"), allow_nan=False).encode("ascii")


class ObjectService:
    """Answers requests with one finder; one per process."""

    def __init__(
        self, finder: Finder, *, limits: ServingLimits | None = None, findings: FindingLimits | None = None
    ) -> None:
        """Hold a finder whose model is loaded.

        Args:
            finder: Finds objects.
            limits: How much is taken on.
            findings: Which objects are told.
        """
        self._finder = finder
        self._limits = limits or ServingLimits()
        self._findings = findings or FindingLimits()
        self._free = asyncio.Semaphore(self._limits.at_once)
        self._num_inside = 0
        self._num_answered = 0

    @property
    def limits(self) -> ServingLimits:
        """How much is taken on."""
        return self._limits

    async def reply(self, method: str, path: str, body: bytes | None) -> Reply:
        """Answer a request.

        Args:
            method: "GET" or "POST".
            path: Of the request, without the query.
            body: The body; None when it was longer than ``max_bytes`` and was not read to its end.
        """
        if path == "/health":
            return (
                self._health()
                if method in ("GET", "HEAD")
                else _refused(405, "Health is asked for with GET.")
            )
        if path != "/objects":
            return _refused(404, "There is /objects and /health here.")
        if method != "POST":
            return _refused(405, "Pictures are sent with POST.")
        if body is None or len(body) > self._limits.max_bytes:
            return _refused(
                413, f"A picture file may have {self._limits.max_bytes} bytes; send a smaller one."
            )
        return await self._admitted(body)

    def _health(self) -> Reply:
        return Reply(
            status=200,
            value={"status": "ok", "inside": self._num_inside, "answered": self._num_answered},
        )

    async def _admitted(self, body: bytes) -> Reply:
        """Work on a picture, unless too many wait already."""
        limits = self._limits
        if self._num_inside >= limits.at_once + limits.waiting:
            seconds = str(limits.retry_after_s)
            return _refused(
                503, f"Too many pictures wait; try again in {seconds} s.", {"Retry-After": seconds}
            )
        self._num_inside += 1
        try:
            async with self._free:
                return await asyncio.to_thread(self._objects_of, body)
        finally:
            self._num_inside -= 1
            self._num_answered += 1

    def _objects_of(self, body: bytes) -> Reply:
        try:
            picture = read_image(body, max_pixels=self._limits.max_pixels)
            found = choose_findings(self._finder.find(picture), self._findings)
        except MediaError as error:
            return _refused(422, str(error))
        except MaskletError:
            _log.exception("A picture could not be worked on.")
            return _refused(500, "The picture could not be worked on; the log says why.")
        return Reply(
            status=200, value={"size": list(picture.shape[:2]), "objects": [_as_value(one) for one in found]}
        )


def _as_value(finding: Finding) -> dict[str, object]:
    encoded = rle.encode(finding.mask)
    box = rle.bounding_box(encoded)
    return {
        "segmentation": rle.to_json(encoded),
        "box": None if box is None else list(box.xyxy),
        "area": rle.area(encoded),
        "score": round(finding.score, 6),
        "label": finding.label,
        "confidence": round(finding.confidence, 6),
    }


def _refused(status: int, error: str, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(status=status, value={"error": error}, headers=headers or {})
