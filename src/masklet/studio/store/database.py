"""One SQLite file in WAL mode: the only place that knows SQL's connections, locks and versions.

An edit that was acknowledged is on the disk: its connection uses ``synchronous=FULL``. Tracked masks can be computed
again and use ``NORMAL``.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from masklet.errors import StudioError
from masklet.studio.refusals import RefusedError
from masklet.studio.store.schema import MIGRATIONS, VERSION

Row = Mapping[str, Any]
_BUSY_MS = 5000


class Database:
    """Two connections to one file, each used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        """Open or make the file and bring it to the present version.

        Raises:
            StudioError: When it is damaged, newer than this program, or cannot be opened.
        """
        self._lock = threading.RLock()
        try:
            self._safe = _connect(path, "FULL")
            self._fast = _connect(path, "NORMAL")
            self._migrate()
        except sqlite3.Error as error:
            raise StudioError(
                f"The database {path.name} cannot be opened ({error}); move it away to start anew, or free disk space."
            ) from error

    def close(self) -> None:
        """Write everything back and close."""
        with self._lock:
            self._fast.close()
            self._safe.close()

    def rows(self, statement: str, values: Sequence[object] = ()) -> list[Row]:
        """What a query gives."""
        with self._lock:
            return [dict(row) for row in self._safe.execute(statement, values)]

    def row(self, statement: str, values: Sequence[object] = ()) -> Row | None:
        """The first row of a query, or None."""
        with self._lock:
            found = self._safe.execute(statement, values).fetchone()
            return None if found is None else dict(found)

    @contextmanager
    def change(self) -> Generator[sqlite3.Connection]:
        """A transaction that is on the disk when the block ends, or undone when it raises."""
        with self._transaction(self._safe) as connection:
            yield connection

    @contextmanager
    def change_recomputable(self) -> Generator[sqlite3.Connection]:
        """A transaction that a crash of the machine, but not of this process, may lose."""
        with self._transaction(self._fast) as connection:
            yield connection

    @contextmanager
    def _transaction(self, connection: sqlite3.Connection) -> Generator[sqlite3.Connection]:
        with self._lock:
            try:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
                connection.execute("COMMIT")
            except BaseException as error:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise RefusedError(
                        507, "disk", f"The change could not be stored ({error}); free disk space."
                    ) from error
                raise

    def _migrate(self) -> None:
        found = int(self._safe.execute("PRAGMA user_version").fetchone()[0])
        if found > VERSION:
            raise StudioError(
                f"The database has version {found}, this masklet reads up to {VERSION}; update masklet."
            )
        for number in range(found, VERSION):
            with self.change() as connection:
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {number + 1}")


def _connect(path: Path, synchronous: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute(f"PRAGMA synchronous = {synchronous}")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection
