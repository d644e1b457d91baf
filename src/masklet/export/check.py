"""Whether a compiled graph computes what torch computes."""

from __future__ import annotations

import torch
from torch import Tensor

from masklet.errors import ConfigError
from masklet.export.engine import Compiled
from masklet.export.wrappers import Graph

LARGEST_ERROR = 0.1
"""Error of an output against its spread, as root mean squares. bfloat16 stays below 0.03; a wrong graph is near 1."""


def check_graph(graph: Graph, compiled: Compiled, engine_name: str) -> None:
    """Hold a compiled graph to torch on the example of the graph.

    Raises:
        ConfigError: When it computes something else.
    """
    with torch.inference_mode():
        expected = graph.module(*graph.example)
    answers = compiled(dict(zip(graph.inputs, graph.example, strict=True)))
    expected = (expected,) if isinstance(expected, Tensor) else expected
    for name, found, wanted in zip(graph.outputs, answers, expected, strict=True):
        error = relative_error(found, wanted)
        if not error <= LARGEST_ERROR:
            raise ConfigError(
                f"{engine_name} computes {name!r} of the graph {graph.name!r} otherwise than torch (off by "
                f"{error:.2g} of its spread); use the runtime 'torch' or another version of this one."
            )


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """Root mean square of the difference over that of what is wanted; infinite when the shapes differ."""
    if found.shape != wanted.shape:
        return float("inf")
    scale = wanted.float().square().mean().sqrt().clamp(min=1e-6)
    return float((found.float() - wanted.float()).square().mean().sqrt() / scale)
