"""Masks and scores by object and frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from masklet.studio.store.database import Database
from masklet.studio.store.rows import ResultRow, values_of, with_flags

_COLUMNS = tuple(ResultRow.__dataclass_fields__)
_PAGE = 256


class Results:
    """Reads and writes masks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, rows: Iterable[ResultRow]) -> None:
        """Store what tracking found; rows of objects that are gone are passed over."""
        statement = (
            f"INSERT OR REPLACE INTO results ({', '.join(_COLUMNS)}) SELECT {', '.join('?' for _ in _COLUMNS)} "
            "WHERE EXISTS (SELECT 1 FROM objects WHERE media_id = ? AND id = ?)"
        )
        values = [(*values_of(row).values(), row.media_id, row.object_id) for row in rows]
        with self._database.change_recomputable() as connection:
            connection.executemany(statement, values)

    def of_range(self, media_id: str, start: int, stop: int) -> list[ResultRow]:
        """Masks of all objects on the frames of [start, stop), by frame, then object."""
        found = self._database.rows(
            "SELECT * FROM results WHERE media_id = ? AND frame >= ? AND frame < ? ORDER BY frame, object_id",
            (media_id, start, stop),
        )
        return [ResultRow(**with_flags(row)) for row in found]

    def of_object(self, media_id: str, object_id: int) -> list[ResultRow]:
        """All masks of an object, by frame."""
        found = self._database.rows(
            "SELECT * FROM results WHERE media_id = ? AND object_id = ? ORDER BY frame", (media_id, object_id)
        )
        return [ResultRow(**with_flags(row)) for row in found]

    def by_frame(self, media_id: str, num_frames: int) -> Iterator[tuple[int, list[ResultRow]]]:
        """Every frame of a medium with its masks, in order, a page at a time."""
        for start in range(0, num_frames, _PAGE):
            stop = min(start + _PAGE, num_frames)
            page: dict[int, list[ResultRow]] = {frame: [] for frame in range(start, stop)}
            for row in self.of_range(media_id, start, stop):
                page[row.frame].append(row)
            yield from page.items()

    def lanes(self, media_id: str) -> list[tuple[int, int, float, float, bool, bool, int]]:
        """Object, frame, score, presence, whether prompted, whether backward, and area of every mask, without the masks."""
        found = self._database.rows(
            "SELECT object_id, frame, score, presence, is_prompted, is_backward, area FROM results WHERE media_id = ? "
            "ORDER BY object_id, frame",
            (media_id,),
        )
        return [
            (
                row["object_id"],
                row["frame"],
                row["score"],
                row["presence"],
                bool(row["is_prompted"]),
                bool(row["is_backward"]),
                row["area"],
            )
            for row in found
        ]
