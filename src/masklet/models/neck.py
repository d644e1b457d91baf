"""The feature pyramids that join encoder stages to the model's width."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from masklet.models.layers import ConvNextBlock


class PyramidNeck(nn.Module):
    """SAM 2's neck: 1x1 convolutions; stride 32 is added into stride 16 and then dropped."""

    def __init__(
        self, channels: tuple[int, int, int, int], hidden_dim: int, skip_dims: tuple[int, int]
    ) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(nn.Conv2d(c, hidden_dim, 1) for c in channels)
        self.skip4 = nn.Conv2d(hidden_dim, skip_dims[0], 1)
        self.skip8 = nn.Conv2d(hidden_dim, skip_dims[1], 1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Join four maps.

        Returns:
            Features at stride 16 (b, hidden, h, w) and the decoder's skips at strides 4 and 8.
        """
        stride4, stride8, stride16, stride32 = (
            lateral(features) for lateral, features in zip(self.laterals, maps, strict=True)
        )
        coarse = F.interpolate(stride32.float(), scale_factor=2.0, mode="nearest").to(stride16.dtype)
        return stride16 + coarse, self.skip4(stride4), self.skip8(stride8)


class CompactNeck(nn.Module):
    """Ours: context into stride 16, then semantics flow down into both skips."""

    def __init__(
        self, channels: tuple[int, int, int, int], hidden_dim: int, skip_dims: tuple[int, int]
    ) -> None:
        super().__init__()
        stride4, stride8, stride16, context = channels
        self.context = nn.Conv2d(context, hidden_dim, 1)
        self.lateral16 = nn.Conv2d(stride16, hidden_dim, 1)
        self.refine = ConvNextBlock(hidden_dim, scale=0.1)
        self.lateral8 = nn.Conv2d(stride8, skip_dims[1], 1)
        self.down8 = nn.Conv2d(hidden_dim, skip_dims[1], 1)
        self.skip8 = nn.Conv2d(skip_dims[1], skip_dims[1], 3, padding=1)
        self.lateral4 = nn.Conv2d(stride4, skip_dims[0], 1)
        self.down4 = nn.Conv2d(skip_dims[1], skip_dims[0], 1)
        self.skip4 = nn.Conv2d(skip_dims[0], skip_dims[0], 3, padding=1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Join maps at strides 4, 8, 16 and the context at 16; returns as PyramidNeck does."""
        stride4, stride8, stride16, context = maps
        features = self.refine(self.lateral16(stride16) + self.context(context))
        fine8 = self.lateral8(stride8) + F.interpolate(
            self.down8(features), scale_factor=2.0, mode="bilinear"
        )
        fine8 = self.skip8(F.gelu(fine8))
        fine4 = self.lateral4(stride4) + F.interpolate(self.down4(fine8), scale_factor=2.0, mode="bilinear")
        return features, self.skip4(F.gelu(fine4)), fine8
