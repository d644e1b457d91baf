"""Reading by affinity on a CPU where scores are known to be small: a softmax that needs no maximum.

exp of a score between -80 and 80 is an ordinary number in float32, so neither a maximum nor a running sum has to be kept:
scores of a block of queries are a product, exp in place, and a product with the values, divided by
their sums. Blocks stay in the second-level cache. Source: ours.
"""

from __future__ import annotations

import math

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


def read(
    queries: Float[Tensor, "n c"], keys: Float[Tensor, "m c"], values: Float[Tensor, "b m v"]
) -> Float[Tensor, "b n v"]:
    """softmax(queries keys) values, of scores of at most LARGEST_SCORE, one of every row not far below zero.

    Args:
        queries: What asks.
        keys: What is compared with it.
        values: What is read, of one or several objects.
    """
    # narrow values are read faster from the left, together; wide ones as they lie in memory
    columns = values.transpose(1, 2).flatten(0, 1).contiguous() if values.shape[2] < _WIDE else None
    found = values.new_empty(len(values), len(queries), values.shape[2])
    scores = values.new_empty(len(keys), min(_QUERIES, len(queries)))
    for start in range(0, len(queries), _QUERIES):
        block = queries[start : start + _QUERIES].T
        if block.shape[1] < scores.shape[1]:
            scores = values.new_empty(len(keys), block.shape[1])
        torch.mm(keys, block, out=scores)
        scores.clamp_(min=_LEAST_SCORE).exp_()
        sums, part = scores.sum(dim=0)[:, None], found[:, start : start + _QUERIES]
        if columns is None:
            for one, out in zip(values, part, strict=True):
                torch.mm(scores.T, one, out=out)
            part /= sums
        else:
            part.copy_((columns @ scores).unflatten(0, (len(values), -1)).transpose(1, 2) / sums)
    return found
