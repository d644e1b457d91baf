"""The detector inside the package: twenty classes, no download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch
import torch.nn.functional as F

from masklet.errors import ConfigError, DamagedWeightsError, MediaError
from masklet.geometry import Size
from masklet.grounding.base import FoundBox, check_threshold, clipped_box, keep_best
from masklet.grounding.network import resized_for
from masklet.grounding.network_file import NetworkFile, read_network
from masklet.grounding.regions import Region, RegionOptions, find_components, find_regions
from masklet.grounding.vocabulary import Resembling, Vocabulary

NETWORK_FILE = "grounder.safetensors"
USUAL_THRESHOLD = 0.6
FAST, USUAL = (416,), (416, 832)
"""Longer sides, in pixels, at which an image is looked at; the larger one finds smaller objects and costs four times as much."""
SIDES = MappingProxyType({"embedded": USUAL, "embedded-fast": FAST})
"""The detector's names, and at which sizes each looks."""
_ENLARGE = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassMaps:
    """What the head sees in an image.

    Attributes:
        probabilities: Of background and classes, float32 (1 + classes, h, w), over the whole image.
        reach: Distances to the object's edges as parts of the image, float32 (4, h, w).
    """

    probabilities: np.ndarray
    reach: np.ndarray


class EmbeddedGrounder:
    """Finds objects of the closed vocabulary. Holds a network and no other state; safe to share between threads."""

    def __init__(
        self,
        file: NetworkFile | None = None,
        *,
        name: str = "embedded",
        resembling: Resembling | None = None,
        options: RegionOptions | None = None,
        device: str = "cpu",
    ) -> None:
        """Load what is not given from the package.

        Args:
            file: The network; None for the one in the package.
            name: One of ``SIDES``: "embedded", or "embedded-fast" for large objects only.
            resembling: Finds words of nearly the same meaning; None leaves it at names, plurals and synonyms.
            options: How cells become objects.
            device: Where it runs.

        Raises:
            ConfigError: When the name is another.
            DamagedWeightsError: When the package's own file is damaged or missing.
        """
        if name not in SIDES:
            raise ConfigError(f"The embedded detector is called {', '.join(SIDES)}; got {name!r}.")
        self._name = name
        self._device = torch.device(device)
        file = read_network(embedded_network_path()) if file is None else file
        self._network = file.network.to(self._device)
        self._options = options or RegionOptions()
        self.vocabulary = Vocabulary(classes=self._network.classes, resembling=resembling)

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    def find(
        self, image: np.ndarray, phrases: Sequence[str], *, threshold: float | None = None
    ) -> list[FoundBox]:
        """Objects of the classes that the phrases mean, best first.

        Args:
            image: RGB uint8 (h, w, 3).
            phrases: Names of classes, their plurals or synonyms.
            threshold: Least mean probability of the class over an object's surest cells; None for 0.6.

        Raises:
            PromptError: When a phrase means none of the classes; says which are known.
        """
        least = check_threshold(threshold, USUAL_THRESHOLD)
        names = [self.vocabulary.class_of(phrase) for phrase in phrases]
        channels = {
            phrase: 1 + self.vocabulary.classes.index(name)
            for phrase, name in zip(phrases, names, strict=True)
        }
        size = Size(*image.shape[:2])
        scale = np.asarray((size.width, size.height) * 2, np.float32)
        found: list[FoundBox] = []
        for side in SIDES[self._name]:
            maps = self.look(image, side)
            for phrase, channel in channels.items():
                for region in self._regions(maps, channel):
                    box = clipped_box((region.box_xyxy * scale).tolist(), size)
                    if box is not None and region.score >= least:
                        found.append(FoundBox(box=box, score=region.score, label=phrase))
        return keep_best(found)

    def _regions(self, maps: ClassMaps, channel: int) -> list[Region]:
        if self._network.head.config.has_reach:
            return find_regions(maps.probabilities[channel], maps.reach, self._options)
        return find_components(maps.probabilities[channel], self._options)

    @torch.inference_mode()
    def look(self, image: np.ndarray, side: int = FAST[0]) -> ClassMaps:
        """Maps of every class over an image, four pixels of the network's input to a cell.

        Args:
            image: RGB uint8 (h, w, 3).
            side: Pixels that the longer side is brought to.

        Raises:
            MediaError: When the array is of another type or shape.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise MediaError(
                f"An image array must be RGB uint8 (h, w, 3), got {image.dtype} of shape {image.shape}; convert it first."
            )
        maps = self._network(resized_for(image, side, self._device))
        logits, reach = (
            F.interpolate(one, scale_factor=_ENLARGE, mode="bilinear", align_corners=False)[0]
            for one in (maps.logits, maps.reach)
        )
        return ClassMaps(
            probabilities=logits.softmax(dim=0).float().cpu().numpy(), reach=reach.float().cpu().numpy()
        )


def embedded_network_path() -> Path:
    """Where the network lies in the package.

    Raises:
        DamagedWeightsError: When it is missing.
    """
    path = Path(str(resources.files("masklet.grounding") / "embedded" / NETWORK_FILE))
    if not path.is_file():
        raise DamagedWeightsError(
            f"The embedded detector {path} is missing from this installation; reinstall masklet."
        )
    return path
