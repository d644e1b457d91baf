import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pycocotools import mask as coco_mask

from masklet.errors import FormatError
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.masks.rle import RLE

masks = hnp.arrays(np.bool_, hnp.array_shapes(min_dims=2, max_dims=2, max_side=24))


@given(masks)
def test_every_mask_round_trips(mask):
    found = rle.encode(mask)
    assert np.array_equal(rle.decode(found), mask)
    assert rle.from_json(rle.to_json(found)) == found
    assert rle.from_runs(found.size, rle.runs(found)) == found


@given(masks)
def test_area_and_box_are_those_of_the_pixels(mask):
    found = rle.encode(mask)
    assert rle.area(found) == mask.sum()
    if not mask.any():
        assert rle.bounding_box(found) is None
        return
    rows, columns = np.nonzero(mask)
    assert rle.bounding_box(found) == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


@given(masks)
def test_counts_are_those_of_pycocotools(mask):
    assert rle.encode(mask).counts == coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]


@given(st.binary(max_size=40), st.integers(1, 30), st.integers(1, 30))
def test_any_bytes_are_a_mask_or_a_format_error(counts, height, width):
    try:
        found = RLE(Size(height, width), counts)
    except FormatError:
        return
    assert rle.decode(found).sum() == rle.area(found)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=20))
def test_empty_runs_and_needless_digits_do_not_make_another_value(run_lengths):
    size = Size(1, max(sum(run_lengths), 1))
    run_lengths[0] += size.num_pixels - sum(run_lengths)
    expected = np.repeat(np.arange(len(run_lengths)) % 2 == 1, run_lengths)[None]
    found = rle.from_runs(size, run_lengths)
    assert np.array_equal(rle.decode(found), expected)
    assert found == rle.encode(expected)
    # The raw counts of pycocotools keep empty runs; read back, they are the same value.
    raw = coco_mask.frPyObjects({"size": [1, size.width], "counts": run_lengths}, 1, size.width)
    assert RLE(size, raw["counts"]) == found


def test_needless_digit_is_dropped():
    size = Size(1, 5)
    assert RLE(size, b"U0") == RLE(size, b"5")


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (b"", "empty"),
        (b"U", "cut off"),
        (b"5\x00", "not allowed"),
        (b"5p", "not allowed"),
        (b"4", "cover 4 pixels"),
        (b"6", "longer than the mask"),
        (b"O6", "negative"),
        (b"PPPPPPPP0", "too many digits"),
    ],
)
def test_damaged_counts_are_refused(counts, reason):
    with pytest.raises(FormatError, match=reason):
        RLE(Size(1, 5), counts)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"size": [1, 5]},
        {"size": [1, 5, 1], "counts": "5"},
        {"size": [0, 5], "counts": "0"},
        {"size": [1, True], "counts": "1"},
        {"size": [1.0, 5], "counts": "5"},
        {"size": [1, 5], "counts": "5ä"},
        {"size": [1, 5], "counts": 5},
        {"size": [1, 5], "counts": [-1, 6]},
        {"size": [1, 5], "counts": [2, True, 2]},
        {"size": [1, 5], "counts": [2, 2]},
        {"size": [1 << 15, 1 << 15], "counts": [1 << 30]},
        {"size": [1, 5], "counts": []},
    ],
)
def test_damaged_json_is_refused(value):
    with pytest.raises(FormatError):
        rle.from_json(value)


def test_uncompressed_counts_are_read():
    found = rle.from_json({"size": [2, 2], "counts": [1, 2, 1]})
    assert rle.decode(found).tolist() == [[False, True], [True, False]]


@given(hnp.arrays(np.bool_, (3, 6, 5)), hnp.arrays(np.bool_, (2, 6, 5)))
def test_set_operations_are_those_of_the_pixels(first, second):
    left, right = [rle.encode(m) for m in first], [rle.encode(m) for m in second]
    union = (first[:, None] | second).sum((2, 3))
    expected = np.where(union, (first[:, None] & second).sum((2, 3)) / np.maximum(union, 1), 0)
    assert np.allclose(rle.iou(left, right), expected)
    assert np.array_equal(rle.decode(rle.union(left)), first.any(0))
    assert np.array_equal(rle.decode(rle.intersection(left)), first.all(0))


def test_iou_with_no_masks_is_an_empty_matrix():
    assert rle.iou([], [rle.empty(Size(2, 2))]).shape == (0, 1)


def test_masks_of_different_sizes_are_refused():
    with pytest.raises(FormatError, match="one size"):
        rle.iou([rle.empty(Size(2, 3))], [rle.empty(Size(3, 2))])
    with pytest.raises(FormatError, match="one size"):
        rle.union([rle.empty(Size(2, 3)), rle.empty(Size(3, 2))])


def test_merging_nothing_is_refused():
    with pytest.raises(FormatError, match="at least one"):
        rle.union([])


@pytest.mark.parametrize("shape", [(3,), (0, 4), (1, 2, 3)])
def test_arrays_that_are_no_mask_are_refused(shape):
    with pytest.raises(FormatError, match="h, w"):
        rle.encode(np.zeros(shape, bool))


def test_decoded_mask_may_be_written():
    mask = rle.decode(rle.empty(Size(2, 3)))
    mask[0, 0] = True
    assert mask.sum() == 1
