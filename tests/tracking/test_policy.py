"""The three decisions of tracking, on banks and candidates made up for each case."""

from dataclasses import replace

import pytest
import torch

from masklet.errors import ConfigError
from masklet.geometry import Box
from masklet.models.mask_decoder import DecodedMasks
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.policy import (
    MOTION,
    POLICIES,
    QUALITY,
    RECENT,
    RIVALS,
    Moment,
    attend_kept,
    attend_recent,
    choose_by_iou,
    choose_by_motion,
    choose_policy,
    keep_good,
    predicted_box,
    without_rivals,
)

GOOD = MaskScore(iou=0.9, presence=4.0, stability=0.95)
SIDE = 20


def entry(frame, *, is_kept=True, box=None):
    return MemoryEntry(
        frame=frame,
        written=torch.zeros(2, 1, 1),
        pointer=torch.zeros(4),
        logits=torch.zeros(4, 4, dtype=torch.half),
        score=GOOD,
        box=box,
        is_kept=is_kept,
    )


def bank_of(conditioning, recent, *, bad=(), boxes=None):
    """Prompted frames and tracked ones in the order of tracking."""
    bank = MemoryBank()
    for frame in conditioning:
        bank = bank.with_conditioning(entry(frame))
    recents = [entry(frame, is_kept=frame not in bad, box=(boxes or {}).get(frame)) for frame in recent]
    return replace(bank, recent=tuple(recents))


def moment(frame, *, is_backward=False):
    return Moment(frame=frame, is_backward=is_backward, num_memories=7, max_pointers=16)


def frames_and_numbers(pairs):
    return [(one.frame, number) for one, number in pairs]


def test_recent_reads_the_prompted_frame_and_the_six_before():
    attended = attend_recent(bank_of([0], range(1, 10)), moment(10))
    assert frames_and_numbers(attended.spatial) == [(0, 6), (4, 5), (5, 4), (6, 3), (7, 2), (8, 1), (9, 0)]
    assert frames_and_numbers(attended.pointers) == [
        (0, 10),
        *((frame, 10 - frame) for frame in range(9, 0, -1)),
    ]


def test_a_model_that_forgets_absence_reads_what_it_saw_last_however_long_ago():
    bank = bank_of([0], [3, 4, 5, 40], bad=[40])
    assert frames_and_numbers(attend_recent(bank, moment(41)).spatial) == [(0, 6), (40, 0)]
    forgetful = replace(moment(41), forgets_absent=True)
    attended = attend_recent(bank, forgetful)
    # the very last frame is read whatever it shows; the others are those that show the object
    assert frames_and_numbers(attended.spatial) == [(0, 6), (3, 3), (4, 2), (5, 1), (40, 0)]
    consecutive = bank_of([0], range(1, 10))
    assert attend_recent(consecutive, replace(moment(10), forgets_absent=True)).spatial == (
        attend_recent(consecutive, moment(10)).spatial
    )


def test_recent_counts_ages_backward_against_time():
    attended = attend_recent(bank_of([20], [19, 18]), moment(17, is_backward=True))
    assert frames_and_numbers(attended.spatial) == [(20, 6), (19, 1), (18, 0)]
    assert frames_and_numbers(attended.pointers) == [(20, 3), (18, 1), (19, 2)]


def test_the_next_prompted_frame_ahead_is_read_but_not_its_pointer():
    attended = attend_recent(bank_of([0, 9, 12], [1]), moment(2))
    assert frames_and_numbers(attended.spatial) == [(0, 6), (9, 6), (1, 0)]
    assert frames_and_numbers(attended.pointers) == [(0, 2), (1, 1)]


def test_of_many_prompted_frames_the_nearest_are_read():
    attended = attend_recent(bank_of(range(0, 36, 3), []), moment(40))
    assert [one.frame for one, _ in attended.spatial] == list(range(12, 36, 3))


def test_recent_forgets_what_is_further_back_than_its_rows():
    attended = attend_recent(bank_of([0], [1, 2, 30]), moment(31))
    assert frames_and_numbers(attended.spatial) == [(0, 6), (30, 0)]
    assert frames_and_numbers(attended.pointers) == [(0, 31), (30, 1)]


def test_quality_reads_good_frames_from_long_ago_and_skips_bad_ones():
    bank = bank_of([0], [1, 2, 3, 20, 21, 22], bad=(20, 21))
    attended = attend_kept(bank, moment(23))
    assert frames_and_numbers(attended.spatial) == [(0, 6), (1, 3), (2, 2), (3, 1), (22, 0)]
    recent = attend_recent(bank, moment(23))
    assert [one.frame for one, _ in recent.spatial] == [0, 20, 21, 22]


def test_quality_always_reads_the_very_last_frame():
    attended = attend_kept(bank_of([0], [1, 2], bad=(2,)), moment(3))
    assert [one.frame for one, _ in attended.spatial] == [0, 1, 2]


def test_ages_of_pointers_stay_within_what_the_model_knows():
    attended = attend_kept(bank_of([0], [1, 2]), moment(90))
    assert frames_and_numbers(attended.pointers)[1:] == [(2, 15), (1, 15)]


@pytest.mark.parametrize(
    ("change", "is_kept"),
    [({}, True), ({"presence": -0.1}, False), ({"iou": 0.4}, False), ({"stability": 0.6}, False)],
)
def test_quality_keeps_frames_that_are_there_likely_and_stable(change, is_kept):
    assert keep_good(replace(GOOD, **change)) is is_kept
    assert RECENT.keep(replace(GOOD, **change))


