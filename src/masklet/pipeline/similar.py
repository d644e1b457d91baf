"""Find all like this: examples in one image, objects that look like them in the same or another.

finder = SimilarFinder(ImagePredictor())
found = finder.find(image, [PromptSet(box=(10, 20, 80, 90))])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from masklet.errors import PromptError
from masklet.geometry import Box, Size
from masklet.pipeline.tiled_image import Tile, TiledImage, num_tiles_for
from masklet.prompts import Click, PromptSet

if TYPE_CHECKING:
    from masklet.grounding.exemplars import Peak, Prototypes
    from masklet.predictors.embedding import Embedding
    from masklet.predictors.image import ImagePredictor
    from masklet.predictors.results import Masks

_NUM_AT_ONCE = 16
_OUTSIDE_LOGIT = -10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarOptions:
    """How eagerly objects are taken for the same.

    Attributes:
        threshold: Least likeness of a whole object; an example itself has about 1.
        least_iou: Least quality of a mask by the model.
        least_score: Least score of an object.
        least_peak: Least likeness of a place that is looked at.
        most: The most places in a round.
        rounds: Times that what is not covered yet is looked at again.
        largest_ratio: Objects this many times larger or smaller than the examples are not taken, by area.
        max_overlap: IoU above which two masks are the same object.
        max_inside: Part of a mask that may lie in a better one.
    """

    threshold: float = 0.5
    least_iou: float = 0.25
    least_score: float = 0.25
    least_peak: float = 0.1
    most: int = 96
    rounds: int = 3
    largest_ratio: float = 5.0
    max_overlap: float = 0.4
    max_inside: float = 0.6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SimilarObject:
    """One object that looks like the examples.

    Attributes:
        mask: bool (h, w).
        box: Around it, in image pixels.
        score: Likeness and quality of the mask as one number; orders the objects of one search.
        likeness: How much more it looks like an example than like the background; an example itself has about 1.
        predicted_iou: How good the mask is by the model.
        logits: Mask logits, float32 (h, w).
    """

    mask: np.ndarray
    box: Box
    score: float
    likeness: float
    predicted_iou: float
    logits: np.ndarray


class SimilarFinder:
    """Searches images for what looks like examples. Holds a model and no other state."""

    def __init__(self, predictor: ImagePredictor, options: SimilarOptions | None = None) -> None:
        """Use a predictor.

        Args:
            predictor: Encodes images and cuts objects out.
            options: How eagerly objects are taken for the same.
        """
        self._predictor = predictor
        self._options = options or SimilarOptions()

    def learn(self, image: np.ndarray, examples: Sequence[PromptSet]) -> Prototypes:
        """What examples look like; a value to keep and use on many images.

        Args:
            image: RGB uint8 (h, w, 3).
            examples: A box or a mask, or clicks, for each.

        Raises:
            PromptError: When there is no example, or one does not fit the image or is empty.
        """
        return self._learn(image, examples)[1]

    def find(
        self, image: np.ndarray, examples: Sequence[PromptSet] | Prototypes, *, threshold: float | None = None
    ) -> list[SimilarObject]:
        """Objects that look like the examples, best first, the examples themselves among them.

        Args:
            image: RGB uint8 (h, w, 3).
            examples: Prompts on this image, or what ``learn`` made of another.
            threshold: Least likeness; None for that of the options.

        Raises:
            PromptError: When there is no example, or one does not fit the image or is empty.
        """
        from masklet.grounding.exemplars import Prototypes, find_peaks, likeness_map, without_places

        if isinstance(examples, Prototypes):
            known = examples
            tiled = TiledImage.encode(self._predictor, image, num_tiles_for(max(known.sides)))
        else:
            tiled, known = self._learn(image, examples)
        likeness = likeness_map(tiled.descriptors, known)
        least = self._options.threshold if threshold is None else threshold
        found: list[SimilarObject] = []
        for _ in range(self._options.rounds):
            peaks = find_peaks(likeness, known.area, least=self._options.least_peak, most=self._options.most)
            for start in range(0, len(peaks), _NUM_AT_ONCE):
                found += self._cut_out(tiled, peaks[start : start + _NUM_AT_ONCE], known, least)
            # What is found, and what was looked at in vain, is not looked at again: touching objects, which are one
            # high plain of likeness, come out one after the other.
            likeness = without_places(likeness, peaks, [one.mask for one in found])
            if not peaks:
                break
        return self._distinct(found)

    def _learn(self, image: np.ndarray, examples: Sequence[PromptSet]) -> tuple[TiledImage, Prototypes]:
        from masklet.grounding.exemplars import make_prototypes, mean_sides

        if not examples:
            raise PromptError("There is no example; give a box or a mask around one object.")
        size = Size(*image.shape[:2])
        for one in examples:
            one.check_inside(size)
        whole = None
        masks: list[np.ndarray] = []
        for one in examples:
            if one.mask is not None and one.is_mask_only:
                masks.append(one.mask.mask)
            else:
                whole = whole or self._predictor.embed(image)
                masks.append(self._outline(whole, one))
        if not all(mask.any() for mask in masks):
            raise PromptError("An example is empty; give a box or a mask around something.")
        num_tiles = num_tiles_for(max(mean_sides(masks)))
        tiled = TiledImage.encode(self._predictor, image, num_tiles)
        return tiled, make_prototypes(tiled.descriptors, np.stack(masks))

    def _outline(self, embedding: Embedding, example: PromptSet) -> np.ndarray:
        mask = self._predictor.predict_objects(embedding, [example])[0].masks[0]
        if mask.any() or example.box is None:
            return mask
        # a box around what the model does not see as an object still says where to look
        x0, y0, x1, y1 = (round(edge) for edge in example.box.xyxy)
        whole = np.zeros(embedding.size.hw, bool)
        whole[max(0, y0) : max(y1, y0 + 1), max(0, x0) : max(x1, x0 + 1)] = True
        return whole

    def _cut_out(
        self, tiled: TiledImage, peaks: Sequence[Peak], known: Prototypes, least: float
    ) -> list[SimilarObject]:
        """The best of three masks at each peak, where one is like the examples."""
        size = tiled.size
        clicks = [
            PromptSet(
                [Click(min(one.x * size.width, size.width - 1), min(one.y * size.height, size.height - 1))]
            )
            for one in peaks
        ]
        rated = (
            [self._rated(tiled, tile, answer, index, known, least) for index in range(len(answer.masks))]
            for tile, answer in tiled.predict(self._predictor, clicks, multimask=True)
        )
        kept = ([one for one in each if one is not None] for each in rated)
        return [max(each, key=lambda one: one.score) for each in kept if each]

    def _rated(
        self, tiled: TiledImage, tile: Tile, answer: Masks, index: int, known: Prototypes, least: float
    ) -> SimilarObject | None:
        from masklet.grounding.exemplars import likeness_of

        iou = float(answer.scores[index])
        ratio = float(answer.masks[index].sum()) / tiled.size.num_pixels / known.area
        largest = self._options.largest_ratio
        if iou < self._options.least_iou or not 1 / largest <= ratio <= largest:
            return None
        mask = tile.pasted(answer.masks[index], tiled.size, outside=False)
        likeness = likeness_of(tiled.descriptors, mask, known)
        if likeness < least:
            return None
        # half of the weight of the size is lost at a ratio of about three
        closeness = float(np.exp(-0.5 * np.log(ratio) ** 2))
        score = max(0.0, likeness) * max(0.05, iou) * (0.5 + 0.5 * closeness)
        if score < self._options.least_score:
            return None
        return SimilarObject(
            mask=mask,
            box=_box_around(mask),
            score=score,
            likeness=likeness,
            predicted_iou=iou,
            logits=tile.pasted(answer.logits[index], tiled.size, outside=_OUTSIDE_LOGIT),
        )

    def _distinct(self, found: list[SimilarObject]) -> list[SimilarObject]:
        kept: list[SimilarObject] = []
        for one in sorted(found, key=lambda each: -each.score):
            if all(self._is_other(one.mask, other.mask) for other in kept):
                kept.append(one)
        return kept

    def _is_other(self, mask: np.ndarray, better: np.ndarray) -> bool:
        shared = np.count_nonzero(mask & better)
        if not shared:
            return True
        area, joined = np.count_nonzero(mask), np.count_nonzero(mask | better)
        return bool(
            shared / joined <= self._options.max_overlap and shared / area <= self._options.max_inside
        )


def _box_around(mask: np.ndarray) -> Box:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))
