"""The objects of a session with their prompts, results and memories, and the edits that change them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import count

from torch import Tensor

from masklet.errors import PromptError, SessionError
from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.results import Results, Shelf, StoredMask
from masklet.tracking.state import Edit, EntryArchive, ObjectState

MAX_OBJECT_ID = 2**31 - 1
MAX_EDITS = 200

Rebuild = Callable[[int, StoredMask], MemoryEntry]
"""Makes the memory of a frame again from its stored mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Computed:
    """A new result with its memory."""

    result: StoredMask
    entry: MemoryEntry


class ObjectStore:
    """Objects by id, with undo."""

    def __init__(
        self,
        *,
        archive_bytes: int,
        bank_capacity: int,
        num_recent: int,
        shelf: Shelf | None = None,
        look_ahead: int | None = None,
    ) -> None:
        """Make an empty store.

        Args:
            archive_bytes: Budget of memories of tracked frames.
            bank_capacity: Most recent entries of a bank.
            num_recent: Recent spatial memories the model reads; so many are made again when they left the archive.
            shelf: Where results are kept once they are packed; in memory if not given.
            look_ahead: How far the model looks ahead to prompted frames; see ``ModelConfig``.
        """
        self.objects: dict[int, ObjectState] = {}
        self._archive = EntryArchive(archive_bytes)
        self._edits: list[Edit] = []
        self._versions = 0
        self._shelf = shelf
        self._bank_capacity = bank_capacity
        self._num_recent = num_recent
        self._look_ahead = look_ahead

    def new_results(self, results: Mapping[int, StoredMask] | None = None) -> Results:
        """Results of an object, kept where this store keeps them."""
        return Results.of(results or {}, self._shelf)

    def next_version(self) -> int:
        """A number for a new computation."""
        self._versions += 1
        return self._versions

    def state(self, object_id: int) -> ObjectState:
        """The state of an object.

        Raises:
            SessionError: When there is no such object.
        """
        if object_id not in self.objects:
            known = ", ".join(str(one) for one in sorted(self.objects)) or "none"
            raise SessionError(f"There is no object {object_id} in this session; the objects are: {known}.")
        return self.objects[object_id]

    def put_prompted(self, object_id: int, frame: int, prompts: PromptSet, computed: Computed) -> None:
        """Store what a person prompted; results it can change are dropped."""
        was_created = object_id not in self.objects
        state = self.objects.get(object_id) or ObjectState(results=self.new_results())
        self.objects[object_id] = state
        edit = self._edit_of(object_id, frame, state, was_created=was_created)
        state.approach = state.approach_to(frame, self._bank_capacity)
        dropped = state.drop_dependents(frame, self._look_ahead)
        state.prompts[frame] = prompts
        state.conditioning[frame] = computed.entry
        state.results[frame] = computed.result
        self._log(edit, dropped)

    def put_tracked(self, object_id: int, frame: int, computed: Computed, bank: MemoryBank) -> None:
        """Store what tracking found, and the bank it left behind, whose memories stay."""
        results = self.objects[object_id].results
        results[frame] = computed.result
        marks = [results.mark(entry.frame) for entry in bank.recent]
        held = [mark.version for mark in marks if mark is not None]
        self._archive.hold(object_id, held)
        self._archive.put(computed.result.version, computed.entry)

    def clear(self, object_id: int, frame: int) -> None:
        """Take back the prompts of an object on a frame.

        Raises:
            SessionError: When there are none.
        """
        state = self.state(object_id)
        if frame not in state.prompts:
            raise SessionError(
                f"Object {object_id} has no prompts on frame {frame}; there is nothing to clear."
            )
        edit = self._edit_of(object_id, frame, state, was_created=False)
        dropped = state.drop_dependents(frame, self._look_ahead)
        state.approach = None
        for part in (state.prompts, state.conditioning, state.results):
            part.pop(frame, None)
        self._log(edit, dropped)

    def remove(self, object_id: int) -> None:
        """Remove an object with all it has."""
        removed = self.state(object_id)
        del self.objects[object_id]
        self._archive.hold(object_id, ())
        self._log(Edit(object_id=object_id, removed=removed), {})

    def rename(self, object_id: int, new_id: int) -> None:
        """Give an object another id.

        Raises:
            SessionError: When the new id is taken.
        """
        check_object_id(new_id)
        state = self.state(object_id)
        if new_id in self.objects:
            raise SessionError(f"Object {new_id} exists already; remove it first or choose another id.")
        del self.objects[object_id]
        self.objects[new_id] = state
        self._archive.hold(object_id, ())
        self._log(Edit(object_id=new_id, renamed_from=object_id), {})

    def undo(self) -> bool:
        """Take back the last edit; returns False when there is none."""
        if not self._edits:
            return False
        edit = self._edits.pop()
        if edit.removed is not None:
            self.objects[edit.object_id] = edit.removed
        elif edit.renamed_from is not None:
            self.objects[edit.renamed_from] = self.objects.pop(edit.object_id)
        elif edit.was_created:
            del self.objects[edit.object_id]
        elif edit.frame is not None:
            self._restore(edit, edit.frame)
        return True

    def _restore(self, edit: Edit, frame: int) -> None:
        state = self.objects[edit.object_id]
        state.drop_dependents(frame, self._look_ahead)
        state.approach = edit.approach
        for part, value in (
            (state.prompts, edit.prompt),
            (state.conditioning, edit.conditioning),
            (state.results, edit.result),
        ):
            part.pop(frame, None)
            if value is not None:
                part[frame] = value  # type: ignore[index, assignment]
        state.results.put_back(edit.dropped)

    def bank_at(self, object_id: int, frame: int, *, is_backward: bool, rebuild: Rebuild) -> MemoryBank:
        """The memories an object has when tracking reaches a frame.

        Args:
            object_id: The object.
            frame: The frame to be segmented.
            is_backward: Whether time runs backward.
            rebuild: Makes again the memory of a near frame that has left the archive.
        """
        state = self.objects[object_id]
        step = 1 if is_backward else -1
        on_the_way: Mapping[int, StoredMask] = {}
        if state.approach is not None and state.approach.frame == frame:
            on_the_way = state.approach.results
        recent: list[MemoryEntry] = []
        missing = 0
        for age in count(1):
            at = frame + step * age
            result = state.results.mark(at) or on_the_way.get(at)
            if result is not None and not result.is_prompted and result.is_backward != is_backward:
                # a direction reads its own results only: the order in which ranges are tracked does not matter
                continue
            missing = 0 if result is not None else missing + 1
            if missing > self._bank_capacity:
                break
            if result is None or result.is_prompted or (age > 1 and not result.is_kept):
                continue
            entry = self._archive.get(result.version)
            if entry is None and age <= self._num_recent:
                entry = rebuild(at, state.results.get(at) or on_the_way[at])
                self._archive.put(result.version, entry)
            if entry is not None:
                recent.append(entry)
            if len(recent) == self._bank_capacity:
                break
        return MemoryBank(
            conditioning=dict(state.conditioning),
            recent=tuple(reversed(recent)),
            capacity=self._bank_capacity,
        )

    def logits_of(self, state: ObjectState, frame: int) -> Tensor | None:
        """Decoder logits (h4, w4) of a result, rounded and limited as memory holds them; None when they are gone."""
        result = state.results[frame]
        entry = state.conditioning.get(frame) if result.is_prompted else self._archive.get(result.version)
        return None if entry is None else entry.logits.float()

    def archived(self, version: int) -> MemoryEntry | None:
        """The memory of a computation, if it is still there."""
        return self._archive.get(version)

    @property
    def num_bytes(self) -> int:
        """Bytes of memories of tracked frames held now."""
        return self._archive.num_bytes

    def close(self) -> None:
        """Give back the memories of tracked frames; prompts and results stay."""
        self._archive.clear()
        self._edits.clear()

    def restore_archive(self, version: int, entry: MemoryEntry) -> None:
        """Put back a saved memory; new computations get later numbers."""
        self._archive.restore(version, entry)
        self._versions = max(self._versions, version)

    @staticmethod
    def _edit_of(object_id: int, frame: int, state: ObjectState, *, was_created: bool) -> Edit:
        return Edit(
            object_id=object_id,
            frame=frame,
            prompt=state.prompts.get(frame),
            conditioning=state.conditioning.get(frame),
            result=state.results.get(frame),
            approach=state.approach,
            was_created=was_created,
        )

    def _log(self, edit: Edit, dropped: Mapping[int, StoredMask]) -> None:
        if dropped:
            edit = replace(edit, dropped=dropped)
        self._edits = [*self._edits, edit][-MAX_EDITS:]


def check_object_id(object_id: int) -> None:
    """Refuse ids that are not whole numbers from 1.

    Raises:
        PromptError: When the id is not usable.
    """
    if isinstance(object_id, bool) or not isinstance(object_id, int) or not 1 <= object_id <= MAX_OBJECT_ID:
        raise PromptError(
            f"An object id must be a whole number from 1 to {MAX_OBJECT_ID}, got {object_id!r}."
        )
