"""How well two masks agree: region similarity (J), contour accuracy (F) and stability."""

from __future__ import annotations

import math

import cv2
import numpy as np

from masklet.errors import PromptError
from masklet.masks.arrays import BoolArray, FloatArray, as_bytes

_SQUARE_OF_FOUR = np.ones((2, 2), dtype=np.uint8)
_MOST_LOOK_UPS = 1 << 18
"""Above it, a distance transform is faster than looking around the pixels that are in doubt."""


def iou(first: BoolArray, second: BoolArray) -> float:
    """Intersection over union of two masks, the region similarity J of DAVIS.

    Args:
        first: bool (h, w).
        second: bool (h, w), the same shape.

    Returns:
        In [0, 1]; 1 when both are empty.

    Raises:
        PromptError: When the shapes differ.

    Source: Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object Segmentation",
    CVPR 2016.
    """
    _check_same_shape(first, second)
    union = int(np.count_nonzero(first | second))
    return int(np.count_nonzero(first & second)) / union if union else 1.0


def boundary_f(predicted: BoolArray, true: BoolArray, tolerance: float = 0.008) -> float:
    """F measure of the two contours, the contour accuracy F of DAVIS.

    A pixel belongs to the contour when it differs from its right, lower or lower right neighbour (outside
    the image the mask goes on as at its edge, so a contour is one pixel wide and the image border is none).
    A contour pixel is matched when a contour pixel of the other mask lies within a disk of ceil(tolerance *
    diagonal) pixels. Precision is the matched part of the predicted contour, recall that of the true one.
    With no contour in both masks F is 1, with a contour in only one it is 0. As in the public toolkit this
    looks at contours alone: a mask that fills the image has none and counts like an empty one.

    Args:
        predicted: bool (h, w).
        true: bool (h, w), the same shape.
        tolerance: Disk radius as a part of the image diagonal, in (0, 1); a value of at least 1 is a radius
            in pixels.

    Returns:
        In [0, 1].

    Raises:
        PromptError: When the shapes differ.

    Source: Perazzi et al., CVPR 2016, section 5 (contour accuracy by morphology instead of bipartite
    matching).
    """
    _check_same_shape(predicted, true)
    window = _window_of_change(predicted | true, predicted & true)
    if window is None:
        return 1.0
    radius = contour_radius(true.shape[0], true.shape[1], tolerance)
    return contour_agreement(contour(predicted[window]), contour(true[window]), radius)


def contour_radius(height: int, width: int, tolerance: float = 0.008) -> int:
    """How far apart, in whole pixels, two contour pixels of an image may lie and still match.

    Args:
        height: Of the image.
        width: Of the image.
        tolerance: A part of the image diagonal, in (0, 1); a value of at least 1 is a radius in pixels.
    """
    return math.ceil(tolerance if tolerance >= 1 else tolerance * math.hypot(height, width))


def contour_agreement(predicted: BoolArray, true: BoolArray, radius: int) -> float:
    """F of two contours; see boundary_f.

    Args:
        predicted: Contour pixels, bool (h, w).
        true: Contour pixels, bool (h, w).
        radius: In pixels, at least 1.

    Returns:
        In [0, 1].
    """
    num_predicted, num_true = int(np.count_nonzero(predicted)), int(np.count_nonzero(true))
    if num_predicted == 0 or num_true == 0:
        return 1.0 if num_predicted == num_true else 0.0
    precision = _num_near(predicted, true, radius) / num_predicted
    recall = _num_near(true, predicted, radius) / num_true
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0


def stability(logits: FloatArray, threshold: float = 0.0, offset: float = 1.0) -> float:
    """IoU of the masks at threshold plus and minus offset: how little the mask hangs on its threshold.

    Args:
        logits: float (h, w).
        threshold: Logit above which a pixel is on.
        offset: How far the threshold moves up and down, above 0.

    Returns:
        In [0, 1]; 1 when no pixel is on at either threshold.

    Source: Kirillov et al., "Segment Anything", ICCV 2023, section 5 (stable masks).
    """
    union = int(np.count_nonzero(logits > threshold - offset))
    return int(np.count_nonzero(logits > threshold + offset)) / union if union else 1.0


def contour(mask: BoolArray) -> BoolArray:
    """Pixels that differ from their right, lower or lower right neighbour.

    Args:
        mask: bool (h, w).

    Returns:
        bool (h, w).
    """
    # a pixel differs from one of the other three of its 2 x 2 square when the square's extremes differ
    gradient = cv2.morphologyEx(as_bytes(mask), cv2.MORPH_GRADIENT, _SQUARE_OF_FOUR, anchor=(0, 0))
    return np.asarray(gradient, dtype=np.uint8).view(np.bool_)


def _window_of_change(any_on: BoolArray, all_on: BoolArray) -> tuple[slice, slice] | None:
    """Rows and columns around every contour pixel of both masks, or None when there is none.

    Cropping must not make or lose a contour pixel: one row and column more on each side is kept, so inside
    the window every contour pixel sees its own neighbours, and at the window's edge the masks are constant.
    """
    height, width = any_on.shape
    if all_on.all() or not any_on.any():
        return None
    rows, columns = np.flatnonzero(any_on.any(axis=1)), np.flatnonzero(any_on.any(axis=0))
    return (
        slice(max(int(rows[0]) - 1, 0), min(int(rows[-1]) + 2, height)),
        slice(max(int(columns[0]) - 1, 0), min(int(columns[-1]) + 2, width)),
    )


def _num_near(asked: BoolArray, targets: BoolArray, radius: int) -> int:
    """How many of the pixels asked for have a target within a distance of at most radius.

    The square inside the disk settles most of them and is quickly grown; only those it leaves in doubt are
    looked at one by one. At least one target is on.
    """
    inner = math.isqrt(radius * radius // 2)
    square = np.ones((2 * inner + 1, 2 * inner + 1), dtype=np.uint8)
    near = np.asarray(cv2.dilate(as_bytes(targets), square), dtype=np.uint8)
    places = np.flatnonzero(asked)
    in_doubt = places[near.ravel()[places] == 0]
    num_settled = places.size - in_doubt.size
    if in_doubt.size == 0:
        return num_settled
    offsets = np.arange(-radius, radius + 1)
    in_ring = offsets[:, None] ** 2 + offsets[None, :] ** 2 <= radius * radius
    in_ring[radius - inner : radius + inner + 1, radius - inner : radius + inner + 1] = False
    if in_doubt.size * int(np.count_nonzero(in_ring)) > _MOST_LOOK_UPS:
        distance = cv2.distanceTransform(as_bytes(~targets), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        reached = np.asarray(distance).ravel()[in_doubt] <= math.sqrt(radius * radius + 0.5)
        return num_settled + int(np.count_nonzero(reached))
    height, width = targets.shape
    padded = np.zeros((height + 2 * radius, width + 2 * radius), dtype=np.bool_)
    padded[radius : radius + height, radius : radius + width] = targets
    rows, columns = np.divmod(in_doubt, width)
    ring_rows, ring_columns = np.nonzero(in_ring)
    around = ring_rows * padded.shape[1] + ring_columns
    corners = rows * padded.shape[1] + columns
    return num_settled + int(np.count_nonzero(padded.ravel()[corners[:, None] + around].any(axis=1)))


def _check_same_shape(first: BoolArray, second: BoolArray) -> None:
    if first.ndim != 2 or first.shape != second.shape:
        raise PromptError(
            f"Masks to compare must be (h, w) arrays of one shape, got {first.shape} and {second.shape}."
        )
