"""The feature pyramids that join encoder stages to the model's width."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from masklet.models import blocked_attention, fused
from masklet.models.layers import ConvNextBlock


class PyramidNeck(nn.Module):
    """SAM 2's neck: 1x1 convolutions; stride 32 is added into stride 16 and then dropped."""

    def __init__(
        self, channels: tuple[int, int, int, int], hidden_dim: int, skip_dims: tuple[int, int]
    ) -> None:
        super().__init__()
        self.laterals = nn.ModuleList(fused.Conv2d(c, hidden_dim, 1) for c in channels)
        self.skip4 = fused.Conv2d(hidden_dim, skip_dims[0], 1)
        self.skip8 = fused.Conv2d(hidden_dim, skip_dims[1], 1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Join four maps.

        Returns:
            Features at stride 16 (b, hidden, h, w) and the decoder's skips at strides 4 and 8.
        """
        lateral4, lateral8, lateral16, lateral32 = self.laterals
        stride16, stride32 = lateral16(maps[2]), lateral32(maps[3])
        coarse = F.interpolate(stride32.float(), scale_factor=2.0, mode="nearest").to(stride16.dtype)
        skips = _two_in_one(maps[0], lateral4, self.skip4), _two_in_one(maps[1], lateral8, self.skip8)
        return stride16 + coarse, *skips


def _two_in_one(features: Tensor, first: nn.Module, second: nn.Module) -> Tensor:
    """Two 1x1 convolutions; on a CPU as the one they are, without the wide map between them."""
    if not (isinstance(first, nn.Conv2d) and isinstance(second, nn.Conv2d)):
        raise TypeError("The neck joins 1x1 convolutions.")
    if not blocked_attention.is_possible(features) or first.bias is None or second.bias is None:
        return second(first(features))
    inner, outer = first.weight.flatten(1), second.weight.flatten(1)
    bias = outer @ first.bias + second.bias
    rows = features.permute(0, 2, 3, 1).flatten(1, 2)
    return (outer @ inner @ rows.transpose(1, 2) + bias[:, None]).unflatten(2, features.shape[2:])


class CompactNeck(nn.Module):
    """Ours: context into stride 16, then semantics flow down into both skips."""

    def __init__(
        self, channels: tuple[int, int, int, int], hidden_dim: int, skip_dims: tuple[int, int]
    ) -> None:
        super().__init__()
        stride4, stride8, stride16, context = channels
        self.context = fused.Conv2d(context, hidden_dim, 1)
        self.lateral16 = fused.Conv2d(stride16, hidden_dim, 1)
        self.refine = ConvNextBlock(hidden_dim, scale=0.1)
        self.lateral8 = fused.Conv2d(stride8, skip_dims[1], 1)
        self.down8 = fused.Conv2d(hidden_dim, skip_dims[1], 1)
        self.skip8 = fused.Conv2d(skip_dims[1], skip_dims[1], 3, padding=1)
        self.lateral4 = fused.Conv2d(stride4, skip_dims[0], 1)
        self.down4 = fused.Conv2d(skip_dims[1], skip_dims[0], 1)
        self.skip4 = fused.Conv2d(skip_dims[0], skip_dims[0], 3, padding=1)

    def forward(self, maps: list[Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """Join maps at strides 4, 8, 16 and the context at 16; returns as PyramidNeck does."""
        stride4, stride8, stride16, context = maps
        features = self.refine(self.lateral16(stride16) + self.context(context))
        fine8 = self.lateral8(stride8) + F.interpolate(
            self.down8(features), scale_factor=2.0, mode="bilinear"
        )
        fine8 = self.skip8(fused.gelu(fine8))
        fine4 = self.lateral4(stride4) + F.interpolate(self.down4(fine8), scale_factor=2.0, mode="bilinear")
        return features, self.skip4(fused.gelu(fine4)), fine8
