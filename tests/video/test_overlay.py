"""What an overlay changes, and what it leaves alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from masklet.errors import MediaError
from masklet.prompts import Click
from masklet.video import OverlayStyle, draw_overlay, object_color

GREY = np.full((40, 60, 3), 100, np.uint8)


def square(top=10, left=10, side=12):
    mask = np.zeros(GREY.shape[:2], bool)
    mask[top : top + side, left : left + side] = True
    return mask


@given(arrays(bool, GREY.shape[:2]), st.floats(0, 1), st.integers(0, 4))
def test_pixels_outside_the_mask_stay_and_the_input_is_not_changed(mask, alpha, contour):
    before = GREY.copy()
    drawn = draw_overlay(GREY, {3: mask}, style=OverlayStyle(fill_alpha=alpha, contour_px=contour))
    assert np.array_equal(drawn[~mask], GREY[~mask])
    assert np.array_equal(before, GREY)


def test_the_rim_has_the_pure_colour_and_the_inside_a_blend():
    color = np.array(object_color(1))
    drawn = draw_overlay(GREY, {1: square()}, style=OverlayStyle(fill_alpha=0.5, contour_px=2))
    assert (drawn[10:12, 10:22] == color).all()
    assert (drawn[10:22, 20:22] == color).all()
    inside = drawn[12:20, 12:20].reshape(-1, 3)
    assert np.abs(inside - (100 + color) / 2).max() <= 1


@pytest.mark.parametrize(("alpha", "expected"), [(0.0, (100, 100, 100)), (1.0, object_color(2))])
def test_alpha_ends_are_exact(alpha, expected):
    drawn = draw_overlay(GREY, {2: square()}, style=OverlayStyle(fill_alpha=alpha, contour_px=0))
    assert tuple(drawn[15, 15].tolist()) == expected


def test_a_mask_at_the_edge_has_its_rim_there():
    mask = np.ones(GREY.shape[:2], bool)
    drawn = draw_overlay(GREY, {1: mask}, style=OverlayStyle(contour_px=1))
    assert (drawn[0] == object_color(1)).all()
    assert (drawn[:, -1] == object_color(1)).all()


def test_empty_masks_draw_nothing():
    style = OverlayStyle(has_tags=True)
    assert np.array_equal(draw_overlay(GREY, {1: np.zeros(GREY.shape[:2], bool)}, style=style), GREY)
    assert np.array_equal(draw_overlay(GREY, {}), GREY)


def test_higher_ids_lie_on_top_whatever_the_order():
    masks = {2: square(), 1: square(14, 14)}
    drawn = draw_overlay(GREY, masks)
    assert np.array_equal(drawn, draw_overlay(GREY, dict(reversed(masks.items()))))
    assert tuple(drawn[10, 10].tolist()) == object_color(2)


def test_tags_and_clicks_are_drawn_and_repeatable():
    plain = draw_overlay(GREY, {1: square(20, 20)})
    tagged = draw_overlay(GREY, {1: square(20, 20)}, labels={1: "dog"})
    clicked = draw_overlay(GREY, {1: square(20, 20)}, clicks={1: [Click(50, 10)]})
    negative = draw_overlay(GREY, {1: square(20, 20)}, clicks={1: [Click(50, 10, positive=False)]})
    assert not np.array_equal(plain, tagged)
    assert tuple(clicked[10, 46].tolist()) == object_color(1)
    assert not np.array_equal(clicked, negative)
    assert np.array_equal(tagged, draw_overlay(GREY, {1: square(20, 20)}, labels={1: "dog"}))


def test_colours_differ_between_objects_and_repeat_after_all_were_used():
    colors = [object_color(identity) for identity in range(1, 22)]
    assert len(set(colors)) == 21
    assert object_color(22) == colors[0]
    distances = [
        max(abs(a - b) for a, b in zip(x, y, strict=True)) for x in colors[:7] for y in colors[:7] if x != y
    ]
    assert min(distances) > 50


@pytest.mark.parametrize(
    "mask", [np.zeros((40, 60), np.uint8), np.zeros((60, 40), bool), np.zeros((40, 60, 1), bool)]
)
def test_masks_that_do_not_fit_are_refused(mask):
    with pytest.raises(MediaError, match="object 5"):
        draw_overlay(GREY, {5: mask})


@pytest.mark.parametrize("changes", [{"fill_alpha": 1.1}, {"contour_px": -1}, {"tag_height_px": 0}])
def test_style_numbers_out_of_range_are_refused(changes):
    with pytest.raises(MediaError):
        OverlayStyle(**changes)
