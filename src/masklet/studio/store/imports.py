"""Rows of an imported project, put in together or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from masklet.studio.store.database import Database
from masklet.studio.store.rows import LabelSourceRow, ObjectRow, PromptRow, ResultRow, WorkRow, values_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedMedia:
    """What is said of one medium."""

    objects: Sequence[ObjectRow]
    prompts: Sequence[PromptRow]
    results: Sequence[ResultRow]
    work: Sequence[WorkRow] = ()
    sources: Sequence[LabelSourceRow] = ()


class Imports:
    """Writes what other programs, or this one elsewhere, made."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(
        self,
        project_id: str,
        classes: Sequence[Mapping[str, Any]],
        media: Sequence[ImportedMedia],
        records: Mapping[str, bytes],
    ) -> None:
        """Put classes, objects, prompts, masks and label sets that came in into a new project."""
        with self._database.change() as connection:
            for records_id, content in records.items():
                values = {"id": records_id, "project_id": project_id, "content": content}
                connection.execute(_insert("label_records", list(values)), list(values.values()))
            for one in classes:
                values = {"project_id": project_id, **one}
                connection.execute(_insert("classes", list(values)), list(values.values()))
            for medium in media:
                for table, rows in (
                    ("objects", medium.objects),
                    ("prompts", medium.prompts),
                    ("results", medium.results),
                    ("work", medium.work),
                    ("label_sources", medium.sources),
                ):
                    for row in rows:
                        values = values_of(row)
                        connection.execute(_insert(table, list(values)), list(values.values()))


def _insert(table: str, names: Sequence[str]) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' for _ in names)})"
