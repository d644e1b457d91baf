"""The embedded detector's network: an encoder of its own and the head that reads it, at any size of picture.

The encoder has the structure of the embedded model's, so that its weights are one to start from.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.errors import ConfigError
from masklet.geometry import Size
from masklet.grounding.head import EncoderMaps, GrounderHead, HeadConfig, HeadMaps
from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.models.compact import CompactEncoder
from masklet.models.config import CompactEncoderConfig

STRIDE = 16
_HALF_RANGE = 127.5
"""Pixels go in as value / 127.5 - 1, as the origin of the encoder's weights wants them."""


class GrounderNetwork(nn.Module):
    """Pixels to classes and reach."""

    def __init__(self, encoder_config: CompactEncoderConfig, config: HeadConfig) -> None:
        super().__init__()
        self.encoder_config = encoder_config
        self.encoder = CompactEncoder(encoder_config)
        self.head = GrounderHead(config)

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return self.head.config.classes

    def encode(self, pixels: Tensor) -> EncoderMaps:
        """What the head reads.

        Args:
            pixels: RGB 0 to 255, float (b, 3, h, w), both sides multiples of 16.
        """
        _, fine, coarse, context = self.encoder(pixels / _HALF_RANGE - 1)
        return EncoderMaps(context, coarse, fine)

    def forward(self, pixels: Tensor) -> HeadMaps:
        """Look at pixels; see ``encode``."""
        return self.head(self.encode(pixels))


def head_config_for(
    encoder_config: CompactEncoderConfig,
    classes: tuple[str, ...] = VOC_CLASSES,
    *,
    has_reach: bool = False,
) -> HeadConfig:
    """The shape of a head on an encoder."""
    _, fine, coarse, context = CompactEncoder.channels(encoder_config)
    return HeadConfig(
        classes=classes,
        context_channels=context,
        coarse_channels=coarse,
        fine_channels=fine,
        has_reach=has_reach,
    )


def resized_for(image: np.ndarray, long_side: int, device: torch.device) -> Tensor:
    """An image as the network takes it, (1, 3, h, w): its shape kept, but for the rounding of both sides to 16.

    Args:
        image: RGB uint8 (h, w, 3).
        long_side: Pixels of the longer side.
        device: Where it goes.

    Raises:
        ConfigError: When the side is less than a cell.
    """
    if long_side < STRIDE:
        raise ConfigError(f"An image is looked at with at least {STRIDE} pixels, got {long_side}.")
    size = _rounded(Size(*image.shape[:2]), long_side)
    pixels = torch.from_numpy(np.ascontiguousarray(image)).to(device).permute(2, 0, 1)[None].float()
    if pixels.shape[2:] == size.hw:
        return pixels
    return F.interpolate(pixels, size=size.hw, mode="bilinear", antialias=True)


def _rounded(size: Size, long_side: int) -> Size:
    scale = long_side / max(size.hw) / STRIDE
    return Size(*(STRIDE * max(1, round(edge * scale)) for edge in size.hw))
