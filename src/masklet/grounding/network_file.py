"""The detector's file: the encoder in 8 bits, the head in float16, and in the header the shape of both."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from masklet.errors import DamagedWeightsError, MismatchedWeightsError
from masklet.grounding.head import HeadConfig
from masklet.grounding.network import GrounderNetwork
from masklet.models.config import CompactEncoderConfig
from masklet.weights.tensor_file import read_safetensors, write_safetensors

FORMAT = "masklet-detector"
_HEAD_KEY, _ENCODER_KEY, _FORMAT_KEY = "head", "encoder", "format"
_RESERVED = (_HEAD_KEY, _ENCODER_KEY, _FORMAT_KEY)
_STEP = ".step"
_MOST = 127
"""Largest whole number of a weight; the step of an output channel brings its largest weight there."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NetworkFile:
    """A detector as read from its file.

    Attributes:
        network: In evaluation mode, float32.
        metadata: The rest of the header, such as the recipe.
    """

    network: GrounderNetwork
    metadata: Mapping[str, str]


def save_network(path: Path, network: GrounderNetwork, *, metadata: Mapping[str, str] | None = None) -> None:
    """Write a detector; the file appears whole or not at all.

    Args:
        path: The file, ending in ".safetensors".
        network: What to save.
        metadata: More text for the header.
    """
    tensors: dict[str, Tensor] = {}
    for name, value in network.state_dict().items():
        tensor = value.detach().cpu()
        if name.startswith("encoder.") and tensor.ndim > 1:
            tensors[name], tensors[name + _STEP] = in_whole_numbers(tensor)
        else:
            tensors[name] = tensor.half().contiguous()
    header = {
        **{name: text for name, text in (metadata or {}).items() if name not in _RESERVED},
        _FORMAT_KEY: FORMAT,
        _HEAD_KEY: json.dumps(asdict(network.head.config)),
        _ENCODER_KEY: json.dumps(asdict(network.encoder_config)),
    }
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        write_safetensors(part, tensors, header)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_network(path: Path) -> bool:
    """Whether a file says of itself that it is a detector; False for any other file."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return (file.metadata() or {}).get(_FORMAT_KEY) == FORMAT
    except (SafetensorError, OSError):
        return False


def read_network(path: Path) -> NetworkFile:
    """Read what ``save_network`` wrote.

    Raises:
        UnknownModelError: When there is no such file.
        DamagedWeightsError: When its bytes are wrong.
        MismatchedWeightsError: When it is not a detector, or of another shape than it says.
    """
    tensors, header = read_safetensors(path)
    if header.get(_FORMAT_KEY) != FORMAT:
        raise MismatchedWeightsError(
            f"The file {path} is not an embedded detector; give one that tools/train_grounder.py wrote."
        )
    try:
        network = GrounderNetwork(
            CompactEncoderConfig(**_read_config(header[_ENCODER_KEY])),
            HeadConfig(**_read_config(header[_HEAD_KEY])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedWeightsError(
            f"The header of {path} is damaged ({error!r}); fetch or copy the file again."
        ) from error
    try:
        network.load_state_dict(_in_float(tensors))
    except (RuntimeError, KeyError) as error:
        raise MismatchedWeightsError(
            f"The tensors in {path} do not have the shape that its header says; train the detector again."
        ) from error
    rest = {name: text for name, text in header.items() if name not in _RESERVED}
    return NetworkFile(network=network.eval(), metadata=rest)


def in_whole_numbers(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Weights of a convolution as int8, and the step of each output channel, float32 (c, 1, 1, 1)."""
    step = (weight.abs().amax(dim=(1, 2, 3), keepdim=True) / _MOST).clamp(min=1e-12).float()
    return (weight / step).round().to(torch.int8).contiguous(), step


def _in_float(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {
        name: tensor.float() * tensors[name + _STEP] if tensor.dtype == torch.int8 else tensor.float()
        for name, tensor in tensors.items()
        if not name.endswith(_STEP)
    }


def _read_config(text: str) -> dict[str, Any]:
    """Fields of a configuration; JSON has lists where it has tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value for name, value in json.loads(text).items()
    }
