"""What the pipeline is asked to do, and what it needs of a tracker to do it: values and protocols, no effects."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from masklet.errors import PromptError, SessionError
from masklet.prompts import PromptSet
from masklet.video.source import FrameSource

MAX_OBJECT_ID = 255
"""Object ids are palette indices of an eight-bit PNG; 0 is the background."""

Labels = npt.NDArray[np.uint8]
"""Object id per pixel, uint8 (h, w), 0 for none."""


class TrackedFrame(Protocol):
    """Results of one frame, by object id."""

    @property
    def index(self) -> int:
        """Frame index in the source."""
        ...

    @property
    def masks(self) -> Mapping[int, npt.NDArray[np.bool_]]:
        """Masks, bool (h, w) at the source's size."""
        ...

    @property
    def scores(self) -> Mapping[int, float]:
        """Predicted IoU of each mask."""
        ...

    @property
    def presence(self) -> Mapping[int, float]:
        """Probability that the object is visible, in [0, 1]."""
        ...

    @property
    def stability(self) -> Mapping[int, float]:
        """How little each mask hangs on its threshold, in [0, 1]."""
        ...

    @property
    def logits(self) -> Mapping[int, Any]:
        """Mask logits (h, w) at the decoder's own resolution, anything that becomes a numpy array."""
        ...


class TrackingSession(Protocol):
    """What is used of ``masklet.VideoSession``."""

    def prompt(self, *, object_id: int, frame: int, prompts: PromptSet) -> Any:  # noqa: ANN401 - the answer is not used
        """Say something about an object on a frame."""
        ...

    def track(
        self, start: int = 0, stop: int | None = None, *, backward: bool = False
    ) -> Iterator[TrackedFrame]:
        """Track through the half-open range; backward from its last frame to its first."""
        ...

    def save(self, path: Path) -> None:
        """Write everything that later frames depend on."""
        ...

    def close(self) -> None:
        """Give back memory and threads."""
        ...


