"""Segmenting still images: embed once, prompt as often as you like."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from masklet.errors import MediaError, MismatchedWeightsError, PromptError
from masklet.geometry import Size
from masklet.models import sam2_clicks
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.model import ImageFeatures, SegmentationModel
from masklet.models.prompt_encoder import EncodedPrompts
from masklet.predictors.auto_decode import shared_image
from masklet.predictors.embedding import Embedding
from masklet.predictors.out_of_memory import in_parts
from masklet.predictors.preprocess import (
    PostProcess,
    tidy_masks,
    to_image_logits,
    to_model_prompt,
    to_pixels,
)
from masklet.predictors.results import Masks
from masklet.predictors.second_look import SecondLook
from masklet.prompts import PromptSet
from masklet.tracking.clicked_parts import keep_clicked_parts, keep_parts_in_image
from masklet.tracking.mask_scores import stability_of
from masklet.tracking.model_prompt import ModelPrompt
from masklet.tracking.policy import RECENT, choose_by_iou
from masklet.tracking.step import LOGIT_LIMIT, Tracker
from masklet.video.image import read_image
from masklet.weights.load import LoadedModel, load_model


class ImagePredictor:
    """Segments objects in images. Safe to share between threads: beside a model it holds one swapped value.

    That value is what SAM 2's decoder, on a CPU, needs of the image that was last prompted, whatever is clicked on it.
    """

    def __init__(
        self,
        model: LoadedModel | str = "compact",
        *,
        post_process: PostProcess | None = None,
        second_look: bool | None = None,
    ) -> None:
        """Use a loaded model, or load one by name.

        Args:
            model: A loaded model or what ``load_model`` takes.
            post_process: How masks are tidied; None for the default.
            second_look: Whether a small object is looked at again, enlarged, at the cost of one more encoding for
                each object; None for what the model is made for.
        """
        self.model = load_model(model) if isinstance(model, str) else model
        self.post_process = post_process or PostProcess()
        wants = self.model.config.looks_again if second_look is None else second_look
        plain = (
            ImagePredictor(self.model, post_process=self.post_process, second_look=False) if wants else None
        )
        keeps_parts = self.model.config.keeps_clicked_parts
        self._closer = (
            None if plain is None else SecondLook(plain, self.post_process, keeps_clicked_parts=keeps_parts)
        )
        self._is_smooth = self.model.config.enlarges_smoothly
        self._tracker = Tracker(
            model=self.model.model, policy=RECENT, pointer_span=self.model.config.max_pointers
        )
        self._last_shared: tuple[weakref.ref[Tensor], sam2_clicks.SharedImage] | None = None

    @property
    def mask_side(self) -> int:
        """Side of the decoder's masks in cells."""
        return self.model.config.mask_side

    @property
    def second_look(self) -> bool:
        """Whether small objects are looked at again."""
        return self._closer is not None

    @torch.inference_mode()
    def embed(self, image: Any) -> Embedding:  # noqa: ANN401 - every picture type is a border
        """Encode an image.

        Args:
            image: RGB uint8 (h, w, 3), a PIL image or a path.

        Raises:
            MediaError: When it cannot be read.
        """
        return self.embed_batch([image])[0]

    @torch.inference_mode()
    def embed_batch(self, images: Sequence[Any]) -> list[Embedding]:
        """Encode several images in one pass, or in smaller ones where the device's memory does not suffice."""
        return in_parts(self._embed_together, [as_picture(image) for image in images])

    def _embed_together(self, pictures: Sequence[np.ndarray]) -> list[Embedding]:
        loaded = self.model
        pixels = torch.cat([to_pixels(picture, loaded.config, loaded.device) for picture in pictures])
        with loaded.precision.autocast():
            features = loaded.model.encode_image(pixels)
            marked = self._marked(features)
        return [self._embedding(marked.select(index), picture) for index, picture in enumerate(pictures)]

    @torch.inference_mode()
    def embedding_of(self, features: ImageFeatures, picture: np.ndarray) -> Embedding:
        """The embedding of an image that this model has encoded already.

        Args:
            features: What the model's ``encode_image`` gave.
            picture: The image, RGB uint8 (h, w, 3).
        """
        with self.model.precision.autocast():
            return self._embedding(self._marked(features), picture)

    def _marked(self, features: ImageFeatures) -> ImageFeatures:
        """Features with the mark of an image of which nothing is remembered."""
        return ImageFeatures(self.model.model.no_memory(features.features), features.skip4, features.skip8)

    def _embedding(self, features: ImageFeatures, picture: np.ndarray) -> Embedding:
        return Embedding(
            features=features,
            size=Size(*picture.shape[:2]),
            model_name=self.model.name,
            weights_sha256=self.model.weights_sha256,
            picture=picture if self.second_look else None,
        )

    def predict(
        self,
        embedding: Embedding,
        prompts: PromptSet,
        *,
        multimask: bool = True,
        start_logits: np.ndarray | None = None,
    ) -> Masks:
        """Segment one object.

        Args:
            embedding: The image.
            prompts: What is known of the object, in image pixels.
            multimask: Whether to return three candidates, for ambiguous prompts, rather than one.
            start_logits: ``low_res_logits`` (h4, w4) of the last answer, to refine it.

        Raises:
            PromptError: When a prompt does not fit the image.
        """
        starts = None if start_logits is None else [start_logits]
        return self.predict_objects(embedding, [prompts], multimask=multimask, start_logits=starts)[0]

    @torch.inference_mode()
    def predict_objects(
        self,
        embedding: Embedding,
        prompts: Sequence[PromptSet],
        *,
        multimask: bool | None = None,
        start_logits: Sequence[np.ndarray | None] | None = None,
    ) -> list[Masks]:
        """Segment several objects of one image in one pass.

        Args:
            embedding: The image.
            prompts: One set per object; they may differ in number and kind.
            multimask: Three candidates or one; None gives one, the best, as tracking would choose it.
            start_logits: A mask to refine for each object, or None.
        """
        return self.predict_batch([embedding], [prompts], multimask=multimask, start_logits=[start_logits])[0]

    @torch.inference_mode()
    def predict_batch(
        self,
        embeddings: Sequence[Embedding],
        prompts: Sequence[Sequence[PromptSet]],
        *,
        multimask: bool | None = None,
        start_logits: Sequence[Sequence[np.ndarray | None] | None] | None = None,
        ranked: bool = True,
    ) -> list[list[Masks]]:
        """Segment ragged sets of objects of several images in one pass.

        Args:
            embeddings: The images.
            prompts: For each image, one set per object.
            multimask: As in ``predict_objects``.
            start_logits: For each image, a mask to refine per object, or None.
            ranked: Whether candidates come best first; else they come in the decoder's order.

        Raises:
            PromptError: When a prompt does not fit its image, or the lists differ in length.
            MismatchedWeightsError: When another model made an embedding.
        """
        for embedding in embeddings:
            self._check_made_here(embedding)
        if len(embeddings) != len(prompts):
            raise PromptError(
                f"Got {len(embeddings)} images and {len(prompts)} lists of prompts; give one per image."
            )
        owners = [index for index, sets in enumerate(prompts) for _ in sets]
        if not owners:
            return [[] for _ in prompts]
        starts = start_logits or [None] * len(prompts)
        wanted = [
            self._model_prompt(embedding, one, start)
            for embedding, sets, ones in zip(embeddings, prompts, starts, strict=True)
            for one, start in zip(sets, ones or [None] * len(sets), strict=True)
        ]
        decoded = self._decode([embedding.features for embedding in embeddings], owners, wanted)
        answers: list[list[Masks]] = [[] for _ in prompts]
        orders: list[list[list[int]]] = [[] for _ in prompts]
        for row, owner in enumerate(owners):
            chosen = self._candidates(decoded, row, wanted[row], multimask=multimask)
            orders[owner].append(chosen)
            low = self._tidied(decoded.logits[row, chosen].float(), wanted[row])
            said = prompts[owner][len(answers[owner])]
            answers[owner].append(self._finish(decoded, row, chosen, low, embeddings[owner].size, said))
        for embedding, sets, found in zip(embeddings, prompts, answers, strict=True):
            self._look_again(embedding, sets, found, multimask=multimask)
        return answers if ranked else [_in_order(*pair) for pair in zip(answers, orders, strict=True)]

    def _decode(
        self, images: Sequence[ImageFeatures], owners: Sequence[int], prompts: Sequence[ModelPrompt]
    ) -> DecodedMasks:
        network, features = self.model.model, _gather(images, owners)
        with self.model.precision.autocast():
            encoded = self._tracker.encode(prompts, features.features)
            if (
                len(images) == 1
                and isinstance(network, SegmentationModel)
                and sam2_clicks.is_possible(images[0].features, encoded)
            ):
                is_same = all(prompt.start_logits is None for prompt in prompts)
                shared = self._shared(network, images[0], encoded, is_kept=is_same)
                return sam2_clicks.decode(network.decoder, shared, encoded.tokens)
            return network.decode(features.features, features.skips, encoded)

    def _shared(
        self, network: SegmentationModel, image: ImageFeatures, prompts: EncodedPrompts, *, is_kept: bool
    ) -> sam2_clicks.SharedImage:
        """What the decoder needs of one image; kept for its next prompts where no mask to start from enters it."""
        last = self._last_shared
        if is_kept and last is not None and last[0]() is image.features:
            return last[1]
        shared = shared_image(network, image, prompts)
        if is_kept:
            self._last_shared = (weakref.ref(image.features, self._forget), shared)
        return shared

    def _forget(self, image: weakref.ref[Tensor]) -> None:
        if self._last_shared is not None and self._last_shared[0] is image:
            self._last_shared = None

    def _look_again(
        self,
        embedding: Embedding,
        prompts: Sequence[PromptSet],
        found: list[Masks],
        *,
        multimask: bool | None,
    ) -> None:
        """Put better answers in place of those about small objects; of several candidates the best one is looked at."""
        if embedding.picture is None or self._closer is None:
            return
        again = self._closer.answers(embedding.picture, prompts, found, multimask=multimask and None)
        for index, masks in again.items():
            found[index] = masks

    @torch.inference_mode()
    def look_again(self, picture: np.ndarray, prompts: PromptSet, low_res_logits: np.ndarray) -> Masks | None:
        """One object of a frame after a second look.

        Args:
            picture: RGB uint8 (h, w, 3).
            prompts: What was said.
            low_res_logits: The first answer (h4, w4).

        Returns:
            Both answers as one, or None where the model or the size of the object asks for no second look.
        """
        if self._closer is None:
            return None
        low, size = torch.from_numpy(low_res_logits)[None], Size(*picture.shape[:2])
        full = self._enlarged(low, size, prompts)
        first = Masks(
            masks=tidy_masks(full, size.num_pixels / low.shape[-1] / low.shape[-2], self.post_process),
            scores=np.ones(1, np.float32),
            logits=full.numpy(),
            presence=1.0,
            low_res_logits=low.numpy(),
        )
        return self._closer.answers(picture, [prompts], [first]).get(0)

    def _check_made_here(self, embedding: Embedding) -> None:
        """Refuse features that mean nothing to this model."""
        made_by = (embedding.model_name, embedding.weights_sha256)
        side = embedding.features.skip4.shape[-1]
        if made_by != (self.model.name, self.model.weights_sha256) or side != self.model.config.mask_side:
            raise MismatchedWeightsError(
                f"The embedding was made by {embedding.model_name} at {4 * side} px and other weights than "
                f"{self.model.name} at {self.model.config.image_size} px; embed the image again with this model."
            )

    def _model_prompt(
        self, embedding: Embedding, prompts: PromptSet, start: np.ndarray | None
    ) -> ModelPrompt:
        made = to_model_prompt(prompts, embedding.size, self.model.config)
        given = made.start_logits
        if made.given_mask is not None:
            side = self.model.config.mask_side
            given = torch.nn.functional.interpolate(
                (20 * made.given_mask - 10)[None, None], size=(side, side), mode="bilinear", antialias=True
            )[0, 0]
        if start is not None:
            given = torch.from_numpy(np.asarray(start, dtype=np.float32))
        return ModelPrompt(points_xy=made.points_xy, labels=made.labels, start_logits=given)

    def _candidates(
        self, decoded: DecodedMasks, row: int, prompt: ModelPrompt, *, multimask: bool | None
    ) -> list[int]:
        if multimask:
            return (decoded.iou[row, 1:].argsort(descending=True) + 1).tolist()
        is_ambiguous = torch.tensor(
            [len(prompt.labels) <= 1 and multimask is None], device=decoded.iou.device
        )
        one = DecodedMasks(*(part[row : row + 1] for part in _parts(decoded)))
        moment = self._tracker.moment(0, is_backward=False)
        return choose_by_iou(one, is_ambiguous, [], moment).tolist()

    def _tidied(self, low: Tensor, prompt: ModelPrompt) -> Tensor:
        config = self.model.config
        if not config.keeps_clicked_parts:
            return low
        return torch.stack(
            [keep_clicked_parts(one, prompt.points_xy, prompt.labels, config.image_size) for one in low]
        )

    def _enlarged(self, low: Tensor, size: Size, prompts: PromptSet) -> Tensor:
        """Logits (n, h4, w4) at image size, without parts that were not clicked where the model wants this."""
        full = to_image_logits(low, size, is_smooth=self._is_smooth)
        if not self.model.config.keeps_clicked_parts:
            return full
        return torch.stack([keep_parts_in_image(one, prompts) for one in full])

    def _finish(
        self,
        decoded: DecodedMasks,
        row: int,
        chosen: list[int],
        low: Tensor,
        size: Size,
        prompts: PromptSet,
    ) -> Masks:
        full = self._enlarged(low, size, prompts)
        return Masks(
            masks=tidy_masks(full, size.num_pixels / low.shape[-1] / low.shape[-2], self.post_process),
            scores=decoded.iou[row, chosen].float().cpu().numpy(),
            logits=full.cpu().numpy(),
            presence=float(decoded.presence[row].float().sigmoid()),
            low_res_logits=low.clamp(-LOGIT_LIMIT, LOGIT_LIMIT).cpu().numpy(),
        )


