"""A pass over a video whose next frame is given to the device before the last one is known to the host.

What was given too early, because an edit came in between, is dropped and done again. When anything fails - the compiler, a
recording, memory - the pass says so once and tells where it got to, so that the plain path goes on from there.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from masklet.errors import MaskletError
from masklet.models.model import ImageFeatures
from masklet.predictors.batches_ahead import BatchesAhead
from masklet.predictors.engine import FrameEngine
from masklet.predictors.object_store import Computed, ObjectStore
from masklet.predictors.results import FrameResult
from masklet.predictors.streamed import Launched, StreamedFrames
from masklet.predictors.sweep import Course, stored_on
from masklet.tracking.bank import MemoryBank
from masklet.tracking.state import ObjectState, RunningBank, StoredMask

FRAMES_IN_FLIGHT = 2
"""Frames that the device may be at or have done, while the host is at the first of them."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Flight:
    """A frame on its way.

    Attributes:
        index: The frame.
        objects: The objects followed into it, and their states.
        edits: Edits each had then.
        before: The memory each was followed with.
        after: The memory after it, whose last scores are not known yet.
        launched: What the device is at; None when nothing has to be computed.
    """

    index: int
    objects: dict[int, ObjectState]
    edits: dict[int, int]
    before: dict[int, MemoryBank]
    after: dict[int, MemoryBank]
    launched: Launched | None

    def bank_after(self, object_id: int, state: ObjectState, index: int) -> MemoryBank | None:
        """The memory of an object for the next frame; None when this frame says nothing of it."""
        is_same = self.objects.get(object_id) is state and self.edits.get(object_id) == state.edits
        return self.after[object_id] if is_same and abs(index - self.index) == 1 else None


