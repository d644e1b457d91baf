import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import distance_transform_edt

from masklet import simulate
from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.masks.morphology import largest_component
from masklet.prompts import Click

shapes = hnp.array_shapes(min_dims=2, max_dims=2, max_side=16)
masks = hnp.arrays(np.bool_, shapes)
pairs = shapes.flatmap(lambda shape: st.tuples(hnp.arrays(np.bool_, shape), hnp.arrays(np.bool_, shape)))


def depth(region):
    return distance_transform_edt(np.pad(region, 1))[1:-1, 1:-1]


@given(masks)
def test_centre_is_the_deepest_pixel_of_the_largest_component(region):
    click = simulate.centre_click(region)
    if not region.any():
        assert click is None
        return
    depths = depth(largest_component(region))
    assert depths[int(click.y), int(click.x)] == pytest.approx(depths.max())
    assert click.positive


def test_centre_of_a_square_at_the_corner_counts_the_image_border():
    region = np.zeros((9, 9), bool)
    region[:5, :5] = True
    assert simulate.centre_click(region) == Click(2, 2)


def test_centre_goes_to_the_larger_component():
    region = np.zeros((12, 30), bool)
    region[1:4, 1:4] = True
    region[2:9, 10:17] = True
    assert simulate.centre_click(region, positive=False) == Click(13, 5, False)


@given(masks, st.integers(0, 2**32))
def test_random_click_lies_on_the_region(region, seed):
    click = simulate.random_click(region, np.random.default_rng(seed))
    assert click is None if not region.any() else region[int(click.y), int(click.x)]


def test_random_clicks_reach_every_pixel():
    region = np.array([[True, False, True], [False, True, True]])
    rng = np.random.default_rng(0)
    found = {(click.x, click.y) for click in (simulate.random_click(region, rng) for _ in range(100))}
    assert found == {(0, 0), (2, 0), (1, 1), (2, 1)}


@given(pairs, st.none() | st.integers(0, 2**32))
def test_correction_lies_on_an_error_and_has_its_sign(pair, seed):
    predicted, true = pair
    click = simulate.correction_click(predicted, true, None if seed is None else np.random.default_rng(seed))
    if np.array_equal(predicted, true):
        assert click is None
        return
    row, column = int(click.y), int(click.x)
    assert predicted[row, column] != true[row, column]
    assert click.positive == true[row, column]


def test_correction_goes_to_the_largest_error():
    true, predicted = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    true[1:4, 1:4] = True
    predicted[10:17, 10:17] = True
    assert simulate.correction_click(predicted, true) == Click(13, 13, False)
    assert simulate.correction_click(true, predicted) == Click(13, 13, True)


def test_missed_wins_a_tie():
    true, predicted = np.zeros((5, 10), bool), np.zeros((5, 10), bool)
    predicted[1:4, 1:4] = True
    true[1:4, 6:9] = True
    assert simulate.correction_click(predicted, true) == Click(7, 2, True)


def test_masks_of_different_shapes_are_refused():
    with pytest.raises(PromptError, match="one shape"):
        simulate.correction_click(np.zeros((2, 3), bool), np.zeros((3, 2), bool))
    with pytest.raises(PromptError, match="h, w"):
        simulate.centre_click(np.zeros((1, 2, 3), bool))


@given(masks)
def test_tight_box_holds_all_and_touches_on_every_side(mask):
    box = simulate.tight_box(mask)
    if not mask.any():
        assert box is None
        return
    rows, columns = np.nonzero(mask)
    assert box == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@given(masks, st.integers(0, 2**32), st.floats(0, 30), st.floats(0, 3))
def test_jittered_box_is_inside_and_has_a_pixel(mask, seed, max_shift, noise):
    rng = np.random.default_rng(seed)
    box = simulate.jittered_box(mask, rng, max_shift=max_shift, relative_noise=noise)
    if not mask.any():
        assert box is None
        return
    height, width = mask.shape
    assert 0 <= box.x0 <= box.x1 - 1 <= width - 1
    assert 0 <= box.y0 <= box.y1 - 1 <= height - 1


def test_jitter_is_a_tenth_of_the_side_and_capped():
    mask = np.zeros((1200, 1200), bool)
    mask[500:700, 550:650] = True
    rng = np.random.default_rng(0)
    found = np.array([simulate.jittered_box(mask, rng).xyxy for _ in range(2000)]) - [550, 500, 650, 700]
    assert found[:, [0, 2]].std() == pytest.approx(10, rel=0.1)
    assert np.abs(found).max() == 20
    assert (np.abs(found[:, 1]) == 20).mean() == pytest.approx(0.317, abs=0.04)


def test_same_generator_state_gives_the_same_box():
    mask = np.ones((50, 60), bool)
    boxes = [simulate.jittered_box(mask, np.random.default_rng(7)) for _ in range(2)]
    assert boxes[0] == boxes[1]
