"""Twins that meet."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from masklet.geometry import Box
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.mask_scores import boxes_of, trimmed_boxes_of
from masklet.tracking.policy import Moment, without_rivals
from masklet.tracking.rivals import look_alike, settle

SIDE = 40
SIZE = 8
RED, BLUE = (1.0, 0.0), (0.0, 1.0)


def blob(*lefts: int, top: int = 16) -> Tensor:
    """Logits (SIDE, SIDE) of squares."""
    logits = torch.full((SIDE, SIDE), -8.0)
    for left in lefts:
        logits[top : top + SIZE, left : left + SIZE] = 8.0
    return logits


def bank_of(lefts: list[int], colour: tuple[float, float] = RED, top: int = 16) -> MemoryBank:
    """A bank of squares seen on frames 0, 1, 2 and so on."""
    bank = MemoryBank()
    for frame, left in enumerate(lefts):
        entry = MemoryEntry(
            frame=frame,
            written=torch.tensor(colour)[:, None, None].expand(2, 10, 10),
            pointer=torch.zeros(1),
            logits=blob(left, top=top),
            score=MaskScore(iou=1.0, presence=1.0, stability=1.0),
            box=Box(left / SIDE, top / SIDE, (left + SIZE) / SIDE, (top + SIZE) / SIDE),
        )
        bank = bank.with_tracked(entry) if frame else bank.with_conditioning(entry)
    return bank


def at(frame: int) -> Moment:
    """A moment going forward."""
    return Moment(frame=frame, is_backward=False, num_memories=7, max_pointers=16)


def is_blob(logits: Tensor, *lefts: int, top: int = 16) -> bool:
    """Whether a mask is exactly these squares."""
    return torch.equal(logits > 0, blob(*lefts, top=top) > 0)


def test_only_what_looks_alike_is_alike():
    banks = [bank_of([0]), bank_of([12]), bank_of([24], BLUE), MemoryBank()]
    expected = torch.zeros(4, 4, dtype=torch.bool)
    expected[0, 1] = expected[1, 0] = True
    assert torch.equal(look_alike(banks, 2), expected)
    assert not look_alike(banks, None).any()
    # the channels after the first say nothing of looks
    assert bool(look_alike([bank_of([0], (1.0, 0.0)), bank_of([12], (1.0, 9.0))], 1)[0, 1])


def test_those_that_do_not_look_alike_only_share_no_cell():
    banks, logits = (
        [bank_of([4, 4, 4]), bank_of([20, 20, 20], BLUE)],
        torch.stack((blob(4, 20), blob(20) + 1)),
    )
    settled = settle(logits, banks, at(3), num_looks=2)
    assert torch.equal(settled.logits, without_rivals(logits))
    assert not settled.was_given.any()


def test_a_twin_that_claims_both_keeps_its_own():
    banks = [bank_of([12, 12, 12, 12]), bank_of([20, 20, 20, 20])]
    logits = torch.stack((torch.full((SIDE, SIDE), -1024.0), blob(12, 20)))
    settled = settle(logits, banks, at(4), num_looks=2)
    assert is_blob(settled.logits[0], 12)
    assert is_blob(settled.logits[1], 20)
    assert settled.was_given.tolist() == [True, False]


def test_twins_whose_claims_were_swapped_get_their_own_back():
    banks = [bank_of([12, 12, 12, 12]), bank_of([21, 21, 21, 21])]
    settled = settle(torch.stack((blob(21), blob(12))), banks, at(4), num_looks=2)
    assert is_blob(settled.logits[0], 12)
    assert is_blob(settled.logits[1], 21)
    assert settled.was_given.tolist() == [True, True]


def test_twins_that_pass_each_other_go_on_their_ways():
    # one moves right, two a step a frame; the other left, before it, its foot lower in the image
    behind, before = bank_of([8, 10, 12, 14]), bank_of([28, 26, 24, 22], top=18)
    both = torch.maximum(blob(16), blob(20, top=18))
    settled = settle(torch.stack((both, both)), [behind, before], at(4), num_looks=2)
    assert is_blob(settled.logits[1], 20, top=18)
    hidden = (blob(16) > 0) & ~(blob(20, top=18) > 0)
    assert torch.equal(settled.logits[0] > 0, hidden)


def test_a_twin_far_away_may_move_as_it_likes():
    banks = [bank_of([2, 2, 2, 2]), bank_of([28, 28, 28, 28])]
    logits = torch.stack((blob(14), blob(28)))
    settled = settle(logits, banks, at(4), num_looks=2)
    assert is_blob(settled.logits[0], 14)
    assert is_blob(settled.logits[1], 28)


def test_a_sliver_brings_nobody_back():
    gone = bank_of([8, 8, 8, 8])
    claims = blob(22)
    claims[17, 10] = 8.0
    nobody = torch.full((SIDE, SIDE), -1024.0)
    settled = settle(torch.stack((nobody, claims)), [gone, bank_of([22] * 4)], at(4), num_looks=2)
    assert not bool((settled.logits[0] > 0).any())
    assert not settled.was_given.any()


def test_stray_cells_do_not_stretch_a_box():
    logits = blob(10)
    logits[0, 0] = 8.0
    assert boxes_of(logits[None])[0] == Box(0.0, 0.0, 18 / SIDE, 24 / SIDE)
    assert trimmed_boxes_of(logits[None], 0.02)[0] == Box(10 / SIDE, 16 / SIDE, 18 / SIDE, 24 / SIDE)
    assert trimmed_boxes_of(torch.full((1, 4, 4), -1.0), 0.02) == [None]
    assert trimmed_boxes_of(logits[None], 0.0) == boxes_of(logits[None])


def test_what_came_to_look_alike_is_alike():
    once = bank_of([0, 0, 0, 0])
    lately = replace(once, conditioning=bank_of([0], BLUE).conditioning)
    blue = bank_of([20], BLUE)
    assert not look_alike([once, blue], 2).any()
    assert bool(look_alike([lately, bank_of([20])], 2)[0, 1])
    faint = tuple(replace(one, score=replace(one.score, iou=0.1)) for one in lately.recent)
    assert not look_alike([replace(lately, recent=faint), bank_of([20])], 2).any()


def missed(bank: MemoryBank, frames: list[int]) -> MemoryBank:
    """A bank whose object was not seen on some frames."""
    gone = MaskScore(iou=0.0, presence=-1.0, stability=0.0)
    recent = [replace(one, box=None, score=gone) if one.frame in frames else one for one in bank.recent]
    return replace(bank, recent=tuple(recent))


def test_who_was_missed_comes_back_near_its_place_only():
    banks = [missed(bank_of([4, 4, 4, 4]), [3]), bank_of([28, 28, 28, 28])]
    near, far = torch.stack((blob(5), blob(28))), torch.stack((blob(16), blob(28)))
    assert is_blob(settle(near, banks, at(4), num_looks=2).logits[0], 5)
    assert not (settle(far, banks, at(4), num_looks=2).logits[0] > 0).any()
    seen = [bank_of([4, 4, 4, 4]), banks[1]]
    assert is_blob(settle(far, seen, at(4), num_looks=2).logits[0], 16)


def test_who_was_missed_does_not_come_back_as_a_sliver():
    banks = [missed(bank_of([4, 4, 4, 4]), [3]), bank_of([28, 28, 28, 28])]
    sliver = torch.full((SIDE, SIDE), -8.0)
    sliver[16:24, 4:6] = 8.0
    logits = torch.stack((sliver, blob(28)))
    assert not (settle(logits, banks, at(4), num_looks=2).logits[0] > 0).any()
