"""Exported encoders kept between runs, by weights, configuration, code and version of torch.

A file is the checksum of its content, a line break and the content; one that is damaged counts as missing.
"""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import masklet.export
import masklet.models
from masklet.export.to_onnx import OPSET
from masklet.weights.config_json import encode_config
from masklet.weights.download import assets_folder
from masklet.weights.load import LoadedModel

MAX_FILES = 20
"""Files kept in the folder, the newest; a model and an input size have one, of some 10 MB."""
_SUFFIX = ".encoder"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderCache:
    """Where the exported encoder of one model lies.

    Attributes:
        folder: The folder; None keeps nothing.
        key: What the encoder depends on, as a checksum.
    """

    folder: Path | None
    key: str

    @classmethod
    def of(cls, loaded: LoadedModel, folder: Path | None = None) -> EncoderCache:
        """The cache of a model; one whose weights have no checksum is not kept.

        Args:
            loaded: The model.
            folder: Where files lie; None for the user's cache.
        """
        if loaded.weights_sha256 is None:
            return cls(folder=None, key="")
        parts = (loaded.weights_sha256, encode_config(loaded.config), torch.__version__, str(OPSET), _code())
        key = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        try:
            return cls(folder=folder or assets_folder("encoders"), key=key)
        except OSError as error:
            _LOG.info("There is no place to keep the exported encoder: %s", error)
            return cls(folder=None, key=key)

    def get(self, export: Callable[[], bytes]) -> bytes:
        """The ONNX file, exported when it is not there or damaged."""
        if self.folder is None:
            return export()
        path = self.folder / f"{self.key[:32]}{_SUFFIX}"
        content = _read(path)
        if content is None:
            content = export()
            try:
                _write(path, content)
            except OSError as error:
                _LOG.info("The exported encoder cannot be kept: %s", error)
        return content


def _read(path: Path) -> bytes | None:
    if not path.is_file():
        return None
    digest, _, content = path.read_bytes().partition(b"\n")
    return content if hashlib.sha256(content).hexdigest().encode() == digest else None


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_bytes(hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
    part.replace(path)
    kept = sorted(path.parent.glob(f"*{_SUFFIX}"), key=lambda one: one.stat().st_mtime, reverse=True)
    for old in kept[MAX_FILES:]:
        old.unlink(missing_ok=True)


def _code() -> str:
    """Checksum of the code that the encoder is traced from."""
    digest = hashlib.sha256()
    for package in (masklet.models, masklet.export):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()
