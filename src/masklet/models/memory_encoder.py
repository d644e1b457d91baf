"""Writing memory: a frame's features joined with its mask. Source: SAM 2 (Ravi et al. 2024)."""

from __future__ import annotations

from itertools import pairwise

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.config import MemoryEncoderConfig
from masklet.models.layers import ConvNextBlock, LayerNorm2d


class MaskDownsampler(nn.Module):
    """Stride-2 convolutions from the mask to the feature grid."""

    def __init__(self, channels: tuple[int, ...], dim: int) -> None:
        super().__init__()
        sizes = (1, *channels)
        self.convs = nn.ModuleList(fused.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(LayerNorm2d(size) for size in channels)
        self.out = fused.Conv2d(channels[-1], dim, 1)

    def forward(self, mask: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Embed scaled mask probabilities."""
        for conv, norm in zip(self.convs, self.norms, strict=True):
            mask = F.gelu(norm(conv(mask)))
        return self.out(mask)


class MemoryEncoder(nn.Module):
    """Features plus mask, fused and narrowed."""

    def __init__(self, dim: int, value_dim: int, config: MemoryEncoderConfig) -> None:
        super().__init__()
        self.mask_stride = config.mask_stride
        self.downsampler = MaskDownsampler(config.mask_channels, dim)
        self.pixel_projection = fused.Conv2d(dim, dim, 1)
        self.blocks = nn.ModuleList(
            ConvNextBlock(dim, expansion=config.expansion) for _ in range(config.num_blocks)
        )
        self.out = fused.Conv2d(dim, value_dim, 1)

    def forward(
        self, features: Float[Tensor, "#b c h w"], mask: Float[Tensor, "b 1 hm wm"]
    ) -> Float[Tensor, "b v h w"]:
        """Encode a frame and its scaled mask."""
        fused = self.pixel_projection(features) + self.downsampler(mask)
        for block in self.blocks:
            fused = block(fused)
        return self.out(fused)
