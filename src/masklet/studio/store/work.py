"""When somebody worked on which object: it outlasts the edits that can be taken back."""

from __future__ import annotations

from masklet.studio.store.database import Database
from masklet.studio.store.rows import WorkRow


class WorkLog:
    """Reads what the edits wrote down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_media(self, media_id: str) -> list[WorkRow]:
        """Work on a medium, oldest first."""
        rows = self._database.rows(
            "SELECT media_id, object_id, frame, action, time_s FROM work WHERE media_id = ? ORDER BY rowid",
            (media_id,),
        )
        return [WorkRow(**row) for row in rows]
