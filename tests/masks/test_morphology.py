import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.measure import label

from masklet.errors import PromptError
from masklet.masks import morphology

masks = hnp.arrays(np.bool_, (9, 11))


def drawn(*rows):
    return np.array([[character == "#" for character in row] for row in rows])


@given(masks, st.integers(0, 12))
def test_specks_go_by_their_area(mask, max_area):
    labels = label(mask, connectivity=2)
    areas = np.bincount(labels.ravel())
    expected = mask & (areas[labels] > max_area)
    assert np.array_equal(morphology.remove_specks(mask, max_area), expected)
    assert np.array_equal(morphology.fill_holes(~mask, max_area), ~expected)


@given(masks, st.integers(0, 21), st.integers(0, 29), st.integers(0, 40))
def test_holes_go_by_their_area_wherever_the_mask_lies(small, top, left, max_area):
    mask = np.zeros((30, 40), bool)
    mask[top : top + 9, left : left + 11] = small
    labels = label(~mask, connectivity=2)
    expected = mask | (~mask & (np.bincount(labels.ravel())[labels] <= max_area))
    assert np.array_equal(morphology.fill_holes(mask, max_area), expected)


@given(masks)
def test_largest_component_is_one_component_and_the_largest(mask):
    found = morphology.largest_component(mask)
    assert not (found & ~mask).any()
    labels = label(mask, connectivity=2)
    assert found.sum() == (np.bincount(labels.ravel())[1:].max() if mask.any() else 0)
    assert label(found, connectivity=2).max() <= 1


@pytest.mark.parametrize("max_area", [0, -1])
def test_no_area_changes_nothing_and_copies(max_area):
    mask = drawn("#.#", ".#.")
    found = morphology.remove_specks(mask, max_area)
    found[:] = False
    assert mask.sum() == 3


def test_diagonal_neighbours_are_connected():
    mask = drawn("#...", ".#..", "....", "...#")
    assert np.array_equal(morphology.remove_specks(mask, 1), drawn("#...", ".#..", "....", "...."))


def test_cleaning_fills_then_removes():
    mask = drawn("#####..", "#.###.#", "#####..")
    assert np.array_equal(morphology.clean(mask, 1, 1), drawn("#####..", "#####..", "#####.."))


@given(masks, st.integers(0, 100), st.integers(0, 100))
def test_cleaning_never_empties_a_mask(mask, hole_area, speck_area):
    assert morphology.clean(mask, hole_area, speck_area).any() == (
        mask.any() or morphology.fill_holes(mask, hole_area).any()
    )


def test_overlaps_go_to_the_highest_then_the_first():
    logits = np.array([[[1.0, 2.0, -1.0, 0.0]], [[3.0, 2.0, -2.0, 0.0]]])
    assert morphology.resolve_overlaps(logits).tolist() == [
        [[False, True, False, False]],
        [[True, False, False, False]],
    ]


@given(hnp.arrays(np.float32, (4, 5, 6), elements=st.floats(-4, 4, width=32)))
def test_resolved_masks_do_not_overlap_and_cover_all_that_was_on(logits):
    found = morphology.resolve_overlaps(logits)
    assert found.sum(0).max() <= 1
    assert np.array_equal(found.any(0), (logits > 0).any(0))


def test_no_objects_resolve_to_no_objects():
    assert morphology.resolve_overlaps(np.zeros((0, 3, 4))).shape == (0, 3, 4)


@pytest.mark.parametrize(
    ("call", "array"),
    [
        (morphology.largest_component, np.zeros((1, 2, 3), bool)),
        (morphology.largest_component, np.zeros((0, 3), bool)),
        (morphology.resolve_overlaps, np.zeros((2, 3))),
    ],
)
def test_arrays_of_another_shape_are_refused(call, array):
    with pytest.raises(PromptError, match="shape"):
        call(array)