def as_picture(image: Any) -> np.ndarray:  # noqa: ANN401 - every picture type is a border
    """RGB uint8 (h, w, 3) from such an array, a PIL image or a path.

    Raises:
        MediaError: When it cannot be read or the array is of another type or shape.
    """
    if not isinstance(image, np.ndarray):
        return read_image(image)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise MediaError(
            f"An image array must be RGB uint8 (h, w, 3), got {image.dtype} of shape {image.shape}; convert it first."
        )
    return image


def mask_stability(masks: Masks) -> np.ndarray:
    """Stability score of each candidate (n,)."""
    return stability_of(torch.from_numpy(masks.low_res_logits)).numpy()


def _in_order(answers: list[Masks], orders: list[list[int]]) -> list[Masks]:
    """Candidates by their place in the decoder."""
    found: list[Masks] = []
    for masks, places in zip(answers, orders, strict=True):
        order = np.argsort(places)
        found.append(
            Masks(
                masks=masks.masks[order],
                scores=masks.scores[order],
                logits=masks.logits[order],
                presence=masks.presence,
                low_res_logits=masks.low_res_logits[order],
            )
        )
    return found


def _parts(decoded: DecodedMasks) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    return decoded.logits, decoded.iou, decoded.presence, decoded.tokens


def _gather(features: Sequence[ImageFeatures], owners: Sequence[int]) -> ImageFeatures:
    """Features of each object's image; a single image stays one shared row."""
    if len(features) == 1:
        only = features[0]
        return ImageFeatures(only.features.expand(len(owners), -1, -1, -1), only.skip4, only.skip8)
    maps = [
        torch.cat([getattr(one, name) for one in features])[list(owners)]
        for name in ("features", "skip4", "skip8")
    ]
    return ImageFeatures(*maps)
