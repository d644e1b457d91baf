"""An encoded image as a value that can be saved and shared."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from masklet.errors import WeightsError
from masklet.geometry import Size
from masklet.models.model import ImageFeatures


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedding:
    """An encoded image: a value to keep, save and share between threads.

    Attributes:
        features: Features on the model's device, with the mark of a frame without memory.
        size: Size of the image.
        model_name: The model that made it.
        weights_sha256: The weights that made it; None for random ones.
        picture: The image itself, RGB uint8 (h, w, 3), where small objects are looked at a second time; else None.
    """

    features: ImageFeatures
    size: Size
    model_name: str
    weights_sha256: str | None = None
    picture: np.ndarray | None = None

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the embedding as safetensors."""
        tensors = {
            name: getattr(self.features, name).cpu().contiguous() for name in ("features", "skip4", "skip8")
        }
        if self.picture is not None:
            tensors["picture"] = torch.from_numpy(np.ascontiguousarray(self.picture))
        facts = {"size_hw": json.dumps(self.size.hw), "model": self.model_name}
        facts |= {} if self.weights_sha256 is None else {"weights": self.weights_sha256}
        partial = Path(path).with_name(Path(path).name + ".part")
        save_file(tensors, partial, metadata=facts)
        partial.replace(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, device: str | torch.device = "cpu") -> Embedding:
        """Read what ``save`` wrote.

        Raises:
            WeightsError: When the file is not an embedding.
        """
        try:
            with safe_open(path, framework="pt", device=str(device)) as file:
                facts = file.metadata() or {}
                maps = [file.get_tensor(name) for name in ("features", "skip4", "skip8")]
                size, name = Size(*json.loads(facts["size_hw"])), facts["model"]
                has_picture = "picture" in file.keys()  # noqa: SIM118 - the file is no mapping
                picture = file.get_tensor("picture").cpu().numpy() if has_picture else None
        except (SafetensorError, OSError, KeyError, ValueError, TypeError) as error:
            raise WeightsError(
                f"{Path(path).name} is not a saved embedding ({error}); embed the image again."
            ) from error
        features, weights = ImageFeatures(*maps), facts.get("weights")
        return cls(features=features, size=size, model_name=name, weights_sha256=weights, picture=picture)
