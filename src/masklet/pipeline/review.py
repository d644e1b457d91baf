"""What a person should look at first: every object of a document with its least certain frame, worst first."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from masklet.annotations import FrameMask, Project, Track
from masklet.masks import rle

_JUMP = 2.0
"""Ratio of the areas on neighbouring frames that is worth a look."""
_LOW = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewEntry:
    """One object that a person may have to look at.

    Attributes:
        document: Path of the document below the run's folder.
        name: The image or video.
        object_id: The object.
        label: Its class, or "".
        frame: The frame to look at first.
        uncertainty: In [0, 1], 0 for nothing to fear.
        score: Predicted IoU there.
        presence: Probability that the object is there.
        stability: How little the mask hangs on its threshold there.
        confidence: How sure the class is.
        reasons: In words.
    """

    document: str
    name: str
    object_id: int
    label: str
    frame: int
    uncertainty: float
    score: float
    presence: float
    stability: float
    confidence: float
    reasons: tuple[str, ...]


def review_of(project: Project, confidences: Mapping[int, float], document: str) -> list[ReviewEntry]:
    """The objects of a document, least certain first.

    The uncertainty of a frame is 1 - presence x (score + stability) / 2; at a jump of the area it is halved
    towards 1. That of an object is the largest of its frames, and weak classes add to it in the same way.

    Args:
        project: The document.
        confidences: How sure the class is, in [0, 1], by object id; 1 for those left out.
        document: Path of the document for the entries.
    """
    found = [
        _entry(project, track, confidences.get(track.object_id, 1.0), document)
        for track in project.tracks.values()
    ]
    return by_uncertainty(one for one in found if one is not None)


def by_uncertainty(entries: Iterable[ReviewEntry]) -> list[ReviewEntry]:
    """Least certain first; equal ones by document and object."""
    return sorted(entries, key=lambda one: (-one.uncertainty, one.document, one.object_id))


def review_to_json(entries: Iterable[ReviewEntry]) -> dict[str, object]:
    """The list as a JSON value."""
    return {"version": 1, "entries": [asdict(one) for one in entries]}


def _entry(project: Project, track: Track, confidence: float, document: str) -> ReviewEntry | None:
    visible = [one for one in track.frames.values() if not one.is_absent]
    if not visible:
        return None
    jumps = _jumps(visible)
    worst = max(visible, key=lambda one: (_doubt(one, jumps), -one.frame))
    certainty = (1 - _doubt(worst, jumps)) * (0.5 + 0.5 * confidence)
    label = "" if track.label_id is None else project.labels[track.label_id].name
    return ReviewEntry(
        document=document,
        name=project.video.name,
        object_id=track.object_id,
        label=label,
        frame=worst.frame,
        uncertainty=round(1 - certainty, 6),
        score=round(_or_one(worst.score), 6),
        presence=round(_or_one(worst.presence), 6),
        stability=round(_or_one(worst.stability), 6),
        confidence=round(confidence, 6),
        reasons=_reasons(worst, jumps, confidence),
    )


def _jumps(visible: list[FrameMask]) -> frozenset[int]:
    """Frames on which the area is more than twice, or less than half, of that on the frame before."""
    areas = [rle.area(one.rle) for one in visible if one.rle is not None]
    found: set[int] = set()
    for place in range(1, len(visible)):
        is_next = visible[place].frame == visible[place - 1].frame + 1
        if is_next and abs(math.log(areas[place] / areas[place - 1])) > math.log(_JUMP):
            found.add(visible[place].frame)
    return frozenset(found)


def _doubt(one: FrameMask, jumps: frozenset[int]) -> float:
    certainty = _or_one(one.presence) * (_or_one(one.score) + _or_one(one.stability)) / 2
    return 1 - certainty * (0.5 if one.frame in jumps else 1.0)


def _reasons(one: FrameMask, jumps: frozenset[int], confidence: float) -> tuple[str, ...]:
    said = {
        "the mask may be poor": _or_one(one.score) < _LOW,
        "it may not be there": _or_one(one.presence) < _LOW,
        "the outline is unsure": _or_one(one.stability) < _LOW,
        "its size jumps": one.frame in jumps,
        "the class is unsure": confidence < _LOW,
    }
    return tuple(words for words, holds in said.items() if holds)


def _or_one(value: float | None) -> float:
    return 1.0 if value is None else value
