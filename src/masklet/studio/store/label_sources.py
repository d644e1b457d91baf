"""Label sets as they came in, so that what nobody changes can go out as it stood."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from masklet.studio.store.database import Database
from masklet.studio.store.rows import LabelSourceRow


class LabelSources:
    """Reads what imports wrote down."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_media(self, media_id: str) -> list[LabelSourceRow]:
        """Label sets that came in for a medium, oldest first."""
        rows = self._database.rows(
            "SELECT media_id, records_id, place, ids FROM label_sources WHERE media_id = ? ORDER BY rowid",
            (media_id,),
        )
        return [LabelSourceRow(**row) for row in rows]

    def content(self, records_id: str) -> bytes:
        """What an import kept; empty when it is gone."""
        found = self._database.row("SELECT content FROM label_records WHERE id = ?", (records_id,))
        return b"" if found is None else bytes(found["content"])


def ids_to_text(ids: Mapping[int, int]) -> str:
    """Object ids of a label set with those they got here."""
    return json.dumps(sorted(ids.items()))


def ids_from_text(text: str) -> dict[int, int]:
    """The ids that ``ids_to_text`` wrote."""
    pairs: Sequence[tuple[int, int]] = json.loads(text)
    return dict(pairs)
