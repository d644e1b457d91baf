"""Attention to a long memory on a CPU: in blocks that stay in the processor's cache, and in fewer operations.

Two identities are used, both exact. Values enter as they are remembered and are projected after they were read, since
softmax(Q K) (M W + 1 b) = (softmax(Q K) M) W + 1 b when the rows of the softmax sum to one; M is four times narrower than
M W. And a softmax over a row can be taken piece by piece if the sums so far are scaled whenever a larger score turns up.

Source: online softmax (Milakov and Gimelshein 2018); the order of the projection is ours.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch
from jaxtyping import Complex, Float
from torch import Tensor

_Work = tuple[Tensor, Tensor, Tensor, Tensor]
"""Scaled queries, keys, values, and where to write what is read."""

QUERY_ROWS, KEY_ROWS = 512, 512
"""Scores of one block, 1 MiB, fit the second-level cache of the usual processors; half or twice as many are as good."""


def is_possible(values: Tensor) -> bool:
    """Whether to work in blocks: on a CPU, in float32, without gradients, and where nothing is compiled."""
    is_plain = values.device.type == "cpu" and values.dtype == torch.float32
    is_free = not torch.is_grad_enabled() and not torch.compiler.is_compiling()
    return is_plain and is_free and not torch.is_autocast_enabled("cpu")


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
    read = scaled.new_empty(len(scaled), values.shape[1])
    work = [
        (rows, keys, values, found)
        for rows, found in zip(scaled.split(QUERY_ROWS), read.split(QUERY_ROWS), strict=True)
    ]
    num_threads = min(torch.get_num_threads(), len(work))
    if num_threads == 1:
        _read_all(work)
    else:
        _share_out([work[first::num_threads] for first in range(num_threads)])
    return read


def _share_out(parts: list[list[_Work]]) -> None:
    """Every part in a thread of its own, in which torch works alone.

    Left to itself, torch would split each of some thousand small products and wait for the slowest part of each; on a
    machine with other work that takes longer than the products.
    """
    num_threads, is_inference = torch.get_num_threads(), torch.is_inference_mode_enabled()

    def read(part: list[_Work]) -> None:
        # modes are those of a thread; so is this number, but for the start of later threads, which is put right below
        torch.set_num_threads(1)
        with torch.no_grad(), torch.inference_mode(is_inference):
            _read_all(part)

    with ThreadPoolExecutor(len(parts), "read-memory") as pool:
        try:
            list(pool.map(read, parts))
        finally:
            torch.set_num_threads(num_threads)


def _read_all(work: list[_Work]) -> None:
    """One block of queries after the other."""
    scores = work[0][0].new_empty(QUERY_ROWS * KEY_ROWS)
    for rows, keys, values, found in work:
        found.copy_(_read_rows(rows, keys, values, scores))


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
