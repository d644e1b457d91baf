"""One tracked frame of SAM 2 for many objects from tensors to tensors: nothing in it waits for the device.

What ``tracking.step`` does with banks, scores and boxes, done here on padded memories with shapes that stay the same from
frame to frame, so that it can be compiled and recorded; the host reads scores, boxes and masks later. The same masks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from masklet.geometry import Size
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import ABSENT_LOGIT, ImageFeatures, SegmentationModel
from masklet.models.precision import PrecisionPolicy
from masklet.models.prompt_encoder import EncodedPrompts
from masklet.predictors.compilation import Compilation, with_weights_in
from masklet.predictors.packed_masks import packed
from masklet.predictors.preprocess import to_image_logits
from masklet.tracking.mask_scores import stability_of
from masklet.tracking.step import LOGIT_LIMIT
from masklet.tracking.writing import STORAGE

NUM_FACTS = 7
"""Predicted IoU, presence, stability, and the box's columns and rows: first, and one after the last; 0 where it is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFrame:
    """What is found of b objects on a frame, on the device.

    Attributes:
        logits: Mask logits, float32 (b, h4, w4).
        facts: float32 (b, NUM_FACTS).
        bits: Masks at image size, packed (b, n).
        kept_logits: The logits as memory keeps them, float16 (b, h4, w4).
        pointers: Object pointers, float32 (b, d).
        features: Memory features (b, c, h, w) in their storage type.
    """

    logits: Tensor
    facts: Tensor
    bits: Tensor
    kept_logits: Tensor
    pointers: Tensor
    features: Tensor

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All of them, in the order of the attributes."""
        return self.logits, self.facts, self.bits, self.kept_logits, self.pointers, self.features

    @classmethod
    def of(cls, tensors: tuple[Tensor, ...]) -> FoundFrame:
        """From tensors in that order."""
        logits, facts, bits, kept_logits, pointers, features = tensors
        return cls(
            logits=logits,
            facts=facts,
            bits=bits,
            kept_logits=kept_logits,
            pointers=pointers,
            features=features,
        )


class FrameStep:
    """Encoding, and following objects into a frame, as functions of tensors that are compiled for each shape."""

    def __init__(
        self, model: SegmentationModel, precision: PrecisionPolicy, compilation: Compilation
    ) -> None:
        """Prepare; nothing is compiled yet.

        Args:
            model: A model with SAM 2's memory.
            precision: In what its products are computed.
            compilation: How.
        """
        self.model = with_weights_in(model, precision.dtype).eval()
        self.precision = precision
        self._storage = STORAGE[model.config.memory_precision]
        # a tracked frame is decoded with two padding points and no mask; see ``Tracker.answer``
        prompts, grid = self.model.prompt_encoder, model.config.grid
        self._tokens = prompts.padding.detach().expand(1, 2, -1)
        self._dense = prompts.no_mask.detach()[:, :, None, None].expand(1, -1, grid, grid)
        self._encode = compilation.compiled(self._encoded)
        self._attend = compilation.compiled(self._attended)
        self._answer = compilation.compiled(self._answered)
        self._remember = compilation.compiled(self._remembered)
        self._draw = compilation.compiled(self._drawn)

    def encode(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """Features and skips of normalised pixels (b, 3, s, s)."""
        with self.precision.autocast():
            return self._encode(pixels)

    def follow(self, size: Size, *, is_full: bool) -> Callable[..., tuple[Tensor, ...]]:
        """The function that follows objects into a frame of a size.

        Args:
            size: Size of the frame, for its masks.
            is_full: Whether every place of memory is read by every object.

        Returns:
            From features, skips and the places' table, then memory features and pointers, to the tensors of FoundFrame.
        """

        def work(*given: Tensor) -> tuple[Tensor, ...]:
            features, skip4, skip8, table, spatial, pointers = given
            with self.precision.autocast():
                conditioned = self._attend(features, table, spatial, pointers, is_full=is_full)
                answered = self._answer(conditioned, skip4, skip8, self._tokens, self._dense)
                logits, facts, kept_logits, own_pointers, is_present = answered
                written = self._remember(features, skip4, skip8, logits, is_present)
                bits = self._draw(logits, *size.hw)
            return logits, facts, bits, kept_logits, own_pointers, written

        return work

    def _encoded(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        found = self.model.encode_image(pixels)
        return found.features, found.skip4, found.skip8

    def _attended(
        self, features: Tensor, table: Tensor, spatial: Tensor, pointers: Tensor, *, is_full: bool
    ) -> Tensor:
        """Features as the memory of each object sees them; for the table see ``memory_places``."""
        num_spatial, num_pointers = spatial.shape[1], pointers.shape[1]
        rows, valid, ages, pointer_valid = table.split(
            (num_spatial, num_spatial, num_pointers, num_pointers), dim=1
        )
        memory = MemoryBatch(
            spatial,
            rows.long(),
            None if is_full else valid > 0,
            pointers,
            ages,
            None if is_full else pointer_valid > 0,
        )
        return self.model.read_memory(features, memory)

    def _answered(
        self, conditioned: Tensor, skip4: Tensor, skip8: Tensor, tokens: Tensor, dense: Tensor
    ) -> tuple[Tensor, ...]:
        batch = len(conditioned)
        prompts = EncodedPrompts(tokens.expand(batch, -1, -1), None, dense.expand(batch, -1, -1, -1))
        decoded = self.model.decode(conditioned, (skip4, skip8), prompts)
        # nobody pointed anything out on this frame: the best of the three masks answers
        chosen = decoded.iou[:, 1:].argmax(dim=1) + 1
        rows = torch.arange(batch, device=conditioned.device)
        is_present = decoded.presence > 0
        logits = torch.where(is_present[:, None, None], decoded.logits[rows, chosen].float(), ABSENT_LOGIT)
        pointers = self.model.point_at(decoded.tokens[rows, chosen], is_present)
        scores = (decoded.iou[rows, chosen], decoded.presence, stability_of(logits))
        facts = torch.stack([*(one.float() for one in scores), *_box_ends(logits > 0)], dim=1)
        kept = logits.clamp(-LOGIT_LIMIT, LOGIT_LIMIT).half()
        return logits, facts, kept, pointers.float(), is_present

    def _remembered(
        self, features: Tensor, skip4: Tensor, skip8: Tensor, logits: Tensor, is_present: Tensor
    ) -> Tensor:
        image = ImageFeatures(features, skip4, skip8)
        is_binary = torch.zeros_like(is_present)
        written = self.model.write_memory(image, logits[:, None], is_present, is_binary)
        return written.to(self._storage)

    def _drawn(self, logits: Tensor, height: int, width: int) -> Tensor:
        is_smooth = self.model.config.enlarges_smoothly
        return packed(to_image_logits(logits, Size(height, width), is_smooth=is_smooth) > 0)


def _box_ends(is_on: Tensor) -> list[Tensor]:
    """First column, one after the last, first row, one after the last (b) of masks (b, h, w); 0 where nothing is on."""
    ends: list[Tensor] = []
    for dim in (1, 2):
        line = is_on.any(dim=dim)
        some = line.any(dim=1)
        first = line.int().argmax(dim=1)
        last = line.shape[1] - line.flip(1).int().argmax(dim=1)
        ends += [torch.where(some, end, 0).float() for end in (first, last)]
    return ends
