"""Trackings: a job that steps a session frame by frame, shows each mask at once and stores them a few at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from masklet.geometry import Size
from masklet.masks.rle import RLE
from masklet.models.allocator import give_back
from masklet.predictors.restore import count_results, results_since
from masklet.predictors.results import FrameResult
from masklet.predictors.video import VideoSession
from masklet.studio.http_errors import describe
from masklet.studio.jobs import Job, JobBoard
from masklet.studio.refusals import RefusedError
from masklet.studio.sessions import SessionPool, to_row
from masklet.studio.store import MediaRow, ResultRow, Store
from masklet.studio.stream import Hub
from masklet.studio.wire import WireMask, pack_mask

Visit = tuple[FrameResult | None, int]
"""A frame on which something was computed, and how many before it were passed over; None for those at the end."""
_FLUSH_ROWS = 64
_FLUSH_S = 1.0
_GIVE_BACK_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """What trackings and edits work with."""

    store: Store
    pool: SessionPool
    jobs: JobBoard
    hub: Hub


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackRange:
    """Frames [start, stop), visited forward, backward or both ways."""

    start: int
    stop: int
    is_forward: bool
    is_backward: bool

    @property
    def num_steps(self) -> int:
        """Frames visited in all."""
        return (self.stop - self.start) * (self.is_forward + self.is_backward)


def checked_range(media: MediaRow, start: int, stop: int | None, direction: str) -> TrackRange:
    """A range within a medium.

    Raises:
        RefusedError: When it is empty or leaves the video.
    """
    end = media.num_frames if stop is None else stop
    if not 0 <= start < end <= media.num_frames:
        raise RefusedError(
            422,
            "range",
            f"Frames {start} to {end} (end excluded) are not in a video of {media.num_frames} frames; choose others.",
        )
    return TrackRange(
        start=start, stop=end, is_forward=direction != "backward", is_backward=direction != "forward"
    )


class TrackTask:
    """One tracking, on the engine's thread."""

    def __init__(
        self, workshop: Workshop, media: MediaRow, job: Job, frames: TrackRange, *, policy: str = "recent"
    ) -> None:
        self.media = media
        self._policy = policy
        self._workshop = workshop
        self._job = job
        self._range = frames
        self._steps: Iterator[Visit] | None = None
        self._rows: list[ResultRow] = []
        self._flushed_s = self._gave_back_s = time.monotonic()
        self._lock = threading.Lock()
        self._is_abandoned = False

    def step(self) -> bool:
        """Track one frame; True when the tracking has ended."""
        try:
            is_over = self._advance()
        except Exception as error:  # noqa: BLE001 - whatever happens is told to the page; the engine goes on
            self._end("failed", describe(error)[2])
            return True
        if is_over and not self._is_abandoned:
            self._end("cancelled" if self._job.is_cancelled else "done")
        return is_over

    def abandon(self, message: str) -> None:
        """Fail: the frame at work does not end. What was found before it is stored; what it may still find is not."""
        self._is_abandoned = True
        self._steps = None
        self._end("failed", message)

    def flush(self) -> None:
        """Store the masks that are not in the database yet; from any thread."""
        with self._lock:
            rows, self._rows, self._flushed_s = self._rows, [], time.monotonic()
            if rows:
                self._workshop.store.results.put(rows)

    def _advance(self) -> bool:
        if self._job.is_cancelled:
            return True
        session = self._workshop.pool.get(self.media)
        if self._steps is None:
            self._workshop.pool.pin(self.media.id)
            self._workshop.jobs.begin(self._job, self._range.num_steps)
            session.use_policy(self._policy)
            self._steps = _visit(session, self._range)
        count = count_results(session)
        visit = next(self._steps, None)
        if visit is None or self._is_abandoned:
            return True
        result, num_passed = visit
        if result is None:
            self._workshop.jobs.advance(self._job, num_passed, is_fresh=False)
            return False
        fresh = [
            to_row(self.media.id, object_id, result.index, one)
            for object_id, one in results_since(session, result.index, count).items()
        ]
        with self._lock:
            self._rows.extend(fresh)
        for row in fresh:
            publish_mask(self._workshop.hub, self.media, row)
        self._workshop.jobs.advance(self._job, is_fresh=bool(fresh))
        if num_passed:
            self._workshop.jobs.advance(self._job, num_passed, is_fresh=False)
        if len(self._rows) >= _FLUSH_ROWS or time.monotonic() - self._flushed_s > _FLUSH_S:
            self.flush()
        if time.monotonic() - self._gave_back_s > _GIVE_BACK_S:
            give_back()
            self._gave_back_s = time.monotonic()
        return False

    def _end(self, status: str, message: str = "") -> None:
        if self._job.is_over:
            return
        try:
            self.flush()
        except Exception as error:  # noqa: BLE001 - a full disk is told like any other failure
            status, message = "failed", describe(error)[2]
        if self._steps is not None:
            self._workshop.pool.unpin(self.media.id)
        final = status if status in ("done", "cancelled") else "failed"
        self._workshop.jobs.end(self._job, final, message)


def _visit(session: VideoSession, frames: TrackRange) -> Iterator[Visit]:
    for is_backward in (False, True):
        if not (frames.is_backward if is_backward else frames.is_forward):
            continue
        num_left = frames.stop - frames.start
        for result in session.track(frames.start, frames.stop, backward=is_backward, is_new_only=True):
            place = result.index - frames.start if is_backward else frames.stop - 1 - result.index
            yield result, num_left - place - 1
            num_left = place
        if num_left:
            yield None, num_left


def publish_mask(hub: Hub, media: MediaRow, row: ResultRow) -> None:
    """Show a mask to all pages of its project."""
    mask = RLE(Size(media.height, media.width), row.counts.encode("ascii"))

    def make(cursor: int) -> bytes:
        return pack_mask(
            WireMask(
                media_id=media.id,
                object_id=row.object_id,
                frame=row.frame,
                mask=mask,
                score=row.score,
                presence=row.presence,
                stability=row.stability,
                is_prompted=row.is_prompted,
                is_backward=row.is_backward,
                cursor=cursor,
            )
        )

    hub.publish_bytes(media.project_id, make)
