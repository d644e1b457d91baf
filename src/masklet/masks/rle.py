"""Masks as COCO's compressed run lengths: column-major runs, off first, five bits per character.

Counts are checked completely before they reach compiled code, so a damaged file is an error and never a
crash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from pycocotools import mask as coco_mask

from masklet.errors import FormatError
from masklet.geometry import Box, Size
from masklet.masks.arrays import BoolArray, FloatArray, IntArray, as_bytes

MAX_MASK_PIXELS = 1 << 28
"""Largest mask, 16,384 x 16,384: a few bytes of run lengths could otherwise ask for any memory."""

_MAX_DIGITS = 6  # 30 signed bits: enough for any difference of two runs of MAX_MASK_PIXELS


@dataclass(frozen=True, slots=True)
class RLE:
    """One mask as run lengths; equal masks of equal size are equal values.

    Args:
        size: Size of the mask in pixels.
        counts: COCO compressed counts. Unusual spellings (empty runs, needless digits) are rewritten.

    Raises:
        FormatError: When the counts are damaged or do not fill the size.
    """

    size: Size
    counts: bytes

    def __post_init__(self) -> None:
        """Check the counts and bring them to their one canonical spelling."""
        _check_num_pixels(self.size)
        runs, is_minimal = _runs_from_counts(self.counts)
        _check_runs(runs, self.size)
        if not is_minimal or (runs[1:] == 0).any():
            object.__setattr__(self, "counts", _counts_from_runs(_without_empty_runs(runs), self.size))


def encode(mask: BoolArray) -> RLE:
    """Compress a mask.

    Args:
        mask: bool (h, w).

    Raises:
        FormatError: When the mask is not two-dimensional or has no pixel.
    """
    if mask.ndim != 2 or mask.size == 0:
        raise FormatError(f"A mask to encode must be an (h, w) array with pixels, got shape {mask.shape}.")
    size = _size_of(mask.shape)
    _check_num_pixels(size)
    on = np.asarray(cv2.transpose(as_bytes(mask))).T
    return RLE(size, coco_mask.encode(on)["counts"])


@lru_cache(maxsize=64)
def _size_of(shape: tuple[int, ...]) -> Size:
    """One value for all masks of a size: an hour of video has a hundred thousand of them."""
    return Size(*shape)


def decode(rle: RLE) -> BoolArray:
    """The mask, bool (h, w), C-contiguous and writable."""
    run_lengths = runs(rle)
    flat = np.repeat(np.arange(run_lengths.size) % 2 == 1, run_lengths)
    # OpenCV transposes bytes several times faster than a strided copy.
    return np.asarray(cv2.transpose(as_bytes(flat.reshape(rle.size.width, rle.size.height))), dtype=np.bool_)


def runs(rle: RLE) -> IntArray:
    """Run lengths down the columns, off first (which may be 0), then alternating, int64 (n)."""
    digits = np.frombuffer(rle.counts, dtype=np.uint8) - np.uint8(48)  # checked when the value was made
    ends = np.flatnonzero(digits < 32)
    starts = np.concatenate(([0], ends[:-1] + 1))
    places = np.arange(digits.size) - np.repeat(starts, ends - starts + 1)
    values = np.add.reduceat((digits & 31).astype(np.int64) << (5 * places), starts)
    values -= ((digits[ends] & 16) != 0).astype(np.int64) << (5 * (ends - starts + 1))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values


def from_runs(size: Size, run_lengths: Sequence[int] | IntArray) -> RLE:
    """A mask from COCO's uncompressed counts.

    Args:
        size: Size of the mask in pixels.
        run_lengths: Column-major runs, off first, each at least 0, together height times width.

    Raises:
        FormatError: When a run is negative or not whole, or the runs do not fill the size.
    """
    _check_num_pixels(size)
    given = np.asarray(run_lengths)
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise FormatError("Uncompressed run lengths must be a flat list of whole numbers.")
    lengths = given.astype(np.int64)
    _check_runs(lengths, size)
    return RLE(size, _counts_from_runs(_without_empty_runs(lengths), size))


def empty(size: Size) -> RLE:
    """A mask with no pixel on."""
    return from_runs(size, [size.num_pixels])


def area(rle: RLE) -> int:
    """Number of pixels on."""
    return int(runs(rle)[1::2].sum())


def bounding_box(rle: RLE) -> Box | None:
    """The smallest box around the pixels that are on, or None for an empty mask."""
    if area(rle) == 0:
        return None
    x, y, width, height = (float(value) for value in coco_mask.toBbox(_as_coco(rle)))
    return Box(x, y, x + width, y + height)


def iou(first: Sequence[RLE], second: Sequence[RLE]) -> FloatArray:
    """Intersection over union of every pair.

    Args:
        first: n masks.
        second: m masks of the same size.

    Returns:
        float64 (n, m) in [0, 1]; 0 where both masks are empty.

    Raises:
        FormatError: When the masks have different sizes.
    """
    if not first or not second:
        return np.zeros((len(first), len(second)))
    _check_same_size([*first, *second])
    found = coco_mask.iou([_as_coco(a) for a in first], [_as_coco(b) for b in second], [0] * len(second))
    return np.nan_to_num(np.asarray(found, dtype=np.float64))


def union(masks: Sequence[RLE]) -> RLE:
    """Pixels that are on in at least one mask.

    Raises:
        FormatError: When no mask is given or the sizes differ.
    """
    return _merged(masks, is_intersection=False)


def intersection(masks: Sequence[RLE]) -> RLE:
    """Pixels that are on in every mask.

    Raises:
        FormatError: When no mask is given or the sizes differ.
    """
    return _merged(masks, is_intersection=True)


def to_json(rle: RLE) -> dict[str, object]:
    """``{"size": [h, w], "counts": "..."}``, as in COCO."""
    return {"size": list(rle.size.hw), "counts": rle.counts.decode("ascii")}


def from_json(value: object) -> RLE:
    """Read ``{"size": [h, w], "counts": "..."}``; a list of uncompressed run lengths is understood too.

    Raises:
        FormatError: When a field is missing, has another type, or the counts are damaged.
    """
    if not isinstance(value, Mapping) or "size" not in value or "counts" not in value:
        raise FormatError('A run-length mask must be an object with "size" and "counts".')
    fields = cast("Mapping[object, object]", value)
    size = size_from_json(fields["size"])
    counts = fields["counts"]
    if isinstance(counts, str):
        if not counts.isascii():
            raise FormatError(
                "Run-length counts hold a character that is not ASCII; the annotation is damaged."
            )
        return RLE(size, counts.encode("ascii"))
    if isinstance(counts, bytes):
        return RLE(size, counts)
    run_lengths = whole_numbers(counts, most=MAX_MASK_PIXELS)
    if run_lengths is not None:
        return from_runs(size, run_lengths)
    raise FormatError("Run-length counts must be a string, or a list of whole numbers that are at least 0.")


def size_from_json(value: object) -> Size:
    """Read ``[h, w]``.

    Raises:
        FormatError: When it is not two whole numbers of at least 1.
    """
    sides = whole_numbers(value, most=MAX_MASK_PIXELS)
    if sides is None or len(sides) != 2 or 0 in sides:
        raise FormatError(
            f"A size must be two whole numbers of at least 1, [height, width], got {str(value)[:60]}."
        )
    return Size(sides[0], sides[1])


def whole_numbers(value: object, *, most: int) -> list[int] | None:
    """The value if it is a list of whole numbers from 0 to most, as JSON holds them, else None."""
    if not isinstance(value, list | tuple):
        return None
    items = cast("Sequence[object]", value)
    numbers = [item for item in items if type(item) is int and 0 <= item <= most]
    return numbers if len(numbers) == len(items) else None


def _merged(masks: Sequence[RLE], *, is_intersection: bool) -> RLE:
    """Union or intersection of masks of one size."""
    if not masks:
        raise FormatError("Merging needs at least one mask, got none.")
    _check_same_size(masks)
    if len(masks) == 1:
        return masks[0]
    merged = coco_mask.merge([_as_coco(one) for one in masks], intersect=is_intersection)
    return RLE(masks[0].size, merged["counts"])


def _as_coco(rle: RLE) -> dict[str, object]:
    return {"size": list(rle.size.hw), "counts": rle.counts}


def _check_num_pixels(size: Size) -> None:
    if size.num_pixels > MAX_MASK_PIXELS:
        raise FormatError(
            f"A mask of {size.height} by {size.width} is too large, the most is {MAX_MASK_PIXELS} pixels."
        )


def _check_same_size(masks: Sequence[RLE]) -> None:
    for one in masks:
        if one.size != masks[0].size:
            raise FormatError(
                f"Masks to compare or merge must have one size, got {masks[0].size.hw} and {one.size.hw}."
            )


def _check_runs(run_lengths: IntArray, size: Size) -> None:
    """Raise unless the runs are whole and fill the mask exactly."""
    if run_lengths.size == 0 or run_lengths.min() < 0 or run_lengths.max() > size.num_pixels:
        raise FormatError(
            "Run-length counts are damaged: a run is missing, negative or longer than the mask."
        )
    total = int(run_lengths.sum())
    if total != size.num_pixels:
        raise FormatError(
            f"Run-length counts cover {total} pixels but a mask of {size.hw} (h, w) has {size.num_pixels}; "
            "the annotation is damaged or its size is wrong."
        )


def _runs_from_counts(counts: bytes) -> tuple[IntArray, bool]:
    """Run lengths of compressed counts, and whether every number is written with as few digits as possible.

    Each number is a two's complement integer in base 32, lowest digit first, with 32 added to every digit
    but the last and 48 to each character; from the fourth number on it is the difference to the run two
    places before.
    """
    digits = np.frombuffer(counts, dtype=np.uint8).astype(np.int64) - 48
    if digits.size == 0 or digits.min() < 0 or digits.max() > 63 or digits[-1] & 32:
        raise FormatError(
            "Run-length counts are damaged: they are empty, cut off or hold a character that is not allowed."
        )
    ends = np.flatnonzero((digits & 32) == 0)
    starts = np.concatenate(([0], ends[:-1] + 1))
    lengths = ends - starts + 1
    if lengths.max() > _MAX_DIGITS:
        raise FormatError("Run-length counts are damaged: a number has too many digits.")
    places = np.arange(digits.size) - np.repeat(starts, lengths)
    values = np.add.reduceat((digits & 31) << (5 * places), starts)
    values -= ((digits[ends] & 16) != 0).astype(np.int64) << (5 * lengths)
    half_of_shorter = np.left_shift(1, np.maximum(5 * lengths - 6, 0))
    fits_in_fewer = (lengths > 1) & (values >= -half_of_shorter) & (values < half_of_shorter)
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values, not bool(np.any(fits_in_fewer))


def _without_empty_runs(run_lengths: IntArray) -> IntArray:
    """The same mask with no run of length 0 but perhaps the first: compiled code expects none."""
    is_on = np.arange(run_lengths.size) % 2 == 1
    kept, is_on = run_lengths[run_lengths > 0], is_on[run_lengths > 0]
    starts = np.flatnonzero(np.concatenate(([True], is_on[1:] != is_on[:-1])))
    joined = np.add.reduceat(kept, starts)
    return np.concatenate(([0], joined)) if is_on[0] else joined


def _counts_from_runs(run_lengths: IntArray, size: Size) -> bytes:
    """Compressed counts of checked run lengths."""
    plain = {"size": list(size.hw), "counts": run_lengths.tolist()}
    return coco_mask.frPyObjects(plain, size.height, size.width)["counts"]
