"""Masks as outlines that hold every pixel, and outlines as masks, for formats that know polygons only.

Outlines run along the edges of pixels. A hole, or a second part where a format has one outline per object,
is joined to the outline by a bridge: the line is walked to the hole and back, so it encloses nothing. Readers
that fill by the even-odd rule at pixel centres (this one and pycocotools) find the very same mask again;
a reader that also draws the line itself adds a line of one pixel there.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pycocotools import mask as coco_mask

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import polygons, rle
from masklet.masks.polygons import Polygon, Ring
from masklet.masks.rle import RLE


def part_outlines(mask: RLE) -> list[Ring]:
    """One outline for each part of a mask, holes joined by bridges; corners are whole numbers."""
    return [bridged(found.rings) for found in polygons.from_mask(rle.decode(mask))]


def one_outline(mask: RLE) -> Ring:
    """One outline for the whole mask, parts and holes joined by bridges; empty for an empty mask."""
    rings = [ring for found in polygons.from_mask(rle.decode(mask)) for ring in found.rings]
    return bridged(rings) if rings else ()


def bridged(rings: Sequence[Ring]) -> Ring:
    """One outline that walks along all of them and back to its first corner after each."""
    first, *others = rings
    joined = list(first)
    for ring in others:
        joined += [first[0], *ring, ring[0]]
    return tuple(joined)


def filled(rings: Sequence[Ring], size: Size) -> RLE:
    """The union of outlines, each filled by the even-odd rule at pixel centres.

    Args:
        rings: Corners in pixels.
        size: Size of the mask.
    """
    usable = [Polygon(exterior=ring) for ring in rings if len(ring) >= 3]
    return rle.encode(polygons.to_mask(usable, size))


def coco_filled(flat: Sequence[Sequence[float]], size: Size) -> RLE:
    """COCO's polygons as COCO's own code fills them.

    Args:
        flat: Lists of x0, y0, x1, y1, ... in pixels.
        size: Size of the mask.

    Raises:
        FormatError: When a polygon has an odd number of values or lies absurdly far outside.
    """
    usable: list[list[float]] = []
    for values in flat:
        if len(values) % 2:
            raise FormatError(
                f"A flat polygon holds x and y in turn, got {len(values)} values, an odd number."
            )
        # The compiled code walks along each edge in steps of a fifth of a pixel.
        if values and max(map(abs, values)) > 4 * max(size.hw) + 1000:
            raise FormatError(
                f"A polygon lies far outside of its image of {size.hw} (h, w); check its numbers."
            )
        if len(values) >= 6:
            usable.append([float(value) for value in values])
    if not usable:
        return rle.empty(size)
    merged = coco_mask.merge(coco_mask.frPyObjects(usable, size.height, size.width))
    return RLE(size, bytes(merged["counts"]))


def rounded_ring(ring: Ring, digits: int) -> list[list[float]]:
    """Corners as lists with few digits."""
    return [[float(np.round(x, digits)), float(np.round(y, digits))] for x, y in ring]
