"""Reading memory by a transformer with rotary positions. Source: SAM 2 (Ravi et al. 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from masklet.models.attention import join_heads, split_heads
from masklet.models.config import AttentionMemoryConfig
from masklet.models.position import rotary_angles, rotate


class RotaryAttention(nn.Module):
    """Single-head attention whose queries and spatial keys are turned by their place in the grid."""

    def __init__(self, dim: int, *, key_dim: int | None = None) -> None:
        super().__init__()
        self.query = nn.Linear(dim, dim)
        self.key = nn.Linear(key_dim or dim, dim)
        self.value = nn.Linear(key_dim or dim, dim)
        self.out = nn.Linear(dim, dim)

    def forward(
        self,
        query: Float[Tensor, "b n c"],
        key: Float[Tensor, "b m k"],
        value: Float[Tensor, "b m k"],
        angles: Float[Tensor, "n half"],
        *,
        num_placeless: int = 0,
        key_valid: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b n c"]:
        """Attend; the last ``num_placeless`` keys have no place in the grid and are not turned."""
        turned_query = rotate(split_heads(self.query(query), 1), angles)
        keys = split_heads(self.key(key), 1)
        num_placed = keys.shape[2] - num_placeless
        repeated = angles.repeat(num_placed // len(angles), 1)
        keys = torch.cat((rotate(keys[:, :, :num_placed], repeated), keys[:, :, num_placed:]), dim=2)
        read = F.scaled_dot_product_attention(
            turned_query,
            keys,
            split_heads(self.value(value), 1),
            attn_mask=None if key_valid is None else key_valid[:, None, None, :],
        )
        return self.out(join_heads(read))


class MemoryAttentionLayer(nn.Module):
    """Self-attention, attention to memory, feed-forward; norms first."""

    def __init__(self, dim: int, value_dim: int, config: AttentionMemoryConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim)
        self.self_attention = RotaryAttention(dim)
        self.norm2 = nn.LayerNorm(dim)
        self.memory_attention = RotaryAttention(dim, key_dim=value_dim)
        self.norm3 = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, config.mlp_dim)
        self.contract = nn.Linear(config.mlp_dim, dim)

    def forward(
        self,
        features: Tensor,
        memory: tuple[Tensor, Tensor],
        angles: Tensor,
        *,
        num_pointers: int,
        key_valid: Tensor | None,
    ) -> Tensor:
        """Update features (b, n, c) by memory given as (keys, values)."""
        normed = self.norm1(features)
        features = features + self.self_attention(normed, normed, normed, angles)
        key, value = memory
        features = features + self.memory_attention(
            self.norm2(features), key, value, angles, num_placeless=num_pointers, key_valid=key_valid
        )
        return features + self.contract(F.relu(self.expand(self.norm3(features))))


class MemoryAttention(nn.Module):
    """The stack of layers."""

    angles: Tensor

    def __init__(self, dim: int, value_dim: int, grid: int, config: AttentionMemoryConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            MemoryAttentionLayer(dim, value_dim, config) for _ in range(config.num_layers)
        )
        self.norm = nn.LayerNorm(dim)
        self.register_buffer("angles", rotary_angles(dim, grid, grid), persistent=False)

    def forward(
        self,
        features: Float[Tensor, "b c h w"],
        feature_position: Float[Tensor, "c h w"],
        memory: tuple[Float[Tensor, "b m k"], Float[Tensor, "b m k"]],
        *,
        num_pointers: int,
        key_valid: Bool[Tensor, "b m"] | None,
    ) -> Float[Tensor, "b c h w"]:
        """Condition features on memory.

        Args:
            features: Image features.
            feature_position: Sine position of the grid.
            memory: Keys (with positions) and values, spatial tokens first, then pointer pieces.
            num_pointers: How many of the last tokens are pointer pieces.
            key_valid: False for padding; None when every token is real.
        """
        tokens = (features + 0.1 * feature_position).flatten(2).transpose(1, 2)
        for layer in self.layers:
            tokens = layer(tokens, memory, self.angles, num_pointers=num_pointers, key_valid=key_valid)
        return self.norm(tokens).transpose(1, 2).unflatten(2, features.shape[2:])
