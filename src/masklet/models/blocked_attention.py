"""Attention to a long memory on a CPU: in blocks that stay in the processor's cache, and in fewer operations.

Two identities are used, both exact. Values enter as they are remembered and are projected after they were read, since
softmax(Q K) (M W + 1 b) = (softmax(Q K) M) W + 1 b when the rows of the softmax sum to one; M is four times narrower than
M W. And a softmax over a row can be taken piece by piece if the sums so far are scaled whenever a larger score turns up.

Source: online softmax (Milakov and Gimelshein 2018); the order of the projection is ours.
"""

from __future__ import annotations

import torch
from jaxtyping import Complex, Float
from torch import Tensor

QUERY_ROWS, KEY_ROWS = 512, 1024
"""Scores of one block, 2 MiB, fit the second-level cache of the usual processors; half or twice as many are as good."""


def is_possible(values: Tensor) -> bool:
    """Whether to work in blocks: on a CPU, in float32, and without gradients."""
    is_plain = values.device.type == "cpu" and values.dtype == torch.float32
    return is_plain and not torch.is_grad_enabled() and not torch.is_autocast_enabled("cpu")


def turn(values: Float[Tensor, "m c"], turns: Complex[Tensor, "n half"]) -> Float[Tensor, "m c"]:
    """Turn neighbouring channel pairs; the grid of n places is repeated to the m rows.

    Args:
        values: Rows in the order of the grid, one grid after the other.
        turns: Unit complex numbers, one per place and pair.
    """
    pairs = torch.view_as_complex(values.reshape(-1, len(turns), turns.shape[1], 2))
    return torch.view_as_real(pairs * turns).reshape(values.shape)


def read_in_blocks(
    queries: Float[Tensor, "n c"], keys: Float[Tensor, "m c"], values: Float[Tensor, "m v"]
) -> Float[Tensor, "n v"]:
    """softmax(queries keys / sqrt(c)) values, without ever holding the n by m scores.

    Args:
        queries: What asks.
        keys: What is compared with it.
        values: What is read, of any width.
    """
    scaled = queries * queries.shape[1] ** -0.5
    scores = scaled.new_empty(QUERY_ROWS * KEY_ROWS)
    read = [_read_rows(rows, keys, values, scores) for rows in scaled.split(QUERY_ROWS)]
    return torch.cat(read)


def _read_rows(rows: Tensor, keys: Tensor, values: Tensor, buffer: Tensor) -> Tensor:
    """One block of queries against all keys."""
    top = rows.new_full((len(rows), 1), -torch.inf)
    total = rows.new_zeros(len(rows), 1)
    read = rows.new_zeros(len(rows), values.shape[1])
    for key, value in zip(keys.split(KEY_ROWS), values.split(KEY_ROWS), strict=True):
        scores = buffer[: len(rows) * len(key)].view(len(rows), len(key))
        torch.mm(rows, key.T, out=scores)
        higher = torch.maximum(top, scores.amax(dim=1, keepdim=True))
        shrink = (top - higher).exp_()
        top = higher
        scores.sub_(top).exp_()
        total.mul_(shrink).add_(scores.sum(dim=1, keepdim=True))
        read.mul_(shrink).addmm_(scores, value)
    return read.div_(total)
