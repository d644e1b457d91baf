"""The clean plate: a frame with its objects taken out, filled from all around them.

Three guesses are mixed. One goes straight from side to side, one from top to bottom; each counts the more, the more alike the
two ends are and the nearer one of them is, so that a horizon or a door frame goes on behind the object. The third has no
direction: known pixels are averaged into ever coarser levels until the hole is closed; coming back, each level takes its
unknown pixels from the coarser one and smooths them against its neighbours. Source: Burt, "Moment images, polynomial fit
filters and the problem of surface interpolation" (1988) for the third, and ours.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import box_blurred, scaled
from masklet.effects.base import Image, Mask
from masklet.effects.edges import region_of
from masklet.masks.morphology import grown

_Colors = npt.NDArray[np.int32]
# Thousandths of the shorter side: the rim around an object that is not trusted, and how far around it colours come from.
_RIM = 8
_REACH = 120
_NUM_SMOOTHINGS = 1
_UNKNOWN = 128
# How much a guess counts: full weight over the square of the ends' difference and over the distance to the nearer end.
_FULL_WEIGHT = 1 << 22
_ALIKE = 12
_UNLIKE = 200
_UNDIRECTED_WEIGHT = 8
_NO_END = 10_000
_TONE_RADIUS = 2


def clean_plate(frame: Image, objects: Mask) -> Image:
    """The frame as it may look without its objects.

    Args:
        frame: RGB uint8 (h, w, 3).
        objects: Where objects are.
    """
    rim = removal_rim(frame.shape)
    region = region_of(objects, rim + scaled(_REACH, frame.shape))
    if region is None:
        return frame
    known = ~grown(objects[region], rim)
    plate = frame.copy()
    plate[region] = _guessed(frame[region].astype(np.int32), known)
    return plate


def removal_rim(shape: tuple[int, ...]) -> int:
    """Pixels around a mask that still show some of the object."""
    return scaled(_RIM, shape)


def _guessed(colors: _Colors, known: Mask) -> _Colors:
    """The three guesses mixed where nothing is known."""
    filled = _filled(colors, known)
    # Ends are compared and taken by their tone: a single noisy pixel would draw a line through the hole.
    tone = box_blurred(filled.astype(np.uint8), _TONE_RADIUS).astype(np.int32)
    ends = (filled + tone + 1) >> 1
    across, across_weight = _straight(ends, tone, known)
    down, down_weight = _straight(ends.transpose(1, 0, 2), tone.transpose(1, 0, 2), known.T)
    first, second = across_weight[..., None], down_weight.T[..., None]
    total = first + second + _UNDIRECTED_WEIGHT
    mixed = across * first + down.transpose(1, 0, 2) * second + filled * _UNDIRECTED_WEIGHT
    return np.where(known[..., None], colors, (mixed + total // 2) // total).astype(np.int32)


def _straight(ends: _Colors, tone: _Colors, known: Mask) -> tuple[_Colors, npt.NDArray[np.int64]]:
    """Between the nearest known pixels to the left and right, and how much that counts."""
    width = known.shape[1]
    rows, columns = np.arange(known.shape[0])[:, None], np.arange(width)
    before = np.maximum.accumulate(np.where(known, columns, -1), axis=1)
    after = np.minimum.accumulate(np.where(known, columns, width)[:, ::-1], axis=1)[:, ::-1]
    has_before, has_after = before >= 0, after < width
    first = np.where(has_before, before, np.where(has_after, after, 0))
    second = np.where(has_after, after, first)
    to_first = np.where(has_before, columns - before, _NO_END)
    to_second = np.where(has_after, after - columns, _NO_END)
    length = np.maximum(to_first + to_second, 1)
    weighted = ends[rows, first] * to_second[..., None] + ends[rows, second] * to_first[..., None]
    guess = (weighted + (length // 2)[..., None]) // length[..., None]
    unlike = np.abs(tone[rows, first] - tone[rows, second]).sum(axis=2)
    unlike = _ALIKE + np.where(has_before & has_after, unlike, _UNLIKE)
    near = np.maximum(np.minimum(to_first, to_second), 1)
    weight = np.where(has_before | has_after, _FULL_WEIGHT // (unlike * unlike * near), 0)
    return guess.astype(np.int32), weight


def _filled(colors: _Colors, known: Mask) -> _Colors:
    if known.all():
        return colors
    if not known.any():
        return np.full_like(colors, _UNKNOWN)
    coarse, is_coarse_known = _halved(colors, known)
    grown_back = _doubled(_filled(coarse, is_coarse_known), known.shape)
    filled = np.where(known[..., None], colors, grown_back)
    for _ in range(_NUM_SMOOTHINGS):
        filled = np.where(known[..., None], colors, _neighbours(filled))
    return filled


def _halved(colors: _Colors, known: Mask) -> tuple[_Colors, Mask]:
    """Means over the known ones of four pixels, and where there is one."""
    height, width = known.shape
    below, right = height % 2, width % 2
    weights = np.pad(known.astype(np.int32), ((0, below), (0, right)))
    padded = np.pad(colors, ((0, below), (0, right), (0, 0))) * weights[..., None]
    blocks = padded.reshape((height + below) // 2, 2, (width + right) // 2, 2, 3)
    sums = blocks.sum(axis=(1, 3), dtype=np.int32)
    counts = weights.reshape((height + below) // 2, 2, (width + right) // 2, 2).sum(
        axis=(1, 3), dtype=np.int32
    )
    means = (sums + (counts // 2)[..., None]) // np.maximum(counts, 1)[..., None]
    return means, counts > 0


def _doubled(coarse: _Colors, shape: tuple[int, ...]) -> _Colors:
    """Between the centres of the coarser pixels, 9 : 3 : 3 : 1."""
    rows, other_rows = _parents(shape[0], coarse.shape[0])
    columns, other_columns = _parents(shape[1], coarse.shape[1])
    mixed = 3 * coarse[rows] + coarse[other_rows]
    return (3 * mixed[:, columns] + mixed[:, other_columns] + 8) >> 4


def _parents(length: int, num_coarse: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """For each pixel the coarser one it lies in, and the next nearest."""
    places = np.arange(length)
    parents = places >> 1
    others = np.clip(parents + np.where(places % 2 == 0, -1, 1), 0, num_coarse - 1)
    return parents, others


def _neighbours(colors: _Colors) -> _Colors:
    """Means of the pixels above, below, left and right; at the rim the pixel itself stands for what is missing."""
    padded = np.pad(colors, ((1, 1), (1, 1), (0, 0)), mode="edge")
    total = padded[:-2, 1:-1] + padded[2:, 1:-1] + padded[1:-1, :-2] + padded[1:-1, 2:]
    return (total + 2) >> 2
