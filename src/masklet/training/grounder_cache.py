"""What a head's training reads of each photo, computed once and kept in files, so that a broken run goes on.

OUT/teacher/SOURCE/NAME.npy            logits of the teacher, float16 (21, 24, 24); they outlive every encoder
OUT/maps-ENCODER/SOURCE/NAME.npz       maps of the encoder of that checksum, float16
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from masklet.grounding.head import EncoderMaps, encode_for_head
from masklet.training.grounder_photos import NamedPhoto
from masklet.training.grounder_targets import ALL_LABELLED
from masklet.training.grounder_teacher import Teacher, teach
from masklet.weights.load import LoadedModel

_NUM_DIGITS = 12


class PhotoCache:
    """Teacher's answers and encoder's maps of photos."""

    def __init__(self, folder: Path, *, teacher: Teacher, encoder: LoadedModel) -> None:
        """Name the folder; nothing is touched yet.

        Args:
            folder: Where files are kept.
            teacher: Computes what is missing of the teacher's answers.
            encoder: Computes what is missing of the maps.
        """
        self._teacher = teacher
        self._encoder = encoder
        self._answers = folder / "teacher"
        self._maps = folder / f"maps-{(encoder.weights_sha256 or 'random')[:_NUM_DIGITS]}"

    def fill(self, photos: list[NamedPhoto]) -> Iterator[int]:
        """Compute what is missing, photo by photo; yields how many are there."""
        for number, photo in enumerate(photos, start=1):
            if photo.source != ALL_LABELLED:
                self.answer(photo)
            self.maps(photo)
            yield number

    def has(self, photo: NamedPhoto) -> bool:
        """Whether nothing is missing of a photo."""
        is_taught = photo.source == ALL_LABELLED or self._answer_path(photo).is_file()
        return is_taught and self._maps_path(photo).is_file()

    def answer(self, photo: NamedPhoto) -> np.ndarray:
        """The teacher's logits, float16 (21, 24, 24)."""
        path = self._answer_path(photo)
        if not path.is_file():
            _write(path, {"": teach(self._teacher, photo.image()).half().numpy()})
        return np.load(path)

    def maps(self, photo: NamedPhoto) -> EncoderMaps:
        """The encoder's maps of the photo, float16, a batch of one."""
        path = self._maps_path(photo)
        if not path.is_file():
            made = encode_for_head(self._encoder, photo.image())
            _write(
                path,
                {name: getattr(made, name).half().cpu().numpy() for name in ("context", "coarse", "fine")},
            )
        with np.load(path) as kept:
            return EncoderMaps(*(torch.from_numpy(kept[name]) for name in ("context", "coarse", "fine")))

    def _answer_path(self, photo: NamedPhoto) -> Path:
        return self._answers / f"{photo.key}.npy"

    def _maps_path(self, photo: NamedPhoto) -> Path:
        return self._maps / f"{photo.key}.npz"


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write one array as .npy, or several as .npz; the file appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with part.open("wb") as file:
        if path.suffix == ".npy":
            np.save(file, arrays[""])
        else:
            np.savez(file, **arrays)  # pyright: ignore[reportArgumentType] - names are not NumPy's own options
    part.replace(path)
