"""Reading memory by affinity of image keys, for small models.

Keys come from the image alone, so what looks alike is found from the first training step on; values carry the mask.
Nearness in place and age enter the same dot product. Source: ours, after space-time memory networks
(Oh et al. 2019; Cheng et al. 2021).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.attention import Attention
from masklet.models.config import AffinityMemoryConfig
from masklet.models.layers import ConvNextBlock, unit_grid

_INITIAL_SHARPNESS = 24.0
_INITIAL_NEARNESS = (24.0, 16.0, 12.0, 10.0, 8.0, 6.0, 2.0)


class FusionBlock(nn.Module):
    """Look around, then look at the object's pointers."""

    def __init__(self, dim: int, num_heads: int) -> None:
        super().__init__()
        self.spatial = ConvNextBlock(dim, scale=0.1)
        self.norm = nn.LayerNorm(dim)
        self.pointer_attention = Attention(dim, num_heads)

    def forward(self, features: Tensor, pointers: Tensor, pointer_valid: Tensor | None) -> Tensor:
        """Refine features (b, c, h, w) with pointer tokens (b, p, c)."""
        features = self.spatial(features)
        tokens = self.norm(features.flatten(2).transpose(1, 2))
        read = self.pointer_attention(tokens, pointers, pointers, key_valid=pointer_valid)
        return features + read.transpose(1, 2).unflatten(2, features.shape[2:])


class AffinityMemory(nn.Module):
    """Keys, one reading, and fusion of what was read with the frame."""

    places: Tensor

    def __init__(
        self, dim: int, value_dim: int, grid: int, num_rows: int, config: AffinityMemoryConfig
    ) -> None:
        super().__init__()
        self.key_dim, self.value_dim = config.key_dim, value_dim
        self.key = fused.Conv2d(dim, config.key_dim, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(_INITIAL_SHARPNESS)))
        nearness = torch.tensor([_INITIAL_NEARNESS[min(row, 6)] for row in range(num_rows - 1)] + [2.0])
        self.log_nearness = nn.Parameter(nearness.log())
        self.row_bias = nn.Parameter(torch.zeros(num_rows))
        self.readout = fused.Conv2d(value_dim, dim, 1)
        self.blocks = nn.ModuleList(FusionBlock(dim, config.num_heads) for _ in range(config.num_blocks))
        self.no_pointer = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("places", unit_grid(grid), persistent=False)

    def encode_keys(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Unit-length keys of a frame."""
        return F.normalize(self.key(features).float(), dim=1).to(features.dtype)

    def _queries(self, keys: Float[Tensor, "b k h w"]) -> Float[Tensor, "b n q"]:
        tokens = keys.flatten(2).transpose(1, 2)
        places = self.places[None].expand(len(tokens), -1, -1).to(tokens.dtype)
        return torch.cat((tokens, places, torch.ones_like(tokens[..., :1]), _from_corner(places)), dim=-1)

    def _memory_keys(
        self, keys: Float[Tensor, "b m k h w"], rows: Int[Tensor, "b m"], recency: float
    ) -> Float[Tensor, "b mn q"]:
        sharpness = self.log_sharpness.exp()
        nearness = self.log_nearness.exp()[rows][..., None]
        tokens = keys.flatten(3).transpose(2, 3) * sharpness
        # -nearness * |p - q|^2 in full: softmax does not cancel the term in q, because nearness differs from row to row
        places = 2 * nearness[..., None] * self.places
        bias = self.row_bias[rows][..., None, None] - nearness[..., None] * (
            _from_corner(self.places) - recency
        )
        by_query = (-nearness[..., None]).expand_as(bias)
        placed = torch.cat((places, bias, by_query), dim=-1).to(tokens.dtype)
        return torch.cat((tokens, placed), dim=-1).flatten(1, 2)

    @staticmethod
    def _read(queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        # the fused kernel wants queries, keys and values equally wide, a multiple of 8
        width = -(-max(queries.shape[-1], values.shape[-1]) // 8) * 8
        padded = [F.pad(tokens, (0, width - tokens.shape[-1]))[:, None] for tokens in (queries, keys, values)]
        read = F.scaled_dot_product_attention(*padded, attn_mask=mask, scale=1.0)
        return read[:, 0, :, : values.shape[-1]]

    @staticmethod
    def _read_together(
        queries: Float[Tensor, "1 n q"], keys: Float[Tensor, "1 mn q"], values: Float[Tensor, "b m v h w"]
    ) -> Float[Tensor, "b n v"]:
        """As ``_read`` for objects that share queries and keys: one affinity for all their values."""
        affinity = torch.softmax(queries[0] @ keys[0].T, dim=-1)
        read = affinity @ values.permute(1, 3, 4, 0, 2).reshape(affinity.shape[1], -1)
        return read.unflatten(1, (len(values), -1)).transpose(0, 1)

    def forward(
        self,
        features: Float[Tensor, "b c h w"],
        spatial: Float[Tensor, "b m kv h w"],
        rows: Int[Tensor, "b m"],
        spatial_valid: Bool[Tensor, "b m"] | None,
        pointers: Float[Tensor, "b p c"],
        pointer_valid: Bool[Tensor, "b p"] | None,
        *,
        is_shared: bool = False,
        recency: float = 0.0,
    ) -> Float[Tensor, "b c h w"]:
        """Condition features on memory.

        Args:
            features: Image features of the frame.
            spatial: Memory entries, keys before values.
            rows: Age row of each entry; the last row is for conditioning frames.
            spatial_valid: False for padding entries.
            pointers: Object pointers with their age added.
            pointer_valid: False for padding pointers.
            is_shared: Whether several objects look at one frame and remember the same frames: then they read by the same
                affinity.
            recency: How much new entries, in which things lie near to where they were, are preferred to old ones.
        """
        values = spatial[:, :, self.key_dim : self.key_dim + self.value_dim]
        image_keys = spatial[:, :, : self.key_dim]
        if is_shared and len(features) > 1:
            queries = self._queries(self.encode_keys(features[:1]))
            keys = self._memory_keys(image_keys[:1], rows[:1], recency)
            read = self._read_together(queries, keys.to(queries.dtype), values.to(queries.dtype))
        else:
            queries = self._queries(self.encode_keys(features))
            keys = self._memory_keys(image_keys, rows, recency)
            mask = None
            if spatial_valid is not None:
                mask = spatial_valid.repeat_interleave(len(self.places), dim=1)[:, None, None, :]
            rows_of_values = values.flatten(3).transpose(2, 3).flatten(1, 2).to(queries.dtype)
            read = self._read(queries, keys.to(queries.dtype), rows_of_values, mask)
        fused = features + self.readout(read.transpose(1, 2).unflatten(2, features.shape[2:]))
        tokens = torch.cat((self.no_pointer.expand(len(features), -1, -1), pointers), dim=1)
        if pointer_valid is not None:
            pointer_valid = torch.cat((pointer_valid.new_ones(len(features), 1), pointer_valid), dim=1)
        for block in self.blocks:
            fused = block(fused, tokens, pointer_valid)
        return fused


def _from_corner(places: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n 1"]:
    """Squared distances of places from (0, 0)."""
    return places.square().sum(-1, keepdim=True)
