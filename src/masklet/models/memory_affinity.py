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

from masklet.models import bounded_softmax, fused
from masklet.models.attention import Attention
from masklet.models.config import AffinityMemoryConfig
from masklet.models.derived import derived
from masklet.models.joined_attention import JoinedAttention, is_possible, joined
from masklet.models.layers import ConvNextBlock, unit_grid

_PLACE_CHANNELS = 4
"""Of queries and keys: the place, and two for what the square of the distance leaves."""
_INITIAL_SHARPNESS = 24.0
_INITIAL_NEARNESS = (24.0, 16.0, 12.0, 10.0, 8.0, 6.0, 2.0)


class FusionBlock(nn.Module):
    """Look around, then look at the object's pointers."""

    def __init__(self, dim: int, num_heads: int, expansion: int) -> None:
        super().__init__()
        self.spatial = ConvNextBlock(dim, scale=0.1, expansion=expansion)
        self.norm = nn.LayerNorm(dim)
        self.pointer_attention = Attention(dim, num_heads)

    def forward(self, features: Tensor, pointers: Tensor, pointer_valid: Tensor | None) -> Tensor:
        """Refine features (b, c, h, w) with pointer tokens (b, p, c)."""
        features = self.spatial(features)
        rows = features.flatten(2).transpose(1, 2)
        tokens = self.norm(rows)
        attention = self.pointer_attention
        if pointer_valid is None and is_possible(tokens, attention.num_heads, pointers.shape[1]):
            looks = joined(attention, JoinedAttention.of_rows)
            looked = torch.stack(looks.look_back(list(rows), list(tokens), pointers))
            return looked.transpose(1, 2).unflatten(2, features.shape[2:])
        read = attention(tokens, pointers, pointers, key_valid=pointer_valid)
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
        self.blocks = nn.ModuleList(
            FusionBlock(dim, config.num_heads, config.expansion) for _ in range(config.num_blocks)
        )
        self.no_pointer = nn.Parameter(torch.zeros(1, 1, dim))
        self.register_buffer("places", unit_grid(grid), persistent=False)

    def encode_keys(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Unit-length keys of a frame."""
        return F.normalize(self.key(features).float(), dim=1).to(features.dtype)

    @property
    def _width(self) -> int:
        """Of queries, keys and values: the fused kernel wants them equally wide, a multiple of 8."""
        return -(-max(self.key_dim + _PLACE_CHANNELS, self.value_dim) // 8) * 8

    def _queries(self, keys: Float[Tensor, "b k h w"]) -> Float[Tensor, "b n q"]:
        tokens = keys.flatten(2).transpose(1, 2) * self.log_sharpness.exp()
        places = torch.cat(
            (self.places, torch.ones_like(self.places[:, :1]), _from_corner(self.places)), dim=1
        )
        places = F.pad(places, (0, self._width - self.key_dim - _PLACE_CHANNELS))
        return torch.cat((tokens, places.to(tokens.dtype).expand(len(tokens), -1, -1)), dim=-1)

    def _placed(self, recency: float) -> Float[Tensor, "r n p"]:
        """What keys say of their places, for every age."""
        nearness = self.log_nearness.exp()[:, None, None]
        # -nearness * |p - q|^2 in full: softmax does not cancel the term in q, because nearness differs from row to row
        places = 2 * nearness * self.places
        bias = self.row_bias[:, None, None] - nearness * (_from_corner(self.places) - recency)
        placed = torch.cat((places, bias, (-nearness).expand_as(bias)), dim=-1)
        return F.pad(placed, (0, self._width - self.key_dim - _PLACE_CHANNELS))

    def _memory_keys(
        self, keys: Float[Tensor, "b m k h w"], rows: Int[Tensor, "b m"], recency: float
    ) -> Float[Tensor, "b mn q"]:
        sources = [self.log_nearness, self.row_bias]
        placed = derived(self, f"placed {recency}", sources, lambda: self._placed(recency))
        tokens = keys.flatten(3).transpose(2, 3)
        return torch.cat((tokens, placed.to(tokens.dtype)[rows]), dim=-1).flatten(1, 2)

    def _values(self, spatial: Float[Tensor, "b m kv h w"]) -> Float[Tensor, "b mn q"]:
        """Values as wide as keys; what stands beside them in memory is read with them where that saves a copy."""
        spare = self._width - self.value_dim
        values = spatial[:, :, self.key_dim : self.key_dim + self._width]
        is_followed = spatial.shape[2] >= self.key_dim + self._width
        rows = (values if is_followed else values[:, :, : self.value_dim]).flatten(3).transpose(2, 3)
        rows = rows.flatten(1, 2)
        return rows if is_followed else F.pad(rows, (0, spare))

    def compare(
        self,
        features: Float[Tensor, "1 c h w"],
        looks: Float[Tensor, "1 m k h w"],
        rows: Int[Tensor, "1 m"],
    ) -> bounded_softmax.Compared | None:
        """What ``look_up`` does before it needs values, for objects that remember the same frames; the same numbers.

        Args:
            features: Image features of the frame.
            looks: Keys of the remembered frames.
            rows: Age row of each.

        Returns:
            For ``look_up_by``; None where nothing can be done before.
        """
        queries = self._queries(self.encode_keys(features))
        if not bounded_softmax.is_possible(queries, self.log_sharpness):
            return None
        keys = self._memory_keys(looks, rows, 0.0)
        return bounded_softmax.compare(queries[0], keys[0].to(queries.dtype))

    def _read(self, queries: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        if mask is None and bounded_softmax.is_possible(queries, self.log_sharpness):
            parts = zip(queries, keys, values[..., : self.value_dim].split(1), strict=True)
            return torch.cat([bounded_softmax.read(*one) for one in parts])
        tokens = (queries[:, None], keys[:, None], values[:, None])
        read = F.scaled_dot_product_attention(*tokens, attn_mask=mask, scale=1.0)
        return read[:, 0, :, : self.value_dim]

    def _read_together(
        self,
        queries: Float[Tensor, "1 n q"],
        keys: Float[Tensor, "1 mn q"],
        values: Float[Tensor, "b m v h w"],
    ) -> Float[Tensor, "b n v"]:
        """As ``_read`` for objects that share queries and keys: one affinity for all their values."""
        rows = values.flatten(3).transpose(2, 3).flatten(1, 2)
        if bounded_softmax.is_possible(queries, self.log_sharpness):
            return bounded_softmax.read(queries[0], keys[0], rows)
        return torch.softmax(queries[0] @ keys[0].T, dim=-1) @ rows

    def look_up(
        self,
        features: Float[Tensor, "b c h w"],
        spatial: Float[Tensor, "b m kv h w"],
        rows: Int[Tensor, "b m"],
        spatial_valid: Bool[Tensor, "b m"] | None,
        *,
        is_shared: bool = False,
        recency: float = 0.0,
    ) -> Float[Tensor, "b n v"]:
        """Read values by affinity.

        Args:
            features: Image features of the frame.
            spatial: Memory entries, keys before values.
            rows: Age row of each entry; the last row is for conditioning frames.
            spatial_valid: False for padding entries.
            is_shared: Whether several objects look at one frame and remember the same frames: then they read by the same
                affinity.
            recency: How much new entries, in which things lie near to where they were, are preferred to old ones.
        """
        image_keys = spatial[:, :, : self.key_dim]
        if is_shared and len(features) > 1:
            queries = self._queries(self.encode_keys(features[:1]))
            keys = self._memory_keys(image_keys[:1], rows[:1], recency)
            values = spatial[:, :, self.key_dim : self.key_dim + self.value_dim]
            return self._read_together(queries, keys.to(queries.dtype), values.to(queries.dtype))
        queries = self._queries(self.encode_keys(features))
        keys = self._memory_keys(image_keys, rows, recency)
        mask = None
        if spatial_valid is not None:
            mask = spatial_valid.repeat_interleave(len(self.places), dim=1)[:, None, None, :]
        values = self._values(spatial).to(queries.dtype)
        return self._read(queries, keys.to(queries.dtype), values, mask)

    def look_up_by(
        self, compared: bounded_softmax.Compared, spatial: Float[Tensor, "b m kv h w"]
    ) -> Float[Tensor, "b n v"]:
        """The rest of ``look_up`` after ``compare``; several objects remember the same frames."""
        if len(spatial) > 1:
            values = spatial[:, :, self.key_dim : self.key_dim + self.value_dim]
            return bounded_softmax.read_by(compared, values.flatten(3).transpose(2, 3).flatten(1, 2))
        return bounded_softmax.read_by(compared, self._values(spatial)[..., : self.value_dim])

    def fuse(
        self,
        features: Float[Tensor, "b c h w"],
        read: Float[Tensor, "b n v"],
        pointers: Float[Tensor, "b p c"],
        pointer_valid: Bool[Tensor, "b p"] | None,
    ) -> Float[Tensor, "b c h w"]:
        """Condition features on what was read.

        Args:
            features: Image features of the frame.
            read: What ``look_up`` gave.
            pointers: Object pointers with their age added.
            pointer_valid: False for padding pointers.
        """
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
