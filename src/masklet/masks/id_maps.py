"""Run-length masks of every object of a map of object ids, in one pass over its pixels."""

from __future__ import annotations

import cv2
import numpy as np

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import ByteArray
from masklet.masks.rle import RLE


def encode_ids(id_map: ByteArray) -> dict[int, RLE]:
    """Compress every object of a map; 0 is no object.

    Args:
        id_map: uint8 (h, w), the object of each pixel.

    Returns:
        One mask per id that occurs, ids in ascending order. The masks do not overlap.

    Raises:
        FormatError: When the map is not two-dimensional, has no pixel or is not uint8.
    """
    if id_map.ndim != 2 or id_map.size == 0 or id_map.dtype != np.uint8:
        raise FormatError(
            f"A map of ids must be uint8 (h, w) with pixels, got {id_map.dtype} {id_map.shape}."
        )
    size = Size(*id_map.shape)
    flat = np.asarray(cv2.transpose(id_map)).ravel()
    starts = np.concatenate(([0], np.flatnonzero(flat[1:] != flat[:-1]) + 1))
    ends = np.concatenate((starts[1:], [flat.size]))
    values = flat[starts]
    found: dict[int, RLE] = {}
    for object_id in sorted(set(values.tolist()) - {0}):
        is_mine = values == object_id
        edges = np.stack([starts[is_mine], ends[is_mine]], axis=1).ravel()
        found[object_id] = rle.from_runs(size, np.diff(edges, prepend=0, append=flat.size))
    return found
