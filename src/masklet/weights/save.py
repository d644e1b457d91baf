"""Writes weights in our own form: safetensors with the model's configuration in the header."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from masklet.errors import ConfigError, DamagedWeightsError
from masklet.models.model import SegmentationModel
from masklet.weights.config_json import encode_config
from masklet.weights.tensor_file import write_safetensors

FORMAT = "masklet"
CONFIG_KEY = "config"
_RESERVED = ("format", CONFIG_KEY)
_SMALL = 4096
"""Tensors of at most so many numbers stay in float32: they weigh nothing, and positions and scales hang on them."""


def save_weights(
    path: str | Path,
    model: SegmentationModel,
    *,
    dtype: torch.dtype = torch.float16,
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a model's weights and configuration; the file appears whole or not at all.

    Args:
        path: The file to write, usually ending in ".safetensors"; replaced when it is there.
        model: What to save.
        dtype: Storage type of the large tensors: float16, bfloat16 or float32. They are float32 again when loaded.
        metadata: More text for the header, such as the recipe and its scores.

    Raises:
        ConfigError: When the metadata uses a reserved key or the type is not one of the three.
        DamagedWeightsError: When a weight is not finite in the storage type.
    """
    if dtype not in (torch.float16, torch.bfloat16, torch.float32):
        raise ConfigError(
            f"Weights are stored as float16, bfloat16 or float32, got {dtype}; pass one of these."
        )
    extra = dict(metadata or {})
    taken = [key for key in _RESERVED if key in extra]
    if taken:
        raise ConfigError(
            f"The metadata key {taken[0]!r} is reserved for the file's own use; choose another name."
        )
    tensors = {name: _stored(name, tensor, dtype) for name, tensor in model.state_dict().items()}
    header = {"format": FORMAT, CONFIG_KEY: encode_config(model.config), **extra}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.touch()
        mode = part.stat().st_mode  # as any new file; safetensors would let its owner alone read it
        write_safetensors(part, tensors, header)
        part.chmod(mode)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _stored(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    target = torch.float32 if tensor.numel() <= _SMALL else dtype
    stored = tensor.detach().to(device="cpu", dtype=target).contiguous()
    if not bool(stored.isfinite().all()):
        raise DamagedWeightsError(
            f"The weight {name!r} is not finite as {target}; train on from an earlier checkpoint or save as float32."
        )
    return stored