class Tracker(Protocol):
    """Opens sessions of one model on one device with one memory policy."""

    def identity(self) -> Mapping[str, str]:
        """What decides about the results, in words: model, device, policy."""
        ...

    def open(self, source: FrameSource, *, num_objects: int) -> TrackingSession:
        """A new session that will follow so many objects."""
        ...

    def reopen(self, path: Path, source: FrameSource, *, num_objects: int) -> TrackingSession:
        """The session that was saved to a file."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectPrompt:
    """What is said about one object on one frame.

    Attributes:
        object_id: 1 to 255.
        frame: Frame index from 0.
        prompts: Clicks, box and mask in image pixels.
    """

    object_id: int
    frame: int
    prompts: PromptSet

    def __post_init__(self) -> None:
        """Refuse ids that a palette cannot hold and negative frames."""
        if not 1 <= self.object_id <= MAX_OBJECT_ID:
            raise PromptError(
                f"An object id must be 1 to {MAX_OBJECT_ID}, got {self.object_id}; ids are colours of an indexed PNG."
            )
        if self.frame < 0:
            raise PromptError(f"A frame index must be at least 0, got {self.frame}.")

    def to_json(self) -> dict[str, object]:
        """As in a prompts file, with a mask as the digest of its pixels."""
        mask = self.prompts.mask
        pixels = None if mask is None else hashlib.sha256(np.packbits(mask.mask).tobytes()).hexdigest()
        return {
            "object": self.object_id,
            "frame": self.frame,
            "clicks": [[click.x, click.y, int(click.positive)] for click in self.prompts.clicks],
            "box": None if self.prompts.box is None else list(self.prompts.box.xyxy),
            "mask": pixels,
        }


def merge_prompts(prompts: Iterable[ObjectPrompt]) -> tuple[ObjectPrompt, ...]:
    """Bring together what is said about the same object on the same frame.

    Args:
        prompts: In the order in which they were given.

    Returns:
        One entry per object and frame, by frame, then object; clicks keep their order.

    Raises:
        PromptError: When two boxes or two masks speak of the same object on the same frame.
    """
    merged: dict[tuple[int, int], PromptSet] = {}
    for one in prompts:
        key = (one.frame, one.object_id)
        merged[key] = _joined(merged[key], one) if key in merged else one.prompts
    return tuple(
        ObjectPrompt(object_id=object_id, frame=frame, prompts=merged[frame, object_id])
        for frame, object_id in sorted(merged)
    )


def _joined(first: PromptSet, second: ObjectPrompt) -> PromptSet:
    for kind in ("box", "mask"):
        if getattr(first, kind) is not None and getattr(second.prompts, kind) is not None:
            raise PromptError(
                f"Object {second.object_id} got two {kind} prompts on frame {second.frame}; one is allowed, leave one out."
            )
    return PromptSet(
        (*first.clicks, *second.prompts.clicks),
        first.box or second.prompts.box,
        first.mask or second.prompts.mask,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackJob:
    """One video to be tracked into one folder.

    Attributes:
        source: Path of a video file or of a folder of images.
        prompts: What to follow, merged and in order.
        out: Folder for the results.
        overlay: MP4 to draw, or None.
        start: First frame of the range.
        stop: Frame after the last of the range, or None for the end of the video.
        backward: Also follow each object back from its first prompt to ``start``.
        resume: Go on with the run that the folder holds.
        allow_damaged: Track what is left of a cut or broken video.
        checkpoint_every: Frames between two saved states, at least 1.
        labels: Names of classes by object id; objects without one have no class.
    """

    source: Path
    prompts: tuple[ObjectPrompt, ...]
    out: Path
    overlay: Path | None = None
    start: int = 0
    stop: int | None = None
    backward: bool = False
    resume: bool = False
    allow_damaged: bool = False
    checkpoint_every: int = 64
    labels: Mapping[int, str] = field(default_factory=dict[int, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackPlan:
    """The frames of a job in the order of work: all of the range forward, then some of it backward.

    Attributes:
        start: First frame of the range.
        stop: Frame after the last of the range.
        prompts: The prompts that lie before ``stop``.
        first_prompts: First prompted frame of each object, by id.
        backward_stop: Frame after the last that is tracked backward; ``start`` when none is.
        labels: Names of classes by object id.
    """

    start: int
    stop: int
    prompts: tuple[ObjectPrompt, ...]
    first_prompts: Mapping[int, int]
    backward_stop: int
    labels: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def forward_start(self) -> int:
        """The first frame of the range on which there is anything to follow."""
        return min(max(self.start, min(self.first_prompts.values())), self.stop)

    @property
    def num_forward(self) -> int:
        """Steps forward."""
        return self.stop - self.start

    @property
    def num_steps(self) -> int:
        """Steps in all."""
        return self.num_forward + self.backward_stop - self.start

    def objects_at(self, frame: int, *, backward: bool) -> tuple[int, ...]:
        """Ids that a step is responsible for: forward from the first prompt on, backward before it."""
        return tuple(
            object_id
            for object_id, first in sorted(self.first_prompts.items())
            if (frame < first) == backward
        )


def make_plan(job: TrackJob, num_frames: int | None, name: str) -> TrackPlan:
    """Settle the range of a job and what is prompted in it.

    Args:
        job: The job.
        num_frames: Number of frames in the source, or None when it has no end.
        name: Name of the source for messages.

    Raises:
        SessionError: When the source has no end or the range is empty or outside the source.
        PromptError: When a prompt's frame is outside the source, or no prompt lies before the range's end.
    """
    if num_frames is None:
        raise SessionError(f"{name} has no end, and a run needs one; record a part of it to a file first.")
    stop = num_frames if job.stop is None else job.stop
    if not 0 <= job.start < stop <= num_frames:
        raise SessionError(
            f"Frames {job.start} to {stop} (end excluded) are not a range of {name}, which has {num_frames} frames; "
            f"give 0 <= start < stop <= {num_frames}."
        )
    for one in job.prompts:
        if one.frame >= num_frames:
            raise PromptError(
                f"Object {one.object_id} is prompted on frame {one.frame}, but {name} has the frames 0 to {num_frames - 1}."
            )
    used = tuple(one for one in job.prompts if one.frame < stop)
    if not used:
        raise PromptError(
            f"No prompt lies before the range's end, frame {stop}; prompt an earlier frame or track further."
        )
    firsts: dict[int, int] = {}
    for one in used:
        firsts.setdefault(one.object_id, one.frame)
    backward_stop = max(job.start, *firsts.values()) if job.backward else job.start
    return TrackPlan(
        start=job.start,
        stop=stop,
        prompts=used,
        first_prompts=firsts,
        backward_stop=backward_stop,
        labels={object_id: name for object_id, name in job.labels.items() if object_id in firsts},
    )
