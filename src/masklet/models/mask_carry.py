"""Carrying the last mask into the next frame by matching at stride 8, for small models.

A frame's memory is read at stride 16, too coarse to say which of two things that touch a pixel belongs to. Here the
newest mask alone is carried over at stride 4, by affinity of finer keys and nearness in place, and drawn as a map for
the decoder. Source: ours, after local matching in video segmentation (Voigtlaender et al. 2019).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from masklet.models import bounded_softmax, fused
from masklet.models.layers import unit_grid

CELL = 2
"""Cells of stride 8 along the side of one of stride 16, and of stride 4 along one of stride 8."""
MASK_CHANNELS = CELL**4
_INITIAL_SHARPNESS = 16.0
_INITIAL_NEARNESS = 120.0
_PRESENT = 0.5
_FAR = 10.0
"""Logarithm of how much less a cell counts that is too far to be looked at, were it to look the same."""


class MaskCarry(nn.Module):
    """Packs keys and mask of a frame into memory channels at stride 16, and reads them for the next frame."""

    places: Tensor

    def __init__(self, skip_dim: int, key_dim: int, grid: int) -> None:
        super().__init__()
        self.key_dim = key_dim
        self.key = fused.Conv2d(skip_dim, key_dim, 1)
        self.log_sharpness = nn.Parameter(torch.tensor(math.log(_INITIAL_SHARPNESS)))
        self.log_nearness = nn.Parameter(torch.tensor(math.log(_INITIAL_NEARNESS)))
        self.register_buffer("places", unit_grid(CELL * grid), persistent=False)

    @property
    def num_channels(self) -> int:
        """Memory channels of a frame."""
        return self.key_dim * CELL**2 + MASK_CHANNELS

    def encode_keys(self, skip8: Float[Tensor, "b c h w"]) -> Float[Tensor, "b k h w"]:
        """Unit-length keys at stride 8."""
        return F.normalize(self.key(skip8).float(), dim=1).to(skip8.dtype)

    def pack(
        self, skip8: Float[Tensor, "#b c h8 w8"], probability: Float[Tensor, "b 1 h4 w4"]
    ) -> Float[Tensor, "b m h w"]:
        """Keys of a frame and its mask in [0, 1], as channels at stride 16."""
        keys = F.pixel_unshuffle(self.encode_keys(skip8), CELL)
        mask = F.pixel_unshuffle(probability.to(keys.dtype), CELL**2)
        return torch.cat((keys.expand(len(mask), -1, -1, -1), mask), dim=1)

    def unpack(
        self, spatial: Float[Tensor, "b m c h w"], *, is_shared: bool = False
    ) -> tuple[Float[Tensor, "s m k h w"], Float[Tensor, "b m h w"]]:
        """Means of the keys, and the object's share, in the cells of stride 16 of entries whose last channels are packed.

        Keys that all objects share come as one row.
        """
        keys, masks = spatial[:, :, -self.num_channels :].split(
            (self.key_dim * CELL**2, MASK_CHANNELS), dim=2
        )
        keys = keys[:1] if is_shared else keys
        # means of neighbouring channels as a product: their sums over four and sixteen would be many small ones
        mean = torch.eye(self.key_dim, dtype=keys.dtype, device=keys.device) / CELL**2
        means = torch.einsum("smchw,ck->smkhw", keys, mean.repeat_interleave(CELL**2, dim=0))
        return means, masks.mean(dim=2)

    def forward(
        self,
        skip8: Float[Tensor, "#b c h8 w8"],
        packed: Float[Tensor, "b m h w"],
        *,
        is_shared: bool = False,
    ) -> Float[Tensor, "b 2 h4 w4"]:
        """The newest mask where it should be now.

        Args:
            skip8: Features of the frame at stride 8; may be shared by the batch.
            packed: What ``pack`` made of the newest frame of each object.
            is_shared: Whether this is the same frame for all, whose keys then serve for all.

        Returns:
            2 p - 1 for the carried share p of the object, and 1; both 0 for objects that were not there.
        """
        keys, masks = packed.split((self.key_dim * CELL**2, MASK_CHANNELS), dim=1)
        queries = self.encode_keys(skip8)
        was_there = (masks > _PRESENT).flatten(1).any(dim=1).to(masks.dtype)[:, None, None, None]
        if is_shared:
            # one affinity for all masks
            together = self._read(queries, keys[:1], masks.flatten(0, 1)[None])
            carried = together.unflatten(1, (len(masks), CELL**2))[0]
        else:
            carried = self._read(queries.expand(len(masks), -1, -1, -1), keys, masks)
        carried = F.pixel_shuffle(carried, CELL) * 2 - 1
        return torch.cat((carried, torch.ones_like(carried)), dim=1) * was_there

    def _read(self, queries: Tensor, keys: Tensor, masks: Tensor) -> Tensor:
        """Mean of masks (b, n * 16, h, w) under the affinity of keys; returns (b, n * 4, h8, w8)."""
        keys = F.pixel_shuffle(keys, CELL)
        height, width = keys.shape[-2:]
        # a mask at stride 4 becomes four channels at stride 8: the quarters of a cell move together
        fine = F.pixel_shuffle(masks.flatten(0, 1).unflatten(0, (-1, MASK_CHANNELS)), CELL**2)
        values = F.pixel_unshuffle(fine, CELL).unflatten(0, (len(keys), -1)).flatten(1, 2)
        nearness = self.log_nearness.exp()
        places = self.places.to(keys.dtype).expand(len(keys), -1, -1)
        far = -nearness * places.square().sum(-1, keepdim=True)
        tokens = queries.flatten(2).transpose(1, 2) * self.log_sharpness.exp()
        # -nearness * |p - q|^2 in full
        query = torch.cat((tokens, 2 * nearness * places, far, torch.ones_like(far)), dim=-1)
        key = torch.cat((keys.flatten(2).transpose(1, 2), places, torch.ones_like(far), far), dim=-1)
        if bounded_softmax.is_possible(query, self.log_sharpness):
            grid = (height, width)
            parts = zip(query.unflatten(1, grid), key.unflatten(1, grid), values, strict=True)
            reach = math.ceil(height * math.sqrt(_FAR / float(nearness)))
            return torch.stack([bounded_softmax.read_near(*one, reach=reach) for one in parts])
        value = values.flatten(2).transpose(1, 2)
        # the fused kernel wants queries, keys and values equally wide, a multiple of 8
        wide = -(-max(query.shape[-1], value.shape[-1]) // 8) * 8
        query, key, padded = (
            F.pad(part, (0, wide - part.shape[-1]))[:, None] for part in (query, key, value)
        )
        read = F.scaled_dot_product_attention(query, key, padded, scale=1.0)[:, 0, :, : value.shape[-1]]
        return read.transpose(1, 2).unflatten(2, (height, width))


def newest(spatial: Float[Tensor, "b m c h w"], slots: Int[Tensor, " b"]) -> Float[Tensor, "b c h w"]:
    """The newest entry of each object."""
    return spatial[torch.arange(len(spatial), device=spatial.device), slots]
