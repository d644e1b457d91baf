"""The small convolutional encoder of the embedded model.

Source: MobileNetV2 (Sandler et al. 2018) at output stride 16 with the image-level head of DeepLabV3
(Chen et al. 2017); batch norm is folded into the convolutions, so training needs no batch statistics.
"""

from __future__ import annotations

import sys

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.config import CompactEncoderConfig

_RELU6 = 6.0


def _is_exported_to_onnx() -> bool:
    """Whether an exporter follows; torch's part for it, slow to import, need not be loaded to know that none does."""
    return "torch.onnx" in sys.modules and torch.onnx.is_in_onnx_export()


class SameConv(nn.Module):
    """3x3 convolution and ReLU6; stride 2 pads right and bottom only, as the origin of the weights does."""

    def __init__(
        self, dim_in: int, dim_out: int, *, stride: int = 1, dilation: int = 1, groups: int = 1
    ) -> None:
        super().__init__()
        padding = dilation if stride == 1 else 0
        self.stride = stride
        self.conv = nn.Conv2d(dim_in, dim_out, 3, stride, padding, dilation, groups)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        """Convolve, then ReLU6."""
        if self.stride == 1:
            return fused.conv(features, self.conv, clip_at=_RELU6)
        if _is_exported_to_onnx():
            # other runtimes want their kernels constant, and join the padding themselves
            return fused.conv(F.pad(features, (0, 1, 0, 1)), self.conv, clip_at=_RELU6)
        # a row and a column of zeros before the kernel instead of after the features: the same sums, no copy
        kernel = F.pad(self.conv.weight, (1, 0, 1, 0)).contiguous(memory_format=torch.channels_last)
        return fused.conv(features, self.conv, clip_at=_RELU6, kernel=kernel, padding=1)


class PointConv(nn.Module):
    """1x1 convolution, with ReLU6 where it widens."""

    def __init__(self, dim_in: int, dim_out: int, *, is_clipped: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(dim_in, dim_out, 1)
        self.clip_at = _RELU6 if is_clipped else None

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Convolve."""
        return fused.conv(features, self.conv, clip_at=self.clip_at)


class InvertedResidual(nn.Module):
    """Expand, filter each channel, project; residual where the shape allows."""

    def __init__(self, dim_in: int, dim_out: int, *, expansion: int, stride: int, dilation: int) -> None:
        super().__init__()
        inner = dim_in * expansion
        self.expand = PointConv(dim_in, inner, is_clipped=True) if expansion > 1 else None
        self.depthwise = SameConv(inner, inner, stride=stride, dilation=dilation, groups=inner)
        self.project = PointConv(inner, dim_out)
        self.is_residual = stride == 1 and dim_in == dim_out

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h2 w2"]:
        """Apply the block."""
        inner = features if self.expand is None else self.expand(features)
        out = self.project(self.depthwise(inner))
        return out.add_(features) if self.is_residual else out


class ContextHead(nn.Module):
    """Joins each position with the mean of the whole image."""

    def __init__(self, dim_in: int, dim: int) -> None:
        super().__init__()
        self.local = fused.Conv2d(dim_in, dim, 1)
        self.pooled = fused.Conv2d(dim_in, dim, 1)
        self.projection = fused.Conv2d(2 * dim, dim, 1)

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b d h w"]:
        """Add image-level context."""
        mean = F.relu(self.pooled(features.mean(dim=(2, 3), keepdim=True)))
        local = F.relu(self.local(features))
        # the mean is the same everywhere: it is projected once, not at every place
        of_mean, of_local = self.projection.weight.split((mean.shape[1], local.shape[1]), dim=1)
        everywhere = F.conv2d(mean, of_mean)
        return F.relu(fused.conv(local, self.projection, kernel=of_local.contiguous()) + everywhere)


class CompactEncoder(nn.Module):
    """Image to maps at strides 4, 8, 16 and a context map at 16."""

    def __init__(self, config: CompactEncoderConfig) -> None:
        super().__init__()
        self.tap_blocks = config.tap_blocks
        self.stem = SameConv(3, config.stem_channels, stride=2)
        blocks: list[InvertedResidual] = []
        dim_in = config.stem_channels
        shapes = zip(config.block_channels, config.block_strides, config.block_dilations, strict=True)
        for index, (dim_out, stride, dilation) in enumerate(shapes):
            expansion = 1 if index == 0 else config.expansion
            blocks.append(
                InvertedResidual(dim_in, dim_out, expansion=expansion, stride=stride, dilation=dilation)
            )
            dim_in = dim_out
        self.blocks = nn.ModuleList(blocks)
        self.context = ContextHead(dim_in, config.context_channels)

    @staticmethod
    def channels(config: CompactEncoderConfig) -> tuple[int, int, int, int]:
        """Channels of the four maps."""
        stride4, stride8, stride16 = (config.block_channels[index] for index in config.tap_blocks)
        return stride4, stride8, stride16, config.context_channels

    def forward(self, pixels: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
        """Encode normalised pixels; returns four maps (b, c, h, w)."""
        features = self.stem(pixels.contiguous(memory_format=torch.channels_last))
        maps: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            features = block(features)
            if index in self.tap_blocks:
                maps.append(features)
        return [*maps, self.context(features)]
