"""What a run leaves behind: the document, the overlay and figures for each object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts, save
from masklet.errors import MediaError
from masklet.geometry import Size
from masklet.masks.rle import RLE
from masklet.pipeline.job import Labels, TrackPlan
from masklet.pipeline.run import JsonRow, RunFolder, source_digest
from masklet.prompts import PromptSet
from masklet.video.overlay import object_color
from masklet.video.reader import VideoReader
from masklet.video.source import FrameSource
from masklet.video.writer import OverlayWriter

_LARGEST_DENOMINATOR = 1001  # of frame rates, as in 30000/1001


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSummary:
    """One object through the range.

    Attributes:
        object_id: Its id.
        num_visible: Frames on which it has at least one pixel.
        mean_score: Mean predicted IoU over those, or None when there are none.
    """

    object_id: int
    num_visible: int
    mean_score: float | None


def summarise(run: RunFolder, plan: TrackPlan) -> tuple[ObjectSummary, ...]:
    """Count and average the safe steps of a run, by object id."""
    scores: dict[int, list[float]] = {object_id: [] for object_id in plan.first_prompts}
    for row in run.rows():
        for object_id, found in row["objects"].items():
            if found["area"] > 0:
                scores[int(object_id)].append(found["score"])
    return tuple(
        ObjectSummary(
            object_id=object_id,
            num_visible=len(found),
            mean_score=sum(found) / len(found) if found else None,
        )
        for object_id, found in sorted(scores.items())
    )


def write_document(run: RunFolder, plan: TrackPlan, source: FrameSource, path: Path) -> None:
    """Write ``tracks.json`` from the safe steps of a run.

    Args:
        run: The run.
        plan: Its plan.
        source: Its source.
        path: Where the source came from.

    Raises:
        MaskletError: When the journal is damaged or the file cannot be written.
    """
    frames: dict[int, list[FrameMask]] = {object_id: [] for object_id in plan.first_prompts}
    prompts: dict[int, dict[int, PromptSet]] = {}
    for one in plan.prompts:
        prompts.setdefault(one.object_id, {})[one.frame] = one.prompts
    for row in run.rows():
        for object_id in map(int, row["objects"]):
            is_prompted = row["frame"] in prompts[object_id]
            frames[object_id].append(_frame_mask(row, object_id, source.size, is_prompted=is_prompted))
    labels = _labels(plan)
    ids = {label.name: label.id for label in labels.values()}
    tracks = {
        object_id: Track(
            object_id=object_id,
            label_id=ids.get(plan.labels.get(object_id, "")),
            frames={one.frame: one for one in found},
        )
        for object_id, found in frames.items()
    }
    video = video_facts(source, path)
    save(Project(video=video, tracks=tracks, labels=labels, prompts=prompts), run.tracks)


def _labels(plan: TrackPlan) -> dict[int, Label]:
    """One class for each name, numbered from 1 in the order of the first object that has it."""
    names = dict.fromkeys(name for _, name in sorted(plan.labels.items()))
    return {
        number: Label(id=number, name=name, color="#{:02x}{:02x}{:02x}".format(*object_color(number)))
        for number, name in enumerate(names, start=1)
    }


def check_overlay_path(path: Path | None) -> None:
    """Refuse an overlay that could not be written after hours of tracking.

    Raises:
        MediaError: When the name does not end in .mp4 or its folder cannot be made.
    """
    if path is None:
        return
    if path.suffix.lower() != ".mp4":
        raise MediaError(f"The overlay {path} must be an MP4 file; let its name end in .mp4.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise MediaError(
            f"The folder of {path} cannot be made ({error.strerror}); choose another."
        ) from error


def draw_overlay_video(
    path: Path, source: FrameSource, labels: Iterable[tuple[int, Labels]]
) -> Iterator[int]:
    """Draw labels over frames; the video starts at the first of them.

    Args:
        path: The MP4 file.
        source: Where frames are read.
        labels: Frame index and uint8 (h, w), in rising order.

    Yields:
        Number of frames drawn so far.

    Raises:
        MediaError: When a frame cannot be read or the file cannot be written.
    """
    first_pts_s: float | None = None
    with OverlayWriter(path, fps=source.fps) as writer:
        for index, found in labels:
            frame = source.read(index)
            if frame.pts_s is not None:
                first_pts_s = frame.pts_s if first_pts_s is None else first_pts_s
                frame = replace(frame, pts_s=frame.pts_s - first_pts_s)
            writer.write(frame, {int(one): found == one for one in np.unique(found) if one})
            yield writer.num_frames


def _frame_mask(row: JsonRow, object_id: int, size: Size, *, is_prompted: bool) -> FrameMask:
    found = row["objects"][str(object_id)]
    return FrameMask(
        frame=row["frame"],
        rle=RLE(size, found["counts"].encode("ascii")) if found["area"] > 0 else None,
        score=_within_unit(found["score"]),
        presence=_within_unit(found["presence"]),
        stability=_within_unit(found["stability"]),
        is_prompted=is_prompted,
    )


def _within_unit(value: float) -> float:
    """A predicted IoU is a regression and may leave [0, 1] by a little."""
    return min(max(value, 0.0), 1.0)


def video_facts(source: FrameSource, path: Path) -> VideoFacts:
    """What the document says of a source.

    Args:
        source: The source.
        path: Where it came from; a file is hashed.

    Raises:
        MediaError: When the file cannot be read.
    """
    is_even = source.fps is not None and not (
        isinstance(source, VideoReader) and source.facts.is_variable_frame_rate
    )
    return VideoFacts(
        name=source.name,
        size=source.size,
        num_frames=source.num_frames,
        frame_rate=Fraction(source.fps).limit_denominator(_LARGEST_DENOMINATOR)
        if is_even and source.fps
        else None,
        sha256=source_digest(path) if path.is_file() else None,
    )
