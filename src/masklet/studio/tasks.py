"""One thread that computes. Short calls and long tasks take turns, so that nobody waits for more than a frame."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from masklet.studio.refusals import RefusedError
from masklet.studio.standstill import Standstill, own_thread, threads_of

Answer = TypeVar("Answer")
MAX_WAITING = 64
STUCK_S = 30.0
HUNG = "The model stood still, so it was given up; nothing that was saved is lost. Try again."
_THREAD_NAME = "masklet-engine"
_IDLE_S = 0.5
_log = logging.getLogger(__name__)


class Task(Protocol):
    """Work in steps of one frame."""

    def step(self) -> bool:
        """Do one step; True when nothing is left. Handles its own errors."""
        ...

    def abandon(self, message: str) -> None:
        """The step at work does not end and is waited for no longer; on another thread than the step's."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a call or step may take before the thread is given up.

    Attributes:
        blocked_s: When neither the thread computes nor a process that it waits for, as in a deadlock.
        busy_s: When it computes.

    Time in which the machine had no processor to give, or the program was stopped, counts for neither.
    """

    blocked_s: float = 30.0
    busy_s: float = 900.0


class Engine:
    """The thread of one device. One that hangs is replaced: what it was doing is refused, what waits is done."""

    def __init__(
        self,
        *,
        on_idle: Callable[[], None],
        on_replaced: Callable[[], None] = lambda: None,
        patience: Patience | None = None,
        helpers: Callable[[], Iterable[int]] = lambda: (),
    ) -> None:
        """Prepare; ``start`` starts the thread.

        Args:
            on_idle: Called on the thread now and then while there is nothing to do.
            on_replaced: Called on another thread when the thread was given up, before the next one starts.
            patience: How long one step may take.
            helpers: Gives the processes that steps may wait for, as those that decode.
        """
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._tasks: deque[Task] = deque()
        self._condition = threading.Condition()
        self._on_idle = on_idle
        self._on_replaced = on_replaced
        self._is_stopping = False
        self._patience = patience or Patience()
        self._work = Work()
        self._watched = Watch(helpers)
        self._thread = self._make_thread()
        self._ended = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="masklet-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()
        self._watchdog.start()

    def stop(self) -> None:
        """Finish the frame at work and end; what waits is refused."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        self._ended.set()
        if self._watchdog.is_alive():
            self._watchdog.join()
        if self._thread.is_alive():
            self._thread.join(self._patience.blocked_s)

    @property
    def heartbeat_s(self) -> float:
        """Seconds since the thread last came around."""
        return time.monotonic() - self._work.began_s

    @property
    def is_alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def num_waiting(self) -> int:
        """Calls and tasks that are not done."""
        return len(self._calls) + len(self._tasks)

    def call(self, work: Callable[[], Answer]) -> Answer:
        """Run something on the thread and wait for its answer.

        Raises:
            RefusedError: When too much waits already, the studio is closing or the thread hangs; or what ``work`` raises.
        """
        return self.submit(work).result()

    def submit(self, work: Callable[[], Answer]) -> Future[Answer]:
        """Run something on the thread soon.

        Raises:
            RefusedError: When too much waits already or the studio is closing.
        """
        future: Future[Answer] = Future()
        with self._condition:
            if self._is_stopping:
                raise RefusedError(503, "closing", "The studio is closing; start it again.")
            if len(self._calls) >= MAX_WAITING:
                raise RefusedError(
                    429, "busy", "Too many requests wait for the model; try again soon.", retry_after_s=1
                )
            self._calls.append((future, work))
            self._condition.notify_all()
        return future

    def add(self, task: Task) -> None:
        """Work on a task, a step at a time, in turn with the others."""
        with self._condition:
            self._tasks.append(task)
            self._condition.notify_all()

    @contextmanager
    def unhurried(self) -> Generator[None]:
        """Something on the thread that may take as long as it likes, such as fetching weights."""
        work = self._work
        work.is_unhurried = True
        try:
            yield
        finally:
            work.is_unhurried = False
            work.began_s = time.monotonic()

    def check_current(self) -> None:
        """Stop the caller if it is on a thread that was given up, before it changes anything.

        Raises:
            RefusedError: When it is.
        """
        thread = threading.current_thread()
        if thread is not self._thread and thread.name == _THREAD_NAME:
            raise RefusedError(503, "stuck", HUNG)

    def _make_thread(self) -> threading.Thread:
        return threading.Thread(target=self._run, name=_THREAD_NAME, daemon=True)

    def _run(self) -> None:
        me = threading.current_thread()
        while not self._is_stopping:
            with self._condition:
                if me is not self._thread:
                    return
                self._work = work = Work(native_id=me.native_id)
                if not self._calls and not self._tasks:
                    self._condition.wait(_IDLE_S)
                    if me is not self._thread:
                        return
                    work.began_s = time.monotonic()
                work.call = self._calls.popleft() if self._calls else None
                work.task = self._tasks.popleft() if self._tasks else None
            self._do(work)
        for future, _ in self._calls:
            future.set_exception(RefusedError(503, "closing", "The studio is closing; start it again."))

    def _do(self, work: Work) -> None:
        if work.call is not None:
            _answer(*work.call)
            work.call = None
            work.began_s = time.monotonic()
        elif work.task is None:
            self._idle()
        task = work.task
        if task is None or work is not self._work:
            return
        is_over = self._step(task)
        with self._condition:
            if work is self._work and not is_over:
                self._tasks.append(task)

    @staticmethod
    def _step(task: Task) -> bool:
        try:
            return task.step()
        except Exception:  # noqa: BLE001 - a task handles its errors; one that does not must not end the thread
            _log.exception("a task failed")
            return True

    def _idle(self) -> None:
        try:
            self._on_idle()
        except Exception:  # noqa: BLE001 - the same
            _log.exception("tidying up failed")

    def _watch(self) -> None:
        pause_s = min(1.0, self._patience.blocked_s / 5)
        while not self._ended.wait(pause_s):
            if self._watched.is_hung(self._work, self._patience):
                self._replace()

    def _replace(self) -> None:
        """Give up the thread: refuse what it was doing, and let another one go on with what waits."""
        with self._condition:
            work = self._work
            self._work = Work()
            self._thread = self._make_thread()
            if work.call is not None and work.task is not None:
                self._tasks.appendleft(work.task)  # its turn had not come
        _log.error("a computation did not end; its thread is given up and another one goes on")
        if work.call is not None:
            with suppress(InvalidStateError):
                work.call[0].set_exception(RefusedError(503, "stuck", HUNG))
        elif work.task is not None:
            work.task.abandon(HUNG)
        self._on_replaced()
        self._thread.start()


