"""Masks for many clicks on one image, in passes that a processor's cache can hold."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from masklet.models.config import ModelConfig
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.model import ImageFeatures
from masklet.models.prompt_encoder import PointLabel
from masklet.weights.load import LoadedModel

_CACHED_BYTES = 20 * 2**20


def clicks_per_pass(config: ModelConfig, device: torch.device) -> int | None:
    """How many clicks go through the decoder together; None for any number.

    On a CPU more are slower: one map of features for each click has to stay in the last-level cache.
    """
    if device.type != "cpu":
        return None
    return max(1, _CACHED_BYTES // (4 * config.hidden_dim * config.grid**2))


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
    most = clicks_per_pass(loaded.config, loaded.device) or len(places)
    parts = [
        _decode_pass(
            loaded,
            features,
            places[start : start + most],
            None if start_logits is None else start_logits[start : start + most],
        )
        for start in range(0, len(places), most)
    ]
    if len(parts) == 1:
        return parts[0]
    return DecodedMasks(
        logits=torch.cat([part.logits for part in parts]),
        iou=torch.cat([part.iou for part in parts]),
        presence=torch.cat([part.presence for part in parts]),
        tokens=torch.cat([part.tokens for part in parts]),
    )


def _decode_pass(
    loaded: LoadedModel, features: ImageFeatures, places: np.ndarray, start_logits: Tensor | None
) -> DecodedMasks:
    clicks = torch.from_numpy(places).float()
    points = torch.stack((clicks, torch.zeros_like(clicks)), dim=1).to(loaded.device)
    labels = torch.tensor([int(PointLabel.POSITIVE), int(PointLabel.PADDING)], device=loaded.device)
    with loaded.precision.autocast():
        prompts = loaded.model.encode_prompts(
            points,
            labels.expand(len(points), -1),
            None if start_logits is None else start_logits[:, None],
        )
        shared = features.features.expand(len(points), -1, -1, -1)
        return loaded.model.decode(shared, features.skips, prompts)
