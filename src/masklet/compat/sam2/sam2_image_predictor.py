"""SAM 2's image predictor over ours: the image is the predictor's state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from masklet.compat.sam2.building import build_for_video
from masklet.compat.sam2.model import Sam2Model
from masklet.compat.sam2.prompts import as_numbers, read_prompts
from masklet.errors import PromptError, SessionError
from masklet.geometry import Size
from masklet.predictors.embedding import Embedding
from masklet.predictors.image import ImagePredictor
from masklet.predictors.preprocess import PostProcess, tidy_masks
from masklet.predictors.results import Masks
from masklet.prompts import PromptSet
from masklet.weights.load import LoadedModel

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; only type checkers read it

_FILLED_LOGIT = 10.0

Answer = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Masks (c, h, w), predicted IoU (c,) and low-resolution logits (c, h4, w4); with a first axis for several objects."""


class SAM2ImagePredictor:
    """Holds one image, or several, and answers prompts about them. Not for several threads at once."""

    def __init__(
        self,
        sam_model: Sam2Model | LoadedModel,
        mask_threshold: float = 0.0,
        max_hole_area: float = 0.0,
        max_sprinkle_area: float = 0.0,
        **_unused: object,
    ) -> None:
        """Use a model.

        Args:
            sam_model: What ``build_sam2`` returned, or a loaded model.
            mask_threshold: Logit above which a pixel belongs to the mask.
            max_hole_area: Holes of at most so many cells of the low-resolution mask are filled.
            max_sprinkle_area: Parts of at most so many cells are removed.
        """
        self.model = sam_model if isinstance(sam_model, Sam2Model) else Sam2Model(sam_model)
        self.mask_threshold = mask_threshold
        self.tidying = PostProcess(hole_area=max_hole_area, speck_area=max_sprinkle_area)
        self._predictor = ImagePredictor(self.model.loaded, post_process=self.tidying)
        self._embeddings: list[Embedding] = []
        self._is_batch = False

    @classmethod
    def from_pretrained(cls, model_id: str, **kwargs: Any) -> Self:  # noqa: ANN401 - handed to the builder
        """A predictor with the model of the hub's name, such as "facebook/sam2.1-hiera-tiny"."""
        return cls(build_for_video(model_id, **kwargs).model, **kwargs)

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        return self.model.device

    def set_image(self, image: Any) -> None:  # noqa: ANN401 - arrays and PIL images are given
        """Encode an image, RGB uint8 (h, w, 3) or a PIL image, which the next prompts speak of.

        Raises:
            MediaError: When it is neither.
        """
        self.set_image_batch([image])
        self._is_batch = False

    def set_image_batch(self, image_list: Sequence[Any]) -> None:
        """Encode several images, which ``predict_batch`` speaks of.

        Raises:
            MediaError: When one cannot be read.
        """
        self.reset_predictor()
        # one at a time: the same numbers as alone, and no more memory than one image needs
        self._embeddings = [self._predictor.embed(image) for image in image_list]
        self._is_batch = True

    def reset_predictor(self) -> None:
        """Forget the image."""
        self._embeddings, self._is_batch = [], False

    def get_image_embedding(self) -> Tensor:
        """Features of the image (1, c, h, w) at stride 16.

        Raises:
            SessionError: When no image is set.
        """
        return self._only().features.features

    @property
    def _features(self) -> dict[str, Any] | None:
        """What existing code reads of the image, or of several: "image_embed" and, finest first, "high_res_feats"."""
        if not self._embeddings:
            return None
        images = [one.features for one in self._embeddings]
        skips = zip(*(one.skips for one in images), strict=True)
        return {
            "image_embed": torch.cat([one.features for one in images]),
            "high_res_feats": [torch.cat(maps) for maps in skips],
        }

    @property
    def _orig_hw(self) -> list[tuple[int, int]] | None:
        """Height and width of each image; None before one is set."""
        return [one.size.hw for one in self._embeddings] or None

    @property
    def _is_image_set(self) -> bool:
        """Whether an image is set."""
        return bool(self._embeddings)

    def predict(
        self,
        point_coords: Any = None,  # noqa: ANN401 - arrays, tensors and lists are given
        point_labels: Any = None,  # noqa: ANN401 - as above
        box: Any = None,  # noqa: ANN401 - as above
        mask_input: Any = None,  # noqa: ANN401 - as above
        multimask_output: bool = True,  # noqa: FBT001, FBT002 - the signature is given
        return_logits: bool = False,  # noqa: FBT001, FBT002 - as above
        normalize_coords: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> Answer:
        """Masks of one object of the image, or of several at once.

        Args:
            point_coords: Points (n, 2) as x, y, or (b, n, 2) for b objects.
            point_labels: Their labels (n,) or (b, n): 1 on the object, 0 off it.
            box: x0, y0, x1, y1 as (4,), or (b, 4) for b objects.
            mask_input: Low-resolution logits of an earlier answer, (1, h4, w4) or (b, 1, h4, w4).
            multimask_output: Whether three candidates are given rather than one.
            return_logits: Whether masks are logits rather than 0 and 1.
            normalize_coords: Whether points and boxes are in pixels; else they are shares of the sides.

        Returns:
            Masks float32 (c, h, w) at image size, predicted IoU float32 (c,) and low-resolution logits float32
            (c, h4, w4), in the decoder's order; for b > 1 objects each with a first axis of b.

        Raises:
            SessionError: When no image is set.
            PromptError: When the prompts do not fit.
        """
        given = (point_coords, point_labels, box, mask_input)
        embedding = self._only()
        prompts, starts = _read_objects(*given, embedding.size, is_in_pixels=normalize_coords)
        answers = self._answers(embedding, prompts, starts, is_multiple=multimask_output)
        return self._joined(answers, embedding.size, as_logits=return_logits)

    def predict_batch(
        self,
        point_coords_batch: Sequence[Any] | None = None,
        point_labels_batch: Sequence[Any] | None = None,
        box_batch: Sequence[Any] | None = None,
        mask_input_batch: Sequence[Any] | None = None,
        multimask_output: bool = True,  # noqa: FBT001, FBT002 - the signature is given
        return_logits: bool = False,  # noqa: FBT001, FBT002 - as above
        normalize_coords: bool = True,  # noqa: FBT001, FBT002 - as above
    ) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
        """As ``predict`` for every image of ``set_image_batch``: lists in, lists out.

        Raises:
            SessionError: When no batch of images is set.
            PromptError: When the prompts do not fit, or a list has another length than the images.
        """
        if not self._is_batch:
            raise SessionError("predict_batch needs images; call set_image_batch first.")
        lists = (point_coords_batch, point_labels_batch, box_batch, mask_input_batch)
        count = len(self._embeddings)
        for one in lists:
            if one is not None and len(one) != count:
                raise PromptError(
                    f"Got prompts for {len(one)} images, but {count} are set; give one per image."
                )
        columns = [[None] * count if one is None else list(one) for one in lists]
        found: list[Answer] = []
        for embedding, *given in zip(self._embeddings, *columns, strict=True):
            points, labels, box, mask = given
            prompts, starts = _read_objects(
                points, labels, box, mask, embedding.size, is_in_pixels=normalize_coords
            )
            answers = self._answers(embedding, prompts, starts, is_multiple=multimask_output)
            found.append(self._joined(answers, embedding.size, as_logits=return_logits))
        return [one[0] for one in found], [one[1] for one in found], [one[2] for one in found]

    def _only(self) -> Embedding:
        if not self._embeddings or self._is_batch:
            raise SessionError("No single image is set; call set_image first, or use predict_batch.")
        return self._embeddings[0]

    def _answers(
        self,
        embedding: Embedding,
        prompts: list[PromptSet],
        starts: list[np.ndarray | None],
        *,
        is_multiple: bool,
    ) -> list[Masks]:
        return self._predictor.predict_batch(
            [embedding], [prompts], multimask=is_multiple, start_logits=[starts], ranked=False
        )[0]

    def _joined(self, answers: Sequence[Masks], size: Size, *, as_logits: bool) -> Answer:
        shown = np.stack([self._shown(one, size, as_logits=as_logits) for one in answers])
        scores = np.stack([one.scores for one in answers]).astype(np.float32)
        low = np.stack([one.low_res_logits for one in answers]).astype(np.float32)
        return (shown, scores, low) if len(answers) > 1 else (shown[0], scores[0], low[0])

    def _shown(self, answer: Masks, size: Size, *, as_logits: bool) -> np.ndarray:
        masks, threshold = answer.masks, self.mask_threshold
        if threshold:
            cell = size.num_pixels / answer.low_res_logits.shape[-1] / answer.low_res_logits.shape[-2]
            masks = tidy_masks(torch.from_numpy(answer.logits - threshold), cell, self.tidying)
        if not as_logits:
            return masks.astype(np.float32)
        logits = np.where(masks & (answer.logits <= threshold), threshold + _FILLED_LOGIT, answer.logits)
        return np.where(~masks & (logits > threshold), threshold - _FILLED_LOGIT, logits).astype(np.float32)


def _read_objects(
    points: Any,  # noqa: ANN401 - arrays, tensors and lists are given
    labels: Any,  # noqa: ANN401 - as above
    box: Any,  # noqa: ANN401 - as above
    mask_input: Any,  # noqa: ANN401 - as above
    size: Size,
    *,
    is_in_pixels: bool,
) -> tuple[list[PromptSet], list[np.ndarray | None]]:
    """One prompt set and start per object, whether one or several were given."""
    all_points = None if points is None else _with_objects(as_numbers(points), 3)
    all_labels = None if labels is None else _with_objects(as_numbers(labels), 2)
    boxes = None if box is None else as_numbers(box).reshape(-1, 4)
    masks = None if mask_input is None else _with_objects(as_numbers(mask_input), 4)
    if points is None and box is None and masks is not None:
        # the mask to refine is all that is said: what stands in the prompt set is replaced by it
        blank = np.ones(size.hw, dtype=bool)
        return [PromptSet(mask=blank) for _ in masks], [mask[0].astype(np.float32) for mask in masks]
    count = max((len(one) for one in (all_points, boxes) if one is not None), default=1)
    for one in (all_points, all_labels, boxes, masks):
        if one is not None and len(one) != count:
            raise PromptError(f"Points, labels, boxes and masks speak of {count} and {len(one)} objects.")
    prompts = [
        read_prompts(
            _row(all_points, index),
            _row(all_labels, index),
            _row(boxes, index),
            size,
            is_in_pixels=is_in_pixels,
        )
        for index in range(count)
    ]
    starts = [None if masks is None else masks[index][0].astype(np.float32) for index in range(count)]
    return prompts, starts


def _with_objects(values: np.ndarray, num_axes: int) -> np.ndarray:
    return values if values.ndim >= num_axes else values[None]


def _row(values: np.ndarray | None, index: int) -> np.ndarray | None:
    return None if values is None else values[index]
