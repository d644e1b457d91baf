"""One thread that computes. Short calls and long tasks take turns, so that nobody waits for more than a frame."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

from masklet.studio.refusals import RefusedError

Answer = TypeVar("Answer")
MAX_WAITING = 64
STUCK_S = 30.0
_IDLE_S = 0.5
_log = logging.getLogger(__name__)


class Task(Protocol):
    """Work in steps of one frame."""

    def step(self) -> bool:
        """Do one step; True when nothing is left. Handles its own errors."""
        ...


class Engine:
    """The thread of one device."""

    def __init__(self, *, on_idle: Callable[[], None]) -> None:
        """Prepare; ``start`` starts the thread.

        Args:
            on_idle: Called on the thread now and then while there is nothing to do.
        """
        self._calls: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._tasks: deque[Task] = deque()
        self._condition = threading.Condition()
        self._on_idle = on_idle
        self._is_stopping = False
        self._beat = time.monotonic()
        self._thread = threading.Thread(target=self._run, name="masklet-engine", daemon=True)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Finish the frame at work and end; what waits is refused."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def heartbeat_s(self) -> float:
        """Seconds since the thread last came around."""
        return time.monotonic() - self._beat

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
            RefusedError: When too much waits already or the studio is closing; or what ``work`` raises.
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

    def _run(self) -> None:
        while not self._is_stopping:
            self._beat = time.monotonic()
            with self._condition:
                if not self._calls and not self._tasks:
                    self._condition.wait(_IDLE_S)
                call = self._calls.popleft() if self._calls else None
                task = self._tasks.popleft() if self._tasks else None
            if call is not None:
                _answer(*call)
            if task is not None and not self._step(task):
                self._tasks.append(task)
            if call is None and task is None:
                self._idle()
        for future, _ in self._calls:
            future.set_exception(RefusedError(503, "closing", "The studio is closing; start it again."))

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


def _answer(future: Future[Any], work: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - whoever asked gets it
        future.set_exception(error)
