"""Edits: each is one transaction with a revision to rest on, an id that makes it happen once, and a way back.

An edit is recorded as what it changed, row by row, before and after. Undo and redo put rows back, so every kind of edit
can be undone without code of its own, and the history survives a restart.
"""

from __future__ import annotations

import json
import sqlite3
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from masklet.studio.refusals import RefusedError, not_found
from masklet.studio.store.database import Database
from masklet.tracking.affected import affected_by

KEYS: Mapping[str, tuple[str, ...]] = {
    "classes": ("project_id", "id"),
    "objects": ("media_id", "id"),
    "prompts": ("media_id", "object_id", "frame"),
    "results": ("media_id", "object_id", "frame"),
    "reviews": ("media_id", "object_id"),
    "label_sources": ("media_id", "records_id"),
}
MAX_EDITS = 200
_MAX_ACKNOWLEDGED = 2000

Values = dict[str, Any]
Reply = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditRequest:
    """Who edits what.

    Attributes:
        project_id: The project.
        revision: The project's revision that the edit was made on.
        edit_id: An id of the page's choice; the same id is done once.
        action: What is done, in a word.
    """

    project_id: str
    revision: int
    edit_id: str
    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """What an edit came to; ``is_repeat`` when it had been done before."""

    revision: int
    reply: Reply
    is_repeat: bool
    touched: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row before and after; None where there was or is none."""

    table: str
    before: Values | None
    after: Values | None


class Recorder:
    """Changes rows within an edit and remembers how they were."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.changes: list[Change] = []

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Values]:
        """What a query gives within the edit."""
        return [dict(row) for row in self._connection.execute(statement, values)]

    def put(self, table: str, values: Values) -> None:
        """Write a row."""
        before = _find(self._connection, table, values)
        _write(self._connection, table, values)
        self.changes.append(Change(table=table, before=before, after=values))

    def delete(self, table: str, key: Values) -> None:
        """Remove a row if it is there."""
        before = _find(self._connection, table, key)
        if before is not None:
            _remove(self._connection, table, before)
            self.changes.append(Change(table=table, before=before, after=None))

    def keep_records(self, project_id: str, records_id: str, content: bytes) -> None:
        """Keep a label set as it came in; it stays for a redo when the edit is taken back."""
        self._connection.execute(
            "INSERT INTO label_records VALUES (?, ?, ?)", (records_id, project_id, content)
        )

    def drop_dependents(
        self, media_id: str, object_id: int, frame: int, look_ahead: int | None
    ) -> tuple[int, int]:
        """Remove the tracked results that a change on a frame can alter, as a session does; see ``affected_by``.

        Returns:
            ``after`` and ``before`` of what is affected.
        """
        place = _dependents_of(self._connection, (media_id, object_id, frame), look_ahead)
        for row in self.rows(f"SELECT * FROM results WHERE {_DEPENDENT}", place):
            self.delete("results", row)
        return place[2:]


_DEPENDENT = (
    "media_id = ? AND object_id = ? AND is_prompted = 0 AND "
    "((is_backward = 0 AND frame > ?) OR (is_backward = 1 AND frame < ?))"
)
_NO_FRAME = 2**53 - 1  # the largest whole number of a page


def _dependents_of(
    connection: sqlite3.Connection, place: tuple[str, int, int], look_ahead: int | None
) -> tuple[str, int, int, int]:
    """Values of ``_DEPENDENT`` for a change of an object of a medium on a frame."""
    media_id, object_id, frame = place
    found = connection.execute(
        "SELECT frame FROM prompts WHERE media_id = ? AND object_id = ?", (media_id, object_id)
    )
    affected = affected_by((row["frame"] for row in found), frame, look_ahead)
    return media_id, object_id, affected.after, int(min(affected.before, _NO_FRAME))


