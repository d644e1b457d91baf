"""The teacher of the embedded grounder: MobileNetV2 with a DeepLabV3 head, trained on Pascal VOC 2012.

Source: DeepLabV3 (Chen et al. 2017), in the public weights that the compact encoder starts from.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from masklet.errors import MismatchedWeightsError
from masklet.models.compact import CompactEncoder
from masklet.models.config import CompactEncoderConfig
from masklet.weights.tensor_file import read_safetensors

LONG_SIDE = 416
"""Longer side of the teacher's input in pixels: about that of the photos, so that nothing is enlarged much."""
GRID = 24
"""Side of the square that its answers are kept at; about its own resolution."""
_STRIDE = 16
_NUM_CLASSES = 21
_HEADS = {
    "head.aspp.": "context.local.",
    "head.image_pooling.": "context.pooled.",
    "head.projection.": "context.projection.",
}


class Teacher(nn.Module):
    """The compact encoder's structure up to its context map, and a linear layer to the classes."""

    def __init__(self) -> None:
        super().__init__()
        config = CompactEncoderConfig()
        self.encoder = CompactEncoder(config)
        self.logits = nn.Conv2d(config.context_channels, _NUM_CLASSES, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Normalised pixels (1, 3, h, w) to class logits (1, 21, h/16, w/16); class 0 is the background."""
        return self.logits(self.encoder(pixels)[-1])


def load_teacher(path: Path) -> Teacher:
    """Read the teacher from its safetensors file.

    Raises:
        UnknownModelError: When there is no such file.
        DamagedWeightsError: When it cannot be read.
        MismatchedWeightsError: When it is not the backbone with its semantic head.
    """
    tensors, _ = read_safetensors(path)
    state: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        head = next((start for start in _HEADS if name.startswith(start)), None)
        if name.startswith("head.logits."):
            state["logits." + name.removeprefix("head.logits.")] = tensor
        elif head is not None:
            state["encoder." + _HEADS[head] + name.removeprefix(head)] = tensor
        else:
            state["encoder." + name] = tensor
    teacher = Teacher()
    try:
        teacher.load_state_dict(state)
    except RuntimeError as error:
        raise MismatchedWeightsError(
            f"The file {path} is not a MobileNetV2 with a DeepLabV3 head for 21 classes; give that file."
        ) from error
    return teacher.eval()


@torch.inference_mode()
def teach(teacher: Teacher, image: np.ndarray) -> Tensor:
    """Class logits of a photo on the square grid, (21, 24, 24).

    Args:
        teacher: The teacher.
        image: RGB uint8 (h, w, 3).
    """
    height, width = image.shape[:2]
    scale = LONG_SIDE / max(height, width)
    size = (max(_STRIDE, round(width * scale)), max(_STRIDE, round(height * scale)))
    resized = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR))
    down, right = (-resized.shape[0]) % _STRIDE, (-resized.shape[1]) % _STRIDE
    padded = np.pad(resized, ((0, down), (0, right), (0, 0)), mode="edge")
    pixels = torch.from_numpy(padded).permute(2, 0, 1)[None].float() / 127.5 - 1
    logits = teacher(pixels)
    return F.interpolate(
        logits[:, :, : -(-resized.shape[0] // _STRIDE), : -(-resized.shape[1] // _STRIDE)],
        size=(GRID, GRID),
        mode="bilinear",
        align_corners=False,
    )[0]
