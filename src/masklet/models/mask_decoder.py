"""The two-way transformer that turns prompts and features into masks.

Source: SAM (Kirillov et al. 2023) with SAM 2's skips and occlusion score (Ravi et al. 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models.attention import Attention
from masklet.models.config import DecoderConfig
from masklet.models.layers import LayerNorm2d, Perceptron
from masklet.models.prompt_encoder import EncodedPrompts

NUM_MASKS = 4
"""One mask for clear prompts and three for ambiguous ones."""


@dataclass(frozen=True, slots=True)
class DecodedMasks:
    """All candidates of the decoder; index 0 is the single mask, 1 to 3 the ambiguous ones.

    Attributes:
        logits: Mask logits (b, 4, h, w) at stride 4, before any gating by presence.
        iou: Predicted IoU (b, 4) in [0, 1].
        presence: Presence logit (b,); the object is there when above 0.
        tokens: Output tokens of the masks (b, 4, c).
    """

    logits: Tensor
    iou: Tensor
    presence: Tensor
    tokens: Tensor


class TwoWayBlock(nn.Module):
    """Tokens attend to themselves and to the image, then the image attends to the tokens."""

    def __init__(self, dim: int, config: DecoderConfig, *, is_first: bool) -> None:
        super().__init__()
        inner = dim // config.attention_downsample
        self.is_first = is_first
        self.self_attention = Attention(dim, config.num_heads)
        self.norm1 = nn.LayerNorm(dim)
        self.token_to_image = Attention(dim, config.num_heads, inner_dim=inner)
        self.norm2 = nn.LayerNorm(dim)
        self.mlp = Perceptron((dim, config.mlp_dim, dim))
        self.norm3 = nn.LayerNorm(dim)
        self.image_to_token = Attention(dim, config.num_heads, inner_dim=inner)
        self.norm4 = nn.LayerNorm(dim)

    def forward(
        self,
        tokens: Tensor,
        image: Tensor,
        token_position: Tensor,
        image_position: Tensor,
        valid: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Update tokens (b, n, c) and image (b, hw, c); the image may come as one row for all."""
        if self.is_first:
            # the first block's tokens are their own positions: nothing is added and nothing is kept
            tokens = self.self_attention(tokens, tokens, tokens, key_valid=valid)
        else:
            placed = tokens + token_position
            tokens = tokens + self.self_attention(placed, placed, tokens, key_valid=valid)
        tokens = self.norm1(tokens)
        image_key = image + image_position
        tokens = self.norm2(tokens + self.token_to_image(tokens + token_position, image_key, image))
        tokens = self.norm3(tokens + self.mlp(tokens))
        placed = tokens + token_position
        image = self.norm4(image + self.image_to_token(image_key, placed, tokens, key_valid=valid))
        return tokens, image


class TwoWayTransformer(nn.Module):
    """Blocks of two-way attention and a last look of the tokens at the image."""

    def __init__(self, dim: int, config: DecoderConfig) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(
            TwoWayBlock(dim, config, is_first=index == 0) for index in range(config.depth)
        )
        self.final_attention = Attention(dim, config.num_heads, inner_dim=dim // config.attention_downsample)
        self.final_norm = nn.LayerNorm(dim)

    def forward(
        self, tokens: Tensor, image: Tensor, image_position: Tensor, valid: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """Returns updated tokens (b, n, c) and image (b, hw, c)."""
        token_position = tokens
        for block in self.blocks:
            tokens, image = block(tokens, image, token_position, image_position, valid)
        read = self.final_attention(tokens + token_position, image + image_position, image)
        return self.final_norm(tokens + read), image


class MaskDecoder(nn.Module):
    """Four mask candidates with predicted IoU, and whether the object is there at all."""

    def __init__(self, hidden_dim: int, skip_dims: tuple[int, int], config: DecoderConfig) -> None:
        super().__init__()
        self.transformer = TwoWayTransformer(hidden_dim, config)
        self.presence_token = nn.Parameter(torch.randn(1, hidden_dim))
        self.iou_token = nn.Parameter(torch.randn(1, hidden_dim))
        self.mask_tokens = nn.Parameter(torch.randn(NUM_MASKS, hidden_dim))
        self.upscale8 = nn.ConvTranspose2d(hidden_dim, skip_dims[1], 2, stride=2)
        self.upscale_norm = LayerNorm2d(skip_dims[1])
        self.upscale4 = nn.ConvTranspose2d(skip_dims[1], skip_dims[0], 2, stride=2)
        hyper_dims = (hidden_dim, hidden_dim, hidden_dim, skip_dims[0])
        self.hypernetworks = nn.ModuleList(Perceptron(hyper_dims) for _ in range(NUM_MASKS))
        self.iou_head = Perceptron((hidden_dim, hidden_dim, hidden_dim, NUM_MASKS))
        self.presence_head = Perceptron((hidden_dim, hidden_dim, hidden_dim, 1))

    def forward(
        self,
        features: Float[Tensor, "b c h w"],
        skips: tuple[Float[Tensor, "#b s4 h4 w4"], Float[Tensor, "#b s8 h8 w8"]],
        image_position: Float[Tensor, "c h w"],
        prompts: EncodedPrompts,
    ) -> DecodedMasks:
        """Decode prompts against conditioned features; skips may be shared by the batch."""
        batch, _, height, width = features.shape
        own = torch.cat((self.presence_token, self.iou_token, self.mask_tokens)).expand(batch, -1, -1)
        tokens = torch.cat((own, prompts.tokens.to(own.dtype)), dim=1)
        valid = None
        if prompts.valid is not None:
            valid = torch.cat((prompts.valid.new_ones(own.shape[:2]), prompts.valid), dim=1)
        dense = prompts.dense
        if _is_one_row(features) and _is_one_row(dense):
            # clicks on one image: until the image has looked at them, one row stands for all
            features, dense = features[:1], dense[:1]
        image = (features + dense).flatten(2).transpose(1, 2)
        position = image_position.flatten(1).T[None]
        tokens, image = self.transformer(tokens, image, position, valid)
        if prompts.fine is not None:
            skips = (skips[0] + prompts.fine[0], skips[1] + prompts.fine[1])
        fine = self._upscale(image.transpose(1, 2).unflatten(2, (height, width)), skips)
        mask_tokens = tokens[:, 2 : 2 + NUM_MASKS]
        weights = torch.stack([net(mask_tokens[:, k]) for k, net in enumerate(self.hypernetworks)], dim=1)
        logits = (weights @ fine.flatten(2)).unflatten(2, fine.shape[2:])
        if prompts.added_logits is not None:
            logits = logits + prompts.added_logits
        iou = self.iou_head(tokens[:, 1]).sigmoid()
        presence = self.presence_head(tokens[:, 0]).squeeze(-1)
        if prompts.added_presence is not None:
            presence = presence + prompts.added_presence
        return DecodedMasks(logits, iou, presence, mask_tokens)

    def _upscale(self, image: Tensor, skips: tuple[Tensor, Tensor]) -> Tensor:
        skip4, skip8 = skips
        fine = F.gelu(self.upscale_norm(self.upscale8(image) + skip8))
        return F.gelu(self.upscale4(fine) + skip4)


def _is_one_row(values: Tensor) -> bool:
    """Whether a batch is one row, repeated without a copy."""
    return len(values) > 1 and values.stride(0) == 0 and not torch.is_grad_enabled()
