"""The one end-to-end path: source -> prompts -> session -> masks, document and overlay, with typed progress events.

    for event in track_video(job, tracker):
        ...                                   TrackingStarted, FrameTracked, StateSaved, OverlayDrawn, TrackingFinished

The same job on the same machine writes the same bytes, whether it ran through or was killed and resumed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from masklet.errors import CancelledError, PromptError, SessionError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.pipeline.job import (
    Labels,
    TrackedFrame,
    Tracker,
    TrackingSession,
    TrackJob,
    TrackPlan,
    make_plan,
)
from masklet.pipeline.labels import add_behind, label_image
from masklet.pipeline.results import (
    ObjectSummary,
    check_overlay_path,
    draw_overlay_video,
    summarise,
    write_document,
)
from masklet.pipeline.run import RunFolder, describe_request
from masklet.video.frames import open_source
from masklet.video.image import read_indexed_png, write_indexed_png
from masklet.video.source import FrameSource


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackSummary:
    """What a finished run came to.

    Attributes:
        num_frames: Frames in the range.
        num_steps_now: Frames tracked by this call, those tracked backward counted again; 0 when all was done before.
        seconds: Time this call spent tracking, without loading the model and drawing the overlay.
        model: Name or file of the model.
        device: Where it ran.
        masks: Folder of the label images.
        tracks: File of the document.
        overlay: The video drawn, or None.
        objects: One entry per object, by id.
    """

    num_frames: int
    num_steps_now: int
    seconds: float
    model: str
    device: str
    masks: Path
    tracks: Path
    overlay: Path | None
    objects: tuple[ObjectSummary, ...]

    @property
    def fps(self) -> float | None:
        """Frames tracked per second by this call, or None when it tracked none."""
        return self.num_steps_now / self.seconds if self.num_steps_now and self.seconds > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingStarted:
    """The source is open, the prompts fit it and the model is ready; ``num_done`` steps were done by an earlier call."""

    source: str
    size: Size
    num_objects: int
    num_steps: int
    num_done: int
    num_unused_prompts: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameTracked:
    """A frame is done and its labels, uint8 (h, w), are on disk."""

    index: int
    is_backward: bool
    num_done: int
    num_steps: int
    labels: Labels


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSaved:
    """A kill from here on loses nothing of the first ``num_done`` steps."""

    num_done: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayDrawn:
    """That many frames of the overlay are drawn."""

    num_done: int
    num_frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackingFinished:
    """Everything is written."""

    summary: TrackSummary


PipelineEvent: TypeAlias = TrackingStarted | FrameTracked | StateSaved | OverlayDrawn | TrackingFinished


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """One frame to be written: with results, or None before anything is prompted."""

    index: int
    is_backward: bool
    frame: TrackedFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """Everything that a run in progress works with."""

    job: TrackJob
    plan: TrackPlan
    tracker: Tracker
    source: FrameSource
    run: RunFolder
    is_cancelled: Callable[[], bool]


def _never() -> bool:
    return False


def track_video(
    job: TrackJob, tracker: Tracker, *, is_cancelled: Callable[[], bool] = _never
) -> Iterator[PipelineEvent]:
    """Track the prompted objects of a job through its video and write the results.

    Nothing is written before the source, the range, the prompts and the model have been checked.

    Args:
        job: What to do.
        tracker: Opens the sessions.
        is_cancelled: Asked after every frame; when it says yes, what is done is saved and the run ends.

    Yields:
        What happens, ending with TrackingFinished.

    Raises:
        CancelledError: When the run was cancelled; it can be resumed.
        MaskletError: When the source, a prompt, the model or the folder cannot be used.
    """
    with open_source(job.source, allow_damaged=job.allow_damaged) as source:
        plan = make_plan(job, source.num_frames, source.name)
        _check_prompts(plan, source)
        check_overlay_path(job.overlay)
        identity = tracker.identity()
        run = RunFolder(job.out)
        asked = describe_request(job, plan, identity)
        (run.resume if job.resume else run.begin)(asked)
        work = _Work(job=job, plan=plan, tracker=tracker, source=source, run=run, is_cancelled=is_cancelled)
        yield _started(work)
        num_before = run.manifest.num_steps
        seconds = yield from _track_frames(work)
        write_document(run, plan, source, job.source)
        if job.overlay is not None:
            yield from _draw_frames(work, job.overlay)
        run.finish()
        yield TrackingFinished(summary=_summary(work, identity, plan.num_steps - num_before, seconds))


def _check_prompts(plan: TrackPlan, source: FrameSource) -> None:
    for one in plan.prompts:
        try:
            one.prompts.check_inside(source.size)
        except PromptError as error:
            raise PromptError(f"Object {one.object_id} on frame {one.frame}: {error}") from error


def _started(work: _Work) -> TrackingStarted:
    return TrackingStarted(
        source=work.source.name,
        size=work.source.size,
        num_objects=len(work.plan.first_prompts),
        num_steps=work.plan.num_steps,
        num_done=work.run.manifest.num_steps,
        num_unused_prompts=len(work.job.prompts) - len(work.plan.prompts),
    )


def _summary(work: _Work, identity: Mapping[str, str], num_steps_now: int, seconds: float) -> TrackSummary:
    return TrackSummary(
        num_frames=work.plan.num_forward,
        num_steps_now=num_steps_now,
        seconds=seconds,
        model=identity["model"],
        device=identity["device"],
        masks=work.run.masks,
        tracks=work.run.tracks,
        overlay=work.job.overlay,
        objects=summarise(work.run, work.plan),
    )


def _track_frames(work: _Work) -> Generator[PipelineEvent, None, float]:
    """Do every step that is left; returns the seconds it took."""
    num_done = work.run.manifest.num_steps
    if num_done >= work.plan.num_steps:
        return 0.0
    session = _open_session(work)
    started = time.perf_counter()
    try:
        for step in _steps(session, work.plan, num_done):
            labels = _record(step, work)
            num_done += 1
            yield FrameTracked(
                index=step.index,
                is_backward=step.is_backward,
                num_done=num_done,
                num_steps=work.plan.num_steps,
                labels=labels,
            )
            is_over = num_done == work.plan.num_steps
            is_stopped = not is_over and work.is_cancelled()
            if is_over or is_stopped or num_done % work.job.checkpoint_every == 0:
                work.run.save(session.save)
                yield StateSaved(num_done=num_done)
            if is_stopped:
                write_document(work.run, work.plan, work.source, work.job.source)
                raise CancelledError(
                    f"Stopped after {num_done} of {work.plan.num_steps} frames; run the same again with --resume to go on."
                )
    finally:
        session.close()
    return time.perf_counter() - started


def _open_session(work: _Work) -> TrackingSession:
    """The session that the folder holds, or a new one with every prompt in it."""
    num_objects = len(work.plan.first_prompts)
    if work.run.manifest.num_steps > 0:
        saved = work.run.session
        if saved is None or not saved.is_file():
            raise SessionError(
                f"{work.job.out} lacks the saved state of its run; leave --resume out to start anew."
            )
        return work.tracker.reopen(saved, work.source, num_objects=num_objects)
    session = work.tracker.open(work.source, num_objects=num_objects)
    for one in work.plan.prompts:
        session.prompt(object_id=one.object_id, frame=one.frame, prompts=one.prompts)
    return session


def _steps(session: TrackingSession, plan: TrackPlan, num_done: int) -> Iterator[_Step]:
    """The steps that are left, in the order of work."""
    start = plan.start + num_done
    for index in range(start, plan.forward_start):
        yield _Step(index=index, is_backward=False, frame=None)
    start = max(start, plan.forward_start)
    if start < plan.stop:
        tracked = session.track(start=start, stop=plan.stop, backward=False)
        yield from _matched(tracked, range(start, plan.stop), is_backward=False)
    stop = plan.backward_stop - max(0, num_done - plan.num_forward)
    if plan.start < stop:
        tracked = session.track(start=plan.start, stop=stop, backward=True)
        yield from _matched(tracked, range(stop - 1, plan.start - 1, -1), is_backward=True)


def _matched(tracked: Iterator[TrackedFrame], indices: range, *, is_backward: bool) -> Iterator[_Step]:
    """Results in the order of frames that was asked for; a frame left out would shift every mask after it."""
    for index in indices:
        frame = next(tracked, None)
        if frame is None or frame.index != index:
            came = "nothing" if frame is None else f"frame {frame.index}"
            raise SessionError(f"Tracking should give frame {index} now but gave {came}; please report this.")
        yield _Step(index=index, is_backward=is_backward, frame=frame)


def _record(step: _Step, work: _Work) -> Labels:
    """Write the labels of a frame and note its results."""
    size, path = work.source.size, work.run.mask_path(step.index)
    object_ids = work.plan.objects_at(step.index, backward=step.is_backward)
    frame = step.frame
    masks = {} if frame is None else {one: frame.masks[one] for one in object_ids if one in frame.masks}
    labels = label_image(masks, {} if frame is None else frame.logits, size)
    if step.is_backward:
        labels = add_behind(read_indexed_png(path), labels, object_ids)
    write_indexed_png(path, labels)
    objects = {} if frame is None else {str(one): _numbers(frame, one) for one in masks}
    work.run.append({"frame": step.index, "backward": step.is_backward, "objects": objects})
    return labels


def _numbers(frame: TrackedFrame, object_id: int) -> dict[str, object]:
    """What the journal keeps of one object on one frame."""
    mask = frame.masks[object_id]
    return {
        "counts": rle.encode(mask).counts.decode("ascii"),
        "area": int(mask.sum()),
        "score": float(frame.scores[object_id]),
        "presence": float(frame.presence[object_id]),
        "stability": float(frame.stability[object_id]),
    }


def _draw_frames(work: _Work, path: Path) -> Iterator[PipelineEvent]:
    """Draw the written labels over the frames of the range."""
    labels = (
        (index, read_indexed_png(work.run.mask_path(index)))
        for index in range(work.plan.start, work.plan.stop)
    )
    for num_done in draw_overlay_video(path, work.source, labels):
        yield OverlayDrawn(num_done=num_done, num_frames=work.plan.num_forward)
        if work.is_cancelled():
            raise CancelledError(
                f"Stopped while drawing {path}; the masks are whole, run the same again with --resume to draw it."
            )