class EditLog:
    """Does, undoes and redoes edits."""

    def __init__(self, database: Database, state_of: Callable[[str], dict[str, Any]]) -> None:
        """Remember where.

        Args:
            database: Where.
            state_of: Gives the state of a project, for the answer to a stale edit.
        """
        self._database = database
        self._state_of = state_of

    def check(self, request: EditRequest) -> Edited | None:
        """What the edit came to if it was done before, or None when it may be done now.

        Raises:
            RefusedError: When its revision is not the present one, or there is no such project.
        """
        with self._database.change() as connection:
            return self._check(connection, request)

    def edit(self, request: EditRequest, perform: Callable[[Recorder], Reply]) -> Edited:
        """Do an edit, once.

        Args:
            request: Whose edit it is.
            perform: Changes rows and returns what the page is told, besides the revision.

        Raises:
            RefusedError: When its revision is not the present one, or what ``perform`` raises.
        """
        with self._database.change() as connection:
            done = self._check(connection, request)
            if done is not None:
                return done
            recorder = Recorder(connection)
            reply = perform(recorder)
            connection.execute(
                "DELETE FROM edits WHERE project_id = ? AND is_undone = 1", (request.project_id,)
            )
            if recorder.changes:
                _store(connection, request, recorder.changes)
                _note_work(connection, request.action, recorder.changes)
            return self._acknowledge(connection, request, reply, _touched(recorder.changes))

    def step(
        self, request: EditRequest, direction: Literal["undo", "redo"], *, look_ahead: int | None = None
    ) -> Edited:
        """Take back the last edit that stands, or do the first one again that was taken back.

        Args:
            request: Whose edit it is.
            direction: Which of the two.
            look_ahead: How far the model looks ahead to prompted frames; see ``affected_by``.

        Raises:
            RefusedError: When there is none, or the revision is not the present one.
        """
        is_undo = direction == "undo"
        with self._database.change() as connection:
            done = self._check(connection, request)
            if done is not None:
                return done
            found = connection.execute(
                "SELECT number, action, changes FROM edits WHERE project_id = ? AND is_undone = ? "
                f"ORDER BY number {'DESC' if is_undo else 'ASC'} LIMIT 1",
                (request.project_id, 0 if is_undo else 1),
            ).fetchone()
            if found is None:
                raise RefusedError(409, f"no_{direction}", f"There is nothing to {direction}.")
            changes = _unpacked(found["changes"])
            for change in reversed(changes) if is_undo else changes:
                _apply(connection, change, is_undo=is_undo, look_ahead=look_ahead)
            connection.execute(
                "UPDATE edits SET is_undone = ? WHERE project_id = ? AND number = ?",
                (int(is_undo), request.project_id, found["number"]),
            )
            _note_work(connection, direction, changes)
            return self._acknowledge(connection, request, {"action": found["action"]}, _touched(changes))

    def num_steps(self, project_id: str) -> tuple[int, int]:
        """How many edits can be undone, and how many redone."""
        rows = self._database.rows(
            "SELECT is_undone, COUNT(*) AS num FROM edits WHERE project_id = ? GROUP BY is_undone",
            (project_id,),
        )
        counts = {row["is_undone"]: int(row["num"]) for row in rows}
        return counts.get(0, 0), counts.get(1, 0)

    def _check(self, connection: sqlite3.Connection, request: EditRequest) -> Edited | None:
        done = connection.execute(
            "SELECT revision, reply FROM acknowledged WHERE project_id = ? AND edit_id = ?",
            (request.project_id, request.edit_id),
        ).fetchone()
        if done is not None:
            return Edited(revision=done["revision"], reply=json.loads(done["reply"]), is_repeat=True)
        project = connection.execute(
            "SELECT revision FROM projects WHERE id = ?", (request.project_id,)
        ).fetchone()
        if project is None:
            raise not_found("project")
        if project["revision"] != request.revision:
            raise RefusedError(
                409,
                "stale",
                f"The edit was made on revision {request.revision}, but the project is at {project['revision']}; "
                "take over the state that came with this answer and try again.",
                state=self._state_of(request.project_id),
            )
        return None

    def _acknowledge(
        self,
        connection: sqlite3.Connection,
        request: EditRequest,
        reply: Reply,
        touched: tuple[tuple[str, int], ...],
    ) -> Edited:
        revision = request.revision + 1
        connection.execute(
            "UPDATE projects SET revision = ?, changed_s = ? WHERE id = ?",
            (revision, time.time(), request.project_id),
        )
        connection.execute(
            "INSERT INTO acknowledged VALUES (?, ?, ?, ?)",
            (request.project_id, request.edit_id, revision, json.dumps(reply)),
        )
        connection.execute(
            "DELETE FROM acknowledged WHERE project_id = ? AND revision <= ?",
            (request.project_id, revision - _MAX_ACKNOWLEDGED),
        )
        return Edited(revision=revision, reply=reply, is_repeat=False, touched=touched)


