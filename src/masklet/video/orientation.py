"""How a decoded picture must be turned to stand upright."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import av
import numpy as np

from masklet.geometry import Size
from masklet.video.source import Image


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """One of the eight ways to turn and mirror a picture: swap the axes first, then flip.

    Attributes:
        swaps_axes: Rows become columns.
        flips_x: Left and right change places (after the swap).
        flips_y: Top and bottom change places (after the swap).
    """

    swaps_axes: bool = False
    flips_x: bool = False
    flips_y: bool = False

    @property
    def rotation(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270 degrees, after a left-right mirroring when ``is_mirrored``."""
        if self.swaps_axes:
            return 90 if self.flips_x else 270
        return 180 if self.flips_y else 0

    @property
    def is_mirrored(self) -> bool:
        """Whether the picture is also mirrored."""
        return self.swaps_axes ^ self.flips_x ^ self.flips_y

    def size_of(self, stored: Size) -> Size:
        """Size as shown of a picture stored at ``stored``."""
        return Size(stored.width, stored.height) if self.swaps_axes else stored

    def apply(self, image: Image) -> Image:
        """The picture upright, as a new contiguous array when anything moves."""
        turned = image.transpose(1, 0, 2) if self.swaps_axes else image
        if self.flips_x:
            turned = turned[:, ::-1]
        if self.flips_y:
            turned = turned[::-1]
        return np.ascontiguousarray(turned)


def orientation_of(frame: av.VideoFrame) -> Orientation:
    """The orientation in a frame's display matrix, rounded to right angles; upright when there is none.

    Source: AV_FRAME_DATA_DISPLAYMATRIX, nine 16.16 numbers (a b u, c d v, x y w): a stored point (x,
        y) is shown at
    (a x + c y, b x + d y).
    """
    data = frame.side_data.get("DISPLAYMATRIX")
    if data is None or len(bytes(data)) < 36:
        return Orientation()
    a, b, _, c, d = struct.unpack("=5i", bytes(data)[:20])
    if abs(b) + abs(c) > abs(a) + abs(d):
        return Orientation(swaps_axes=True, flips_x=c < 0, flips_y=b < 0)
    return Orientation(flips_x=a < 0, flips_y=d < 0)
