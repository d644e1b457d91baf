"""Sizes, boxes, and the resize to the model's square with its inverse."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from masklet.errors import PromptError
from masklet.geometry import Box, Size, SquareResize

SIDES = st.integers(min_value=1, max_value=20_000)
SIZES = st.builds(Size, SIDES, SIDES)
COORDINATES = st.floats(min_value=-1e4, max_value=1e4, allow_nan=False)


@st.composite
def boxes(draw):
    x0, y0 = draw(COORDINATES), draw(COORDINATES)
    width, height = (
        draw(st.floats(min_value=0.01, max_value=1e4)),
        draw(st.floats(min_value=0.01, max_value=1e4)),
    )
    return Box(x0, y0, x0 + width, y0 + height)


@given(original=SIZES, side=st.integers(min_value=1, max_value=4096), x=COORDINATES, y=COORDINATES)
def test_resize_round_trips(original, side, x, y):
    resize = SquareResize(original, side)
    there_and_back = resize.to_original(*resize.to_model(x, y))
    assert there_and_back == pytest.approx((x, y), rel=1e-12, abs=1e-9)


@given(original=SIZES, side=st.integers(min_value=1, max_value=4096))
def test_resize_maps_corners_to_corners(original, side):
    resize = SquareResize(original, side)
    assert resize.to_model(0.0, 0.0) == (0.0, 0.0)
    assert resize.to_model(original.width, original.height) == pytest.approx((side, side))


def test_resize_takes_x_from_width_and_y_from_height():
    resize = SquareResize(Size(height=100, width=400), side=1000)
    assert resize.scale_xy == (2.5, 10.0)
    assert resize.to_model(40.0, 40.0) == (100.0, 400.0)


@pytest.mark.parametrize(("height", "width"), [(0, 5), (5, 0), (-1, 5), (0, 0)])
def test_a_size_without_pixels_is_refused(height, width):
    with pytest.raises(PromptError, match=f"at least 1 by 1 pixel, got {height} by {width}"):
        Size(height, width)


def test_a_size_is_height_then_width():
    size = Size(3, 7)
    assert (size.height, size.width) == (3, 7)
    assert size.hw == (3, 7)
    assert size.num_pixels == 21


@pytest.mark.parametrize(
    "xyxy",
    [
        (5, 0, 5, 9),
        (0, 5, 9, 5),
        (9, 0, 5, 9),
        (0, 9, 9, 5),
        (math.nan, 0, 5, 5),
        (0, 0, 5, math.nan),
    ],
)
def test_a_box_without_area_is_refused(xyxy):
    with pytest.raises(PromptError, match="x1 > x0 and y1 > y0"):
        Box(*xyxy)


def test_a_box_knows_its_area_and_centre():
    box = Box(10, 20, 30, 60)
    assert box.xyxy == (10, 20, 30, 60)
    assert box.area == 800
    assert box.centre_xy == (20, 40)


@pytest.mark.parametrize(
    ("box", "clipped"),
    [
        (Box(1, 2, 3, 4), Box(1, 2, 3, 4)),
        (Box(-5, -5, 5, 5), Box(0, 0, 5, 5)),
        (Box(15, 5, 40, 40), Box(15, 5, 20, 10)),
        (Box(-9, -9, 99, 99), Box(0, 0, 20, 10)),
        (Box(20, 0, 30, 5), None),
        (Box(0, 10, 5, 12), None),
        (Box(-5, 0, 0, 5), None),
    ],
)
def test_clipping_keeps_what_lies_inside(box, clipped):
    assert box.clipped(Size(height=10, width=20)) == clipped


@pytest.mark.parametrize(
    ("other", "iou"),
    [
        (Box(0, 0, 10, 10), 1.0),
        (Box(5, 0, 15, 10), 50 / 150),
        (Box(0, 0, 5, 5), 25 / 100),
        (Box(10, 0, 20, 10), 0.0),
        (Box(0, 30, 10, 40), 0.0),
    ],
)
def test_iou_table(other, iou):
    assert Box(0, 0, 10, 10).iou(other) == pytest.approx(iou)


@given(one=boxes(), other=boxes())
def test_iou_is_symmetric_and_between_zero_and_one(one, other):
    assert one.iou(other) == pytest.approx(other.iou(one))
    assert 0.0 <= one.iou(other) <= 1.0 + 1e-9


@given(box=boxes(), size=SIZES)
def test_a_clipped_box_lies_inside_both(box, size):
    clipped = box.clipped(size)
    assume(clipped is not None)
    assert clipped.clipped(size) == clipped
    assert clipped.area <= box.area * (1 + 1e-9)
