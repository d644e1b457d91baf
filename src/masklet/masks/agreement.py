"""J and F of run-length masks, computed only where the masks are."""

from __future__ import annotations

import cv2
import numpy as np

from masklet.errors import FormatError
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, IntArray, as_bytes
from masklet.masks.metrics import contour, contour_agreement, contour_radius
from masklet.masks.rle import RLE


def region_and_contour(predicted: RLE, true: RLE, tolerance: float = 0.008) -> tuple[float, float]:
    """Region similarity J and contour accuracy F of two run-length masks.

    The same numbers as ``metrics.iou`` and ``metrics.boundary_f`` of the decoded masks, but only the columns
    and rows around both masks are ever laid out.

    Args:
        predicted: The answer.
        true: The truth, of the same size.
        tolerance: See boundary_f.

    Returns:
        J and F, each in [0, 1].

    Raises:
        FormatError: When the sizes differ.
    """
    size = true.size
    if predicted.size != size:
        raise FormatError(
            f"Masks to compare must have one size, got {predicted.size.hw} and {size.hw} (h, w)."
        )
    if predicted.counts == true.counts:
        return 1.0, 1.0
    first, second = _edges(predicted), _edges(true)
    spans = [_columns(edges, size.height) for edges in (first, second) if edges.size > 1]
    # one more on each side, so that every contour pixel sees its neighbours
    left, right = max(min(a for a, _ in spans) - 1, 0), min(max(b for _, b in spans) + 1, size.width)
    a, b = (_laid_out(edges, left, right, size.height) for edges in (first, second))
    either = a | b
    region = int(np.count_nonzero(a & b)) / int(np.count_nonzero(either))
    rows = np.flatnonzero(np.asarray(cv2.reduce(as_bytes(either), 0, cv2.REDUCE_MAX)))
    top, bottom = max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, size.height)
    a, b = np.ascontiguousarray(a[:, top:bottom]), np.ascontiguousarray(b[:, top:bottom])
    # contours and disks look the same in the transposed picture
    radius = contour_radius(size.height, size.width, tolerance)
    return region, contour_agreement(contour(a), contour(b), radius)


def _edges(mask: RLE) -> IntArray:
    """Where runs end, counted down the columns, int64 (n); the last is the number of pixels."""
    return np.cumsum(rle.runs(mask))


def _columns(edges: IntArray, height: int) -> tuple[int, int]:
    """First column with a pixel that is on, and the one after the last."""
    end = int(edges[-1] if edges.size % 2 == 0 else edges[-2])
    return int(edges[0]) // height, -(-end // height)


def _laid_out(edges: IntArray, left: int, right: int, height: int) -> BoolArray:
    """The columns from left up to right as rows, bool (right - left, height)."""
    inside = np.clip(edges, left * height, right * height)
    lengths = np.diff(inside, prepend=left * height)
    return np.repeat(np.arange(edges.size) % 2 == 1, lengths).reshape(right - left, height)
