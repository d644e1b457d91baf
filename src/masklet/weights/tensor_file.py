"""Reads tensor files, says what is wrong with those that are damaged, and writes the same bytes for the same content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from masklet.errors import DamagedWeightsError, UnknownModelError

_LENGTH_BYTES = 8
_MAX_HEADER = 100_000_000


def read_safetensors(path: str | Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """All tensors of a safetensors file, on the CPU, and the metadata of its header.

    Raises:
        UnknownModelError: When there is no such file.
        DamagedWeightsError: When the bytes are not those of a whole safetensors file; says which.
    """
    path = existing_file(path)
    check_safetensors_length(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as opened:
            return {name: opened.get_tensor(name) for name in opened.keys()}, dict(opened.metadata() or {})  # noqa: SIM118
    except SafetensorError as error:
        raise DamagedWeightsError(
            f"The weights in {path} are damaged: the header is not one of a safetensors file ({error}); "
            "fetch or copy the file again."
        ) from error


def write_safetensors(path: Path, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and text; the text in order of its keys, which safetensors leaves to chance.

    Args:
        path: The file; replaced when it is there.
        tensors: Contiguous tensors on the CPU, by name.
        metadata: Text for the header.
    """
    save_file(dict(tensors), path, metadata=dict(metadata))
    with path.open("r+b") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        header = json.loads(file.read(length))
        header["__metadata__"] = dict(sorted(metadata.items()))
        text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
        if len(text) <= length:  # it is the same text in another order
            file.seek(_LENGTH_BYTES)
            file.write(text.ljust(length))


def existing_file(path: str | Path) -> Path:
    """The path, when it is a file.

    Raises:
        UnknownModelError: When it is not.
    """
    path = Path(path)
    if not path.is_file():
        raise UnknownModelError(f"There is no weights file {path}; check the path or pass a preset name.")
    return path


def check_safetensors_length(path: Path) -> None:
    """Compare the length of a file with what its header promises.

    Raises:
        DamagedWeightsError: Says how many bytes are there and how many there should be.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(_LENGTH_BYTES), "little")
        if size < _LENGTH_BYTES or length > min(_MAX_HEADER, size - _LENGTH_BYTES):
            raise DamagedWeightsError(
                f"The weights in {path} are damaged: the header should take {length:,} bytes after the first "
                f"{_LENGTH_BYTES}, but the file has {size:,} bytes; fetch or copy the file again."
            )
        header = _parse_header(file.read(length), path)
    ends = [_end_of(entry, path) for name, entry in header.items() if name != "__metadata__"]
    expected = _LENGTH_BYTES + length + max(ends, default=0)
    if size != expected:
        state = "truncated" if size < expected else "followed by bytes that do not belong to it"
        raise DamagedWeightsError(
            f"The weights in {path} are damaged: the file is {state}, {size:,} bytes instead of {expected:,}; "
            "fetch or copy the file again."
        )


def _parse_header(raw: bytes, path: Path) -> dict[str, object]:
    try:
        header = json.loads(raw)
    except ValueError as error:
        raise _wrong_header(path) from error
    if not isinstance(header, dict):
        raise _wrong_header(path)
    return header


def _end_of(entry: object, path: Path) -> int:
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not isinstance(offsets, list) or len(offsets) != 2 or not isinstance(offsets[1], int):
        raise _wrong_header(path)
    return offsets[1]


def _wrong_header(path: Path) -> DamagedWeightsError:
    return DamagedWeightsError(
        f"The weights in {path} are damaged: what follows its first {_LENGTH_BYTES} bytes is not the JSON header of a "
        "safetensors file; fetch or copy the file again."
    )
