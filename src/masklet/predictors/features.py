"""Encoded frames kept for a while, within a budget of bytes, on the device, in RAM or on disk."""

from __future__ import annotations

import logging
import tempfile
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from masklet.models.model import ImageFeatures

_MAPS = ("features", "skip4", "skip8")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheBudget:
    """How much encoded video may be kept.

    Attributes:
        memory_bytes: Bytes on the device or in RAM.
        disk_bytes: Bytes of frames that left memory, in a temporary folder; 0 keeps none.
        folder: Where the temporary folder is made; None for the system's place.
    """

    memory_bytes: int = 256 * 2**20
    disk_bytes: int = 0
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnDisk:
    """A frame that left memory: its bytes, the device it goes back to, and the maps whose channels lie together.

    A map comes back as it lay in memory: its order decides which kernels compute with it, and so the last digits.
    """

    num_bytes: int
    device: str
    channels_last: frozenset[str]


class FeatureCache:
    """Least recently used frames leave first: from memory to disk, if there is a budget, then for good."""

    def __init__(self, budget: CacheBudget) -> None:
        self._budget = budget
        self._memory: OrderedDict[int, ImageFeatures] = OrderedDict()
        self._disk: OrderedDict[int, _OnDisk] = OrderedDict()
        self._num_bytes = 0
        self._disk_bytes = 0
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @property
    def num_bytes(self) -> int:
        """Bytes held in memory."""
        return self._num_bytes

    def __contains__(self, frame: int) -> bool:
        """Whether features of a frame are kept, in memory or on disk."""
        return frame in self._memory or frame in self._disk

    def get(self, frame: int) -> ImageFeatures | None:
        """Features of a frame, if they are kept."""
        found = self._memory.get(frame)
        if found is not None:
            self._memory.move_to_end(frame)
            return found
        return self._from_disk(frame) if frame in self._disk else None

    def put(self, frame: int, features: ImageFeatures) -> None:
        """Keep features, making room for them."""
        if frame in self._memory:
            return
        self._memory[frame] = features
        self._num_bytes += features.num_bytes
        while self._num_bytes > self._budget.memory_bytes and len(self._memory) > 1:
            oldest, left = self._memory.popitem(last=False)
            self._num_bytes -= left.num_bytes
            self._to_disk(oldest, left)

    def close(self) -> None:
        """Give back memory and disk."""
        self._memory.clear()
        self._disk.clear()
        self._num_bytes = 0
        self._disk_bytes = 0
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _from_disk(self, frame: int) -> ImageFeatures | None:
        self._disk.move_to_end(frame)
        try:
            maps = load_file(self._path(frame), device=self._disk[frame].device)
        except (OSError, SafetensorError) as error:  # somebody tidied up: the frame is encoded again
            _log.warning("an encoded frame is gone: %s", error)
            self._disk_bytes -= self._disk.pop(frame).num_bytes
            return None
        is_last = self._disk[frame].channels_last
        return ImageFeatures(
            *(maps[name].permute(0, 3, 1, 2) if name in is_last else maps[name] for name in _MAPS)
        )

    def _to_disk(self, frame: int, features: ImageFeatures) -> None:
        if features.num_bytes > self._budget.disk_bytes or frame in self._disk:
            return
        is_last = frozenset(name for name in _MAPS if _is_channels_last(getattr(features, name)))
        maps = {
            name: _rows_of(getattr(features, name).cpu(), is_channels_last=name in is_last) for name in _MAPS
        }
        try:
            save_file(maps, self._path(frame))
        except (OSError, SafetensorError) as error:  # a full disk
            _log.warning("an encoded frame was not kept: %s", error)
            return
        self._disk[frame] = _OnDisk(
            num_bytes=features.num_bytes, device=str(features.features.device), channels_last=is_last
        )
        self._disk_bytes += features.num_bytes
        while self._disk_bytes > self._budget.disk_bytes:
            oldest, left = self._disk.popitem(last=False)
            self._disk_bytes -= left.num_bytes
            self._path(oldest).unlink(missing_ok=True)

    def _path(self, frame: int) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="masklet-features-", dir=self._budget.folder)
        return Path(self._folder.name) / f"{frame}.safetensors"


def _is_channels_last(features: Tensor) -> bool:
    return not features.is_contiguous() and features.is_contiguous(memory_format=torch.channels_last)


def _rows_of(features: Tensor, *, is_channels_last: bool) -> Tensor:
    return (features.permute(0, 2, 3, 1) if is_channels_last else features).contiguous()
