"""The life of one object in a session: what was said of it, what came out, and the memories behind it."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from masklet.prompts import PromptSet
from masklet.tracking.affected import affected_by
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.results import Results, StoredMask


@dataclass(frozen=True, slots=True, kw_only=True)
class Approach:
    """How tracking came to a frame that a person then corrected: a further click on it starts from there again.

    Attributes:
        frame: The corrected frame.
        is_backward: Whether tracking came against time.
        results: Tracked masks on the way, by frame; they are no longer in force.
    """

    frame: int
    is_backward: bool
    results: Mapping[int, StoredMask]


@dataclass(slots=True, kw_only=True)
class ObjectState:
    """One object of a session.

    Attributes:
        prompts: What was said, by frame.
        conditioning: Memories of the prompted frames.
        results: Masks in force, by frame.
        approach: How tracking came to the frame that was prompted last.
        edits: Number of edits so far: a bank built before the last one is stale.
    """

    prompts: dict[int, PromptSet] = field(default_factory=dict)
    conditioning: dict[int, MemoryEntry] = field(default_factory=dict)
    results: Results = field(default_factory=Results)
    approach: Approach | None = None
    edits: int = 0

    def is_reached(self, frame: int, *, is_backward: bool) -> bool:
        """Whether tracking in a direction has come past a prompted frame."""
        return any((at >= frame) if is_backward else (at <= frame) for at in self.prompts)

    def is_nearest(self, frame: int, *, is_backward: bool) -> bool:
        """Whether the prompted frame nearest to a frame lies behind it in this direction; a tie goes forward."""
        before = min((frame - at for at in self.prompts if at <= frame), default=math.inf)
        after = min((at - frame for at in self.prompts if at >= frame), default=math.inf)
        return after < before if is_backward else before <= after and before < math.inf

    def approach_to(self, frame: int, most: int) -> Approach:
        """How tracking came to a frame: as it is remembered, or by the results now in force.

        Args:
            frame: A frame that is about to be prompted.
            most: Most kept results on the way.
        """
        if self.approach is not None and self.approach.frame == frame:
            return self.approach
        known = self.results.mark(frame)
        is_backward = known is not None and known.is_backward
        marks = self.results.marks()
        is_way = (marks.frames > frame) if is_backward else (marks.frames < frame)
        is_way &= ~marks.is_prompted & (marks.is_backward == is_backward)
        way, is_kept = marks.frames[is_way], marks.is_kept[is_way]
        if not is_backward:
            way, is_kept = way[::-1], is_kept[::-1]
        is_kept = is_kept.copy()
        is_kept[:1] = True  # the nearest was read in any case
        found = {at: self.results[at] for at in way[is_kept][: most + 1].tolist()}
        return Approach(frame=frame, is_backward=is_backward, results=found)

    def drop_dependents(self, frame: int, look_ahead: int | None = None) -> Results:
        """Remove the results that a change on a frame can alter; see ``affected_by``.

        Returns:
            What was removed, for undo.
        """
        affected = affected_by(self.prompts, frame, look_ahead)
        marks = self.results.marks()
        is_changed = np.where(
            marks.is_backward, marks.frames < affected.before, marks.frames > affected.after
        )
        dropped = self.results.take(marks.frames[is_changed & ~marks.is_prompted])
        self.edits += 1
        return dropped


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What an edit replaced, so that it can be undone.

    Attributes:
        object_id: The object edited.
        frame: The frame edited; None when the whole object was removed or renamed.
        prompt: The prompts that were on the frame before, or None.
        conditioning: The memory of the frame before, or None.
        result: The result of the frame before, or None.
        approach: How tracking had come to the frame prompted last, or None.
        dropped: Results of other frames that the edit removed.
        removed: The whole state of an object that was removed, or None.
        was_created: Whether the edit made the object.
        renamed_from: The id before a rename, or None.
    """

    object_id: int
    frame: int | None = None
    prompt: PromptSet | None = None
    conditioning: MemoryEntry | None = None
    result: StoredMask | None = None
    approach: Approach | None = None
    dropped: Mapping[int, StoredMask] = field(default_factory=dict)
    removed: ObjectState | None = None
    was_created: bool = False
    renamed_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunningBank:
    """The memory a pass over the video holds of one object, and what must still be true for it to count.

    Attributes:
        state: The object it is of; its id may belong to another object by now.
        edits: Edits the object had then.
        frame: The last frame tracked.
        bank: The memory after it.
    """

    state: ObjectState
    edits: int
    frame: int
    bank: MemoryBank

    def counts_for(self, state: ObjectState, frame: int) -> bool:
        """Whether it is the memory of an object on the frame next to be tracked."""
        return self.state is state and self.edits == state.edits and abs(frame - self.frame) == 1


class EntryArchive:
    """Memories of tracked frames; the least recently used leave when a budget of bytes is full.

    Memories that a running bank holds anyway never leave: they cost nothing more, and a session saved in the middle
    goes on exactly.
    """

    def __init__(self, budget_bytes: int) -> None:
        self._budget = budget_bytes
        self._entries: OrderedDict[int, MemoryEntry] = OrderedDict()
        self._held: dict[int, frozenset[int]] = {}
        self._num_bytes = 0

    @property
    def num_bytes(self) -> int:
        """Bytes held."""
        return self._num_bytes

    def put(self, version: int, entry: MemoryEntry) -> None:
        """Keep the memory of a computation, and let old ones go."""
        self.restore(version, entry)
        if self._num_bytes <= self._budget:
            return
        held = frozenset[int]().union(*self._held.values()) | {version}
        for old in [old for old in self._entries if old not in held]:
            self._num_bytes -= self._entries.pop(old).num_bytes
            if self._num_bytes <= self._budget:
                return

    def restore(self, version: int, entry: MemoryEntry) -> None:
        """Keep a memory whatever the budget says; the next ``put`` looks at it."""
        replaced = self._entries.pop(version, None)
        self._num_bytes -= 0 if replaced is None else replaced.num_bytes
        self._entries[version] = entry
        self._num_bytes += entry.num_bytes

    def hold(self, object_id: int, versions: Iterable[int]) -> None:
        """Say which memories the running bank of an object holds; none lets them go."""
        self._held[object_id] = frozenset(versions)
        if not self._held[object_id]:
            del self._held[object_id]

    def clear(self) -> None:
        """Let all go."""
        self._entries.clear()
        self._held.clear()
        self._num_bytes = 0

    def get(self, version: int) -> MemoryEntry | None:
        """The memory of a computation, if it is still there."""
        entry = self._entries.get(version)
        if entry is not None:
            self._entries.move_to_end(version)
        return entry
