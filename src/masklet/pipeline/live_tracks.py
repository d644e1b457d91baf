"""The tracks of a run that finds its own objects: what each has shown so far, and when it ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from masklet.annotations import FrameMask
from masklet.masks import rle
from masklet.pipeline.findings import Finding, Mask


@dataclass(slots=True, kw_only=True)
class LiveTrack:
    """One object that is being followed, or was.

    Attributes:
        object_id: Its id, never given again.
        frames: What was seen of it, by frame.
        num_absent: Frames in a row on which it is not seen, up to now.
        num_twinned: Frames in a row on which it shows what another object shows, up to now.
        num_found: Key frames on which a search found it again.
        num_missed: Key frames in a row on which it was seen and no search found it.
        votes: Confidence by class, summed over the searches.
        is_live: Whether it is still followed.
    """

    object_id: int
    frames: dict[int, FrameMask] = field(default_factory=dict[int, FrameMask])
    num_absent: int = 0
    num_twinned: int = 0
    num_found: int = 0
    num_missed: int = 0
    votes: dict[str, float] = field(default_factory=dict[str, float])
    is_live: bool = True

    @property
    def num_visible(self) -> int:
        """Frames on which it has at least one pixel."""
        return sum(not one.is_absent for one in self.frames.values())

    @property
    def label(self) -> str | None:
        """The class most voted for, the first by name among equals; None without a vote."""
        return min(self.votes, key=lambda name: (-self.votes[name], name)) if self.votes else None

    @property
    def confidence(self) -> float:
        """Mean confidence of its class over the searches that found it, in [0, 1]; 1 without a class."""
        label = self.label
        return 1.0 if label is None else min(1.0, self.votes[label] / max(1, self.num_found))

    def vote(self, finding: Finding) -> None:
        """Count a finding of this object."""
        self.num_found += 1
        self.num_missed = 0
        if finding.label is not None:
            self.votes[finding.label] = self.votes.get(finding.label, 0.0) + finding.confidence

    def show(self, seen: FrameMask) -> None:
        """Note what is seen of it on a frame."""
        self.frames[seen.frame] = seen
        self.num_absent = self.num_absent + 1 if seen.is_absent else 0

    def end(self, *, num_dropped: int = 0) -> None:
        """Follow it no further, and forget the absent frames at its end.

        Args:
            num_dropped: Frames at its end that are forgotten too.
        """
        self.is_live = False
        for index in sorted(self.frames, reverse=True)[:num_dropped]:
            del self.frames[index]
        for index in sorted(self.frames, reverse=True):
            if not self.frames[index].is_absent:
                break
            del self.frames[index]


def seen_on(frame: int, mask: Mask, *, score: float, presence: float, stability: float) -> FrameMask:
    """What the document keeps of an object on a frame; a mask of nothing is an absent object."""
    is_absent = not mask.any()
    return FrameMask(
        frame=frame,
        rle=None if is_absent else rle.encode(mask),
        score=_within_unit(score),
        presence=_within_unit(presence),
        stability=_within_unit(stability),
    )


def match_findings(
    findings: Iterable[Finding], masks: Mapping[int, Mask], *, min_iou: float
) -> tuple[dict[int, Finding], list[Finding]]:
    """Which finding is which live object, each used once, best overlaps first.

    Args:
        findings: Objects of this frame.
        masks: bool (h, w) of the live objects on it, by id; empty ones match nothing.
        min_iou: Least IoU of a match, in (0, 1].

    Returns:
        The finding of each object that has one, and the findings that are left.
    """
    listed = list(findings)
    ids = [object_id for object_id, mask in sorted(masks.items()) if mask.any()]
    if not listed or not ids:
        return {}, listed
    ours = [rle.encode(masks[object_id]) for object_id in ids]
    overlap = rle.iou([rle.encode(one.mask) for one in listed], ours)
    matched: dict[int, Finding] = {}
    used: set[int] = set()
    for place in np.argsort(-overlap, axis=None, kind="stable").tolist():
        row, column = divmod(place, len(ids))
        if overlap[row, column] < min_iou:
            break
        if row not in used and ids[column] not in matched:
            matched[ids[column]] = listed[row]
            used.add(row)
    return matched, [one for row, one in enumerate(listed) if row not in used]


def doubled(masks: Mapping[int, Mask], *, max_iou: float, max_inside: float) -> set[int]:
    """Ids of the objects that show what another one shows.

    Of two with nearly the same mask it is the younger; of two that lie in each other it is the inner one, because
    objects never overlap when they are found.

    Args:
        masks: bool (h, w) by id; a smaller id is older.
        max_iou: IoU above which two are the same.
        max_inside: Share of an object above which it lies inside another.
    """
    ids = [object_id for object_id, mask in sorted(masks.items()) if mask.any()]
    if len(ids) < 2:
        return set()
    encoded = [rle.encode(masks[object_id]) for object_id in ids]
    areas = np.array([rle.area(one) for one in encoded], dtype=np.float64)
    overlap = rle.iou(encoded, encoded)
    shared = overlap * (areas[:, None] + areas[None]) / (1 + overlap)
    gone: set[int] = set()
    for younger in range(len(ids)):
        for older in range(younger):
            if overlap[younger, older] > max_iou:
                gone.add(ids[younger])
            elif shared[younger, older] > max_inside * min(areas[younger], areas[older]):
                gone.add(ids[younger] if areas[younger] <= areas[older] else ids[older])
    return gone


def _within_unit(value: float) -> float:
    return min(max(float(value), 0.0), 1.0)
