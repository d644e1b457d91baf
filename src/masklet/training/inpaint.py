"""Filling the hole that an object leaves when it is lifted out of a picture."""

from __future__ import annotations

import cv2
import numpy as np

_COARSEST = 4  # pixels; the pyramid stops here
_GRAIN_SIGMA = 3.0
_RIM = 4  # pixels; masks drawn by hand leave so much of their object outside


def fill_hole(image_rgb: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Fill a hole from its surroundings: smooth colours by a pyramid, grain from the mirrored picture.

    Args:
        image_rgb: uint8 (h, w, 3).
        hole: uint8 0 or 1, (h, w).

    Returns:
        The picture with the hole and a rim of four pixels around it filled, uint8 (h, w, 3).
    """
    hole = cv2.dilate(hole, np.ones((2 * _RIM + 1,) * 2, np.uint8))
    known = (1 - hole).astype(np.float32)
    smooth = _spread(image_rgb.astype(np.float32) * known[..., None], known)
    # Grain comes from the picture without the object, so that no outline of the object is left in it.
    emptied = np.where(hole[..., None] > 0, smooth, image_rgb).astype(np.float32)
    grain = emptied - cv2.GaussianBlur(emptied, (0, 0), _GRAIN_SIGMA)
    far = cv2.erode(known, np.ones((4 * _RIM + 1,) * 2, np.uint8))
    filled = smooth + cv2.flip(grain * far[..., None], 1)
    soft = cv2.GaussianBlur(hole.astype(np.float32), (3, 3), 0)[..., None] * hole[..., None]
    return np.clip(image_rgb * (1 - soft) + filled * soft + 0.5, 0, 255).astype(np.uint8)


def _spread(colours: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Known colours (times ``weights``) where there are some, coarser means elsewhere, float32 (h, w, 3)."""
    height, width = weights.shape
    own = colours / np.maximum(weights, 1e-4)[..., None]
    if min(height, width) <= _COARSEST:
        total = max(float(weights.sum()), 1e-4)
        mean = colours.sum((0, 1)) / total
        return np.where(weights[..., None] > 1e-3, own, mean).astype(np.float32)
    half_wh = (width + 1) // 2, (height + 1) // 2
    coarse = _spread(
        cv2.resize(colours, half_wh, interpolation=cv2.INTER_AREA),
        cv2.resize(weights, half_wh, interpolation=cv2.INTER_AREA),
    )
    finer = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    share = np.minimum(weights, 1.0)[..., None]
    return own * share + finer * (1 - share)
