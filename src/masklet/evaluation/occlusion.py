"""Does a tracker know when its object is gone? Presence against visibility, and finding it again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.leaving_clips import LeavingClip
from masklet.evaluation.vos import StartPrompt
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.masks.metrics import iou
from masklet.prompts import PromptSet

OBJECT = 1
"""The object of a made clip."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sighting:
    """What a tracker says of an object on a frame.

    Args:
        mask: bool (h, w).
        presence: How sure it is that the object is visible; only the order of the values counts.
    """

    mask: BoolArray
    presence: float


Follow: TypeAlias = Callable[[Clip, Mapping[int, StartPrompt]], Iterable[Mapping[int, Sighting]]]
"""A tracker: takes a clip and the start prompt of each object id, tells for each frame in order of each object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OcclusionProtocol:
    """What counts as visible, and as found again.

    Args:
        min_visible: Part of the frame that a visible object fills at least, in (0, 1); frames on which less
            of it is seen, but not nothing, are left out.
        found_after: On which visible frame after the return the object must be found again, from 1.
        found_iou: IoU above which it is found, in [0, 1).
    """

    min_visible: float = 0.0005
    found_after: int = 3
    found_iou: float = 0.5

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not (0 < self.min_visible < 1 and 0 <= self.found_iou < 1) or self.found_after < 1:
            raise PromptError(
                "The visible part lies in (0, 1), the IoU in [0, 1) and the frame after the return is at least 1, "
                f"got {self.min_visible}, {self.found_iou} and {self.found_after}."
            )


DEFAULT_PROTOCOL = OcclusionProtocol()


@dataclass(frozen=True, slots=True, kw_only=True)
class OcclusionScore:
    """What was reached on one clip.

    Args:
        clip: Its name.
        kind: What happens in it.
        visible: Presence on each tracked frame on which the object is visible.
        hidden: Presence on each tracked frame on which nothing of it is seen.
        region: Mean J over the tracked frames on which it is visible, in [0, 1].
        is_found: Whether it was found again after its return.
    """

    clip: str
    kind: str
    visible: tuple[float, ...]
    hidden: tuple[float, ...]
    region: float
    is_found: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OcclusionSummary:
    """Several clips together.

    Args:
        num_clips: How many.
        num_visible: Frames on which the object is visible.
        num_hidden: Frames on which it is gone.
        presence_auc: Probability that a visible frame of any clip has a higher presence than a hidden frame
            of any clip, equals counting half, in [0, 1]; 0.5 is chance.
        region: Mean J on visible frames, averaged over clips.
        found: Part of the clips in which the object was found again.
    """

    num_clips: int
    num_visible: int
    num_hidden: int
    presence_auc: float
    region: float
    found: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OcclusionReport:
    """Scores of every clip."""

    protocol: OcclusionProtocol
    clips: tuple[OcclusionScore, ...]

    def by_kind(self) -> dict[str, OcclusionSummary]:
        """The clips of each kind together, kinds in order of their names."""
        kinds: dict[str, list[OcclusionScore]] = {}
        for one in sorted(self.clips, key=lambda found: found.kind):
            kinds.setdefault(one.kind, []).append(one)
        return {kind: summarise(found) for kind, found in kinds.items()}

    def overall(self) -> OcclusionSummary:
        """All clips together.

        Raises:
            PromptError: When there is none.
        """
        return summarise(self.clips)


def evaluate_occlusion(
    follow: Follow,
    clips: Iterable[LeavingClip],
    *,
    protocol: OcclusionProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
    on_clip: Callable[[OcclusionScore], None] | None = None,
) -> OcclusionReport:
    """Follow the object of each clip from its true mask on frame 0, and score what is said of it afterwards.

    Args:
        follow: The tracker.
        clips: Clips whose object 1 leaves and returns.
        protocol: What counts as visible, and as found again.
        on_frame: Called after each frame.
        on_clip: Called with the scores of each clip as soon as they are known.

    Raises:
        PromptError: When the tracker gives too few or too many frames, leaves the object out, or gives a mask
            of another size, or when the object of a clip does not leave and return.

    Source: ours.
    """
    scores: list[OcclusionScore] = []
    for leaving in clips:
        scores.append(evaluate_leaving_clip(follow, leaving, protocol=protocol, on_frame=on_frame))
        if on_clip is not None:
            on_clip(scores[-1])
    return OcclusionReport(protocol=protocol, clips=tuple(scores))


def evaluate_leaving_clip(
    follow: Follow,
    leaving: LeavingClip,
    *,
    protocol: OcclusionProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
) -> OcclusionScore:
    """Score one clip; see evaluate_occlusion."""
    clip = leaving.clip
    visible, hidden = frames_by_visibility(clip, protocol.min_visible)
    checked_frame = _frame_after_return(clip, visible, hidden, protocol.found_after)
    presence, region = _followed(follow, clip, frozenset(visible), on_frame)
    return OcclusionScore(
        clip=clip.name,
        kind=leaving.kind,
        visible=tuple(presence[index] for index in visible),
        hidden=tuple(presence[index] for index in hidden),
        region=float(np.mean([region[index] for index in visible])),
        is_found=region[checked_frame] > protocol.found_iou,
    )


def frames_by_visibility(clip: Clip, min_visible: float) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Frames after the first on which the object is visible, and those on which nothing of it is seen."""
    least = min_visible * clip.size.height * clip.size.width
    visible: list[int] = []
    hidden: list[int] = []
    for index, found in enumerate(clip.truth[OBJECT]):
        if index == 0 or found is None:
            continue
        area = rle.area(found)
        if area == 0:
            hidden.append(index)
        elif area >= least:
            visible.append(index)
    return tuple(visible), tuple(hidden)


