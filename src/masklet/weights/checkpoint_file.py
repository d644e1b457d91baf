"""Reads the zip archives that torch.save writes, without running anything they may hold."""

from __future__ import annotations

import zipfile
from pathlib import Path

import torch
from torch import Tensor

from masklet.errors import DamagedWeightsError, MismatchedWeightsError

ZIP_START = b"PK\x03\x04"


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """The tensors of a ``.pt`` file: its "model" entry, or the file's own when it has none.

    Raises:
        DamagedWeightsError: When the archive is cut off, a record's checksum is wrong, or it holds more than tensors.
        MismatchedWeightsError: When it holds no state dict.
    """
    _check_archive(path)
    try:
        content: object = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except Exception as error:
        # what a hostile or odd archive raises is not documented; nothing is lost, the cause stays attached
        raise DamagedWeightsError(
            f"The weights in {path} hold more than tensors or cannot be parsed, and are refused; "
            "use the published file or save the state dict alone."
        ) from error
    state = content.get("model", content) if isinstance(content, dict) else None
    if (
        not isinstance(state, dict)
        or not state
        or not all(isinstance(value, Tensor) for value in state.values())
    ):
        raise MismatchedWeightsError(
            f"The file {path} holds no state dict of tensors, neither at its top nor under 'model'; "
            "save the model's state dict."
        )
    return {str(name): value for name, value in state.items()}


def _check_archive(path: Path) -> None:
    size = path.stat().st_size
    try:
        with zipfile.ZipFile(path) as archive:
            wrong = archive.testzip()
    except (zipfile.BadZipFile, EOFError, OSError, NotImplementedError) as error:
        raise DamagedWeightsError(
            f"The weights in {path} are damaged: the archive's directory at the end of its {size:,} bytes is missing "
            f"or wrong, most likely the file is truncated ({error}); fetch or copy the file again."
        ) from error
    if wrong is not None:
        raise DamagedWeightsError(
            f"The weights in {path} are damaged: the checksum of the record {wrong!r} is wrong; "
            "fetch or copy the file again."
        )
