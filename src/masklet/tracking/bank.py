"""What is remembered of one object: values only, never changed in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from masklet.geometry import Box
from masklet.models.threads import on_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskScore:
    """How sure the model is of one mask.

    Attributes:
        iou: Predicted IoU with the true mask, in [0, 1].
        presence: Presence logit; the object is there above 0.
        stability: IoU of the mask with itself under a shifted threshold, in [0, 1].
    """

    iou: float
    presence: float
    stability: float

    @property
    def is_present(self) -> bool:
        """Whether the object is judged to be there."""
        return self.presence > 0


class LateFeatures:
    """Memory features that come later: computed when they are first read, or in another thread meanwhile.

    Who clicks again need not wait for what is replaced, and who tracks need not wait for what is not read yet.
    """

    __slots__ = ("_num_bytes", "_num_threads", "_value")

    def __init__(self, compute: Callable[[], Tensor], num_bytes: int | None = None) -> None:
        """Prepare.

        Args:
            compute: Gives the features; it will have as many threads as there are now, for the same values.
            num_bytes: Their bytes, where they are known before.
        """
        self._value: Tensor | Callable[[], Tensor] = compute
        self._num_threads, self._num_bytes = torch.get_num_threads(), num_bytes

    @property
    def num_bytes(self) -> int:
        """Bytes of the features; they are computed where nobody knows."""
        if self._num_bytes is None:
            self._num_bytes = self.read().nbytes
        return self._num_bytes

    def read(self) -> Tensor:
        """The features (c, h, w)."""
        if not isinstance(self._value, Tensor):
            with on_threads(self._num_threads), torch.inference_mode():
                self._value = self._value()
        return self._value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MemoryEntry:
    """One frame of one object, as the network remembers it.

    Attributes:
        frame: Frame index.
        written: Memory features (c, h, w), in the storage type of the model, or what computes them.
        pointer: Object pointer (d,).
        logits: Mask logits (h4, w4) at stride 4, half precision: the start of a later correction.
        score: How sure the model was.
        box: Box of the mask in units of the image's sides (0 to 1); None when nothing is visible.
        is_kept: Whether the policy lets later frames read it.
    """

    frame: int
    written: Tensor | LateFeatures
    pointer: Tensor
    logits: Tensor
    score: MaskScore
    box: Box | None
    is_kept: bool = True

    @property
    def features(self) -> Tensor:
        """Memory features (c, h, w)."""
        return self.written if isinstance(self.written, Tensor) else self.written.read()

    @property
    def num_bytes(self) -> int:
        """Bytes held by its tensors."""
        features = self.written
        held = features.num_bytes if isinstance(features, LateFeatures) else features.nbytes
        return held + self.pointer.nbytes + self.logits.nbytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryBank:
    """The memories of one object that tracking in one direction can read.

    Attributes:
        conditioning: Entries of frames a person prompted, by frame.
        recent: Entries of tracked frames in the order of tracking, at most ``capacity``: kept ones, and the last.
        capacity: Most recent entries held.
    """

    conditioning: Mapping[int, MemoryEntry] = field(default_factory=dict)
    recent: tuple[MemoryEntry, ...] = ()
    capacity: int = 15

    def with_conditioning(self, entry: MemoryEntry) -> MemoryBank:
        """The bank with a prompted frame, which replaces what was known of that frame."""
        recent = tuple(other for other in self.recent if other.frame != entry.frame)
        return replace(self, conditioning={**self.conditioning, entry.frame: entry}, recent=recent)

    def with_tracked(self, entry: MemoryEntry) -> MemoryBank:
        """The bank with one more tracked frame; earlier frames the policy did not keep go, then the oldest."""
        recent = tuple(other for other in self.recent if other.is_kept and other.frame != entry.frame)
        return replace(self, recent=(*recent, entry)[-self.capacity :])

    def without(self, frame: int) -> MemoryBank:
        """The bank without what is known of one frame."""
        conditioning = {at: entry for at, entry in self.conditioning.items() if at != frame}
        return replace(
            self, conditioning=conditioning, recent=tuple(e for e in self.recent if e.frame != frame)
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing was prompted yet."""
        return not self.conditioning

    @property
    def num_bytes(self) -> int:
        """Bytes held."""
        return sum(entry.num_bytes for entry in (*self.conditioning.values(), *self.recent))
