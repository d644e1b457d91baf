"""What happened, in order, for every page that listens: one bounded ring per project, and a place in it per page.

Who publishes never waits: a message goes into the ring, and pages are told that there is one. A page that is too slow
finds that the ring has moved on, is told to load the state again, and goes on from there.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from masklet.studio.refusals import RefusedError
from masklet.studio.settings import StreamLimits

Message = str | bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbered:
    """A message with its place in the order of its project."""

    cursor: int
    message: Message


class _Ring:
    """The last messages of a project, up to a number of bytes."""

    def __init__(self, most_bytes: int) -> None:
        self.messages: deque[Numbered] = deque()
        self.cursor = 0
        self._most_bytes = most_bytes
        self._num_bytes = 0

    def put(self, message: Message) -> None:
        self.messages.append(Numbered(cursor=self.cursor, message=message))
        self._num_bytes += len(message)
        while self._num_bytes > self._most_bytes and len(self.messages) > 1:
            self._num_bytes -= len(self.messages.popleft().message)

    def after(self, cursor: int) -> list[Numbered] | None:
        """Messages after a place, or None when some of them are gone."""
        if cursor > self.cursor or (self.messages and cursor < self.messages[0].cursor - 1):
            return None
        if not self.messages and cursor < self.cursor:
            return None
        newest = list(islice(reversed(self.messages), self.cursor - cursor))  # each one counts up by one
        return newest[::-1]


class Listener:
    """A page's place in a project."""

    def __init__(self, hub: Hub, project_id: str, cursor: int, loop: asyncio.AbstractEventLoop) -> None:
        self._hub = hub
        self._loop = loop
        self._news = asyncio.Event()
        self.project_id = project_id
        self.cursor = cursor

    def wake(self) -> None:
        """Say that there is news; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._news.set)

    async def next(self) -> list[Numbered] | None:
        """Wait for messages; None when the page is so far behind that some are gone."""
        while True:
            self._news.clear()
            found = self._hub.after(self.project_id, self.cursor)
            if found is None:
                self.cursor = self._hub.cursor(self.project_id)
                return None
            if found:
                self.cursor = found[-1].cursor
                return found
            await self._news.wait()


class Hub:
    """All rings and listeners."""

    def __init__(self, limits: StreamLimits) -> None:
        self.epoch = secrets.token_hex(4)
        self._limits = limits
        self._rings: dict[str, _Ring] = {}
        self._listeners: set[Listener] = set()
        self._lock = threading.Lock()

    def cursor(self, project_id: str) -> int:
        """The number of the last message of a project."""
        with self._lock:
            return self._ring(project_id).cursor

    def after(self, project_id: str, cursor: int) -> list[Numbered] | None:
        """Messages of a project after a place, or None when some of them are gone."""
        with self._lock:
            return self._ring(project_id).after(cursor)

    def publish(self, project_id: str, event: dict[str, Any]) -> None:
        """Tell all pages of a project something; ``cursor`` is added."""
        self._publish(project_id, lambda cursor: json.dumps({**event, "cursor": cursor}))

    def publish_bytes(self, project_id: str, make: Callable[[int], bytes]) -> None:
        """Send bytes to all pages of a project; ``make`` is given their cursor."""
        self._publish(project_id, make)

    def listen(self, project_id: str, cursor: int) -> Listener:
        """Begin to listen after a place.

        Raises:
            RefusedError: When too many pages listen already.
        """
        with self._lock:
            if len(self._listeners) >= self._limits.num_clients:
                raise RefusedError(
                    429, "too_many_pages", "Too many pages are open; close some.", retry_after_s=5
                )
            listener = Listener(self, project_id, cursor, asyncio.get_running_loop())
            self._listeners.add(listener)
            return listener

    def forget(self, project_id: str) -> None:
        """A project is gone; its pages are told to load it again, and find that out."""
        with self._lock:
            self._rings.pop(project_id, None)
            listeners = [one for one in self._listeners if one.project_id == project_id]
        for one in listeners:
            one.wake()

    def leave(self, listener: Listener) -> None:
        """Listen no more."""
        with self._lock:
            self._listeners.discard(listener)

    def _publish(self, project_id: str, make: Callable[[int], Message]) -> None:
        with self._lock:
            ring = self._ring(project_id)
            ring.cursor += 1
            ring.put(make(ring.cursor))
            listeners = [one for one in self._listeners if one.project_id == project_id]
        for one in listeners:
            one.wake()

    def _ring(self, project_id: str) -> _Ring:
        return self._rings.setdefault(project_id, _Ring(self._limits.ring_bytes))
