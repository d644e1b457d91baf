"""Multi-head attention with separate projections, the only attention of decoder and memory."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn


def split_heads(values: Tensor, num_heads: int) -> Tensor:
    """(b, n, c) to (b, heads, n, c / heads)."""
    return values.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def join_heads(values: Tensor) -> Tensor:
    """(b, heads, n, c / heads) to (b, n, c)."""
    return values.transpose(1, 2).flatten(2)


class Attention(nn.Module):
    """Scaled dot-product attention; the inner width may be smaller than the model's, keys may have another width."""

    def __init__(
        self, dim: int, num_heads: int, *, inner_dim: int | None = None, key_dim: int | None = None
    ) -> None:
        super().__init__()
        inner = inner_dim or dim
        self.num_heads = num_heads
        self.query = nn.Linear(dim, inner)
        self.key = nn.Linear(key_dim or dim, inner)
        self.value = nn.Linear(key_dim or dim, inner)
        self.out = nn.Linear(inner, dim)

    def forward(
        self,
        query: Float[Tensor, "#b n c"],
        key: Float[Tensor, "#b m k"],
        value: Float[Tensor, "#b m k"],
        *,
        key_valid: Bool[Tensor, "b m"] | None = None,
    ) -> Float[Tensor, "b n c"]:
        """Attend; a side that is the same for the whole batch may be given once, and is projected once.

        Args:
            query: What asks.
            key: What is compared with it.
            value: What is read.
            key_valid: False for padding that must not be read; None when all is valid.
        """
        batch = max(len(query), len(key))
        projected = (self.query(query), self.key(key), self.value(value))
        queries, keys, values = (
            split_heads(one, self.num_heads).expand(batch, -1, -1, -1) for one in projected
        )
        read = F.scaled_dot_product_attention(
            queries,
            keys,
            values,
            attn_mask=None if key_valid is None else key_valid[:, None, None, :],
        )
        return self.out(join_heads(read))
