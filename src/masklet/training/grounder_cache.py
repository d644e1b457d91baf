"""What a head's training reads of each photo, computed once and kept in files, so that a broken run goes on.

OUT/maps-ENCODER/SOURCE/NAME.npz       maps of the encoder of that checksum, float16
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

from masklet.grounding.head import EncoderMaps
from masklet.grounding.network import GrounderNetwork, resized_for
from masklet.training.grounder_photos import NamedPhoto
from masklet.training.grounder_targets import GRID

_NUM_DIGITS = 12
_SIDE = 8 * GRID
_NAMES = ("context", "coarse", "fine")


class PhotoCache:
    """The encoder's maps of square photos, and what the teacher makes of them."""

    def __init__(self, folder: Path, *, network: GrounderNetwork, logits: nn.Conv2d) -> None:
        """Name the folder; nothing is touched yet.

        Args:
            folder: Where files are kept.
            network: Its encoder is the teacher's, and computes what is missing of the maps.
            logits: The teacher's layer from the context map to classes.
        """
        self._network = network
        self._logits = logits
        self._maps = folder / f"maps-{_checksum(network.encoder)[:_NUM_DIGITS]}"

    def fill(self, photos: list[NamedPhoto]) -> Iterator[int]:
        """Compute what is missing, photo by photo; yields how many are there."""
        for number, photo in enumerate(photos, start=1):
            self.maps(photo)
            yield number

    def has(self, photo: NamedPhoto) -> bool:
        """Whether nothing is missing of a photo."""
        return self._maps_path(photo).is_file()

    @torch.inference_mode()
    def answer(self, photo: NamedPhoto) -> np.ndarray:
        """The teacher's logits, float32 (21, 24, 24)."""
        return self._logits(self.maps(photo).context.float())[0].numpy()

    @torch.inference_mode()
    def maps(self, photo: NamedPhoto) -> EncoderMaps:
        """The encoder's maps of the photo, float16, a batch of one."""
        path = self._maps_path(photo)
        if not path.is_file():
            made = self._network.encode(resized_for(photo.image(), _SIDE, torch.device("cpu")))
            _write(path, {name: getattr(made, name).half().numpy() for name in _NAMES})
        with np.load(path) as kept:
            return EncoderMaps(*(torch.from_numpy(kept[name]) for name in _NAMES))

    def _maps_path(self, photo: NamedPhoto) -> Path:
        return self._maps / f"{photo.key}.npz"


def _checksum(module: nn.Module) -> str:
    """Of all numbers of a module."""
    total = hashlib.sha256()
    for name, tensor in module.state_dict().items():
        total.update(name.encode() + tensor.numpy().tobytes())
    return total.hexdigest()


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as .npz; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType] - names are not NumPy's own options
    part.replace(path)
