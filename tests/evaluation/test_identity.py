"""Who is under which id at the end of a clip."""

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.identity import identities_at_end


def column(index):
    mask = np.zeros((4, 12), bool)
    mask[:, 3 * index : 3 * index + 3] = True
    return mask


EMPTY = np.zeros((4, 12), bool)
TRUTH = {1: [column(0)] * 4, 2: [column(1)] * 4, 3: [column(2)] * 3 + [EMPTY]}


def frames(masks, num_frames=4):
    return [masks] * num_frames


def test_objects_on_their_own_truth_keep_their_ids():
    predicted = [{i: TRUTH[i][at] for i in TRUTH} for at in range(4)]
    found = identities_at_end(predicted, TRUTH, num_frames=2)
    assert [one.is_kept for one in found.values()] == [True, True, True]
    assert found[1].overlaps == {1: 1.0, 2: 0.0, 3: 0.0}
    # On the last frame object 3 is not seen, and does not count.
    assert found[3].overlaps[3] == 1.0


def test_swapped_objects_are_told():
    found = identities_at_end(frames({1: column(1), 2: column(0), 3: column(2)}), TRUTH, num_frames=2)
    assert [one.shows for one in found.values()] == [2, 1, 3]
    assert [one.is_kept for one in found.values()] == [False, False, True]


def test_only_the_last_frames_count():
    right, swapped = {1: column(0), 2: column(1), 3: EMPTY}, {1: column(1), 2: column(0), 3: EMPTY}
    found = identities_at_end([swapped, swapped, right, right], TRUTH, num_frames=2)
    assert found[1].is_kept
    found = identities_at_end([right, right, right, swapped], TRUTH, num_frames=4)
    assert found[1].overlaps == {1: 0.75, 2: 0.25, 3: 0.0}


def test_object_that_is_nowhere_shows_nobody():
    found = identities_at_end(frames({1: EMPTY}), TRUTH, num_frames=2)
    assert [(one.shows, one.is_kept) for one in found.values()] == [(None, False)] * 3


def test_mask_over_two_objects_alike_is_its_own():
    found = identities_at_end(frames({2: column(0) | column(1)}), TRUTH, num_frames=1)
    assert found[2].overlaps == {1: 0.5, 2: 0.5, 3: 0.0}
    assert found[2].shows == 2


@pytest.mark.parametrize(("predicted", "num_frames"), [(4, 5), (4, 0), (3, 2)])
def test_lengths_that_do_not_fit_are_refused(predicted, num_frames):
    with pytest.raises(PromptError):
        identities_at_end(frames({}, predicted), TRUTH, num_frames=num_frames)
