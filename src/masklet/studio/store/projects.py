"""Projects, media, classes, objects and prompts: what is read, and the few changes that are no edits."""

from __future__ import annotations

import time

from masklet.studio.paths import new_id
from masklet.studio.refusals import not_found
from masklet.studio.store.database import Database
from masklet.studio.store.rows import (
    ClassRow,
    MediaRow,
    ObjectRow,
    ProjectRow,
    PromptRow,
    values_of,
    with_flags,
)


class Projects:
    """Reads the tables that describe projects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, name: str) -> ProjectRow:
        """A new project."""
        now = time.time()
        row = ProjectRow(id=new_id(), name=name, revision=0, created_s=now, changed_s=now)
        with self._database.change() as connection:
            connection.execute("INSERT INTO projects VALUES (?, ?, ?, ?, ?)", list(values_of(row).values()))
        return row

    def rename(self, project_id: str, name: str) -> ProjectRow:
        """Give a project another name; it is no edit, and the last name stands."""
        with self._database.change() as connection:
            connection.execute(
                "UPDATE projects SET name = ?, changed_s = ? WHERE id = ?", (name, time.time(), project_id)
            )
        return self.get(project_id)

    def remove(self, project_id: str) -> None:
        """Remove a project with everything in it."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM projects WHERE id = ?", (project_id,))

    def get(self, project_id: str) -> ProjectRow:
        """A project.

        Raises:
            RefusedError: When there is none.
        """
        found = self._database.row("SELECT * FROM projects WHERE id = ?", (project_id,))
        if found is None:
            raise not_found("project")
        return ProjectRow(**found)

    def listed(self) -> list[ProjectRow]:
        """All projects, the last changed first."""
        return [
            ProjectRow(**row)
            for row in self._database.rows("SELECT * FROM projects ORDER BY changed_s DESC, id")
        ]

    def add_media(self, row: MediaRow) -> None:
        """Put a medium into a project.

        Raises:
            RefusedError: When the project is gone.
        """
        self.get(row.project_id)
        values = values_of(row)
        with self._database.change() as connection:
            connection.execute(
                f"INSERT INTO media ({', '.join(values)}) VALUES ({', '.join('?' for _ in values)})",
                list(values.values()),
            )

    def remove_media(self, media_id: str) -> None:
        """Remove a medium with everything said of it."""
        with self._database.change() as connection:
            connection.execute("DELETE FROM media WHERE id = ?", (media_id,))

    def media(self, media_id: str) -> MediaRow:
        """A medium.

        Raises:
            RefusedError: When there is none.
        """
        found = self._database.row("SELECT * FROM media WHERE id = ?", (media_id,))
        if found is None:
            raise not_found("image or video")
        return MediaRow(**with_flags(found))

    def media_of(self, project_id: str) -> list[MediaRow]:
        """Media of a project, oldest first."""
        found = self._database.rows(
            "SELECT * FROM media WHERE project_id = ? ORDER BY created_s, id", (project_id,)
        )
        return [MediaRow(**with_flags(row)) for row in found]

    def project_with(self, sha256: str) -> tuple[str, str] | None:
        """Newest project that holds a file, and the medium's id; or None."""
        found = self._database.row(
            "SELECT project_id, id FROM media WHERE sha256 = ? ORDER BY created_s DESC LIMIT 1", (sha256,)
        )
        return None if found is None else (found["project_id"], found["id"])

    def files(self) -> set[str]:
        """Names of all media files that are in use."""
        return {row["file"] for row in self._database.rows("SELECT file FROM media")}

    def classes(self, project_id: str) -> list[ClassRow]:
        """Classes of a project, in their order."""
        found = self._database.rows(
            "SELECT * FROM classes WHERE project_id = ? ORDER BY place, id", (project_id,)
        )
        return [ClassRow(**row) for row in found]

    def objects(self, media_id: str) -> list[ObjectRow]:
        """Objects of a medium, by id."""
        found = self._database.rows("SELECT * FROM objects WHERE media_id = ? ORDER BY id", (media_id,))
        return [ObjectRow(**with_flags(row)) for row in found]

    def prompts(self, media_id: str) -> list[PromptRow]:
        """Prompts of a medium, by object, then frame."""
        found = self._database.rows(
            "SELECT * FROM prompts WHERE media_id = ? ORDER BY object_id, frame", (media_id,)
        )
        return [PromptRow(**row) for row in found]

    def reviews(self, media_id: str) -> dict[int, tuple[float, bool]]:
        """By object, how sure its class is, and whether a person accepted it."""
        found = self._database.rows("SELECT * FROM reviews WHERE media_id = ?", (media_id,))
        return {row["object_id"]: (row["confidence"], bool(row["is_accepted"])) for row in found}
