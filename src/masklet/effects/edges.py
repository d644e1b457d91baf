"""Where an object ends: regions, soft edges, growing, and distances."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from masklet.effects.base import Alpha, Mask

Region = tuple[slice, slice]
# Two means over 3 pixels along each axis: an edge that is soft over four pixels.
_KERNEL = np.array([1, 2, 3, 2, 1], dtype=np.float32)
_ALPHA_OF_SUM = np.array([(total * 255 + 40) // 81 for total in range(82)], dtype=np.uint8)
FAR = 1e6
"""A distance where there is nothing to be near to."""


def region_of(mask: Mask, margin: int) -> Region | None:
    """Rows and columns of a mask with a margin, cut at the image's rim; None for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    height, width = mask.shape
    return (
        slice(max(0, int(rows[0]) - margin), min(height, int(rows[-1]) + 1 + margin)),
        slice(max(0, int(columns[0]) - margin), min(width, int(columns[-1]) + 1 + margin)),
    )


def soft_alpha(mask: Mask) -> Alpha:
    """The mask with soft edges, so that steps between pixels are not seen."""
    sums = cv2.sepFilter2D(
        mask.astype(np.uint8), cv2.CV_16S, _KERNEL, _KERNEL, borderType=cv2.BORDER_REPLICATE
    )
    return _ALPHA_OF_SUM[np.asarray(sums, dtype=np.int16)]


def distance_to(mask: Mask) -> npt.NDArray[np.float64]:
    """Distance of every pixel to the nearest of the mask, 0 on it, float64 (h, w); ``FAR`` when there is none."""
    if not mask.any():
        return np.full(mask.shape, FAR)
    near = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    # Squares of distances between pixels are whole numbers; rounding takes away what float32 has lost.
    return np.sqrt(np.rint(np.asarray(near, dtype=np.float64) ** 2))
