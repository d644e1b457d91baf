"""Parts that appear apart from where the object should be go."""

import pytest
import torch

from masklet.tracking.new_parts import without_new_parts

SIDE = 32
OBJECT, TWIN, CLOSE = (
    (slice(4, 14), slice(4, 14)),
    (slice(4, 14), slice(21, 31)),
    (slice(4, 14), slice(15, 17)),
)


def logits_of(*parts, faint=-0.2):
    logits = torch.full((1, SIDE, SIDE), faint)
    for part in parts:
        logits[0][part] = 3
    return logits


def carried_of(*parts, scores=None):
    carried = torch.zeros(1, 3, SIDE, SIDE)
    if parts:
        carried[:, 0], carried[:, 1] = -1, 1
        for part in parts:
            carried[0, 0][part] = 1
    for part, score in scores or []:
        carried[0, 2][part] = score
    return carried


def shown(logits, carried):
    out = without_new_parts(logits, carried)[0] > 0
    return {
        name for name, part in (("object", OBJECT), ("twin", TWIN), ("close", CLOSE)) if bool(out[part].all())
    }


def test_a_twin_far_from_the_last_mask_goes():
    assert shown(logits_of(OBJECT, TWIN), carried_of(OBJECT)) == {"object"}


def test_parts_near_the_last_mask_stay():
    assert shown(logits_of(OBJECT, CLOSE), carried_of(OBJECT)) == {"object", "close"}


def test_parts_that_were_there_stay():
    assert shown(logits_of(OBJECT, TWIN), carried_of(OBJECT, TWIN)) == {"object", "twin"}


def test_a_mask_that_moved_further_than_expected_stays():
    assert shown(logits_of(TWIN), carried_of(OBJECT)) == {"twin"}


@pytest.mark.parametrize(("scores", "expected"), [((0.4, 1.1), "twin"), ((1.1, 0.4), "object")])
def test_who_comes_back_is_the_likeliest_part(scores, expected):
    carried = carried_of(scores=[(OBJECT, scores[0]), (TWIN, scores[1])])
    assert shown(logits_of(OBJECT, TWIN), carried) == {expected}


def test_what_is_faint_around_a_dropped_part_goes_with_it_and_the_edge_stays():
    logits = logits_of(OBJECT, TWIN)
    out = without_new_parts(logits, carried_of(OBJECT))[0]
    assert float(out[TWIN].max()) <= -2
    assert float(out[20:, 21:].max()) <= -2
    # enlarging smoothly still finds the edge where it was
    assert torch.equal(out[3:15, 3:15], logits[0][3:15, 3:15])


def test_objects_are_judged_each_by_its_own():
    logits = torch.cat((logits_of(OBJECT, TWIN), logits_of(OBJECT, TWIN)))
    carried = torch.cat((carried_of(OBJECT), carried_of(TWIN)))
    out = without_new_parts(logits, carried) > 0
    assert bool(out[0][OBJECT].all())
    assert not bool(out[0][TWIN].any())
    assert bool(out[1][TWIN].all())
    assert not bool(out[1][OBJECT].any())
