"""The closed-vocabulary head on an encoder: which class each cell shows, and how far its object reaches.

Source: the classes follow DeepLabV3 (Chen et al. 2017), whose linear layer the direct path starts from; the distances to
the four edges of a cell's object follow FCOS (Tian et al. 2019); the rest is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.grounding.vocabulary import VOC_CLASSES


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadConfig:
    """The shape of the head.

    Attributes:
        classes: Names of the classes; the background comes before them as channel 0.
        context_channels: Channels of the encoder's context map at stride 16.
        coarse_channels: Channels of its map at stride 16.
        fine_channels: Channels of its map at stride 8.
        hidden: Channels inside, at stride 16.
        hidden_fine: Channels inside, at stride 8.
        has_reach: Whether the reach is trained; without it objects are connected cells.
    """

    classes: tuple[str, ...] = VOC_CLASSES
    context_channels: int = 256
    coarse_channels: int = 96
    fine_channels: int = 32
    hidden: int = 64
    hidden_fine: int = 48
    has_reach: bool = True


@dataclass(frozen=True, slots=True)
class EncoderMaps:
    """What the head reads of an image: context (b, c, h, w) and coarse at stride 16, fine at stride 8."""

    context: Tensor
    coarse: Tensor
    fine: Tensor


@dataclass(frozen=True, slots=True)
class HeadMaps:
    """What the head says at stride 8.

    Attributes:
        logits: Class logits (b, 1 + classes, h, w); channel 0 is the background.
        reach: Distances from each cell's centre to the left, top, right and bottom edge of its object, as parts of the
            image's width and height, (b, 4, h, w).
    """

    logits: Tensor
    reach: Tensor


class Mixer(nn.Module):
    """Depthwise 5x5 and two pointwise layers, residual."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(dim, dim, 5, padding=2, groups=dim)
        self.expand = nn.Conv2d(dim, 2 * dim, 1)
        self.contract = nn.Conv2d(2 * dim, dim, 1)
        self.scale = nn.Parameter(torch.full((dim, 1, 1), 0.1))

    def forward(self, features: Tensor) -> Tensor:
        """Refine a map (b, c, h, w)."""
        return features + self.scale * self.contract(F.gelu(self.expand(self.depthwise(features))))


class GrounderHead(nn.Module):
    """Encoder maps to classes and reach."""

    def __init__(self, config: HeadConfig) -> None:
        super().__init__()
        self.config = config
        num_channels = 1 + len(config.classes)
        self.direct = nn.Conv2d(config.context_channels, num_channels, 1)
        self.join = nn.Conv2d(config.context_channels + config.coarse_channels, config.hidden, 1)
        self.coarse_mixers = nn.Sequential(Mixer(config.hidden), Mixer(config.hidden))
        self.down = nn.Conv2d(config.hidden, config.hidden_fine, 1)
        self.lateral = nn.Conv2d(config.fine_channels, config.hidden_fine, 1)
        self.fine_mixer = Mixer(config.hidden_fine)
        self.classify = nn.Conv2d(config.hidden_fine, num_channels, 1)
        self.measure = nn.Conv2d(config.hidden_fine, 4, 1)
        nn.init.zeros_(self.classify.weight)
        nn.init.zeros_(self.classify.bias)  # pyright: ignore[reportArgumentType] - the layer has a bias

    def forward(self, maps: EncoderMaps) -> HeadMaps:
        """Read the encoder's maps."""
        joined = F.gelu(self.join(torch.cat((maps.context, maps.coarse), dim=1)))
        coarse = self.coarse_mixers(joined)
        fine = F.gelu(_doubled(self.down(coarse)) + self.lateral(maps.fine))
        fine = self.fine_mixer(fine)
        logits = self.uncorrected(maps.context) + self.classify(fine)
        return HeadMaps(logits=logits, reach=F.softplus(self.measure(fine) - 1.5))

    def uncorrected(self, context: Tensor) -> Tensor:
        """Class logits at stride 8 of the linear layer alone."""
        return _doubled(self.direct(context))


def _doubled(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="bilinear", align_corners=False)
