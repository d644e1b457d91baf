"""Small pictures as pixels: painted once at one size, then laid over images at any size."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from masklet.effects.base import Image
from masklet.effects.shapes import Polygon, shapes

MASTER_PX = 256
_GRID = 1000
_NUM_LINES = 4
"""Scan lines per row of pixels; along a row edges are exact."""

Painted = npt.NDArray[np.int32]
"""Colours times opacity, then opacity: (h, w, 4), 0 to 255."""


@functools.cache
def master(name: str) -> Painted:
    """A picture at ``MASTER_PX``; read only."""
    painted = np.zeros((MASTER_PX, MASTER_PX, 4), dtype=np.int32)
    for patch in shapes()[name]:
        alpha = polygon_alpha(patch.polygon)
        over = np.array([*patch.color, 255], dtype=np.int32)
        painted = (painted * (255 - alpha[..., None]) + over * alpha[..., None] + 127) // 255
    painted.setflags(write=False)
    return painted


def polygon_alpha(polygon: Polygon) -> npt.NDArray[np.int32]:
    """How much of each pixel lies inside, 0 to 255, (``MASTER_PX``, ``MASTER_PX``); even-odd rule."""
    unit = MASTER_PX / _GRID
    points = [(x * unit, y * unit) for x, y in polygon]
    columns = np.arange(MASTER_PX, dtype=np.float64)
    cover = np.zeros((MASTER_PX, MASTER_PX))
    for line in range(MASTER_PX * _NUM_LINES):
        crossings = _crossings(points, (line + 0.5) / _NUM_LINES)
        row = cover[line // _NUM_LINES]
        for left, right in zip(crossings[::2], crossings[1::2], strict=True):
            row += np.clip(right - columns, 0.0, 1.0) - np.clip(left - columns, 0.0, 1.0)
    return np.floor(cover * 255.0 / _NUM_LINES + 0.5).astype(np.int32)


def _crossings(points: list[tuple[float, float]], y: float) -> list[float]:
    """Where the outline crosses a horizontal line, from left to right."""
    found: list[float] = []
    x0, y0 = points[-1]
    for x1, y1 in points:
        if (y0 <= y) != (y1 <= y):
            found.append(x0 + (y - y0) * (x1 - x0) / (y1 - y0))
        x0, y0 = x1, y1
    return sorted(found)


@functools.lru_cache(maxsize=64)
def resized(name: str, side: int) -> Painted:
    """A picture at another size; read only.

    Args:
        name: Which picture.
        side: Pixels, at least 1.
    """
    painted = master(name)
    while painted.shape[0] >= 2 * side and painted.shape[0] > 1:
        half = painted.shape[0] // 2
        painted = (painted.reshape(half, 2, half, 2, 4).sum(axis=(1, 3)) + 2) >> 2
    last = (painted.shape[0] - 1) * 256
    # The centre of each new pixel in 256ths of an old one.
    places = ((2 * np.arange(side, dtype=np.int64) + 1) * painted.shape[0] * 128) // side - 128
    places = np.clip(places, 0, last)
    whole, rest = places >> 8, (places & 255).astype(np.int32)
    after = np.minimum(whole + 1, painted.shape[0] - 1)
    rows = painted[whole] * (256 - rest)[:, None, None] + painted[after] * rest[:, None, None]
    mixed = rows[:, whole] * (256 - rest)[None, :, None] + rows[:, after] * rest[None, :, None]
    small = ((mixed + 32768) >> 16).astype(np.int32)
    small.setflags(write=False)
    return small


def stamp(canvas: Image, name: str, side: int, center_xy: tuple[int, int]) -> None:
    """Lay a picture over an image, in place; what lies outside is cut.

    Args:
        canvas: uint8 (h, w, 3), changed.
        name: Which picture.
        side: Its size in pixels, at least 1.
        center_xy: Where its middle comes.
    """
    left, top = center_xy[0] - side // 2, center_xy[1] - side // 2
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(canvas.shape[1], left + side), min(canvas.shape[0], top + side)
    if x0 >= x1 or y0 >= y1:
        return
    part = resized(name, side)[y0 - top : y1 - top, x0 - left : x1 - left]
    below = canvas[y0:y1, x0:x1].astype(np.int32)
    mixed = part[..., :3] + (below * (255 - part[..., 3:]) + 127) // 255
    canvas[y0:y1, x0:x1] = np.minimum(mixed, 255).astype(np.uint8)