def _store(connection: sqlite3.Connection, request: EditRequest, changes: list[Change]) -> None:
    last = connection.execute(
        "SELECT MAX(number) FROM edits WHERE project_id = ?", (request.project_id,)
    ).fetchone()[0]
    number = (last or 0) + 1
    packed = zlib.compress(json.dumps([[one.table, one.before, one.after] for one in changes]).encode())
    connection.execute(
        "INSERT INTO edits VALUES (?, ?, ?, ?, 0, ?)",
        (request.project_id, number, request.action, packed, time.time()),
    )
    connection.execute(
        "DELETE FROM edits WHERE project_id = ? AND number <= ?", (request.project_id, number - MAX_EDITS)
    )


def _note_work(connection: sqlite3.Connection, action: str, changes: Sequence[Change]) -> None:
    """Write down when an object was worked on; what comes in with a file is nobody's work."""
    if action == "import":
        return
    places: dict[tuple[str, int, int | None], None] = {}
    for change in changes:
        values = change.after or change.before or {}
        if change.table == "prompts":
            places[values["media_id"], values["object_id"], values["frame"]] = None
        elif change.table in ("objects", "reviews"):
            places[values["media_id"], values["id" if change.table == "objects" else "object_id"], None] = (
                None
            )
    said = {place[:2] for place in places if place[2] is not None}
    now_s = time.time()
    connection.executemany(
        "INSERT INTO work VALUES (?, ?, ?, ?, ?)",
        [(*place, action, now_s) for place in places if place[2] is not None or place[:2] not in said],
    )


def _unpacked(packed: bytes) -> list[Change]:
    listed = json.loads(zlib.decompress(packed))
    return [Change(table=table, before=before, after=after) for table, before, after in listed]


def _touched(changes: Sequence[Change]) -> tuple[tuple[str, int], ...]:
    """Media and objects whose prompts, masks or existence changed, so that a session must take them over."""
    found: set[tuple[str, int]] = set()
    for change in changes:
        values = change.after or change.before or {}
        if change.table in ("prompts", "results"):
            found.add((values["media_id"], values["object_id"]))
        elif change.table == "objects" and (change.before is None or change.after is None):
            found.add((values["media_id"], values["id"]))
    return tuple(sorted(found))


def _apply(connection: sqlite3.Connection, change: Change, *, is_undo: bool, look_ahead: int | None) -> None:
    wanted, known = (change.before, change.after) if is_undo else (change.after, change.before)
    some = wanted or known or {}
    if change.table == "prompts":
        # what was tracked since then rests on prompts that are not in force any more
        place = some["media_id"], some["object_id"], some["frame"]
        place = _dependents_of(connection, place, look_ahead)
        connection.execute(f"DELETE FROM results WHERE {_DEPENDENT}", place)
    if wanted is None:
        _remove(connection, change.table, some)
    else:
        _write(connection, change.table, wanted)


def _where(table: str) -> str:
    return " AND ".join(f"{name} = ?" for name in KEYS[table])


def _key(table: str, values: Values) -> tuple[Any, ...]:
    return tuple(values[name] for name in KEYS[table])


def _find(connection: sqlite3.Connection, table: str, values: Values) -> Values | None:
    found = connection.execute(f"SELECT * FROM {table} WHERE {_where(table)}", _key(table, values)).fetchone()
    return None if found is None else dict(found)


def _remove(connection: sqlite3.Connection, table: str, values: Values) -> None:
    connection.execute(f"DELETE FROM {table} WHERE {_where(table)}", _key(table, values))


def _write(connection: sqlite3.Connection, table: str, values: Values) -> None:
    """Insert or update; replacing would delete what hangs on the row."""
    names = list(values)
    updates = ", ".join(f"{name} = excluded.{name}" for name in names)
    connection.execute(
        f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)}) "
        f"ON CONFLICT ({', '.join(KEYS[table])}) DO UPDATE SET {updates}",
        [values[name] for name in names],
    )
