import cv2
import numpy as np
import pytest

from masklet.errors import FormatError
from masklet.masks import rle
from masklet.masks.agreement import region_and_contour
from masklet.masks.metrics import boundary_f, iou


def blobs(rng, shape):
    """A random mask: nothing, everything, smooth blobs, or blobs with holes."""
    kind = rng.integers(5)
    if kind < 2:
        return np.full(shape, kind == 1)
    grid = rng.random((rng.integers(2, 9), rng.integers(2, 9))).astype(np.float32)
    found = np.asarray(cv2.resize(grid, shape[::-1], interpolation=cv2.INTER_CUBIC)) > rng.random()
    return found & (rng.random(shape) > 0.2) if kind == 2 else found


@pytest.mark.parametrize("seed", range(60))
def test_run_lengths_score_as_the_masks_do(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(side) for side in rng.integers(1, 400 if seed % 5 == 0 else 90, 2))
    first, second = blobs(rng, shape), blobs(rng, shape)
    assert region_and_contour(rle.encode(first), rle.encode(second)) == (
        iou(first, second),
        boundary_f(first, second),
    )


def test_masks_of_two_sizes_are_refused():
    first, second = np.ones((4, 5), bool), np.ones((5, 4), bool)
    with pytest.raises(FormatError, match="one size"):
        region_and_contour(rle.encode(first), rle.encode(second))
