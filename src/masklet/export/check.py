"""Whether a compiled encoder computes what torch computes."""

from __future__ import annotations

import torch
from torch import Tensor

from masklet.errors import ConfigError
from masklet.export.engine import Compiled
from masklet.export.to_onnx import OUTPUTS, example_pixels
from masklet.models.model import SegmentationModel

LARGEST_ERROR = 0.01
"""Error of a map against what it holds, as root mean squares; in float32 it is near 1e-6."""


def check_encoder(model: SegmentationModel, compiled: Compiled, engine_name: str) -> None:
    """Hold a compiled encoder to torch on one image of noise.

    Args:
        model: What it was compiled from.
        compiled: The encoder.
        engine_name: Runtime and version, for the message.

    Raises:
        ConfigError: When it computes something else.
    """
    pixels = example_pixels(model)
    with torch.inference_mode():
        image = model.encode_image(pixels)
    wanted = (image.features, image.skip4, image.skip8)
    for name, mine, theirs in zip(OUTPUTS, compiled(pixels), wanted, strict=True):
        error = relative_error(mine, theirs)
        if not error <= LARGEST_ERROR:
            raise ConfigError(
                f"{engine_name} computes the encoder's {name} otherwise than torch (off by {error:.2g} of its size); "
                "use the runtime 'torch' or another version of this one."
            )


def relative_error(found: Tensor, wanted: Tensor) -> float:
    """Root mean square of the difference over that of what is wanted; infinite when the shapes differ."""
    if found.shape != wanted.shape:
        return float("inf")
    scale = wanted.float().square().mean().sqrt().clamp(min=1e-6)
    return float((found.float() - wanted.float()).square().mean().sqrt() / scale)
