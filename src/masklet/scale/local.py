"""Engines of one machine: in this process, or in several that may die."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from masklet.errors import ConfigError, MaskletError, SessionError
from masklet.scale.jobs import Attempt, Item, Job, Outcome, Worker

_MAX_DEATHS_BEFORE_START = 3
_GRACE_S = 5.0


def attempt_item(worker: Worker, item: Item, name: str) -> Attempt:
    """Try one item; whatever goes wrong becomes a sentence."""
    started = time.perf_counter()
    outcome: Outcome | None = None
    error = ""
    try:
        outcome = worker(item)
    except MaskletError as refused:
        error = str(refused)
    except Exception as broken:  # noqa: BLE001 - one bad input must not end a run over thousands
        error = f"{type(broken).__name__}: {broken}"
    seconds = time.perf_counter() - started
    return Attempt(item=item, worker=name, seconds=seconds, outcome=outcome, error=error)


class SerialEngine:
    """One item after the other in this process."""

    def describe(self) -> str:
        """What it is."""
        return "this process"

    def run(self, job: Job, queue: deque[Item]) -> Iterator[Attempt]:
        """See Engine."""
        if not queue:
            return
        worker = job.start()
        while queue:
            yield attempt_item(worker, queue.popleft(), "main")


@dataclass(slots=True, kw_only=True)
class _Member:
    """One process of the crew, and what it is doing."""

    name: str
    process: BaseProcess
    pipe: Connection[Any, Any]
    is_ready: bool = False
    item: Item | None = None
    since: float = 0.0

    @property
    def is_waiting(self) -> bool:
        return self.is_ready and self.item is None


class ProcessEngine:
    """Several processes, each with its own model; one that dies is replaced and its item tried again."""

    def __init__(self, num_processes: int) -> None:
        """Prepare; nothing is started yet.

        Args:
            num_processes: At least 1.

        Raises:
            ConfigError: When it is less.
        """
        if num_processes < 1:
            raise ConfigError(f"At least one process is needed, got {num_processes}.")
        self._num_processes = num_processes
        # a forked child would inherit torch's threads half-dead
        self._context = multiprocessing.get_context("spawn")
        self._num_started = 0
        self._num_lost = 0

    def describe(self) -> str:
        """What it is."""
        return f"{self._num_processes} processes"

    def run(self, job: Job, queue: deque[Item]) -> Iterator[Attempt]:
        """See Engine.

        Raises:
            SessionError: When processes die before they are ready, again and again.
        """
        crew: list[_Member] = []
        self._num_lost = 0
        try:
            while queue or any(one.item is not None for one in crew):
                num_busy = sum(one.item is not None for one in crew)
                while len(crew) < min(self._num_processes, len(queue) + num_busy):
                    crew.append(self._hire(job))
                for member in crew:
                    if queue and member.is_waiting:
                        _give(member, queue.popleft())
                yield from self._listen(crew)
        finally:
            _dismiss(crew)

    def _hire(self, job: Job) -> _Member:
        ours, theirs = self._context.Pipe()
        self._num_started += 1
        name = f"process-{self._num_started}"
        process = self._context.Process(target=_work, args=(job, theirs, name), daemon=True, name=name)
        process.start()
        theirs.close()
        return _Member(name=name, process=process, pipe=ours)

    def _listen(self, crew: list[_Member]) -> Iterator[Attempt]:
        """Wait until at least one process says something or dies."""
        heard = wait([one.pipe for one in crew])
        for member in [one for one in crew if one.pipe in heard]:
            try:
                said = member.pipe.recv()
            except (EOFError, OSError):
                crew.remove(member)
                yield from self._bury(member)
                continue
            if isinstance(said, Attempt):
                member.item = None
                yield said
            elif isinstance(said, str):
                raise SessionError(f"The workers cannot start: {said}")
            else:
                member.is_ready = True
                self._num_lost = 0

    def _bury(self, member: _Member) -> Iterator[Attempt]:
        member.process.join(_GRACE_S)
        member.pipe.close()
        code = member.process.exitcode
        if member.item is not None:
            yield Attempt(
                item=member.item,
                worker=member.name,
                seconds=time.perf_counter() - member.since,
                error=f"The worker process ended while it worked on it (exit code {code}).",
            )
        elif not member.is_ready:
            self._num_lost += 1
            if self._num_lost >= _MAX_DEATHS_BEFORE_START:
                raise SessionError(
                    f"The worker processes end before they are ready (exit code {code}); try fewer of them, or one."
                )


def _give(member: _Member, item: Item) -> None:
    member.item, member.since = item, time.perf_counter()
    try:
        member.pipe.send(item)
    except (BrokenPipeError, OSError):
        return  # it died while it was waiting; listening finds that out and tells of the item


def _dismiss(crew: list[_Member]) -> None:
    for member in crew:
        member.pipe.close()
        member.process.terminate()
    for member in crew:
        member.process.join(_GRACE_S)
        if member.process.is_alive():
            member.process.kill()
            member.process.join()


def _work(job: Job, pipe: Connection[Any, Any], name: str) -> None:
    """The life of one process: load, then item after item until the pipe is closed."""
    # Ctrl-C reaches every process of a terminal; the driver alone decides when to stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        worker = job.start()
    except MaskletError as error:
        pipe.send(str(error))
        return
    pipe.send(None)
    while True:
        try:
            item = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt_item(worker, item, name))
