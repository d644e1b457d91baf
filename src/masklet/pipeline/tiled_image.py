"""An image encoded in overlapping tiles, so that small objects are seen enlarged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from masklet.geometry import Box, Size
from masklet.prompts import Click, PromptSet

if TYPE_CHECKING:
    from torch import Tensor

    from masklet.predictors.embedding import Embedding
    from masklet.predictors.image import ImagePredictor
    from masklet.predictors.results import Masks

MOST_TILES = 3
"""Per side: more shows so little of the surroundings that nothing is told apart."""
_OVERLAP = 0.25
_ROOM = 7.0
"""A tile is at least so many times as wide and high as an object."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tile:
    """A part of an image: columns from left, rows from top, and what the encoder says of it."""

    left: int
    top: int
    embedding: Embedding

    @property
    def size(self) -> Size:
        """Its size in image pixels."""
        return self.embedding.size

    def inside(self, prompts: PromptSet) -> PromptSet:
        """Clicks and box in the tile's own pixels, moved to its edge where they lie outside."""
        clicks = [
            Click(
                min(max(one.x - self.left, 0), self.size.width - 1),
                min(max(one.y - self.top, 0), self.size.height - 1),
                one.positive,
            )
            for one in prompts.clicks
        ]
        box = prompts.box
        if box is None:
            return PromptSet(clicks)
        x0, x1 = (edge - self.left for edge in (box.x0, box.x1))
        y0, y1 = (edge - self.top for edge in (box.y0, box.y1))
        return PromptSet(clicks, box=Box(x0, y0, x1, y1).clipped(self.size))

    def holds(self, box: Box) -> bool:
        """Whether the whole box lies in it."""
        return (
            self.left <= box.x0
            and self.top <= box.y0
            and box.x1 <= self.left + self.size.width
            and box.y1 <= self.top + self.size.height
        )

    def pasted(self, values: np.ndarray, image: Size, *, outside: float) -> np.ndarray:
        """A map of the tile (h, w) on one of the whole image."""
        whole = np.full(image.hw, outside, values.dtype)
        whole[self.top : self.top + self.size.height, self.left : self.left + self.size.width] = values
        return whole


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TiledImage:
    """An image in tiles.

    Attributes:
        size: Of the image.
        tiles: Row by row.
        descriptors: Unit descriptors of its cells, (h, w, c), over the whole image.
    """

    size: Size
    tiles: tuple[Tile, ...]
    descriptors: Tensor

    @classmethod
    def encode(cls, predictor: ImagePredictor, image: np.ndarray, num_tiles: int) -> TiledImage:
        """Cut and encode.

        Args:
            predictor: Encodes.
            image: RGB uint8 (h, w, 3).
            num_tiles: Per side.
        """
        from masklet.grounding.exemplars import join_descriptors

        size = Size(*image.shape[:2])
        places = [
            (left, top, width, height)
            for top, height in _spans(size.height, num_tiles)
            for left, width in _spans(size.width, num_tiles)
        ]
        tiles = tuple(
            Tile(
                left=left,
                top=top,
                embedding=predictor.embed(
                    np.ascontiguousarray(image[top : top + height, left : left + width])
                ),
            )
            for left, top, width, height in places
        )
        shares = [
            (left / size.width, top / size.height, (left + width) / size.width, (top + height) / size.height)
            for left, top, width, height in places
        ]
        descriptors = join_descriptors([one.embedding.features for one in tiles], shares)
        return cls(size=size, tiles=tiles, descriptors=descriptors)

    def tile_of(self, prompts: PromptSet) -> Tile:
        """The tile in whose middle a prompt lies most; one that holds its whole box where there is such."""
        x, y = _middle(prompts)

        def distance(one: Tile) -> float:
            across = abs(x - one.left - one.size.width / 2) / one.size.width
            down = abs(y - one.top - one.size.height / 2) / one.size.height
            return max(across, down)

        box = prompts.box
        among = [one for one in self.tiles if box is not None and one.holds(box)]
        return min(among or self.tiles, key=distance)

    def predict(
        self, predictor: ImagePredictor, prompts: Sequence[PromptSet], *, multimask: bool | None
    ) -> list[tuple[Tile, Masks]]:
        """What each prompt cuts out of its tile, in the order of the prompts."""
        owners = [self.tile_of(one) for one in prompts]
        answers: dict[int, Masks] = {}
        for tile in self.tiles:
            rows = [row for row, owner in enumerate(owners) if owner is tile]
            if rows:
                sets = [tile.inside(prompts[row]) for row in rows]
                found = predictor.predict_objects(tile.embedding, sets, multimask=multimask)
                answers.update(zip(rows, found, strict=True))
        return [(owners[row], answers[row]) for row in range(len(prompts))]


def num_tiles_for(extent: float) -> int:
    """How many tiles per side let an object fill a good part of one.

    Args:
        extent: Its longer side as part of the image's.
    """
    fitting = [
        count for count in range(1, MOST_TILES + 1) if 1 / (count - (count - 1) * _OVERLAP) >= _ROOM * extent
    ]
    return max(fitting, default=1)


def _middle(prompts: PromptSet) -> tuple[float, float]:
    if prompts.box is not None:
        return prompts.box.centre_xy
    return (
        float(np.mean([one.x for one in prompts.clicks])),
        float(np.mean([one.y for one in prompts.clicks])),
    )


def _spans(length: int, count: int) -> list[tuple[int, int]]:
    """Start and length of overlapping parts of equal length that cover a side."""
    part = min(length, int(np.ceil(length / (count - (count - 1) * _OVERLAP))))
    starts = [round(index * (length - part) / max(count - 1, 1)) for index in range(count)]
    return [(start, part) for start in dict.fromkeys(starts)]
