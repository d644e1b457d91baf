"""Starts the compact encoder from a MobileNetV2 that was trained on something else.

The file holds ``stem.conv``, ``blocks.{0..16}.{expand,depthwise,project}.conv`` with batch norm folded in, and may
hold ``head.{aspp,image_pooling,projection}``, the image-level head of DeepLabV3. Its input is RGB / 127.5 - 1, which
is what the compact preset's mean and deviation of 0.5 give.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from masklet.errors import ConfigError
from masklet.models.compact import CompactEncoder
from masklet.models.model import SegmentationModel
from masklet.weights.match import check_match
from masklet.weights.tensor_file import read_safetensors

_HEAD_TO_CONTEXT = {
    "head.aspp.": "context.local.",
    "head.image_pooling.": "context.pooled.",
    "head.projection.": "context.projection.",
}


def _encoder_name(name: str) -> str | None:
    for head, context in _HEAD_TO_CONTEXT.items():
        if name.startswith(head):
            return context + name.removeprefix(head)
    return None if name.startswith("head.") else name


def load_mobilenet(model: SegmentationModel, path: str | Path) -> tuple[str, ...]:
    """Copy a MobileNetV2 into the compact encoder of a model.

    Args:
        model: A model built from a configuration with the compact encoder at its standard width.
        path: The safetensors file.

    Returns:
        The names of the encoder's tensors that the file did not hold and that stay as they were: those of the
        context head when the file has none.

    Raises:
        ConfigError: When the model has another encoder.
        DamagedWeightsError: When the file cannot be read.
        MismatchedWeightsError: When names or shapes do not fit.
    """
    encoder = model.encoder
    if not isinstance(encoder, CompactEncoder):
        raise ConfigError(
            f"The model {model.config.name!r} has no compact encoder; a MobileNetV2 fits the preset 'compact' only."
        )
    tensors, _ = read_safetensors(path)
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        ours = _encoder_name(name)
        if ours is not None:
            found[ours] = tensor
    targets = encoder.state_dict()
    has_head = any(name.startswith("context.") for name in found)
    untouched = () if has_head else tuple(name for name in targets if name.startswith("context."))
    check_match(
        {name: tuple(tensor.shape) for name, tensor in found.items()},
        {name: tuple(tensor.shape) for name, tensor in targets.items() if name not in untouched},
        source=str(path),
        target="the compact encoder",
    )
    with torch.no_grad():
        for name, tensor in found.items():
            targets[name].copy_(tensor)
    return untouched
