"""Objects prompted on one frame that are to stay apart."""

import numpy as np
import pytest
import torch

from masklet import Box, PromptSet, VideoSession
from masklet.predictors.apart import without_smaller


def rectangle(rows, columns, size=(40, 60)):
    mask = np.zeros(size, dtype=bool)
    mask[slice(*rows), slice(*columns)] = True
    return mask


def test_a_smaller_mask_that_lies_within_is_not_the_larger_ones():
    large, small = rectangle((5, 35), (5, 50)), rectangle((20, 30), (40, 58))
    np.testing.assert_array_equal(without_smaller(large, {2: small}), large & ~small)


def test_what_only_touches_or_is_larger_or_as_large_takes_nothing():
    mask = rectangle((10, 30), (10, 40))
    beside, larger = rectangle((10, 30), (37, 45)), rectangle((0, 40), (0, 50))
    np.testing.assert_array_equal(without_smaller(mask, {2: beside, 3: larger, 4: mask.copy()}), mask)


def test_nobody_is_left_with_nothing():
    mask = rectangle((10, 20), (10, 20))
    halves = {2: rectangle((10, 20), (10, 15)), 3: rectangle((10, 20), (15, 20))}
    np.testing.assert_array_equal(without_smaller(mask, halves), mask)


def memory_of(session, object_id):
    with torch.inference_mode():
        return session._bank_at(object_id, 1, is_backward=False).conditioning[0]


def test_memory_of_the_larger_one_is_without_the_smaller_one_and_prompts_stay_as_they_are(compact, clip):
    height, width = clip[0].shape[:2]
    whole = np.zeros((height, width), dtype=bool)
    whole[height // 8 : -height // 8, width // 8 : -width // 8] = True
    inner = np.zeros_like(whole)
    inner[height // 3 : height // 2, width // 3 : width // 2] = True
    with VideoSession(compact, clip, policy="rivals") as session:
        session.prompt(1, 0, PromptSet(mask=whole))
        alone = memory_of(session, 1)
        session.prompt(2, 0, PromptSet(mask=inner))
        beside = memory_of(session, 1)
        assert float((alone.logits > 0).sum()) > float((beside.logits > 0).sum())
        assert memory_of(session, 1) is beside
        np.testing.assert_array_equal(session.result_at(0).masks[1], whole)
        session.undo()
        assert memory_of(session, 1) is alone
    with VideoSession(compact, clip) as session:
        session.prompt(1, 0, PromptSet(mask=whole))
        alone = memory_of(session, 1)
        session.prompt(2, 0, PromptSet(mask=inner))
        assert memory_of(session, 1) is alone


@pytest.mark.parametrize(("policy", "are_tracked_again"), [("rivals", True), ("recent", False)])
def test_rivals_are_tracked_again_together(compact, clip, policy, are_tracked_again):
    """A correction of one of them could otherwise take what the others have."""
    with VideoSession(compact, clip, policy=policy) as session:
        for object_id, box in ((1, Box(4, 10, 20, 26)), (2, Box(40, 30, 56, 40))):
            session.prompt(object_id, 0, PromptSet(box=box))
        list(session.track())
        before = {frame: session._store.objects[2].results[frame].version for frame in (3, 12)}
        session.prompt(1, 8, PromptSet(box=Box(12, 10, 28, 26)))
        list(session.track())
        after = {frame: session._store.objects[2].results[frame].version for frame in (3, 12)}
        assert (after[12] != before[12]) is are_tracked_again
        assert len({frame.index for frame in session.track() if len(frame.masks) == 2}) == len(clip)
        assert {at: session._store.objects[2].results[at].version for at in (3, 12)} == after
