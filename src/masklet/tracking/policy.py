"""The three decisions of tracking: what to read, which mask to show, what to remember.

A policy is three functions. Everything else of tracking is the same for all of them.
Source: ``recent`` is SAM 2 (Ravi et al. 2024); ``quality``, ``motion`` and ``rivals`` are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from masklet.errors import ConfigError
from masklet.geometry import Box
from masklet.models.config import SAM2_STABILITY
from masklet.models.mask_decoder import DecodedMasks
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.mask_scores import boxes_of, stability_of

STABILITY_OFFSET = 0.05
MAX_CONDITIONING = 8
MIN_SEEN = 0.2  # of the largest box an object had lately: less of it is a sliver


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """Where tracking stands.

    Attributes:
        frame: Frame to be segmented.
        is_backward: Whether time runs backward.
        num_memories: Spatial memories the model reads: one conditioning row and the recent ones.
        max_pointers: Most pointers the model reads.
        least_stability: Below it the single mask of a clear prompt gives way to the best of three.
        forgets_absent: Whether the last frames that show the object are read, however long ago they were.
        look_ahead: Frames to come among which a prompted one is read; None for all of them.
    """

    frame: int
    is_backward: bool
    num_memories: int
    max_pointers: int
    least_stability: float = SAM2_STABILITY
    forgets_absent: bool = False
    look_ahead: int | None = None

    def age(self, frame: int) -> int:
        """Frames since another frame, in the direction of tracking; negative for frames to come."""
        return frame - self.frame if self.is_backward else self.frame - frame


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """What one object reads on one frame.

    Attributes:
        spatial: Entries with their age rows.
        pointers: Entries whose pointers are read, with their ages in frames.
    """

    spatial: tuple[tuple[MemoryEntry, int], ...]
    pointers: tuple[tuple[MemoryEntry, int], ...]


Attend = Callable[[MemoryBank, Moment], Attended]
Choose = Callable[[DecodedMasks, Tensor, Sequence[MemoryBank], Moment], Tensor]
Keep = Callable[[MaskScore], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPolicy:
    """The seam where variants of SAM 2 differ.

    Attributes:
        name: Name for options and messages.
        attend: Which memories an object reads on a frame.
        choose: Index (b,) of the mask to show among the four candidates of each object; told whether the prompts
            are ambiguous (b,), and given each object's bank.
        keep: Whether a tracked mask may be read later.
        are_rivals: Whether objects that are tracked together exclude each other, before their masks are remembered.
        recency: How much new memories are preferred to old ones, among several objects, by models that read by affinity.
    """

    name: str
    attend: Attend
    choose: Choose
    keep: Keep
    are_rivals: bool = False
    recency: float = 0.0


def nearest_conditioning(
    bank: MemoryBank, moment: Moment, limit: int = MAX_CONDITIONING
) -> list[MemoryEntry]:
    """Prompted frames an object reads, in order of time: the nearest ones behind, and the next one ahead.

    SAM 2 reads all that lie ahead. One, and none that is far, bounds what a correction can change; see ``affected_by``.
    """
    by_age = sorted(bank.conditioning.values(), key=lambda entry: moment.age(entry.frame))
    behind = [entry for entry in by_age if moment.age(entry.frame) >= 0][:limit]
    ahead = [entry for entry in by_age if moment.age(entry.frame) < 0][-1:]
    if moment.look_ahead is not None:
        ahead = [entry for entry in ahead if -moment.age(entry.frame) <= moment.look_ahead]
    return sorted(behind + ahead, key=lambda entry: entry.frame)


def _read_conditioning(
    bank: MemoryBank, moment: Moment
) -> tuple[list[tuple[MemoryEntry, int]], list[tuple[MemoryEntry, int]]]:
    """Prompted frames as spatial memories, and as pointers; pointers of frames to come are not read, as in SAM 2."""
    conditioning = nearest_conditioning(bank, moment)
    spatial = [(entry, moment.num_memories - 1) for entry in conditioning]
    aged = [(entry, moment.age(entry.frame)) for entry in conditioning]
    return spatial, [(entry, age) for entry, age in aged if age >= 0]


def attend_recent(bank: MemoryBank, moment: Moment) -> Attended:
    """Prompted frames and the frames just before, or the last ones that show the object where the model wants these."""
    if moment.forgets_absent:
        return attend_kept(bank, moment)
    spatial, pointers = _read_conditioning(bank, moment)
    for entry in sorted(bank.recent, key=lambda entry: -moment.age(entry.frame)):
        if 1 <= moment.age(entry.frame) < moment.num_memories:
            spatial.append((entry, moment.age(entry.frame) - 1))
    for entry in sorted(bank.recent, key=lambda entry: moment.age(entry.frame)):
        if 1 <= moment.age(entry.frame) < moment.max_pointers:
            pointers.append((entry, moment.age(entry.frame)))
    return Attended(spatial=tuple(spatial), pointers=tuple(pointers))


def attend_kept(bank: MemoryBank, moment: Moment) -> Attended:
    """Prompted frames and the last good frames, however long ago; the very last frame is always read."""
    spatial, pointers = _read_conditioning(bank, moment)
    last_row, num_conditioning = moment.num_memories - 1, len(pointers)
    past = sorted(
        (entry for entry in bank.recent if moment.age(entry.frame) >= 1), key=lambda e: moment.age(e.frame)
    )
    good = [entry for index, entry in enumerate(past) if entry.is_kept or index == 0]
    spatial += [(entry, row) for row, entry in reversed(list(enumerate(good[:last_row])))]
    pointers += [(entry, min(moment.age(entry.frame), moment.max_pointers - 1)) for entry in good]
    return Attended(
        spatial=tuple(spatial), pointers=tuple(pointers[: moment.max_pointers + num_conditioning])
    )


def seen_lately(bank: MemoryBank) -> tuple[MemoryEntry, ...]:
    """Recent frames on which more than a sliver of the object was seen."""
    areas = [0.0 if entry.box is None else entry.box.area for entry in bank.recent]
    least = MIN_SEEN * max(areas, default=0.0)
    pairs = zip(bank.recent, areas, strict=True)
    return tuple(entry for entry, area in pairs if entry.score.is_present and area >= least)


def attend_seen(bank: MemoryBank, moment: Moment) -> Attended:
    """As ``attend_recent``, without frames on which the object was missed or a sliver of it seen, not even the last.

    What stands still, missed once, looks like a frame that says "not here", and would be missed for ever.
    """
    return attend_recent(replace(bank, recent=seen_lately(bank)), moment)


def choose_by_iou(
    decoded: DecodedMasks, is_ambiguous: Tensor, _banks: Sequence[MemoryBank], moment: Moment
) -> Tensor:
    """The best of three by predicted IoU; for clear prompts the single mask, unless it is unstable."""
    best = decoded.iou[:, 1:].argmax(dim=1) + 1
    single_is_stable = stability_of(decoded.logits[:, 0], STABILITY_OFFSET) >= moment.least_stability
    return torch.where(is_ambiguous | ~single_is_stable, best, 0)


MOTION_WEIGHT = 0.35
MIN_MOTION_FRAMES = 3


def predicted_box(bank: MemoryBank, moment: Moment) -> Box | None:
    """Where the object should be if its box keeps its mean velocity over the last frames; None when unknown."""
    known = [entry for entry in bank.recent if entry.box is not None and moment.age(entry.frame) >= 1]
    known = sorted(known, key=lambda entry: moment.age(entry.frame))[:MIN_MOTION_FRAMES]
    if len(known) < MIN_MOTION_FRAMES or moment.age(known[0].frame) > MIN_MOTION_FRAMES:
        return None
    newest, oldest = known[0], known[-1]
    newest_box, oldest_box = newest.box, oldest.box
    if newest_box is None or oldest_box is None:
        return None
    elapsed = moment.age(oldest.frame) - moment.age(newest.frame)
    ahead = moment.age(newest.frame) / elapsed
    moved = [a + (a - b) * ahead for a, b in zip(newest_box.xyxy, oldest_box.xyxy, strict=True)]
    if moved[2] <= moved[0] or moved[3] <= moved[1]:
        return newest_box
    return Box(*moved)


def choose_by_motion(
    decoded: DecodedMasks, is_ambiguous: Tensor, banks: Sequence[MemoryBank], moment: Moment
) -> Tensor:
    """As ``choose_by_iou``, but candidates near the expected place count more."""
    chosen = choose_by_iou(decoded, is_ambiguous, banks, moment)
    for index, bank in enumerate(banks):
        expected = predicted_box(bank, moment)
        if expected is None or not bool(is_ambiguous[index]):
            continue
        boxes = boxes_of(decoded.logits[index, 1:])
        overlap = torch.tensor([0.0 if box is None else box.iou(expected) for box in boxes])
        ious = decoded.iou[index, 1:].float().cpu()
        score = (1 - MOTION_WEIGHT) * ious + MOTION_WEIGHT * overlap
        chosen[index] = int(score.argmax()) + 1
    return chosen


MIN_KEPT_IOU = 0.5
MIN_KEPT_STABILITY = 0.7


def keep_all(_score: MaskScore) -> bool:
    """Every tracked frame."""
    return True


def keep_good(score: MaskScore) -> bool:
    """Frames on which the object is there and its mask is likely and stable."""
    return score.is_present and score.iou >= MIN_KEPT_IOU and score.stability >= MIN_KEPT_STABILITY


LOST_LOGIT = -1.0
RECENCY_AMONG_TWINS = 0.6  # which of two twins is where, only the last frames know


def without_rivals(logits: Tensor) -> Tensor:
    """Masks (b, h4, w4) of which each cell belongs to the object that is surest of it, the first of equals.

    Source: the non-overlap constraint of SAM 2 (Ravi et al. 2024), which acts on what is shown; here on memory too.
    """
    if len(logits) < 2:
        return logits
    winner = logits.argmax(dim=0)
    is_won = winner[None] == torch.arange(len(logits), device=logits.device)[:, None, None]
    return torch.where(is_won, logits, logits.clamp(max=LOST_LOGIT))


RECENT = MemoryPolicy(name="recent", attend=attend_recent, choose=choose_by_iou, keep=keep_all)
QUALITY = MemoryPolicy(name="quality", attend=attend_kept, choose=choose_by_iou, keep=keep_good)
MOTION = MemoryPolicy(name="motion", attend=attend_kept, choose=choose_by_motion, keep=keep_good)
RIVALS = MemoryPolicy(
    name="rivals",
    attend=attend_seen,
    choose=choose_by_iou,
    keep=keep_all,
    are_rivals=True,
    recency=RECENCY_AMONG_TWINS,
)
POLICIES: Mapping[str, MemoryPolicy] = {policy.name: policy for policy in (RECENT, QUALITY, MOTION, RIVALS)}


def choose_policy(policy: str | MemoryPolicy) -> MemoryPolicy:
    """A policy by name, or the policy itself.

    Raises:
        ConfigError: When there is no policy of this name.
    """
    if isinstance(policy, MemoryPolicy):
        return policy
    if policy not in POLICIES:
        raise ConfigError(f"There is no memory policy {policy!r}; the policies are {', '.join(POLICIES)}.")
    return POLICIES[policy]
