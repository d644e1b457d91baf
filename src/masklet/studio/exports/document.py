"""A medium of the studio as the one document of masklet, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from masklet.annotations import (
    Edit,
    FrameMask,
    Label,
    Project,
    Track,
    VideoFacts,
    prompts_from_json,
    prompts_to_json,
)
from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet
from masklet.studio.store import ClassRow, MediaRow, ObjectRow, PromptRow, ResultRow, Store, WorkRow

_LARGEST_DENOMINATOR = 1001


@dataclass(frozen=True, slots=True, kw_only=True)
class Flags:
    """What the document has no place for: frames by object id that were tracked backward, or that memory passes over."""

    backward: dict[int, list[int]]
    not_kept: dict[int, list[int]]


def to_document(store: Store, media: MediaRow) -> tuple[Project, Flags]:
    """Tracks, classes and prompts of a medium."""
    size = Size(media.height, media.width)
    flags = Flags(backward={}, not_kept={})
    tracks: dict[int, Track] = {}
    for one in store.projects.objects(media.id):
        rows = store.results.of_object(media.id, one.id)
        frames = {row.frame: _frame_mask(row, size) for row in rows}
        tracks[one.id] = Track(object_id=one.id, name=one.name, label_id=one.class_id, frames=frames)
        for listed, found in (
            (flags.backward, [row.frame for row in rows if row.is_backward]),
            (flags.not_kept, [row.frame for row in rows if not row.is_kept]),
        ):
            if found:
                listed[one.id] = found
    prompts: dict[int, dict[int, PromptSet]] = {}
    for said in store.projects.prompts(media.id):
        prompts.setdefault(said.object_id, {})[said.frame] = prompts_from_json(json.loads(said.prompts))
    labels = {
        one.id: Label(id=one.id, name=one.name, color=one.color)
        for one in store.projects.classes(media.project_id)
    }
    edits = tuple(
        Edit(action=one.action, object_id=one.object_id, frame=one.frame, time_s=int(one.time_s))
        for one in store.work.of_media(media.id)
    )
    facts = _video_facts(media, size)
    return Project(video=facts, tracks=tracks, labels=labels, prompts=prompts, edits=edits), flags


def to_rows(
    document: Project, flags: Flags, media: MediaRow, looks: Sequence[ObjectRow]
) -> tuple[list[PromptRow], list[ResultRow]]:
    """Rows of a medium from its document.

    Args:
        document: The document.
        flags: What it has no place for.
        media: The medium as it was probed here.
        looks: Its objects, as the project file lists them.

    Raises:
        FormatError: When document, medium and objects do not fit each other.
    """
    if document.video.size.hw != (media.height, media.width):
        raise FormatError("The project's masks have another size than its video; the file is damaged.")
    if set(document.tracks) != {one.id for one in looks}:
        raise FormatError("The project lists other objects than it has tracks; the file is damaged.")
    prompts = [
        PromptRow(
            media_id=media.id, object_id=object_id, frame=frame, prompts=json.dumps(prompts_to_json(said))
        )
        for object_id, frames in document.prompts.items()
        for frame, said in frames.items()
    ]
    results = [
        _result_row(media.id, track.object_id, found, flags, document.video.size)
        for track in document.tracks.values()
        for found in track.frames.values()
    ]
    bare = {(one.object_id, one.frame) for one in prompts} - {(one.object_id, one.frame) for one in results}
    last = max((one.frame for one in [*prompts, *results]), default=0)
    if bare or last >= media.num_frames:
        raise FormatError(
            "The project speaks of frames or prompts that its video lacks; the file is damaged."
        )
    return prompts, results


def work_rows(document: Project, media: MediaRow) -> list[WorkRow]:
    """What the document tells of who worked on which object when."""
    return [
        WorkRow(
            media_id=media.id,
            object_id=one.object_id,
            frame=one.frame,
            action=one.action,
            time_s=float(one.time_s),
        )
        for one in document.edits
        if one.object_id is not None and one.time_s is not None
    ]


def _frame_mask(row: ResultRow, size: Size) -> FrameMask:
    mask = RLE(size, row.counts.encode("ascii"))
    if is_drawn(row):
        return FrameMask(
            frame=row.frame,
            rle=mask,
            is_prompted=row.is_prompted,
            is_occluded=row.is_occluded and row.area == 0,
        )
    return FrameMask(
        frame=row.frame,
        rle=mask,
        score=_unit(row.score),
        presence=_unit(row.presence),
        stability=_unit(row.stability),
        is_prompted=row.is_prompted,
        is_occluded=row.is_occluded and row.area == 0,
    )


def is_drawn(row: ResultRow) -> bool:
    """Whether a mask was drawn by hand, here or elsewhere: no model scored it."""
    return row.is_prompted and row.score == row.presence == row.stability == 1.0


def _result_row(media_id: str, object_id: int, found: FrameMask, flags: Flags, size: Size) -> ResultRow:
    mask = rle.empty(size) if found.rle is None else found.rle
    return ResultRow(
        media_id=media_id,
        object_id=object_id,
        frame=found.frame,
        counts=mask.counts.decode("ascii"),
        area=rle.area(mask),
        score=1.0 if found.score is None else found.score,
        presence=1.0 if found.presence is None else found.presence,
        stability=1.0 if found.stability is None else found.stability,
        is_prompted=found.is_prompted,
        is_backward=found.frame in flags.backward.get(object_id, ()),
        is_kept=found.frame not in flags.not_kept.get(object_id, ()),
        is_occluded=found.is_occluded,
    )


def _unit(value: float) -> float:
    """A predicted IoU is a regression and may leave [0, 1] by a little."""
    return min(max(value, 0.0), 1.0)


def _video_facts(media: MediaRow, size: Size) -> VideoFacts:
    is_even = media.fps is not None and not media.is_variable_frame_rate
    rate = Fraction(media.fps).limit_denominator(_LARGEST_DENOMINATOR) if is_even and media.fps else None
    return VideoFacts(
        name=media.name, size=size, num_frames=media.num_frames, frame_rate=rate, sha256=media.sha256
    )


def classes_to_json(classes: Sequence[ClassRow]) -> list[dict[str, object]]:
    """Classes as plain JSON values; words only where there are some, as before there were any."""
    listed: list[dict[str, object]] = []
    for one in classes:
        found: dict[str, object] = {
            "id": one.id,
            "name": one.name,
            "color": one.color,
            "shortcut": one.shortcut,
        }
        listed.append(found | {"words": one.words} if one.words else found)
    return listed