@dataclass(slots=True, kw_only=True)
class Work:
    """What the thread is doing."""

    native_id: int | None = None
    call: tuple[Future[Any], Callable[[], Any]] | None = None
    task: Task | None = None
    is_unhurried: bool = False
    began_s: float = field(default_factory=time.monotonic)


class Watch:
    """What the watchdog knows of the step at work."""

    def __init__(self, helpers: Callable[[], Iterable[int]]) -> None:
        self._helpers = helpers
        self._work: Work | None = None
        self._began_s = 0.0
        self._taken_s = 0.0
        self._counted = Standstill(lambda: ())

    def is_hung(self, work: Work, patience: Patience) -> bool:
        """Whether the step has taken too long; asked about once a second."""
        native_id = work.native_id
        if native_id is None or work.is_unhurried or (work.call is None and work.task is None):
            self._work = None
            return False
        if work is not self._work or work.began_s != self._began_s:
            self._work, self._began_s, self._taken_s = work, work.began_s, 0.0
            self._counted = Standstill(lambda: self._at_work(native_id), lambda: threads_of(os.getpid()))
            return False
        self._taken_s += self._counted.look().open_s
        return self._taken_s > patience.busy_s or self._counted.stands_still(patience.blocked_s)

    def _at_work(self, native_id: int) -> list[Path]:
        helpers = [thread for process_id in self._helpers() for thread in threads_of(process_id)]
        return [own_thread(native_id), *helpers]


def _answer(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        answer = work()
    except Exception as error:  # noqa: BLE001 - whoever asked gets it
        with suppress(InvalidStateError):  # it was told already that the thread hangs
            future.set_exception(error)
        return
    with suppress(InvalidStateError):
        future.set_result(answer)
