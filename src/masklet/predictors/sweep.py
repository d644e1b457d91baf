"""A pass over a video, one frame after the other: stored results as they are, and what has none yet in one batch."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from masklet.models.model import ImageFeatures
from masklet.predictors.ahead import FRAMES_AHEAD, FramesAhead
from masklet.predictors.engine import FrameEngine, Shown
from masklet.predictors.object_store import Computed, ObjectStore
from masklet.predictors.results import FrameResult
from masklet.tracking.bank import MemoryBank
from masklet.tracking.state import RunningBank, StoredMask
from masklet.video.frames import FrameSource
from masklet.video.source import Frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """What a pass goes over.

    Attributes:
        source: The video.
        read: Reads a frame.
        bank_at: The memory of an object on a frame, from what is stored.
        stale_at: The objects to be followed into a frame.
        is_backward: Whether time runs backward.
        is_cancelled: Whether to stop before the next frame.
        skips_known: Whether frames on which nothing has to be computed are passed over.
    """

    source: FrameSource
    read: Callable[[int], Frame]
    bank_at: Callable[[int, int], MemoryBank]
    stale_at: Callable[[int], list[int]]
    is_backward: bool
    is_cancelled: Callable[[], bool]
    skips_known: bool


class PlainSweep:
    """One pass in which every frame is done before the next is begun, but for its encoding."""

    def __init__(self, engine: FrameEngine, store: ObjectStore, course: Course) -> None:
        """Prepare.

        Args:
            engine: Encodes frames and follows objects.
            store: The objects.
            course: What is passed over, and how.
        """
        self._engine, self._store, self._course = engine, store, course
        self._banks: dict[int, RunningBank] = {}
        self._next: int | None = None
        shares = engine.shares
        self._ahead = None if shares is None else FramesAhead(course.read, self._encoded, shares.encoding)

    def close(self) -> None:
        """Give up frames that are encoded ahead."""
        if self._ahead is not None:
            self._ahead.close()

    def run(self, frames: Sequence[int]) -> Iterator[FrameResult]:
        """Frame by frame; see ``VideoSession.track``.

        Raises:
            MediaError: When a frame cannot be read.
        """
        try:
            for position, index in enumerate(frames):
                if self._course.is_cancelled():
                    return
                if self._ahead is not None:
                    for coming in frames[position : position + 1 + FRAMES_AHEAD]:
                        if coming not in self._engine.features and self._course.stale_at(coming):
                            self._ahead.expect(coming)
                stale = self._course.stale_at(index)
                if stale or not self._course.skips_known:
                    self._next = next(iter(frames[position + 1 : position + 2]), None)
                    yield self._advance(index, stale)
        finally:
            self.close()

    @torch.inference_mode()
    def _advance(self, index: int, stale: Collection[int]) -> FrameResult:
        """One frame: stored results as they are, the stale ones in one batch."""
        shown = stored_on(self._store, index, stale)
        for object_id in shown:
            self._banks.pop(object_id, None)
        if stale:
            shown.update(self._track(index, stale))
        return self._engine.result(index, self._course.source.pts_s(index), shown)

    def _encoded(self, frame: Frame) -> ImageFeatures:
        return self._engine.encode_image(frame.image)

    def _features_of(self, index: int) -> ImageFeatures:
        """Features of a frame that is tracked, which need no reading where they are kept or come from ahead."""
        found = self._engine.features.get(index)
        if found is None and self._ahead is not None:
            found = self._ahead.take(index)
            if found is not None:
                self._engine.features.put(index, found)
        return self._engine.encode(self._course.read(index)) if found is None else found

    def _coming(self) -> tuple[int, ImageFeatures] | None:
        """The frame that is tracked next, where its features are kept."""
        if self._next is None or not self._course.stale_at(self._next):
            return None
        found = self._engine.features.get(self._next)
        return None if found is None else (self._next, found)

    def _track(self, index: int, object_ids: Collection[int]) -> Shown:
        image, is_backward = self._features_of(index), self._course.is_backward
        current: list[MemoryBank] = []
        for object_id in object_ids:
            last = self._banks.get(object_id)
            if last is not None and last.counts_for(self._store.objects[object_id], index):
                current.append(last.bank)
            else:
                current.append(self._course.bank_at(object_id, index))
        size = self._course.source.size
        is_alone = self._ahead is not None and self._ahead.is_idle
        answers = self._engine.track(
            image,
            size,
            index,
            current,
            is_backward=is_backward,
            is_alone=is_alone,
            coming=self._coming() if is_alone else None,
        )
        shown: dict[int, tuple[StoredMask, Tensor | None]] = {}
        for object_id, bank, answer in zip(object_ids, current, answers, strict=True):
            state, after = self._store.objects[object_id], bank.with_tracked(answer.entry)
            computed = Computed(result=answer.result, entry=answer.entry)
            self._store.put_tracked(object_id, index, computed, after)
            self._banks[object_id] = RunningBank(state=state, edits=state.edits, frame=index, bank=after)
            shown[object_id] = (answer.result, answer.logits)
        return shown


def stored_on(
    store: ObjectStore, index: int, but: Collection[int] = ()
) -> dict[int, tuple[StoredMask, Tensor | None]]:
    """The results in force on a frame, without those of some objects."""
    found: dict[int, tuple[StoredMask, Tensor | None]] = {}
    for object_id, state in sorted(store.objects.items()):
        known = state.results.get(index)
        if known is not None and object_id not in but:
            found[object_id] = (known, store.logits_of(state, index))
    return found
