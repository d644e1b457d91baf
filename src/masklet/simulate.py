"""Prompts as a person would give them, drawn from a true mask: for training and evaluation alike.

The click on the pixel in column c and row r is the point (c, r), see geometry. Randomness comes from the
generator that is passed in, and from nothing else.
"""

from __future__ import annotations

import cv2
import numpy as np

from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.masks.arrays import BoolArray, as_bytes
from masklet.prompts import Click


def centre_click(region: BoolArray, *, positive: bool = True) -> Click | None:
    """The pixel of the largest component that lies farthest from its border.

    Args:
        region: bool (h, w). Outside of the image counts as outside of the region.
        positive: Sign of the click.

    Returns:
        The click, the first in reading order among equally deep pixels, or None for an empty region.

    Source: Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive Segmentation",
    2021.
    """
    found = _largest_component(region)
    if found is None:
        return None
    component, left, top = found
    return _deepest_click(component, left, top, positive=positive)


def random_click(region: BoolArray, rng: np.random.Generator, *, positive: bool = True) -> Click | None:
    """A pixel of the region, all equally likely.

    Args:
        region: bool (h, w).
        rng: Source of randomness.
        positive: Sign of the click.

    Returns:
        The click, or None for an empty region.
    """
    on = np.flatnonzero(region)
    if on.size == 0:
        return None
    row, column = divmod(int(on[rng.integers(on.size)]), region.shape[1])
    return Click(float(column), float(row), positive)


def correction_click(
    predicted: BoolArray, true: BoolArray, rng: np.random.Generator | None = None
) -> Click | None:
    """The click that corrects a prediction: positive on what was missed, negative on a false alarm.

    Args:
        predicted: bool (h, w).
        true: bool (h, w), the same shape.
        rng: When given, the click is any pixel of the error, all equally likely; without it, the pixel
            farthest from the border of the largest connected error of one kind (missed wins a tie).

    Returns:
        The click, or None when the masks are equal.

    Raises:
        PromptError: When the shapes differ.
    """
    if predicted.shape != true.shape:
        raise PromptError(
            f"A correction compares masks of one shape, got {predicted.shape} and {true.shape}."
        )
    if rng is not None:
        click = random_click(predicted != true, rng)
        return None if click is None else Click(click.x, click.y, bool(true[int(click.y), int(click.x)]))
    missed, false_alarm = _largest_component(true & ~predicted), _largest_component(predicted & ~true)
    missed_area = 0 if missed is None else int(np.count_nonzero(missed[0]))
    false_area = 0 if false_alarm is None else int(np.count_nonzero(false_alarm[0]))
    largest, is_missed = (missed, True) if missed_area >= false_area else (false_alarm, False)
    return None if largest is None else _deepest_click(*largest, positive=is_missed)


def tight_box(mask: BoolArray) -> Box | None:
    """The smallest box around the pixels that are on, or None for an empty mask.

    Args:
        mask: bool (h, w).
    """
    columns = np.flatnonzero(mask.any(axis=0))
    if columns.size == 0:
        return None
    rows = np.flatnonzero(mask.any(axis=1))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def jittered_box(
    mask: BoolArray, rng: np.random.Generator, *, max_shift: float = 20.0, relative_noise: float = 0.1
) -> Box | None:
    """A box as loosely drawn by a person: every edge of the tight box moves by Gaussian noise.

    Args:
        mask: bool (h, w).
        rng: Source of randomness.
        max_shift: Farthest that an edge moves, in pixels, at least 0.
        relative_noise: Standard deviation of the noise as a part of the box's side, at least 0.

    Returns:
        A box inside the image and at least one pixel wide and high, or None for an empty mask.

    Source: Kirillov et al., "Segment Anything", ICCV 2023, appendix A (10 % of the side, at most 20 pixels).
    """
    box = tight_box(mask)
    if box is None:
        return None
    height, width = mask.shape
    sides = np.array([box.x1 - box.x0, box.y1 - box.y0] * 2)
    noise = rng.normal(size=4) * relative_noise * sides
    shifts = np.minimum(np.maximum(noise, -max_shift), max_shift)
    x0, y0, x1, y1 = (np.array(box.xyxy) + shifts).tolist()
    x0, x1 = _kept_apart(x0, x1, width)
    y0, y1 = _kept_apart(y0, y1, height)
    return Box(x0, y0, x1, y1)


def _kept_apart(low: float, high: float, limit: int) -> tuple[float, float]:
    """Two edges inside [0, limit] in order and at least one pixel apart."""
    low, high = sorted((min(max(low, 0.0), float(limit)), min(max(high, 0.0), float(limit))))
    low = min(low, limit - 1.0)
    return low, max(high, low + 1.0)


def _largest_component(region: BoolArray) -> tuple[BoolArray, int, int] | None:
    """The largest 8-connected component cut out to its bounding box, with the box's left and top, or None."""
    if region.ndim != 2:
        raise PromptError(f"A region to click on must be an (h, w) array, got shape {region.shape}.")
    box = tight_box(region)
    if box is None:
        return None
    left, top = int(box.x0), int(box.y0)
    cut = as_bytes(region[top : int(box.y1), left : int(box.x1)])
    count, labels, stats, _ = cv2.connectedComponentsWithStats(cut, connectivity=8)
    if count == 2:
        return cut > 0, left, top
    label = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    x, y, width, height = stats[label, : cv2.CC_STAT_AREA].tolist()
    return np.asarray(labels)[y : y + height, x : x + width] == label, left + x, top + y


def _deepest_click(component: BoolArray, left: int, top: int, *, positive: bool) -> Click:
    """The pixel of a cut-out component with the greatest distance to the outside."""
    padded = np.zeros((component.shape[0] + 2, component.shape[1] + 2), dtype=np.uint8)
    padded[1:-1, 1:-1] = component
    distance = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # squares are whole numbers: rounded, ties do not hang on where in memory the array lies
    row, column = divmod(int(np.rint(distance * distance).argmax()), padded.shape[1])
    return Click(float(left + column - 1), float(top + row - 1), positive)
