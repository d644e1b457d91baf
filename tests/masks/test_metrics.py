import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.morphology import dilation, disk

from masklet.errors import PromptError
from masklet.masks import metrics

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=30)
pairs = shapes.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape)))


def oracle_contour(mask):
    """Written out by cases: interior, last column, last row, last pixel."""
    height, width = mask.shape
    found = np.zeros_like(mask)
    for row in range(height):
        for column in range(width):
            neighbours = []
            if column + 1 < width:
                neighbours.append(mask[row, column + 1])
            if row + 1 < height:
                neighbours.append(mask[row + 1, column])
            if column + 1 < width and row + 1 < height:
                neighbours.append(mask[row + 1, column + 1])
            found[row, column] = any(neighbour != mask[row, column] for neighbour in neighbours)
    return found


def oracle_f(predicted, true, tolerance):
    radius = tolerance if tolerance >= 1 else math.ceil(tolerance * np.linalg.norm(true.shape))
    first, second = oracle_contour(predicted), oracle_contour(true)
    if not first.any() and not second.any():
        return 1.0
    if not first.any() or not second.any():
        return 0.0
    precision = (first & dilation(second, disk(radius))).sum() / first.sum()
    recall = (second & dilation(first, disk(radius))).sum() / second.sum()
    return 0.0 if precision + recall == 0 else 2 * precision * recall / (precision + recall)


def blobs(rng, shape, num_discs):
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, bool)
    for _ in range(num_discs):
        row, column = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        mask |= (rows - row) ** 2 + (columns - column) ** 2 < rng.integers(2, max(shape) // 3) ** 2
    return mask


@given(pairs)
def test_iou_counts_pixels(pair):
    first, second = pair
    union = (first | second).sum()
    assert metrics.iou(first, second) == (pytest.approx((first & second).sum() / union) if union else 1.0)


@given(pairs, st.sampled_from([0.008, 0.05, 1.0, 2.0, 7.0]))
def test_boundary_f_is_that_of_the_definition_on_noise(pair, tolerance):
    first, second = pair
    assert metrics.boundary_f(first, second, tolerance) == pytest.approx(
        oracle_f(first, second, tolerance), abs=1e-9
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("tolerance", [0.008, 0.03, 0.1])
def test_boundary_f_is_that_of_the_definition_on_shapes(seed, tolerance):
    rng = np.random.default_rng(seed)
    first, second = blobs(rng, (90, 130), 3), blobs(rng, (90, 130), 3)
    assert metrics.boundary_f(first, second, tolerance) == pytest.approx(
        oracle_f(first, second, tolerance), abs=1e-9
    )


@pytest.mark.parametrize("radius", range(1, 25))
def test_disk_is_round_at_every_radius(radius):
    single = np.zeros((55, 55), bool)
    single[27, 27] = True
    assert metrics._num_near(np.ones((55, 55), bool), single, radius) == disk(radius).sum()
    asked = dilation(single, disk(radius))
    assert metrics._num_near(asked, single, radius) == asked.sum()
    assert metrics._num_near(~asked, single, radius) == 0


def test_two_empty_masks_agree():
    empty = np.zeros((8, 9), bool)
    assert metrics.iou(empty, empty) == 1.0
    assert metrics.boundary_f(empty, empty) == 1.0


def test_one_empty_mask_disagrees():
    empty, square = np.zeros((8, 9), bool), np.zeros((8, 9), bool)
    square[2:5, 2:5] = True
    assert metrics.iou(empty, square) == 0.0
    assert metrics.boundary_f(empty, square) == 0.0
    assert metrics.boundary_f(square, empty) == 0.0


def test_full_mask_has_no_contour():
    full, empty = np.ones((8, 9), bool), np.zeros((8, 9), bool)
    assert not metrics.contour(full).any()
    assert metrics.boundary_f(full, empty) == 1.0


def test_contour_far_away_does_not_match():
    first, second = np.zeros((60, 60), bool), np.zeros((60, 60), bool)
    first[2:8, 2:8] = second[40:50, 40:50] = True
    assert metrics.boundary_f(first, second) == 0.0


@pytest.mark.parametrize("call", [metrics.iou, metrics.boundary_f])
def test_different_shapes_are_refused(call):
    with pytest.raises(PromptError, match="one shape"):
        call(np.zeros((3, 4), bool), np.zeros((4, 3), bool))


def test_stability_is_the_iou_of_two_thresholds():
    logits = np.array([[-3.0, -0.5, 0.5, 3.0]])
    assert metrics.stability(logits, 0.0, 1.0) == pytest.approx(1 / 3)
    assert metrics.stability(logits, 0.0, 0.1) == 1.0
    assert metrics.stability(np.full((2, 2), -9.0), 0.0, 1.0) == 1.0
