"""Reads a weights file of any known form into our names, and tells which model it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from masklet.errors import DamagedWeightsError, MismatchedWeightsError, UnknownModelError
from masklet.models.config import ModelConfig
from masklet.models.model import SegmentationModel
from masklet.weights.checkpoint_file import ZIP_START, read_checkpoint
from masklet.weights.config_json import decode_config
from masklet.weights.convert import from_foreign, recognise_config, recognise_layout, shapes_of
from masklet.weights.match import check_match
from masklet.weights.names import Layout
from masklet.weights.save import CONFIG_KEY, FORMAT
from masklet.weights.tensor_file import existing_file, read_safetensors

_FOLDER_FILE = "model.safetensors"
_FOLDER_CONFIG = "config.json"
_POINTER_START = b"version https://git-lfs"
_PAGE_STARTS = (b"<!DOCTYPE", b"<!doctype", b"<html")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadWeights:
    """The content of a weights file, not yet fitted to a model.

    Attributes:
        path: The file.
        config: Which model it is.
        tensors: As they are named in the file.
        layout: How they are named; None for our own names.
    """

    path: Path
    config: ModelConfig
    tensors: dict[str, Tensor]
    layout: Layout | None

    def fill(self, model: SegmentationModel) -> None:
        """Copy the weights into a model, as float32.

        Raises:
            MismatchedWeightsError: When names or shapes do not fit; the model is then unchanged.
            DamagedWeightsError: When a number is not finite; the model is then unchanged.
        """
        source, target = str(self.path), f"the model {model.config.name!r}"
        ours = shapes_of(model.state_dict())
        if self.layout is None:
            check_match(shapes_of(self.tensors), ours, source=source, target=target)
            state = self.tensors
        else:
            state = from_foreign(self.tensors, self.layout, ours, source=source, target=target)
        wrong = [name for name, tensor in state.items() if not _is_finite(tensor)]
        if wrong:
            raise DamagedWeightsError(
                f"The weights in {source} are damaged: {len(wrong)} tensors hold numbers that are not finite, "
                f"the first is {wrong[0]}; fetch or copy the file again."
            )
        model.load_state_dict(state)


def _is_finite(tensor: Tensor) -> bool:
    """Whether every number is finite; the largest size of all is not a number as soon as one of them is none."""
    return not tensor.numel() or bool(tensor.abs().max().isfinite())


def read_weights(path: str | Path) -> ReadWeights:
    """Read our own safetensors, a published ``.pt``, or a file or folder that transformers wrote.

    Raises:
        UnknownModelError: When there is no such file.
        DamagedWeightsError: When the bytes are wrong.
        MismatchedWeightsError: When the content is no model we know.
    """
    path = Path(path)
    image_size = None
    if path.is_dir():
        image_size = _folder_image_size(path)
        path = path / _FOLDER_FILE
        if not path.is_file():
            raise UnknownModelError(
                f"The folder {path.parent} holds no {_FOLDER_FILE}; pass a folder that transformers wrote, or a file."
            )
    path = existing_file(path)
    with path.open("rb") as file:
        start = file.read(len(_POINTER_START))
    _refuse_other_files(path, start)
    if start.startswith(ZIP_START):
        return _recognised(path, read_checkpoint(path), image_size)
    tensors, header = read_safetensors(path)
    if header.get("format") == FORMAT and CONFIG_KEY in header:
        config = decode_config(header[CONFIG_KEY], source=str(path))
        return ReadWeights(path=path, config=config, tensors=tensors, layout=None)
    return _recognised(path, tensors, image_size)


def _recognised(path: Path, tensors: dict[str, Tensor], image_size: int | None) -> ReadWeights:
    layout = recognise_layout(tensors)
    if layout is None:
        first = ", ".join(list(tensors)[:3])
        raise MismatchedWeightsError(
            f"The file {path} holds {len(tensors)} tensors ({first}, ...) of no known model; "
            "pass weights of SAM 2 or a file that masklet saved."
        )
    config = recognise_config(shapes_of(tensors), layout, source=str(path))
    if image_size is not None:
        config = config.resized(image_size)
    return ReadWeights(path=path, config=config, tensors=tensors, layout=layout)


def _refuse_other_files(path: Path, start: bytes) -> None:
    if start == _POINTER_START:
        raise DamagedWeightsError(
            f"The file {path} is a Git LFS pointer, not the weights; fetch them with 'git lfs pull'."
        )
    if start.startswith(_PAGE_STARTS):
        raise DamagedWeightsError(
            f"The file {path} is a web page, not the weights; download the file itself."
        )


def _folder_image_size(folder: Path) -> int | None:
    path = folder / _FOLDER_CONFIG
    if not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DamagedWeightsError(
            f"The file {path} is not JSON ({error}); fetch the folder again."
        ) from error
    size = content.get("image_size") if isinstance(content, dict) else None
    if size is None:
        return None
    sides = set(size) if isinstance(size, list) else {size}
    if len(sides) != 1 or not isinstance(side := sides.pop(), int):
        raise MismatchedWeightsError(
            f"The file {path} asks for the image size {size}; masklet needs one square side."
        )
    return side
