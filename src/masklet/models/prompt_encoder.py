"""Clicks, boxes and masks as tokens and maps. Source: SAM (Kirillov et al. 2023)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.layers import LayerNorm2d
from masklet.models.position import FourierPosition
from masklet.models.prompt_maps import PromptMaps


class PointLabel(IntEnum):
    """What a prompt point means."""

    IGNORED = -10
    PADDING = -1
    NEGATIVE = 0
    POSITIVE = 1
    BOX_TOP_LEFT = 2
    BOX_BOTTOM_RIGHT = 3


@dataclass(frozen=True, slots=True)
class EncodedPrompts:
    """Prompts in the form the decoder reads.

    Attributes:
        tokens: Prompt tokens (b, n, c).
        valid: Which of them are real (b, n); None for all.
        dense: The dense map (b, c, h, w).
        drawn: Prompts as small maps at stride 4 (b, d, h4, w4), in models that draw them, as long as they are not spread:
            neither in ``dense`` nor in ``fine``; else None.
        fine: What is added to the skips at strides 4 and 8, of maps that were spread; else None.
        added_logits: What is added to the logits of every mask (b, 1, h4, w4), or None.
        added_presence: What is added to the presence logit (b,), or None.
    """

    tokens: Tensor
    valid: Tensor | None
    dense: Tensor
    drawn: Tensor | None = None
    fine: tuple[Tensor, Tensor] | None = None
    added_logits: Tensor | None = None
    added_presence: Tensor | None = None


class PromptEncoder(nn.Module):
    """Embeds points by position and meaning, and mask logits by three convolutions."""

    def __init__(self, hidden_dim: int, grid: int, maps: PromptMaps | None = None) -> None:
        super().__init__()
        self.grid = grid
        self.maps = maps
        self.position = FourierPosition(hidden_dim)
        self.point_kinds = nn.Parameter(torch.randn(4, hidden_dim))
        self.padding = nn.Parameter(torch.randn(1, hidden_dim))
        self.no_mask = nn.Parameter(torch.randn(1, hidden_dim))
        self.mask_conv1 = fused.Conv2d(1, 4, 2, stride=2)
        self.mask_norm1 = LayerNorm2d(4)
        self.mask_conv2 = fused.Conv2d(4, 16, 2, stride=2)
        self.mask_norm2 = LayerNorm2d(16)
        self.mask_conv3 = fused.Conv2d(16, hidden_dim, 1)

    def encode_points(
        self, points_xy: Float[Tensor, "b n 2"], labels: Int[Tensor, "b n"]
    ) -> tuple[Float[Tensor, "b n c"], Tensor | None]:
        """Embed points given in model pixels.

        Returns:
            Tokens, and False for IGNORED ones (None when there is none).
        """
        encoded = self.position((points_xy.float() + 0.5) / (16 * self.grid))
        kinds = self.point_kinds[labels.clamp(min=0)]
        tokens = torch.where((labels == PointLabel.PADDING)[..., None], self.padding, encoded + kinds)
        valid = labels != PointLabel.IGNORED
        return tokens, None if bool(valid.all()) else valid

    def encode_mask(self, mask_logits: Float[Tensor, "b 1 h w"]) -> Float[Tensor, "b c h2 w2"]:
        """Embed mask logits of four times the grid."""
        features = F.gelu(self.mask_norm1(self.mask_conv1(mask_logits)))
        features = F.gelu(self.mask_norm2(self.mask_conv2(features)))
        return self.mask_conv3(features)

    def forward(
        self,
        points_xy: Float[Tensor, "b n 2"],
        labels: Int[Tensor, "b n"],
        mask_logits: Float[Tensor, "b 1 h w"] | None = None,
        mask_given: Tensor | None = None,
        carried: Float[Tensor, "b k h w"] | None = None,
    ) -> EncodedPrompts:
        """Embed prompts; see SegmentationModel.encode_prompts."""
        tokens, valid = self.encode_points(points_xy, labels)
        dense = self.no_mask[:, :, None, None].expand(len(points_xy), -1, self.grid, self.grid)
        if mask_logits is not None:
            embedded = self.encode_mask(mask_logits)
            dense = (
                embedded
                if mask_given is None
                else torch.where(mask_given[:, None, None, None], embedded, dense)
            )
        if self.maps is None:
            return EncodedPrompts(tokens, valid, dense)
        unit_xy = (points_xy.float() + 0.5) / (16 * self.grid)
        drawn = self.maps(unit_xy, labels, mask_logits, mask_given, carried)
        return EncodedPrompts(tokens, valid, dense, drawn)

    def spread(self, prompts: EncodedPrompts) -> EncodedPrompts:
        """The same prompts, with what was drawn added to the dense map and ready for the skips."""
        if self.maps is None or prompts.drawn is None:
            return prompts
        skip4, skip8, dense = self.maps.spread(prompts.drawn)
        return replace(prompts, dense=prompts.dense + dense, drawn=None, fine=(skip4, skip8))
