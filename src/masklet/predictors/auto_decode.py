"""Masks for many clicks on one image, in passes that a processor's cache can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle

import numpy as np
import torch
from torch import Tensor

from masklet.models import sam2_clicks
from masklet.models.config import ModelConfig
from masklet.models.mask_decoder import DecodedMasks, MaskDecoder
from masklet.models.model import ImageFeatures, SegmentationModel
from masklet.models.prompt_encoder import EncodedPrompts, PointLabel
from masklet.weights.load import LoadedModel

_CACHED_BYTES = 20 * 2**20


def clicks_per_pass(config: ModelConfig, device: torch.device) -> int | None:
    """How many clicks go through the decoder together; None for any number.

    On a CPU more are slower: one map of features for each click has to stay in the last-level cache.
    """
    if device.type != "cpu":
        return None
    return max(1, _CACHED_BYTES // (4 * config.hidden_dim * config.grid**2))


@dataclass(frozen=True, slots=True, kw_only=True)
class LikelyMasks:
    """The ambiguous masks of some clicks that are likely enough.

    Attributes:
        logits: Mask logits (m, h4, w4), click by click.
        iou: Predicted IoU (m,).
        click: Which click each comes from (m,).
    """

    logits: Tensor
    iou: Tensor
    click: Tensor


def decode_clicks(
    loaded: LoadedModel, features: ImageFeatures, places: np.ndarray, start_logits: Tensor | None = None
) -> DecodedMasks:
    """All four candidates of each click.

    Args:
        loaded: The model.
        features: One image, with the mark of a frame without memory.
        places: The clicks (n, 2) as x, y in model pixels.
        start_logits: A mask (n, h4, w4) to start from for each, or None.
    """
    parts = [_whole(one) for one in _passes(loaded, features, torch.from_numpy(places).float(), start_logits)]
    if len(parts) == 1:
        return parts[0]
    return DecodedMasks(
        logits=torch.cat([part.logits for part in parts]),
        iou=torch.cat([part.iou for part in parts]),
        presence=torch.cat([part.presence for part in parts]),
        tokens=torch.cat([part.tokens for part in parts]),
    )


def find_masks(
    loaded: LoadedModel, features: ImageFeatures, places: np.ndarray, *, least_iou: float = 0.0
) -> LikelyMasks:
    """The three ambiguous masks of each click whose predicted IoU reaches the least; others need not be drawn.

    Args:
        loaded: The model.
        features: One image, with the mark of a frame without memory.
        places: The clicks (n, 2) as x, y in model pixels.
        least_iou: In [0, 1]; 0 for all masks.
    """
    found: list[tuple[Tensor, Tensor, Tensor]] = []
    start = 0
    for one in _passes(loaded, features, torch.from_numpy(places).float(), None):
        iou = one.answers.iou if isinstance(one, _Undrawn) else one.iou
        wanted = iou >= least_iou
        wanted[:, 0] = False
        logits = one.draw(wanted) if isinstance(one, _Undrawn) else one.logits[wanted]
        found.append((logits.float(), iou[wanted].float(), start + wanted.nonzero()[:, 0]))
        start += len(iou)
    logits, ious, clicks = (torch.cat(parts) for parts in zip(*found, strict=True))
    return LikelyMasks(logits=logits, iou=ious, click=clicks)


@dataclass(frozen=True, slots=True)
class _Undrawn:
    """A pass of the decoder that has not drawn its masks yet."""

    decoder: MaskDecoder
    image: sam2_clicks.SharedImage
    answers: sam2_clicks.ClickAnswers

    def draw(self, wanted: Tensor) -> Tensor:
        """Logits (m, h4, w4) of the masks that are wanted (n, 4)."""
        return sam2_clicks.draw(self.decoder, self.image, self.answers, wanted)


def _whole(one: DecodedMasks | _Undrawn) -> DecodedMasks:
    if isinstance(one, DecodedMasks):
        return one
    return sam2_clicks.draw_all(one.decoder, one.image, one.answers)


def _passes(
    loaded: LoadedModel, features: ImageFeatures, clicks: Tensor, start_logits: Tensor | None
) -> Iterator[DecodedMasks | _Undrawn]:
    """The clicks in parts that fit a cache."""
    most = clicks_per_pass(loaded.config, loaded.device) or len(clicks)
    masks = [None] if start_logits is None else start_logits.split(most)
    network, shared = loaded.model, None
    for part, mask in zip(clicks.split(most), cycle(masks), strict=False):
        points = torch.stack((part, torch.zeros_like(part)), dim=1).to(loaded.device)
        labels = torch.tensor([int(PointLabel.POSITIVE), int(PointLabel.PADDING)], device=loaded.device)
        with loaded.precision.autocast():
            prompts = network.encode_prompts(
                points, labels.expand(len(points), -1), None if mask is None else mask[:, None]
            )
            if (
                isinstance(network, SegmentationModel)
                and mask is None
                and sam2_clicks.is_possible(features.features, prompts)
            ):
                shared = shared or shared_image(network, features, prompts)
                answers = sam2_clicks.answer(network.decoder, shared, prompts.tokens)
                yield _Undrawn(network.decoder, shared, answers)
                continue
            repeated = features.features.expand(len(points), -1, -1, -1)
            yield network.decode(repeated, features.skips, prompts)


def shared_image(
    network: SegmentationModel, features: ImageFeatures, prompts: EncodedPrompts
) -> sam2_clicks.SharedImage:
    """What the decoder needs of one image, whatever is clicked."""
    position = network.prompt_encoder.position.grid(network.config.grid)
    return sam2_clicks.prepare(network.decoder, features.features, features.skips, prompts.dense, position)
