"""Objects that a person pointed out on one frame and that are to stay apart do not share what is the smaller one's.

One click on a person often takes the dog at her feet as well. A click on the dog says that it is not the person; who is
remembered with it would go on taking it. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from masklet.masks import rle
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.state import ObjectState, StoredMask

_MOSTLY = 0.5
_MOST_KEPT = 64

Remember = Callable[[int, StoredMask], MemoryEntry]
"""Memory of a frame from a mask of it."""


def without_smaller(mask: np.ndarray, others: Mapping[int, np.ndarray]) -> np.ndarray:
    """A mask without the masks that are smaller and lie in it for the greater part.

    Args:
        mask: bool (h, w).
        others: Masks of other objects, bool (h, w).

    Returns:
        What is left, bool (h, w); the mask itself where nothing would be.
    """
    area, left = int(mask.sum()), mask.copy()
    for other in others.values():
        smaller = int(other.sum())
        if smaller < area and int((mask & other).sum()) > _MOSTLY * smaller:
            left &= ~other
    return left if bool(left.any()) else mask


class PromptsApart:
    """Memories of prompted frames, without what is a smaller object's."""

    def __init__(self, remember: Remember) -> None:
        """Prepare.

        Args:
            remember: Makes memory of a frame from a mask.
        """
        self._remember = remember
        self._kept: dict[tuple[int, ...], MemoryEntry | None] = {}

    def bank(self, object_id: int, bank: MemoryBank, objects: Mapping[int, ObjectState]) -> MemoryBank:
        """The bank of an object as it is read when objects exclude each other.

        Args:
            object_id: The object.
            bank: Its memory as the prompts alone made it.
            objects: All objects of the session.
        """
        changed: dict[int, MemoryEntry] = {}
        for frame in bank.conditioning:
            entry = self._entry(object_id, frame, objects)
            if entry is not None:
                changed[frame] = entry
        return replace(bank, conditioning={**bank.conditioning, **changed}) if changed else bank

    def _entry(self, object_id: int, frame: int, objects: Mapping[int, ObjectState]) -> MemoryEntry | None:
        """Memory of a prompted frame that differs from what the prompts made; None where it does not."""
        told = {
            one: state.results[frame]
            for one, state in objects.items()
            if frame in state.prompts and frame in state.results
        }
        if len(told) < 2 or object_id not in told:
            return None
        key = (object_id, *(version for one in sorted(told) for version in (one, told[one].version)))
        if key not in self._kept:
            while len(self._kept) >= _MOST_KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._apart(frame, told.pop(object_id), told)
        return self._kept[key]

    def _apart(self, frame: int, own: StoredMask, others: Mapping[int, StoredMask]) -> MemoryEntry | None:
        mask = rle.decode(own.rle)
        left = without_smaller(mask, {one: rle.decode(stored.rle) for one, stored in others.items()})
        if left is mask or bool((left == mask).all()):
            return None
        return self._remember(frame, replace(own, rle=rle.encode(left), area=int(left.sum())))
