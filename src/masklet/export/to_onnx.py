"""Writes the image encoder as ONNX, with the exporter that needs no package beside torch and onnx."""

from __future__ import annotations

import tempfile
import warnings
from pathlib import Path

import torch
from torch import Tensor, nn

from masklet.models.model import SegmentationModel

OPSET = 17
"""The first ONNX operator set with layer norm."""
OUTPUTS = ("features", "skip4", "skip8")


class _Encoder(nn.Module):
    """``encode_image`` with tensors for an answer."""

    def __init__(self, model: SegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        image = self.model.encode_image(pixels)
        return image.features, image.skip4, image.skip8


def to_onnx(model: SegmentationModel) -> bytes:
    """The image encoder with its weights as an ONNX file, from ``pixels`` (1, 3, s, s) to OUTPUTS, each of one image.

    The TorchScript exporter is used: the newer one also needs onnxscript and is many times slower.

    Args:
        model: The network, on the CPU, in float32.
    """
    with (
        tempfile.TemporaryDirectory(prefix="masklet-onnx-") as folder,
        torch.inference_mode(mode=False),
        torch.no_grad(),
        warnings.catch_warnings(),
    ):
        # it warns that it is not the newest exporter, and of branches on shapes, which are the same for every image
        warnings.simplefilter("ignore")
        path = Path(folder) / "encoder.onnx"
        torch.onnx.export(
            _Encoder(model).eval(),
            (example_pixels(model),),
            path,
            input_names=["pixels"],
            output_names=list(OUTPUTS),
            opset_version=OPSET,
            dynamo=False,
        )
        return path.read_bytes()


def example_pixels(model: SegmentationModel) -> Tensor:
    """Seeded noise of the shape of one image (1, 3, s, s)."""
    side = model.config.image_size
    return torch.randn(1, 3, side, side, generator=torch.Generator().manual_seed(side))
