"""The head's file: float16 tensors, and in the header its shape and the encoder it was trained on."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from masklet.errors import DamagedWeightsError, MismatchedWeightsError
from masklet.grounding.head import GrounderHead, HeadConfig
from masklet.weights.tensor_file import read_safetensors

FORMAT = "masklet-grounder"
_CONFIG_KEY, _ENCODER_KEY, _FORMAT_KEY = "config", "encoder_sha256", "format"
_RESERVED = (_CONFIG_KEY, _ENCODER_KEY, _FORMAT_KEY)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadFile:
    """A head as read from its file.

    Attributes:
        head: The network, in evaluation mode, float32.
        encoder_sha256: Checksum of the weights file whose encoder it was trained on.
        metadata: The rest of the header, such as the recipe.
    """

    head: GrounderHead
    encoder_sha256: str
    metadata: Mapping[str, str]


def save_head(
    path: Path, head: GrounderHead, *, encoder_sha256: str, metadata: Mapping[str, str] | None = None
) -> None:
    """Write a head; the file appears whole or not at all.

    Args:
        path: The file, ending in ".safetensors".
        head: What to save.
        encoder_sha256: Checksum of the weights file whose encoder it was trained on.
        metadata: More text for the header.
    """
    tensors = {name: tensor.detach().cpu().half().contiguous() for name, tensor in head.state_dict().items()}
    header = {
        **{name: text for name, text in (metadata or {}).items() if name not in _RESERVED},
        _FORMAT_KEY: FORMAT,
        _CONFIG_KEY: json.dumps(asdict(head.config)),
        _ENCODER_KEY: encoder_sha256,
    }
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        save_file(tensors, part, metadata=header)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def is_head(path: Path) -> bool:
    """Whether a file says of itself that it is a head; False for any other file."""
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            return (file.metadata() or {}).get(_FORMAT_KEY) == FORMAT
    except (SafetensorError, OSError):
        return False


def read_head(path: Path) -> HeadFile:
    """Read what ``save_head`` wrote.

    Raises:
        UnknownModelError: When there is no such file.
        DamagedWeightsError: When its bytes are wrong.
        MismatchedWeightsError: When it is not a head, or of another shape than it says.
    """
    tensors, header = read_safetensors(path)
    if header.get(_FORMAT_KEY) != FORMAT:
        raise MismatchedWeightsError(
            f"The file {path} is not the head of an embedded detector; give one that the grounder's training wrote."
        )
    try:
        values = json.loads(header[_CONFIG_KEY])
        config = HeadConfig(**{**values, "classes": tuple(values["classes"])})
        head, encoder = GrounderHead(config), header[_ENCODER_KEY]
    except (ValueError, KeyError, TypeError) as error:
        raise DamagedWeightsError(
            f"The header of {path} is damaged ({error!r}); fetch or copy the file again."
        ) from error
    try:
        head.load_state_dict({name: tensor.float() for name, tensor in tensors.items()})
    except RuntimeError as error:
        raise MismatchedWeightsError(
            f"The tensors in {path} do not have the shape that its header says; train the head again."
        ) from error
    rest = {name: text for name, text in header.items() if name not in _RESERVED}
    return HeadFile(head=head.eval(), encoder_sha256=encoder, metadata=rest)
