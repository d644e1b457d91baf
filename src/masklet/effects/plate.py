"""The clean plate: a frame with its objects taken out, filled from all around them.

Known pixels are averaged into ever coarser levels until the hole is closed; coming back, each level takes its unknown
pixels from the coarser one and smooths them against its neighbours. Source: Burt, "Moment images, polynomial fit
filters and the problem of surface interpolation" (1988), and ours for the smoothing.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import scaled
from masklet.effects.base import Image, Mask
from masklet.effects.edges import grown, region_of

_Colors = npt.NDArray[np.int32]
# Thousandths of the shorter side: the rim around an object that is not trusted, and how far around it colours come from.
_RIM = 8
_REACH = 120
_NUM_SMOOTHINGS = 3
_UNKNOWN = 128


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
    plate[region] = _filled(frame[region].astype(np.int32), known)
    return plate


def removal_rim(shape: tuple[int, ...]) -> int:
    """Pixels around a mask that still show some of the object."""
    return scaled(_RIM, shape)


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
