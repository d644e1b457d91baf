"""Memories of several objects at fixed places on the device, so that a frame copies nothing but what is new.

Every object has as many places for memory features and for pointers as it can ever read at once; those it does not read are
said to be invalid. What an object reads stays where it is from frame to frame: the newest memory is written over the one
that is read no more. Only after an edit, or when objects come and go, memories are copied to their places again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from masklet.models.config import ModelConfig
from masklet.predictors.lanes import uploaded
from masklet.tracking.bank import LateFeatures, MemoryEntry
from masklet.tracking.policy import MAX_CONDITIONING, Attended
from masklet.tracking.writing import STORAGE

BUCKETS = (1, 2, 4, 8, 16, 32, 64)
"""Objects that are followed together; a batch is filled up to one of these."""
PROMPTED = (1, 2, 4, MAX_CONDITIONING + 1)
"""Prompted frames for which there are places; the most that a policy reads is the last."""

_Key = Tensor | LateFeatures
"""What stays the same of a memory when its scores become known."""


def bucket(count: int, buckets: Sequence[int]) -> int:
    """The smallest bucket that holds so many."""
    return next(size for size in buckets if size >= count)


@dataclass(slots=True)
class _Row:
    """What lies at the places of one object."""

    spatial: list[_Key | None]
    pointers: list[_Key | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arranged:
    """How a frame reads and writes the places.

    Attributes:
        table: float32 (b, 2 s + 2 p) on the device: age rows of the s places, whether each is read; ages of the p pointers,
            whether each is read.
        is_full: Whether every object reads every place.
        written: Places for the new memories, int64 (2, b) on the device: of features, of pointers.
        targets: The same for the host.
    """

    table: Tensor
    is_full: bool
    written: Tensor
    targets: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class _Table:
    """The rows of an ``Arranged`` as they are filled in."""

    rows: np.ndarray
    valid: np.ndarray
    ages: np.ndarray
    pointer_valid: np.ndarray
    targets: list[tuple[int, int]] = field(default_factory=list)


class MemoryPlaces:
    """Places for a bucket of objects."""

    def __init__(
        self, config: ModelConfig, num_rows: int, num_prompted: int, pointer_span: int, device: torch.device
    ) -> None:
        """Make room.

        Args:
            config: Of the model.
            num_rows: Objects at most, a bucket.
            num_prompted: Prompted frames at most, one of ``PROMPTED``.
            pointer_span: Frames over which pointer ages are normalised.
            device: Where.
        """
        self._last_row, self._span = config.num_memories - 1, pointer_span
        self.num_spatial = num_prompted + config.num_memories - 1
        self.num_pointers = num_prompted + max(pointer_span - 1, 0)
        self._config, self._num_rows, self._device = config, num_rows, device
        shape = (num_rows, self.num_spatial, config.value_dim, config.grid, config.grid)
        self.spatial = torch.zeros(shape, dtype=STORAGE[config.memory_precision], device=device)
        self.pointers: Tensor | None = None
        self._rows = [self._empty() for _ in range(num_rows)]
        self._every_row = torch.arange(num_rows, device=device)

    def _empty(self) -> _Row:
        return _Row([None] * self.num_spatial, [None] * self.num_pointers)

    def arrange(self, attended: Sequence[Attended], dtype: torch.dtype) -> Arranged:
        """Bring to their places what is missing there, and say what is read and where new memories go.

        Args:
            attended: What each object reads; at most ``num_rows``.
            dtype: In which the network computes, for pointers.
        """
        if self.pointers is None or self.pointers.dtype != dtype:
            shape = (self._num_rows, self.num_pointers, self._config.hidden_dim)
            self.pointers = torch.zeros(shape, dtype=dtype, device=self._device)
            self._rows = [self._empty() for _ in range(self._num_rows)]
        shapes = (self._num_rows, self.num_spatial), (self._num_rows, self.num_pointers)
        table = _Table(
            rows=np.zeros(shapes[0], np.float32),
            valid=np.zeros(shapes[0], np.float32),
            ages=np.zeros(shapes[1], np.float32),
            pointer_valid=np.zeros(shapes[1], np.float32),
        )
        for index, one in enumerate(attended):
            table.targets.append(self._arrange_row(index, one, table, self.pointers))
        used = len(attended)
        is_full = bool(table.valid[:used].all() and table.pointer_valid[:used].all())
        # rows of the bucket that are no object read one place, so that none of their sums is empty; nobody reads them
        table.valid[used:, 0] = 1
        targets = [*table.targets, *[(0, 0)] * (self._num_rows - used)]
        whole = np.concatenate((table.rows, table.valid, table.ages, table.pointer_valid), axis=1)
        return Arranged(
            table=uploaded(torch.from_numpy(whole), self._device),
            is_full=is_full,
            written=uploaded(torch.tensor(targets).T.contiguous(), self._device),
            targets=tuple(table.targets),
        )

    def write(self, arranged: Arranged, features: Tensor, pointers: Tensor) -> None:
        """Put new memories (b, c, h, w) and pointers (b, d) to their places, on the device alone."""
        if self.pointers is None:
            raise ValueError("Memories are arranged before they are written.")
        at, pointer_at = arranged.written
        self.spatial.index_put_((self._every_row, at), features)
        self.pointers.index_put_((self._every_row, pointer_at), pointers.to(self.pointers.dtype))

    def is_written(self, arranged: Arranged, entries: Sequence[MemoryEntry]) -> None:
        """Say under what the new memories will be read."""
        for row, (at, pointer_at), entry in zip(self._rows, arranged.targets, entries, strict=False):
            row.spatial[at] = row.pointers[pointer_at] = entry.written

    def _arrange_row(
        self, index: int, attended: Attended, table: _Table, pointers: Tensor
    ) -> tuple[int, int]:
        """Fill in one object's row; the places where its new memory goes."""
        row = self._rows[index]
        prompted = {id(entry.written) for entry, age_row in attended.spatial if age_row == self._last_row}
        at = _placed(row.spatial, [entry for entry, _ in attended.spatial])
        for (entry, age_row), place in zip(attended.spatial, at, strict=True):
            if row.spatial[place] is not entry.written:
                self.spatial[index, place].copy_(entry.features, non_blocking=True)
                row.spatial[place] = entry.written
            table.rows[index, place], table.valid[index, place] = age_row, 1
        pointer_at = _placed(row.pointers, [entry for entry, _ in attended.pointers])
        for (entry, age), place in zip(attended.pointers, pointer_at, strict=True):
            if row.pointers[place] is not entry.written:
                pointers[index, place].copy_(entry.pointer, non_blocking=True)
                row.pointers[place] = entry.written
            table.ages[index, place] = age / max(self._span - 1, 1)
            table.pointer_valid[index, place] = 1
        spatial_ages = {place: age_row for (_, age_row), place in zip(attended.spatial, at, strict=True)}
        pointer_ages = {
            place: -1 if id(entry.written) in prompted else age
            for (entry, age), place in zip(attended.pointers, pointer_at, strict=True)
        }
        spatial_ages = {place: -1 if row == self._last_row else row for place, row in spatial_ages.items()}
        return _given_up(spatial_ages, self.num_spatial), _given_up(pointer_ages, self.num_pointers)


def _placed(held: list[_Key | None], entries: Sequence[MemoryEntry]) -> list[int]:
    """A place for each entry: where it lies already, else one that holds none of them."""
    wanted = {id(entry.written) for entry in entries}
    where = {id(key): place for place, key in enumerate(held) if key is not None and id(key) in wanted}
    free = iter([place for place, key in enumerate(held) if key is None or id(key) not in wanted])
    return [where[id(entry.written)] if id(entry.written) in where else next(free) for entry in entries]


def _given_up(ages: dict[int, int], num_places: int) -> int:
    """The place for a new memory: one that is not read, else the oldest that nobody prompted (prompted ones count as -1)."""
    unread = next((place for place in range(num_places) if place not in ages), None)
    return max(ages, key=lambda place: ages[place]) if unread is None else unread
