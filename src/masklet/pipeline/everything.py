"""Track everything: objects found by themselves on key frames, followed in between, matched when they are found again.

    for event in track_everything(source, session, finder):
        ...            EverythingStarted, KeyFrameSearched, FrameFollowed, ObjectEnded, EverythingFinished

On a key frame a search says what is there. What agrees with an object that is followed is that object; what nothing
explains becomes a new one. An object ends when it was not seen for a while, when two follow the same thing, when
searches no longer find what it shows, and at a cut.

Source: ours, after the "track anything / detect and track" loops built around SAM 2; the look-based key frames, the cut
rule and the coverage rule are our own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from masklet.errors import CancelledError
from masklet.geometry import Size
from masklet.pipeline.findings import Finder, Finding, FindingLimits, Mask, choose_findings
from masklet.pipeline.job import TrackedFrame
from masklet.pipeline.key_frames import FrameKind, KeyFrameRule, KeyFrames
from masklet.pipeline.live_tracks import LiveTrack, doubled, match_findings, seen_on
from masklet.prompts import PromptSet
from masklet.video.source import FrameSource


class FollowingSession(Protocol):
    """What is used of ``masklet.VideoSession``."""

    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> TrackedFrame:
        """Say where an object is."""
        ...

    def track(self) -> Iterator[TrackedFrame]:
        """Follow all objects; the loop may prompt and remove some."""
        ...

    def remove(self, object_id: int) -> None:
        """Remove an object."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EverythingOptions:
    """How objects are found, matched and given up.

    Attributes:
        limits: Which findings become objects.
        rule: Which frames are searched.
        min_match_iou: Least IoU of a finding and a followed object that are the same, in (0, 1].
        max_twin_iou: IoU above which two followed objects are the same.
        max_inside: Share of an object above which it lies inside another and is taken for a part of it.
        max_twinned: Frames in a row that an object may show what another one shows, at least 1; then it ends.
        max_absent: Frames in a row without a pixel after which an object ends.
        max_missed: Key frames in a row on which no search found what an object shows, after which it ends; 0 never.
        min_visible: Objects seen on fewer frames are left out, unless the video itself is shorter.
    """

    limits: FindingLimits = field(default_factory=FindingLimits)
    rule: KeyFrameRule = field(default_factory=KeyFrameRule)
    min_match_iou: float = 0.5
    max_twin_iou: float = 0.75
    max_inside: float = 0.9
    max_twinned: int = 3
    max_absent: int = 24
    max_missed: int = 0
    min_visible: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class EverythingStarted:
    """The source is open; ``num_frames`` is None for a stream."""

    source: str
    size: Size
    num_frames: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrameSearched:
    """A frame was searched: ids of new objects, of those found again, and why the frame was searched."""

    index: int
    kind: FrameKind
    num_findings: int
    new: tuple[int, ...]
    found_again: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectEnded:
    """An object is followed no further; ``reason`` is "absent", "twin", "missed" or "cut"."""

    index: int
    object_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameFollowed:
    """A frame is done; masks bool (h, w) of the live objects by id."""

    index: int
    num_done: int
    num_frames: int | None
    masks: Mapping[int, Mask]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EverythingFinished:
    """All objects that were seen for long enough, by id."""

    num_frames: int
    tracks: Mapping[int, LiveTrack]


EverythingEvent: TypeAlias = (
    EverythingStarted | KeyFrameSearched | ObjectEnded | FrameFollowed | EverythingFinished
)


def _never() -> bool:
    return False


def track_everything(
    source: FrameSource,
    session: FollowingSession,
    finder: Finder,
    *,
    options: EverythingOptions | None = None,
    is_cancelled: Callable[[], bool] = _never,
) -> Iterator[EverythingEvent]:
    """Find and follow the objects of a video or a stream.

    Args:
        source: Frames; a stream is read once, forward.
        session: A fresh session on the same source.
        finder: Says what is on a frame.
        options: Rules and thresholds.
        is_cancelled: Asked after every frame.

    Yields:
        What happens, ending with EverythingFinished.

    Raises:
        CancelledError: When the run was cancelled.
        MediaError: When a frame cannot be read.
    """
    chosen = options or EverythingOptions()
    yield EverythingStarted(source=source.name, size=source.size, num_frames=source.num_frames)
    run = _Run(source, session, finder, chosen)
    num_done = 0
    for tracked in session.track():
        yield from run.advance(tracked)
        num_done += 1
        masks = run.masks
        yield FrameFollowed(index=tracked.index, num_done=num_done, num_frames=source.num_frames, masks=masks)
        if num_done != source.num_frames and is_cancelled():
            raise CancelledError(f"Stopped after {num_done} frames of {source.name}.")
    least = min(chosen.min_visible, num_done)
    yield EverythingFinished(
        num_frames=num_done,
        tracks={one.object_id: one for one in run.finished() if one.num_visible >= least},
    )


