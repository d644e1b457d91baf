"""Where an automatic search clicks: crops of the image, and grids of points from coarse to fine."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from masklet.geometry import Box, Size
from masklet.predictors.auto_presets import AutoPreset


@dataclass(frozen=True, slots=True, kw_only=True)
class Crop:
    """A part of the image that is searched on its own.

    Attributes:
        left: First column.
        top: First row.
        size: Its size.
        image: Size of the whole image.
        points_per_side: Clicks per side.
    """

    left: int
    top: int
    size: Size
    image: Size
    points_per_side: int

    @property
    def box(self) -> Box:
        """The crop in image pixels."""
        return Box(self.left, self.top, self.left + self.size.width, self.top + self.size.height)

    @property
    def is_whole(self) -> bool:
        """Whether it is the whole image."""
        return self.size == self.image

    @property
    def inner_edges(self) -> tuple[bool, bool, bool, bool]:
        """Which of the left, top, right and bottom edges cut through the image."""
        return (
            self.left > 0,
            self.top > 0,
            self.left + self.size.width < self.image.width,
            self.top + self.size.height < self.image.height,
        )

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The pixels (h, w, 3) of the crop."""
        return image[self.top : self.top + self.size.height, self.left : self.left + self.size.width]


def crops_of(size: Size, preset: AutoPreset) -> list[Crop]:
    """The whole image, then each layer of overlapping crops."""
    crops = [Crop(left=0, top=0, size=size, image=size, points_per_side=preset.points_per_side)]
    for layer in range(1, preset.crop_layers + 1):
        points = max(1, preset.points_per_side >> layer)
        for top, height in _spans(size.height, 2**layer, preset.crop_overlap):
            for left, width in _spans(size.width, 2**layer, preset.crop_overlap):
                part = Crop(left=left, top=top, size=Size(height, width), image=size, points_per_side=points)
                if not part.is_whole:
                    crops.append(part)
    return crops


def _spans(length: int, count: int, overlap: float) -> list[tuple[int, int]]:
    """Start and length of ``count`` overlapping parts of equal length that cover a side."""
    part = min(length, int(np.ceil(length / (count - (count - 1) * overlap))))
    starts = [round(index * (length - part) / max(count - 1, 1)) for index in range(count)]
    return [(start, part) for start in dict.fromkeys(starts)]


def grid_points(points_per_side: int) -> np.ndarray:
    """Points (n * n, 2) as shares (x, y) of the sides, so ordered that every beginning covers the whole evenly.

    Source: ours; bit-reversed Morton order.
    """
    num_bits = max(1, (points_per_side - 1).bit_length())
    cells = [(row, column) for row in range(points_per_side) for column in range(points_per_side)]
    cells.sort(key=lambda cell: _coarse_rank(*cell, num_bits))
    return (np.array(cells, dtype=np.float64)[:, ::-1] + 0.5) / points_per_side


def _coarse_rank(row: int, column: int, num_bits: int) -> int:
    """Bits of both numbers interleaved, the lowest bits first: even cells come before odd ones."""
    rank = 0
    for bit in range(num_bits):
        rank = rank << 2 | (row >> bit & 1) << 1 | (column >> bit & 1)
    return rank
