"""What is told of a frame, and masks that share no pixel."""

import numpy as np

from masklet.predictors.results import FrameResult, without_overlaps


def stripe(first, last):
    mask = np.zeros((2, 10), bool)
    mask[:, first:last] = True
    return mask


def test_ids_come_in_order():
    assert FrameResult(index=3, masks={5: stripe(0, 1), 2: stripe(1, 2)}).object_ids == [2, 5]
    assert FrameResult(index=0).object_ids == []


def test_a_shared_pixel_goes_to_the_smaller_object():
    found = without_overlaps({1: stripe(0, 8), 2: stripe(6, 10)}, frozenset())
    assert list(found) == [1, 2]
    assert np.array_equal(found[1], stripe(0, 6))
    assert np.array_equal(found[2], stripe(6, 10))


def test_a_prompted_object_comes_first():
    found = without_overlaps({1: stripe(0, 8), 2: stripe(6, 10), 3: stripe(0, 10)}, frozenset([1]))
    assert np.array_equal(found[1], stripe(0, 8))
    assert np.array_equal(found[2], stripe(8, 10))
    assert not found[3].any()
