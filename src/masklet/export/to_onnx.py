"""Writes a graph as ONNX, with the exporter that needs no package beside torch and onnx."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch

from masklet.export.wrappers import Graph

OPSET = 17
"""The first ONNX operator set with layer norm."""


def to_onnx(graph: Graph) -> bytes:
    """The graph and its weights as an ONNX file.

    The TorchScript exporter is used: the newer one also needs onnxscript, is many times slower, and refuses to leave
    the number of pictures open.
    """
    axes = {name: dict(free) for name, free in (*graph.inputs.items(), *graph.outputs.items())}
    with (
        tempfile.TemporaryDirectory(prefix="masklet-onnx-") as folder,
        torch.inference_mode(mode=False),
        torch.no_grad(),
        warnings.catch_warnings(),
    ):
        path = Path(folder) / "graph.onnx"
        # it warns that it is not the newest exporter, and of branches on shapes that are the same for every input
        warnings.simplefilter("ignore")
        torch.onnx.export(
            graph.module,
            tuple(one.clone() for one in graph.example),
            path,
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=axes,
            opset_version=OPSET,
            dynamo=False,
        )
        return path.read_bytes()
