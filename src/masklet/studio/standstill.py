"""Whether work stands still, or is merely slow because the machine has little to give.

A limit in seconds of a clock fails whoever has a busy machine, pauses the program or waits for a slow disk. So what is
counted here is time in which work was not done although nothing kept it from being done.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_HELD = frozenset("DTt")
"""States of a thread that waits for a disk, or was stopped by somebody."""
_MOST_S = 5.0
"""Whoever looks comes around more often; what is above it is time in which nothing of this program ran."""
_COMPUTING_SHARE = 0.01
_LOOK_S = 1.0
_STILL_S = 30.0
"""A process that does nothing for so long does not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadCounts:
    """What the system says of a thread: seconds computed, seconds ready while others had the processor, and its state."""

    ran_s: float
    waited_s: float
    state: str


def counts_of(thread: Path) -> ThreadCounts | None:
    """Counts of a thread in ``/proc``, or None when it is gone or the system does not tell."""
    try:
        ran_ns, waited_ns = (thread / "schedstat").read_text().split()[:2]
        state = (thread / "stat").read_text().rpartition(")")[2].split()[0]
        return ThreadCounts(ran_s=int(ran_ns) / 1e9, waited_s=int(waited_ns) / 1e9, state=state)
    except (OSError, ValueError, IndexError):
        return None


def threads_of(process_id: int) -> list[Path]:
    """All threads of a process in ``/proc``; none when it is gone or the system does not tell."""
    try:
        return list((_PROC / str(process_id) / "task").iterdir())
    except OSError:
        return []


def own_thread(native_id: int) -> Path:
    """A thread of this process in ``/proc``."""
    return _PROC / str(os.getpid()) / "task" / str(native_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What happened since the last look: seconds computed, and seconds in which nothing kept the work from being done."""

    used_s: float
    open_s: float


class Standstill:
    """Counts, look by look, what some threads did in the time that was theirs."""

    def __init__(
        self, at_work: Callable[[], Iterable[Path]], beside: Callable[[], Iterable[Path]] = lambda: ()
    ) -> None:
        """Begin now.

        Args:
            at_work: Threads whose computing is the work.
            beside: Threads that the work may wait for, as those of an encoder: where they get no processor, it cannot
                go on.
        """
        self._at_work = at_work
        self._beside = beside
        self._known: dict[Path, ThreadCounts] = {}
        self._looked_s = time.monotonic()
        self._used_s = self._open_s = 0.0
        self._gather()

    def look(self) -> Looked:
        """Count what happened since the last look; to be called about once a second."""
        now = time.monotonic()
        passed_s, self._looked_s = min(now - self._looked_s, _MOST_S), now
        since = self._gather()
        if not since.is_told:
            looked = Looked(used_s=passed_s, open_s=passed_s)  # as if it computed all the time
        else:
            looked = Looked(used_s=since.ran_s, open_s=0.0 if since.is_held else passed_s - since.waited_s)
        self._used_s += looked.used_s
        # a long wait is told at its end only
        self._open_s = max(0.0, self._open_s + looked.open_s)
        return looked

    def stands_still(self, most_s: float) -> bool:
        """Whether for so long next to nothing was computed; otherwise counting begins anew after that time."""
        if self._open_s < most_s:
            return False
        stands = self._used_s < _COMPUTING_SHARE * self._open_s
        self._used_s = self._open_s = 0.0
        return stands

    def _gather(self) -> _Since:
        since, found = _Since(), dict[Path, ThreadCounts]()
        at_work = set(self._at_work())
        for thread in {*at_work, *self._beside()}:
            counts = counts_of(thread)
            if counts is None:
                continue
            found[thread] = counts
            before = self._known.get(thread)
            ran_s = counts.ran_s - (before.ran_s if before else 0.0)
            since.waited_s = max(since.waited_s, counts.waited_s - (before.waited_s if before else 0.0))
            if thread in at_work:
                since.is_told = True
                since.ran_s += ran_s
                is_ready = counts.state == "R" and ran_s == 0.0
                since.is_held = since.is_held or is_ready or counts.state in _HELD
        self._known = found
        return since


@dataclass(slots=True, kw_only=True)
class _Since:
    """Sums over threads since the last look.

    ``waited_s`` is the most that one of them was kept from a processor; ``is_held`` when one is kept from working now;
    ``is_told`` when the system tells at all.
    """

    ran_s: float = 0.0
    waited_s: float = 0.0
    is_held: bool = False
    is_told: bool = False


class Watched:
    """A process that is waited for; ``is_late`` when it was ended because it took too long."""

    def __init__(self) -> None:
        self.is_late = False


@contextmanager
def watching(process: subprocess.Popen[bytes], compute_s: float) -> Generator[Watched]:
    """While waiting for a process, end it when it computes for too long or stands still.

    Args:
        process: The process.
        compute_s: Most seconds of a processor. It may stand still for as long, but for half a minute at most.
    """
    watched, is_done = Watched(), threading.Event()

    def watch() -> None:
        counted = Standstill(lambda: threads_of(process.pid))
        still_s = min(compute_s, _STILL_S)
        used_s = 0.0
        while not is_done.wait(min(_LOOK_S, compute_s / 5)):
            used_s += counted.look().used_s
            if used_s > compute_s or counted.stands_still(still_s):
                watched.is_late = True
                process.kill()
                return

    watcher = threading.Thread(target=watch, name="masklet-watch", daemon=True)
    watcher.start()
    try:
        yield watched
    finally:
        is_done.set()
