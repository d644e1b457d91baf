"""Cleaning of masks: holes, specks, components, overlaps. Each pixel has eight neighbours, as in SAM 2."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from masklet.errors import PromptError
from masklet.masks.arrays import BoolArray, FloatArray, as_bytes


def fill_holes(mask: BoolArray, max_area: int) -> BoolArray:
    """Turn small background components on.

    Args:
        mask: bool (h, w).
        max_area: Largest hole to fill in pixels, inclusive; 0 fills none. A background component that
            touches the image border counts like any other.

    Returns:
        bool (h, w), a new array.
    """
    _check_two_dimensional(mask)
    filled = mask.astype(bool, copy=True)
    if max_area <= 0:
        return filled
    near = _around_holes(mask, max_area)
    if near is None:
        return ~remove_specks(~filled, max_area)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(as_bytes(~filled[near]), connectivity=8)
    labels, is_hole = np.asarray(labels, dtype=np.int32), np.asarray(stats[:, cv2.CC_STAT_AREA]) <= max_area
    # what goes on outside is larger than what is seen of it
    rows, columns = near
    sides = (
        (rows.start > 0, labels[0]),
        (rows.stop < mask.shape[0], labels[-1]),
        (columns.start > 0, labels[:, 0]),
        (columns.stop < mask.shape[1], labels[:, -1]),
    )
    for goes_on, side in sides:
        if goes_on:
            is_hole[side] = False
    is_hole[0] = False
    if is_hole.any():
        filled[near] |= is_hole[labels]
    return filled


def remove_specks(mask: BoolArray, max_area: int) -> BoolArray:
    """Turn small foreground components off.

    Args:
        mask: bool (h, w).
        max_area: Largest speck to remove in pixels, inclusive; 0 removes none.

    Returns:
        bool (h, w), a new array.
    """
    _check_two_dimensional(mask)
    if max_area <= 0:
        return mask.astype(bool, copy=True)
    near = _around(mask)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(as_bytes(mask[near]), connectivity=8)
    is_kept = np.asarray(stats[:, cv2.CC_STAT_AREA]) > max_area
    is_kept[0] = False
    cleaned = np.zeros(mask.shape, dtype=bool)
    cleaned[near] = mask[near] if is_kept[1:].all() else is_kept[np.asarray(labels, dtype=np.int32)]
    return cleaned


def largest_component(mask: BoolArray) -> BoolArray:
    """The component with most pixels, the first in reading order among equals; an empty mask stays empty.

    Args:
        mask: bool (h, w).

    Returns:
        bool (h, w), a new array.
    """
    _check_two_dimensional(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(as_bytes(mask), connectivity=8)
    if count == 1:
        return np.zeros(mask.shape, dtype=bool)
    return np.asarray(labels) == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))


def parts_at(mask: BoolArray, points: Sequence[tuple[int, int]]) -> BoolArray:
    """The connected parts of a mask that hold one of some pixels.

    Args:
        mask: bool (h, w).
        points: Pixels (column, row) inside the mask's frame.

    Returns:
        bool (h, w); empty when no pixel lies on the mask.
    """
    _check_two_dimensional(mask)
    found = np.zeros(mask.shape, dtype=bool)
    hits = [(column, row) for column, row in points if mask[row, column]]
    if not hits:
        return found
    near = _around(mask)
    _, labels = cv2.connectedComponents(as_bytes(mask[near]), connectivity=8)
    labels = np.asarray(labels)
    for column, row in hits:
        found[near] |= labels == labels[row - near[0].start, column - near[1].start]
    return found


def grown(mask: BoolArray, by: int) -> BoolArray:
    """A mask with everything within a few pixels of it, along both axes at once.

    Args:
        mask: bool (h, w).
        by: How many pixels.

    Returns:
        bool (h, w), a new array.
    """
    _check_two_dimensional(mask)
    side = 2 * by + 1
    return np.asarray(cv2.dilate(as_bytes(mask), np.ones((side, side), np.uint8))) > 0


def clean(mask: BoolArray, hole_area: int, speck_area: int) -> BoolArray:
    """Fill holes, then remove specks.

    Args:
        mask: bool (h, w).
        hole_area: Largest hole to fill in pixels; 0 fills none.
        speck_area: Largest speck to remove in pixels; 0 removes none.

    Returns:
        bool (h, w), a new array. A non-empty mask never becomes empty: its largest component stays.
    """
    filled = fill_holes(mask, hole_area)
    cleaned = remove_specks(filled, speck_area)
    return cleaned if cleaned.any() else largest_component(filled)


def resolve_overlaps(logits: FloatArray) -> BoolArray:
    """Give every pixel to at most one object: the one with the highest logit, if that is above 0.

    Args:
        logits: float (n, h, w), one map per object.

    Returns:
        bool (n, h, w) without overlaps; on ties the lowest index wins.

    Raises:
        PromptError: When the array does not have three dimensions.
    """
    if logits.ndim != 3:
        raise PromptError(f"Overlaps are resolved on (n, h, w) logits, got shape {logits.shape}.")
    if logits.shape[0] == 0:
        return np.zeros(logits.shape, dtype=bool)
    winner = np.argmax(logits, axis=0)
    indices = np.arange(len(logits))[:, None, None]
    return np.equal(indices, winner) & np.greater(logits, 0)


def _around(mask: BoolArray) -> tuple[slice, slice]:
    """Rows and columns of the box around the pixels that are on; the whole of an empty mask."""
    x, y, width, height = cv2.boundingRect(as_bytes(mask))
    return (slice(y, y + height), slice(x, x + width)) if width else (slice(0, None), slice(0, None))


def _around_holes(mask: BoolArray, max_area: int) -> tuple[slice, slice] | None:
    """The box around a mask and one pixel more, in which all holes lie; None where what lies outside may be small too."""
    x, y, width, height = cv2.boundingRect(as_bytes(mask))
    full_height, full_width = mask.shape
    outside = (y * full_width, (full_height - y - height) * full_width)
    outside = (*outside, x * full_height, (full_width - x - width) * full_height)
    if not width or any(0 < area <= max_area for area in outside):
        return None
    rows = slice(max(y - 1, 0), min(y + height + 1, full_height))
    return rows, slice(max(x - 1, 0), min(x + width + 1, full_width))


def _check_two_dimensional(mask: BoolArray) -> None:
    if mask.ndim != 2 or mask.size == 0:
        raise PromptError(f"A mask must be an (h, w) array with pixels, got shape {mask.shape}.")
