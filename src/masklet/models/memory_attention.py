"""Reading memory by a transformer with rotary positions. Source: SAM 2 (Ravi et al. 2024)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Complex, Float
from torch import Tensor, nn

from masklet.models import blocked_attention
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

    def read_memory(
        self,
        query: Float[Tensor, "n c"],
        key: Float[Tensor, "m k"],
        value: Float[Tensor, "m k"],
        turns: Complex[Tensor, "n half"],
        *,
        num_placeless: int,
    ) -> Float[Tensor, "n c"]:
        """As ``forward`` for one object, in blocks, the values projected after they were read.

        Args:
            query: What asks.
            key: What is compared with it.
            value: What is read.
            turns: The angles as unit complex numbers.
            num_placeless: How many of the last keys have no place in the grid.
        """
        keys = self.key(key)
        num_placed = len(keys) - num_placeless
        keys[:num_placed] = blocked_attention.turn(keys[:num_placed], turns)
        asked = blocked_attention.turn(self.query(query), turns)
        return self.out(self.value(blocked_attention.read_in_blocks(asked, keys, value)))


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

    def look_around(self, tokens: Float[Tensor, "b n c"], angles: Tensor) -> Float[Tensor, "b n c"]:
        """Self-attention: the frame alone, no memory."""
        normed = self.norm1(tokens)
        return tokens + self.self_attention(normed, normed, normed, angles)

    def look_back(
        self,
        tokens: Float[Tensor, "b n c"],
        memory: tuple[Tensor, Tensor],
        angles: Tensor,
        *,
        num_pointers: int,
        key_valid: Tensor | None,
    ) -> Float[Tensor, "b n c"]:
        """Attention to memory given as (keys, values), and the feed-forward."""
        key, value = memory
        tokens = tokens + self.memory_attention(
            self.norm2(tokens), key, value, angles, num_placeless=num_pointers, key_valid=key_valid
        )
        return self._think(tokens)

    def look_back_in_blocks(
        self,
        tokens: Float[Tensor, "n c"],
        memory: tuple[Tensor, Tensor],
        turns: Tensor,
        *,
        num_pointers: int,
    ) -> Float[Tensor, "n c"]:
        """As ``look_back`` for one object whose every token is real."""
        key, value = memory
        normed = self.norm2(tokens)
        read = self.memory_attention.read_memory(normed, key, value, turns, num_placeless=num_pointers)
        return self._think(tokens + read)

    def _think(self, tokens: Float[Tensor, "*b n c"]) -> Float[Tensor, "*b n c"]:
        return tokens + self.contract(F.relu(self.expand(self.norm3(tokens))))


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

    @property
    def _stack(self) -> list[MemoryAttentionLayer]:
        return [layer for layer in self.layers if isinstance(layer, MemoryAttentionLayer)]

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
        batch, shared = len(features), features
        if batch > 1 and features.stride(0) == 0 and not torch.is_grad_enabled():
            # objects of one frame differ by their memory alone: until it is read, one row stands for all
            shared = features[:1]
        tokens = (shared + 0.1 * feature_position).flatten(2).transpose(1, 2)
        first, *others = self._stack
        tokens = first.look_around(tokens, self.angles).expand(batch, -1, -1)
        if blocked_attention.is_possible(tokens):
            tokens = self._one_by_one(tokens, memory, num_pointers=num_pointers, key_valid=key_valid)
        else:
            options = {"num_pointers": num_pointers, "key_valid": key_valid}
            tokens = first.look_back(tokens, memory, self.angles, **options)
            for layer in others:
                tokens = layer.look_back(
                    layer.look_around(tokens, self.angles), memory, self.angles, **options
                )
        return self.norm(tokens).transpose(1, 2).unflatten(2, features.shape[2:])

    def _one_by_one(
        self,
        tokens: Float[Tensor, "b n c"],
        memory: tuple[Float[Tensor, "b m k"], Float[Tensor, "b m k"]],
        *,
        num_pointers: int,
        key_valid: Bool[Tensor, "b m"] | None,
    ) -> Float[Tensor, "b n c"]:
        """All layers for one object after the other, from the first look at memory on.

        A CPU gains nothing from a batch of objects, and this needs the memory of one; padding is left out.
        """
        turns = torch.polar(torch.ones_like(self.angles), self.angles)
        first, *others = self._stack
        found = torch.empty_like(tokens, memory_format=torch.contiguous_format)
        for row, start in enumerate(tokens):
            own, num_own = (memory[0][row], memory[1][row]), num_pointers
            if key_valid is not None:
                own = own[0][key_valid[row]], own[1][key_valid[row]]
                num_own = int(key_valid[row, key_valid.shape[1] - num_pointers :].sum())
            one = first.look_back_in_blocks(start, own, turns, num_pointers=num_own)
            for layer in others:
                seen = layer.look_around(one[None], self.angles)[0]
                one = layer.look_back_in_blocks(seen, own, turns, num_pointers=num_own)
            found[row] = one
        return found
