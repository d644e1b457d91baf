"""Masks as polygons with holes, and back.

Polygons run along the edges of pixels: (0, 0) is the upper left corner of the image and (w, h) the lower
right one. So a mask turned into polygons and back is the very same mask, down to single pixels and diagonal
bridges.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, cast

import cv2
import numpy as np

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks.arrays import BoolArray, FloatArray, IntArray, as_bytes

Ring: TypeAlias = tuple[tuple[float, float], ...]
"""Corners (x, y) in order; the last is joined to the first."""

_EAST, _SOUTH, _WEST, _NORTH = range(4)
# Where the pixel on the right hand lies for each walking direction: (row, column) minus the corner's (y, x).
_RIGHT_HAND = ((0, 0), (0, -1), (-1, -1), (-1, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Polygon:
    """An area with holes.

    Args:
        exterior: Outline, at least three corners in pixels.
        holes: Outlines of what is cut out, inside of the exterior.

    Raises:
        FormatError: When an outline has fewer than three corners or a coordinate is not finite.
    """

    exterior: Ring
    holes: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        """Check the outlines."""
        for ring in self.rings:
            if len(ring) < 3 or not np.isfinite(ring).all():
                raise FormatError(f"A polygon needs at least three finite corners, got {len(ring)}.")

    @property
    def rings(self) -> tuple[Ring, ...]:
        """The exterior and the holes."""
        return self.exterior, *self.holes


def from_mask(mask: BoolArray) -> tuple[Polygon, ...]:
    """The outlines of a mask.

    Args:
        mask: bool (h, w).

    Returns:
        One polygon per 4-connected component, in reading order of the components; exteriors run clockwise
        and holes counter-clockwise as seen on the screen. No outline crosses or touches itself; corners are
        whole numbers.
    """
    count, label_map = cv2.connectedComponents(as_bytes(mask), connectivity=4)
    labels = np.asarray(label_map)
    exteriors: dict[int, Ring] = {}
    holes: dict[int, list[Ring]] = {label: [] for label in range(1, count)}
    for corners, direction in _rings(mask):
        (x, y), (row, column) = corners[0], _RIGHT_HAND[direction]
        label = int(labels[y + row, x + column])
        ring: Ring = tuple((float(x), float(y)) for x, y in corners)
        if _signed_area(corners) > 0:
            exteriors[label] = ring
        else:
            holes[label].append(ring)
    return tuple(Polygon(exterior=exteriors[i], holes=tuple(holes[i])) for i in sorted(exteriors))


def to_mask(polygons: Iterable[Polygon], size: Size) -> BoolArray:
    """Every pixel whose centre lies in a polygon and in none of its holes.

    Args:
        polygons: Areas in pixels; what lies outside of the image is cut off.
        size: Size of the mask.

    Returns:
        bool (h, w).
    """
    mask = np.zeros(size.hw, dtype=np.bool_)
    for polygon in polygons:
        mask |= _filled(polygon.rings, size)
    return mask


def simplified(polygon: Polygon, tolerance: float) -> Polygon:
    """The polygon with fewer corners; outlines that would shrink to less than three corners stay as they are.

    Args:
        polygon: The polygon.
        tolerance: Farthest that the outline may move, in pixels, at least 0.

    Returns:
        The simplified polygon.
    """
    rings = [_simplified_ring(ring, tolerance) for ring in polygon.rings]
    return Polygon(exterior=rings[0], holes=tuple(rings[1:]))


def ring_from_flat(values: Sequence[float]) -> Ring:
    """Corners from the flat list x0, y0, x1, y1, ... of COCO and YOLO.

    Raises:
        FormatError: When the list has an odd length.
    """
    if len(values) % 2:
        raise FormatError(f"A flat polygon holds x and y in turn, got {len(values)} values, an odd number.")
    return tuple((float(x), float(y)) for x, y in zip(values[::2], values[1::2], strict=True))


def flat_from_ring(ring: Ring) -> list[float]:
    """The flat list x0, y0, x1, y1, ... of COCO and YOLO."""
    return [value for corner in ring for value in corner]


def _rings(mask: BoolArray) -> list[tuple[list[tuple[int, int]], int]]:
    """Simple closed outlines with the mask on the right hand, each with its first walking direction."""
    ends = _directed_edges(mask)
    rings: list[tuple[list[tuple[int, int]], int]] = []
    while ends:
        corner, direction = next(iter(ends))
        path: list[tuple[tuple[int, int], int]] = []
        places: dict[tuple[int, int], int] = {}
        while (corner, direction) in ends:
            places[corner] = len(path)
            path.append((corner, direction))
            corner = ends.pop((corner, direction))
            if corner in places:
                # The walk came back to a corner: cut the loop off, so that no outline touches itself.
                loop = path[places[corner] :]
                rings.append(([place for place, _ in loop], loop[0][1]))
                del path[places[corner] :]
                for place, _ in loop:
                    del places[place]
            # Turning right first keeps pixels apart that touch at a corner only.
            right = (direction + 1) % 4
            direction = right if (corner, right) in ends else (direction + 3) % 4
    return rings


def _directed_edges(mask: BoolArray) -> dict[tuple[tuple[int, int], int], tuple[int, int]]:
    """Longest straight edges of the outlines: from (corner, direction) to the next corner."""
    padded = np.pad(as_bytes(mask), 1)
    upper, lower = padded[:-1], padded[1:]
    # A corner is a point where the four pixels around are not split along a straight line.
    num_on = upper[:, :-1] + upper[:, 1:] + lower[:, :-1] + lower[:, 1:]
    is_saddle = (num_on == 2) & (upper[:, :-1] == lower[:, 1:])
    multiplicity = np.where(is_saddle, 2, num_on % 2)
    ends: dict[tuple[tuple[int, int], int], tuple[int, int]] = {}
    for y, x, next_y, next_x in _paired(multiplicity).tolist():
        if padded[y + 1, x + 1]:
            ends[(x, y), _EAST] = (next_x, next_y)
        else:
            ends[(next_x, next_y), _WEST] = (x, y)
    for x, y, next_x, next_y in _paired(multiplicity.T).tolist():
        if padded[y + 1, x + 1]:
            ends[(next_x, next_y), _NORTH] = (x, y)
        else:
            ends[(x, y), _SOUTH] = (next_x, next_y)
    return ends


def _paired(multiplicity: IntArray) -> IntArray:
    """Corners of a row that an edge joins, (n, 4): row and column of one end, then of the other."""
    corners = np.argwhere(multiplicity > 0)
    times = multiplicity[corners[:, 0], corners[:, 1]]
    return np.repeat(corners, times, axis=0).reshape(-1, 4)


def _signed_area(corners: Sequence[tuple[int, int]]) -> int:
    """Twice the area, positive for an outline that runs clockwise on the screen."""
    points = np.asarray(corners, dtype=np.int64)
    following = np.roll(points, -1, axis=0)
    return int((points[:, 0] * following[:, 1] - following[:, 0] * points[:, 1]).sum())


def _filled(rings: Sequence[Ring], size: Size) -> BoolArray:
    """Pixels whose centre is enclosed an odd number of times."""
    toggles = np.zeros((size.height, size.width + 1), dtype=np.int64)
    for ring in rings:
        points = np.asarray(ring, dtype=np.float64)
        rows, columns = _crossings(points, np.roll(points, -1, axis=0), size)
        np.add.at(toggles, (rows, columns), 1)
    return np.cumsum(toggles[:, :-1], axis=1) % 2 == 1


def _crossings(starts: FloatArray, ends: FloatArray, size: Size) -> tuple[IntArray, IntArray]:
    """Where edges cross rows of pixel centres: the row, and the first column to the right."""
    low, high = np.minimum(starts[:, 1], ends[:, 1]), np.maximum(starts[:, 1], ends[:, 1])
    first = np.clip(np.ceil(low - 0.5), 0, size.height).astype(np.int64)
    stop = np.clip(np.ceil(high - 0.5), 0, size.height).astype(np.int64)
    counts = np.maximum(stop - first, 0)
    edges = np.repeat(np.arange(len(starts)), counts)
    rows: IntArray = (
        np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts) + first[edges]
    )
    deltas = (ends - starts)[edges]
    x = starts[edges, 0] + (rows + 0.5 - starts[edges, 1]) * deltas[:, 0] / deltas[:, 1]
    columns = np.clip(np.ceil(x - 0.5), 0, size.width).astype(np.int64)
    return rows, columns


def _simplified_ring(ring: Ring, tolerance: float) -> Ring:
    points = np.asarray(ring, dtype=np.float32)[:, None, :]
    kept = np.asarray(cv2.approxPolyDP(points, max(tolerance, 0.0), closed=True))[:, 0, :].tolist()
    found = cast("list[list[float]]", kept)
    return tuple((x, y) for x, y in found) if len(found) >= 3 else ring