class _Run:
    """The objects of one run, frame by frame."""

    def __init__(
        self, source: FrameSource, session: FollowingSession, finder: Finder, options: EverythingOptions
    ) -> None:
        self._source = source
        self._session = session
        self._finder = finder
        self._options = options
        self._key_frames = KeyFrames(options.rule)
        self._tracks: dict[int, LiveTrack] = {}
        self.masks: dict[int, Mask] = {}

    def finished(self) -> list[LiveTrack]:
        """Every object, with absent ends cut off."""
        for track in self._tracks.values():
            track.end()
        return list(self._tracks.values())

    def advance(self, tracked: TrackedFrame) -> Iterator[EverythingEvent]:
        """Take one frame: judge it, keep what is followed, search it when it is a key frame."""
        index = tracked.index
        picture = self._source.read(index).image
        kind = self._key_frames.judge(picture)
        self.masks = {}
        if kind is FrameKind.CUT:
            yield from self._end([one.object_id for one in self._live()], index, "cut")
        else:
            self._take(tracked)
            most = self._options.max_absent
            yield from self._end(
                [one.object_id for one in self._live() if one.num_absent > most], index, "absent"
            )
        yield from self._end(self._twins(), index, "twin")
        if kind is FrameKind.ORDINARY:
            return
        yield self._search(index, picture, kind)
        most = self._options.max_missed
        missed = [one.object_id for one in self._live() if most and one.num_missed >= most]
        yield from self._end(missed, index, "missed")

    def _live(self) -> list[LiveTrack]:
        return [one for one in self._tracks.values() if one.is_live]

    def _twins(self) -> list[int]:
        """Objects that have shown what another one shows for too long."""
        options = self._options
        doubles = doubled(self.masks, max_iou=options.max_twin_iou, max_inside=options.max_inside)
        for track in self._live():
            track.num_twinned = track.num_twinned + 1 if track.object_id in doubles else 0
        return [one.object_id for one in self._live() if one.num_twinned >= options.max_twinned]

    def _take(self, tracked: TrackedFrame) -> None:
        """Keep what is followed; of an object that is unlikely to be there, nothing is shown."""
        for track in self._live():
            object_id = track.object_id
            if object_id not in tracked.masks:
                continue
            mask = tracked.masks[object_id]
            self.masks[object_id] = mask
            track.show(
                seen_on(
                    tracked.index,
                    mask,
                    score=tracked.scores[object_id],
                    presence=tracked.presence[object_id],
                    stability=tracked.stability[object_id],
                )
            )

    def _end(self, object_ids: list[int], index: int, reason: str) -> Iterator[EverythingEvent]:
        for object_id in object_ids:
            track = self._tracks[object_id]
            track.end(num_dropped={"twin": track.num_twinned, "missed": 1}.get(reason, 0))
            self.masks.pop(object_id, None)
            self._session.remove(object_id)
            yield ObjectEnded(index=index, object_id=object_id, reason=reason)

    def _search(self, index: int, picture: np.ndarray, kind: FrameKind) -> KeyFrameSearched:
        options = self._options
        findings = [one for one in self._finder.find(picture) if one.score >= options.limits.min_score]
        matched, left = match_findings(findings, self.masks, min_iou=options.min_match_iou)
        for object_id, mask in self.masks.items():
            if object_id in matched:
                self._tracks[object_id].vote(matched[object_id])
            elif mask.any():
                self._tracks[object_id].num_missed += 1
        covered = np.zeros(self._source.size.hw, dtype=np.bool_)
        for mask in self.masks.values():
            covered |= mask
        room = max(0, options.limits.max_objects - len(self._live()))
        new = [self._add(index, one) for one in choose_findings(left, options.limits, covered, room=room)]
        return KeyFrameSearched(
            index=index,
            kind=kind,
            num_findings=len(findings),
            new=tuple(new),
            found_again=tuple(sorted(matched)),
        )

    def _add(self, index: int, finding: Finding) -> int:
        """Follow a finding from this frame on."""
        object_id = len(self._tracks) + 1
        track = self._tracks[object_id] = LiveTrack(object_id=object_id)
        track.vote(finding)
        track.show(
            seen_on(index, finding.mask, score=finding.score, presence=1.0, stability=finding.stability)
        )
        self._session.prompt(object_id, index, PromptSet(mask=finding.mask))
        self.masks[object_id] = finding.mask
        return object_id
