"""Projects on disk: one SQLite file, written so that every acknowledged edit survives a crash."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from masklet.studio.store.database import Database
from masklet.studio.store.edits import Edited, EditLog, EditRequest, Recorder
from masklet.studio.store.imports import ImportedMedia, Imports
from masklet.studio.store.label_sources import LabelSources
from masklet.studio.store.projects import Projects
from masklet.studio.store.results import Results
from masklet.studio.store.rows import (
    ClassRow,
    LabelSourceRow,
    MediaRow,
    ObjectRow,
    ProjectRow,
    PromptRow,
    ResultRow,
    WorkRow,
    values_of,
)
from masklet.studio.store.work import WorkLog

__all__ = [
    "ClassRow",
    "EditRequest",
    "Edited",
    "ImportedMedia",
    "LabelSourceRow",
    "MediaRow",
    "ObjectRow",
    "ProjectRow",
    "PromptRow",
    "Recorder",
    "ResultRow",
    "Store",
    "WorkRow",
]

DATABASE_NAME = "studio.sqlite3"


class Store:
    """The database of one data folder."""

    def __init__(self, home: Path) -> None:
        """Open it.

        Raises:
            StudioError: When it cannot be opened or is newer than this program.
        """
        self._database = Database(home / DATABASE_NAME)
        self.projects = Projects(self._database)
        self.results = Results(self._database)
        self.imports = Imports(self._database)
        self.work = WorkLog(self._database)
        self.label_sources = LabelSources(self._database)
        self.edits = EditLog(self._database, self.state)

    def close(self) -> None:
        """Write everything back and close."""
        self._database.close()

    def listed(self) -> list[dict[str, Any]]:
        """All projects, the last changed first, each with its oldest medium to show for it."""
        projects = []
        for one in self.projects.listed():
            media = self.projects.media_of(one.id)
            cover = media[0].id if media else None
            projects.append({**values_of(one), "num_media": len(media), "cover_id": cover})
        return projects

    def state(self, project_id: str) -> dict[str, Any]:
        """A project as a page shows it, without masks.

        Raises:
            RefusedError: When there is no such project.
        """
        project = self.projects.get(project_id)
        num_undo, num_redo = self.edits.num_steps(project_id)
        return {
            "id": project.id,
            "name": project.name,
            "revision": project.revision,
            "created_s": project.created_s,
            "changed_s": project.changed_s,
            "num_undo": num_undo,
            "num_redo": num_redo,
            "classes": [
                {
                    "id": one.id,
                    "name": one.name,
                    "color": one.color,
                    "shortcut": one.shortcut,
                    "words": one.words,
                }
                for one in self.projects.classes(project_id)
            ],
            "media": [self.media_state(one) for one in self.projects.media_of(project_id)],
        }

    def media_state(self, media: MediaRow) -> dict[str, Any]:
        """A medium with its facts, objects and prompts."""
        hidden = ("project_id", "file")
        facts = {name: getattr(media, name) for name in MediaRow.__dataclass_fields__ if name not in hidden}
        prompts: dict[int, list[dict[str, Any]]] = {}
        for one in self.projects.prompts(media.id):
            said = {"frame": one.frame, "clicks": [], "box": None, "mask": None, **json.loads(one.prompts)}
            prompts.setdefault(one.object_id, []).append(said)
        objects = [
            {
                "id": one.id,
                "name": one.name,
                "color": one.color,
                "class_id": one.class_id,
                "is_visible": one.is_visible,
                "is_locked": one.is_locked,
                "prompts": prompts.get(one.id, []),
            }
            for one in self.projects.objects(media.id)
        ]
        return {**facts, "objects": objects}