def ranking_auc(positives: Sequence[float], negatives: Sequence[float]) -> float:
    """Area under the ROC curve by ranks: exact, with ties.

    Args:
        positives: Values that should be high, at least one.
        negatives: Values that should be low, at least one.

    Returns:
        Probability that a random positive is higher than a random negative, equals counting half, in [0, 1].

    Raises:
        PromptError: When one side is empty.

    Source: Mann and Whitney, 1947; Hanley and McNeil, Radiology 1982.
    """
    if not positives or not negatives:
        raise PromptError(
            "An AUC needs values of both sides; give clips with visible and with hidden frames."
        )
    values = np.concatenate([np.asarray(positives, np.float64), np.asarray(negatives, np.float64)])
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mean_ranks[place[: len(positives)]].sum())
    num_lower = rank_sum - len(positives) * (len(positives) + 1) / 2
    return num_lower / (len(positives) * len(negatives))


def first_prompts(clip: Clip) -> dict[int, StartPrompt]:
    """The true mask of the object on frame 0.

    Raises:
        PromptError: When it is not seen there.
    """
    first = clip.mask(OBJECT, 0)
    if first is None or not first.any():
        raise PromptError(f"The object of {clip.name} must be seen on frame 0, where its true mask is given.")
    return {OBJECT: StartPrompt(frame=0, prompts=PromptSet(mask=first))}


def summarise(clips: Sequence[OcclusionScore]) -> OcclusionSummary:
    """Several clips together, at least one; see OcclusionSummary."""
    if not clips:
        raise PromptError("No clip was scored; give photos with whole objects to make clips of.")
    visible = [value for clip in clips for value in clip.visible]
    hidden = [value for clip in clips for value in clip.hidden]
    return OcclusionSummary(
        num_clips=len(clips),
        num_visible=len(visible),
        num_hidden=len(hidden),
        presence_auc=ranking_auc(visible, hidden),
        region=float(np.mean([clip.region for clip in clips])),
        found=float(np.mean([clip.is_found for clip in clips])),
    )


def _frame_after_return(clip: Clip, visible: Sequence[int], hidden: Sequence[int], found_after: int) -> int:
    """The frame on which the object must be found again."""
    returned = [index for index in visible if hidden and index > hidden[-1]]
    if len(returned) < found_after:
        raise PromptError(
            f"The object of {clip.name} must be seen on frame 0, be gone, and be visible again on at least "
            f"{found_after} frames."
        )
    return returned[found_after - 1]


def _followed(
    follow: Follow, clip: Clip, visible: frozenset[int], on_frame: Callable[[], None] | None
) -> tuple[dict[int, float], dict[int, float]]:
    """Presence on every frame, and J on the visible ones."""
    presence: dict[int, float] = {}
    region: dict[int, float] = {}
    for index, sightings in enumerate(follow(clip, first_prompts(clip))):
        if OBJECT not in sightings:
            raise PromptError(f"The tracker says nothing of object {OBJECT} on frame {index} of {clip.name}.")
        presence[index] = sightings[OBJECT].presence
        true = clip.mask(OBJECT, index) if index in visible else None
        if true is not None:
            region[index] = iou(sightings[OBJECT].mask, true)
        if on_frame is not None:
            on_frame()
    if len(presence) != clip.num_frames:
        raise PromptError(
            f"The tracker gave {len(presence)} frames for {clip.name}, which has {clip.num_frames}."
        )
    return presence, region