def candidates(boxes, ious, *, edge=8.0):
    """Decoded masks (1, 4) with rectangles in units of the image's sides."""
    logits = torch.full((1, 4, SIDE, SIDE), -edge)
    for index, box in enumerate(boxes):
        x0, y0, x1, y1 = (round(side * SIDE) for side in box)
        logits[0, index, y0:y1, x0:x1] = edge
    return DecodedMasks(logits, torch.tensor([ious]), torch.tensor([3.0]), torch.zeros(1, 4, 4))


LEFT, RIGHT, MIDDLE = (0.1, 0.1, 0.3, 0.3), (0.7, 0.1, 0.9, 0.3), (0.4, 0.1, 0.6, 0.3)


@pytest.mark.parametrize(
    ("is_ambiguous", "edge", "chosen"), [(False, 8.0, 0), (False, 0.01, 3), (True, 8.0, 3)]
)
def test_clear_prompts_get_the_single_mask_unless_it_is_unstable(is_ambiguous, edge, chosen):
    decoded = candidates([LEFT, RIGHT, MIDDLE, LEFT], [0.5, 0.6, 0.7, 0.8], edge=edge)
    found = choose_by_iou(decoded, torch.tensor([is_ambiguous]), [MemoryBank()], moment(1))
    assert found.tolist() == [chosen]


def moving_right(first=1, last=6):
    """A bank of an object that went from left to right, 0.1 per frame."""
    boxes = {frame: Box(0.1 * frame, 0.1, 0.1 * frame + 0.2, 0.3) for frame in range(first, last + 1)}
    return bank_of([0], range(first, last + 1), boxes=boxes)


def test_motion_takes_the_candidate_that_goes_on_as_before():
    decoded = candidates([LEFT, LEFT, RIGHT, MIDDLE], [0.1, 0.80, 0.75, 0.2])
    arguments = decoded, torch.tensor([True]), [moving_right()], moment(7)
    assert choose_by_iou(*arguments).tolist() == [1]
    assert choose_by_motion(*arguments).tolist() == [2]


def test_motion_decides_each_object_by_its_own_bank():
    one = candidates([LEFT, LEFT, RIGHT, MIDDLE], [0.1, 0.80, 0.75, 0.2])
    both = DecodedMasks(
        *(torch.cat([part, part]) for part in (one.logits, one.iou, one.presence, one.tokens))
    )
    still = bank_of([0], [4, 5, 6], boxes=dict.fromkeys((4, 5, 6), Box(*LEFT)))
    banks = [moving_right(), still]
    assert choose_by_motion(both, torch.tensor([True, True]), banks, moment(7)).tolist() == [2, 1]


def test_of_rivals_the_surest_one_gets_the_cell():
    logits = torch.tensor([[[3.0, 1.0, -2.0]], [[2.0, 4.0, -1.5]]])
    assert without_rivals(logits).tolist() == [[[3.0, -1.0, -2.0]], [[-1.0, 4.0, -1.5]]]
    assert without_rivals(logits[:1]) is not None
    assert torch.equal(without_rivals(logits[:1]), logits[:1])


@pytest.mark.parametrize("bank", [MemoryBank(), moving_right(5, 6), moving_right(1, 3)])
def test_motion_falls_back_to_iou_without_a_recent_past(bank):
    decoded = candidates([LEFT, LEFT, RIGHT, MIDDLE], [0.1, 0.80, 0.75, 0.2])
    assert choose_by_motion(decoded, torch.tensor([True]), [bank], moment(7)).tolist() == [1]


def test_a_box_keeps_its_mean_velocity():
    assert predicted_box(moving_right(), moment(7)).xyxy == pytest.approx((0.7, 0.1, 0.9, 0.3))
    assert predicted_box(moving_right(), moment(8)).xyxy == pytest.approx((0.8, 0.1, 1.0, 0.3))


def test_a_box_that_shrinks_to_nothing_stays_as_it_was():
    boxes = {4: Box(0.1, 0.1, 0.9, 0.3), 5: Box(0.3, 0.1, 0.7, 0.3), 6: Box(0.45, 0.1, 0.55, 0.3)}
    assert predicted_box(bank_of([0], [4, 5, 6], boxes=boxes), moment(7)) == boxes[6]


def test_policies_are_found_by_name():
    assert [choose_policy(name) for name in ("recent", "quality", "motion", "rivals")] == [
        RECENT,
        QUALITY,
        MOTION,
        RIVALS,
    ]
    mine = replace(RECENT, name="mine")
    assert choose_policy(mine) is mine
    with pytest.raises(ConfigError, match="recent, quality, motion, rivals"):
        choose_policy("best")
    assert set(POLICIES) == {"recent", "quality", "motion", "rivals"}


def test_rivals_do_not_read_frames_on_which_the_object_was_missed_or_hardly_seen():
    whole, sliver = Box(0.2, 0.2, 0.6, 0.6), Box(0.2, 0.2, 0.25, 0.3)
    boxes = dict.fromkeys(range(1, 6), whole) | {4: sliver}
    bank = bank_of([0], range(1, 6), boxes=boxes)
    gone = replace(bank.recent[-1], box=None, score=replace(bank.recent[-1].score, presence=-1.0))
    bank = replace(bank, recent=(*bank.recent[:-1], gone))
    read = RIVALS.attend(bank, moment(6))
    assert sorted(one.frame for one, _ in read.spatial) == [0, 1, 2, 3]
