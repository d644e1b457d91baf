"""The detector inside the package: twenty classes, no download."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

from masklet.errors import ConfigError, DamagedWeightsError, MediaError
from masklet.geometry import Size
from masklet.grounding.base import FoundBox, check_threshold, clipped_box, keep_best
from masklet.grounding.head import encode_for_head
from masklet.grounding.head_file import HeadFile, read_head
from masklet.grounding.regions import Region, RegionOptions, find_components, find_regions
from masklet.grounding.vocabulary import Resembling, Vocabulary
from masklet.weights.load import LoadedModel, load_model

HEAD_FILE = "grounder.safetensors"
USUAL_THRESHOLD = 0.6
_ENLARGE = 2
_WINDOW_PART = 0.6
"""Side of each of two windows as a part of the image's; what is smaller than their overlap is whole in one of them."""
_CUT = 0.02
"""What comes nearer than this to an edge within the image, as a part of the window, is cut by it."""


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
    """Finds objects of the closed vocabulary. Holds models and no other state; safe to share between threads."""

    def __init__(
        self,
        encoder: LoadedModel | None = None,
        *,
        head: HeadFile | None = None,
        resembling: Resembling | None = None,
        options: RegionOptions | None = None,
        num_windows: int = 2,
    ) -> None:
        """Load what is not given from the package.

        Args:
            encoder: The embedded model, in torch; None to load it on the CPU.
            head: The head; None for the one in the package.
            resembling: Finds words of nearly the same meaning; None leaves it at names, plurals and synonyms.
            options: How cells become objects.
            num_windows: How many overlapping windows, down and across, are looked at enlarged after the whole image,
                for small objects; 1 for the whole image alone.

        Raises:
            ConfigError: When the encoder is not the embedded model's, or the number of windows is not positive.
            DamagedWeightsError: When the package's own files are damaged or missing.
        """
        self._encoder = load_model("compact", device="cpu") if encoder is None else encoder
        self._file = read_head(embedded_head_path()) if head is None else head
        self._head = self._file.head.to(self._encoder.device)
        self._options = options or RegionOptions()
        self._windows = windows_of(num_windows)
        self.vocabulary = Vocabulary(classes=self._file.head.config.classes, resembling=resembling)

    @property
    def name(self) -> str:
        """What it is called."""
        return "embedded"

    @property
    def mismatch(self) -> str | None:
        """One sentence when the head was trained on another encoder than it reads, else None; it works all the same."""
        return describe_mismatch(self._file.encoder_sha256, self._encoder.weights_sha256)

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
        found: list[FoundBox] = []
        for window in self._windows:
            x0, y0, x1, y1 = (
                round(edge) for edge in window * (size.width, size.height, size.width, size.height)
            )
            part = image[y0 : max(y1, y0 + 1), x0 : max(x1, x0 + 1)]
            maps = self.look(part)
            scale = np.asarray((part.shape[1], part.shape[0]) * 2, np.float32)
            for phrase, channel in channels.items():
                for region in self._regions(maps, channel):
                    box = clipped_box((region.box_xyxy * scale + (x0, y0, x0, y0)).tolist(), size)
                    if box is not None and region.score >= least and not _is_cut(region.box_xyxy, window):
                        found.append(FoundBox(box=box, score=region.score, label=phrase))
        return keep_best(found)

    def _regions(self, maps: ClassMaps, channel: int) -> list[Region]:
        if self._file.head.config.has_reach:
            return find_regions(maps.probabilities[channel], maps.reach, self._options)
        return find_components(maps.probabilities[channel], self._options)

    @torch.inference_mode()
    def look(self, image: np.ndarray) -> ClassMaps:
        """Maps of every class over an image, four pixels of the model's input to a cell.

        Args:
            image: RGB uint8 (h, w, 3).

        Raises:
            MediaError: When the array is of another type or shape.
        """
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise MediaError(
                f"An image array must be RGB uint8 (h, w, 3), got {image.dtype} of shape {image.shape}; convert it first."
            )
        maps = self._head(encode_for_head(self._encoder, image))
        logits, reach = (
            F.interpolate(one, scale_factor=_ENLARGE, mode="bilinear", align_corners=False)[0]
            for one in (maps.logits, maps.reach)
        )
        return ClassMaps(
            probabilities=logits.softmax(dim=0).float().cpu().numpy(), reach=reach.float().cpu().numpy()
        )


def windows_of(number: int) -> list[np.ndarray]:
    """The whole image, then a grid of overlapping windows of it.

    Args:
        number: Windows down and across; 1 for none but the whole.

    Returns:
        Edges (4,) of each, left, top, right, bottom, as parts of the image's width and height.

    Raises:
        ConfigError: When the number is not positive.
    """
    if number < 1:
        raise ConfigError(f"An image is looked at in at least 1 window, got {number}.")
    whole = np.asarray((0, 0, 1, 1), np.float32)
    if number == 1:
        return [whole]
    side = 2 * _WINDOW_PART / number
    starts = np.linspace(0, 1 - side, number)
    return [whole, *(np.asarray((x, y, x + side, y + side), np.float32) for y in starts for x in starts)]


def _is_cut(box_xyxy: np.ndarray, window: np.ndarray) -> bool:
    """Whether a box, in parts of a window, ends at an edge of it that lies inside the image."""
    at_start = (box_xyxy[:2] < _CUT) & (window[:2] > 0)
    at_end = (box_xyxy[2:] > 1 - _CUT) & (window[2:] < 1)
    return bool((at_start | at_end).any())


def embedded_head_path() -> Path:
    """Where the head lies in the package.

    Raises:
        DamagedWeightsError: When it is missing.
    """
    path = Path(str(resources.files("masklet.grounding") / "embedded" / HEAD_FILE))
    if not path.is_file():
        raise DamagedWeightsError(
            f"The embedded detector {path} is missing from this installation; reinstall masklet."
        )
    return path


def describe_mismatch(trained_on: str, used_with: str | None) -> str | None:
    """One sentence when a head meets another encoder than it was trained on, else None.

    Args:
        trained_on: Checksum of the weights it was trained on.
        used_with: Checksum of the weights whose encoder it reads; None for random ones.
    """
    if trained_on == used_with:
        return None
    return (
        f"The embedded detector was trained on the encoder of the weights {trained_on[:12]}... and reads that of "
        f"{(used_with or 'random weights')[:12]}...; it works less well than its card says until it is trained again "
        "with tools/train_grounder.py."
    )
