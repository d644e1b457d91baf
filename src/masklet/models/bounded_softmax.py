"""Reading by affinity on a CPU where scores are known to be small: a softmax that needs no maximum.

exp of a score between -80 and 80 is an ordinary number in float32, so neither a maximum nor a running sum has to be kept:
scores of a block of queries are a product, exp in place, and a product with the values, divided by
their sums. Blocks stay in the second-level cache. Source: ours.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

from masklet.models import blocked_attention

LARGEST_SCORE = 60.0
"""Of scores that are read here; exp of it, times the keys of a memory, is far from the largest number of float32."""
_LEAST_SCORE = -80.0
"""Smaller ones count as this: numbers too small for normal floats are slow, and change no sum either way."""
_WIDE = 32
_QUERIES = 96
"""Rows of queries at once; with the keys of a whole memory 1.5 MB of scores."""
_TILE = 12
"""Places along the side of a tile of queries; with what is near them at stride 8 half a megabyte of scores."""


def is_possible(values: Tensor, log_sharpness: Tensor) -> bool:
    """Whether to read so: on a CPU, in float32, without gradients or a compiler, where scores stay below LARGEST_SCORE.

    Args:
        values: What is multiplied.
        log_sharpness: Logarithm of the largest score of two keys of unit length.
    """
    is_followed = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage] - documented
    if is_followed or not blocked_attention.is_possible(values):
        return False
    return float(log_sharpness) < math.log(LARGEST_SCORE)


@dataclass(frozen=True, slots=True)
class Compared:
    """How much each key counts for each query: the part of reading that needs no values.

    Attributes:
        blocks: exp of scores (m, q) of some queries after the other, and their sums (q, 1).
    """

    blocks: tuple[tuple[Tensor, Tensor], ...]


def compare(queries: Float[Tensor, "n c"], keys: Float[Tensor, "m c"]) -> Compared:
    """The first part of ``read``."""
    found: list[tuple[Tensor, Tensor]] = []
    for at in _blocks(len(queries)):
        scores = torch.mm(keys, queries[at].T)
        found.append((scores, _count(scores)))
    return Compared(tuple(found))


def read_by(compared: Compared, values: Float[Tensor, "b m v"]) -> Float[Tensor, "b n v"]:
    """The rest of ``read``; the same numbers."""
    beside = _side_by_side(values)
    num_queries = sum(scores.shape[1] for scores, _ in compared.blocks)
    found, start = values.new_empty(len(values), num_queries, values.shape[2]), 0
    for scores, sums in compared.blocks:
        _sum_up(scores, sums, beside, found[:, start : start + len(sums)])
        start += len(sums)
    return found


def read(
    queries: Float[Tensor, "n c"], keys: Float[Tensor, "m c"], values: Float[Tensor, "b m v"]
) -> Float[Tensor, "b n v"]:
    """softmax(queries keys) values, of scores of at most LARGEST_SCORE, one of every row not far below zero.

    Args:
        queries: What asks.
        keys: What is compared with it.
        values: What is read, of one or several objects.
    """
    beside = _side_by_side(values)
    found = values.new_empty(len(values), len(queries), values.shape[2])
    for at in _blocks(len(queries)):
        scores = torch.mm(keys, queries[at].T)
        _sum_up(scores, _count(scores), beside, found[:, at])
    return found


def read_near(
    queries: Float[Tensor, "h w c"],
    keys: Float[Tensor, "h w c"],
    values: Float[Tensor, "v h w"],
    *,
    reach: int,
) -> Float[Tensor, "v h w"]:
    """As ``read`` on a grid where what is far counts for nothing: tile by tile, each with what is near it.

    Args:
        queries: What asks, at every place.
        keys: What is compared with it.
        values: What is read, a few channels.
        reach: So many rows and columns around a tile are compared.
    """
    height, width, _ = queries.shape
    found = torch.empty_like(values)
    for top, left in product(range(0, height, _TILE), range(0, width, _TILE)):
        rows, columns = slice(top, top + _TILE), slice(left, left + _TILE)
        near = (
            slice(max(0, top - reach), rows.stop + reach),
            slice(max(0, left - reach), columns.stop + reach),
        )
        asking = queries[rows, columns]
        scores = torch.mm(keys[near].flatten(0, 1), asking.flatten(0, 1).T)
        sums = _count(scores)[:, 0]
        read = values[:, near[0], near[1]].flatten(1) @ scores / sums
        found[:, rows, columns] = read.unflatten(1, asking.shape[:2])
    return found


def _side_by_side(values: Float[Tensor, "b m v"]) -> tuple[Tensor, bool]:
    """Values of all objects as one matrix, and whether it is read from the left, which is faster where they are narrow."""
    if values.shape[2] < _WIDE:
        return values.transpose(1, 2).flatten(0, 1).contiguous(), True
    if len(values) == 1:
        return values[0], False
    beside = values.new_empty(values.shape[1], len(values), values.shape[2])
    return beside.copy_(values.transpose(0, 1)).flatten(1), False


def _count(scores: Float[Tensor, "m q"]) -> Float[Tensor, "q 1"]:
    """Scores become what each key counts, in place; the sums."""
    return scores.clamp_(min=_LEAST_SCORE).exp_().sum(dim=0)[:, None]


def _sum_up(
    scores: Float[Tensor, "m q"],
    sums: Float[Tensor, "q 1"],
    beside: tuple[Tensor, bool],
    out: Float[Tensor, "b q v"],
) -> None:
    """Means of values that lie side by side."""
    values, is_from_left = beside
    if is_from_left:
        read = (values @ scores).unflatten(0, (len(out), -1)).transpose(1, 2)
    else:
        read = (scores.T @ values).unflatten(1, (len(out), -1)).transpose(0, 1)
    torch.div(read, sums, out=out)


def _blocks(num_queries: int) -> Iterator[slice]:
    """Queries at once."""
    for start in range(0, num_queries, _QUERIES):
        yield slice(start, start + _QUERIES)