class StreamedSweep:
    """One pass."""

    def __init__(
        self, streams: StreamedFrames, engine: FrameEngine, store: ObjectStore, course: Course
    ) -> None:
        """Prepare.

        Args:
            streams: Follows objects.
            engine: Encodes single frames, and keeps encoded ones.
            store: The objects.
            course: What is passed over, and how.
        """
        self._streams, self._engine, self._store, self._course = streams, engine, store, course
        self._banks: dict[int, RunningBank] = {}
        self._flights: deque[_Flight] = deque()
        self._ahead = BatchesAhead(lambda at: course.read(at).image, streams.encoder, streams.frames_at_once)

    def close(self) -> None:
        """Give up frames that are encoded ahead."""
        self._ahead.close()

    def run(self, frames: Sequence[int]) -> Generator[FrameResult, None, int]:
        """Frame by frame; see ``VideoSession.track``.

        Returns:
            How many of the frames are done; fewer than all when something failed.

        Raises:
            MaskletError: When a frame cannot be read.
        """
        num_done = 0
        try:
            while num_done < len(frames) and not self._course.is_cancelled():
                try:
                    while self._flights and not all(map(self._is_current, self._flights)):
                        self._flights.pop()
                    start = num_done + len(self._flights)
                    self._fill(frames, start, min(num_done + FRAMES_IN_FLIGHT, len(frames)))
                    result = self._finish(self._flights.popleft())
                except MaskletError:
                    raise
                except Exception as error:  # noqa: BLE001 - whatever it is, the plain path needs none of this
                    _give_up(error)
                    return num_done
                num_done += 1
                if result is not None:
                    yield result
            return len(frames)
        finally:
            self.close()

    def _fill(self, frames: Sequence[int], start: int, stop: int) -> None:
        """Begin with the frames at [start, stop), up to one that cannot be read.

        Raises:
            MaskletError: When not even the first can be read; those before it were finished.
        """
        for position in range(start, stop):
            try:
                self._flights.append(self._begin(frames, position))
            except MaskletError:
                if not self._flights:
                    raise
                return

    def _is_current(self, flight: _Flight) -> bool:
        """Whether nobody has changed what a frame was computed for."""
        objects = self._store.objects
        return self._course.stale_at(flight.index) == list(flight.objects) and all(
            objects.get(one) is state and flight.edits[one] == state.edits
            for one, state in flight.objects.items()
        )

    @torch.inference_mode()
    def _begin(self, frames: Sequence[int], position: int) -> _Flight:
        index = frames[position]
        self._expect(frames, position)
        stale = self._course.stale_at(index)
        objects = {object_id: self._store.objects[object_id] for object_id in stale}
        before = {object_id: self._bank_of(object_id, state, index) for object_id, state in objects.items()}
        launched, after = None, dict[int, MemoryBank]()
        if objects:
            image = self._features_of(index)
            moment = self._engine.tracker.moment(index, is_backward=self._course.is_backward)
            launched = self._streams.launch(image, self._course.source.size, list(before.values()), moment)
            pairs = zip(before.items(), launched.entries, strict=True)
            after = {object_id: bank.with_tracked(entry) for (object_id, bank), entry in pairs}
        return _Flight(
            index=index,
            objects=objects,
            edits={object_id: state.edits for object_id, state in objects.items()},
            before=before,
            after=after,
            launched=launched,
        )

    def _expect(self, frames: Sequence[int], position: int) -> None:
        stop = position + 1 + self._ahead.span
        coming = [
            index
            for index in frames[position:stop]
            if index in self._ahead or (index not in self._engine.features and self._course.stale_at(index))
        ]
        self._ahead.expect(coming, at_once=frames[position], is_end=stop >= len(frames))

    def _features_of(self, index: int) -> ImageFeatures:
        found = self._engine.features.get(index)
        if found is None:
            found = self._ahead.take(index, self._streams.lane)
            if found is None:
                return self._engine.encode(self._course.read(index))
            self._engine.features.put(index, found)
        return found

    def _bank_of(self, object_id: int, state: ObjectState, index: int) -> MemoryBank:
        if self._flights:
            after = self._flights[-1].bank_after(object_id, state, index)
            if after is not None:
                return after
        last = self._banks.get(object_id)
        return (
            last.bank
            if last is not None and last.counts_for(state, index)
            else self._course.bank_at(object_id, index)
        )

    @torch.inference_mode()
    def _finish(self, flight: _Flight) -> FrameResult | None:
        """Wait for a frame, and store what was found on it; None when nothing was and nothing is to be told."""
        if flight.launched is None and self._course.skips_known:
            return None
        index = flight.index
        found = [] if flight.launched is None else flight.launched.finished()
        shown, drawn = stored_on(self._store, index, flight.objects), dict[int, np.ndarray]()
        for object_id in shown:
            self._banks.pop(object_id, None)
        for (object_id, state), (entry, one) in zip(flight.objects.items(), found, strict=True):
            last = self._banks.get(object_id)
            is_next = last is not None and last.counts_for(state, index)
            bank = (last.bank if last is not None and is_next else flight.before[object_id]).with_tracked(
                entry
            )
            result = StoredMask(
                rle=one.rle,
                score=one.score,
                area=one.area,
                is_prompted=False,
                is_backward=self._course.is_backward,
                is_kept=entry.is_kept,
                version=self._store.next_version(),
            )
            self._store.put_tracked(object_id, index, Computed(result=result, entry=entry), bank)
            self._banks[object_id] = RunningBank(state=state, edits=state.edits, frame=index, bank=bank)
            shown[object_id], drawn[object_id] = (result, one.logits), one.mask
        return self._engine.result(index, self._course.source.pts_s(index), shown, drawn)


def _give_up(error: Exception) -> None:
    first = str(error).strip().split("\n", 1)[0] or type(error).__name__
    _log.warning(
        "Compiled frames failed (%s: %s); this video goes on without them, as fast as it is without the option.",
        type(error).__name__,
        first,
    )
    _log.debug("What failed:", exc_info=error)
