"""The tables of the database, and how an older one becomes the present one."""

from __future__ import annotations

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE projects (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, revision INTEGER NOT NULL,
            created_s REAL NOT NULL, changed_s REAL NOT NULL)""",
        """CREATE TABLE media (
            id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
            name TEXT NOT NULL, file TEXT NOT NULL, sha256 TEXT NOT NULL, num_bytes INTEGER NOT NULL,
            kind TEXT NOT NULL, width INTEGER NOT NULL, height INTEGER NOT NULL, num_frames INTEGER NOT NULL,
            fps REAL, duration_s REAL, is_variable_frame_rate INTEGER NOT NULL, codec TEXT, container TEXT,
            rotation INTEGER NOT NULL, damage TEXT, created_s REAL NOT NULL)""",
        "CREATE INDEX media_of_project ON media (project_id)",
        """CREATE TABLE classes (
            project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, id INTEGER NOT NULL,
            name TEXT NOT NULL, color TEXT NOT NULL, shortcut TEXT NOT NULL, PRIMARY KEY (project_id, id))""",
        """CREATE TABLE objects (
            media_id TEXT NOT NULL REFERENCES media ON DELETE CASCADE, id INTEGER NOT NULL,
            name TEXT NOT NULL, color TEXT NOT NULL, class_id INTEGER, is_visible INTEGER NOT NULL,
            is_locked INTEGER NOT NULL, PRIMARY KEY (media_id, id))""",
        """CREATE TABLE prompts (
            media_id TEXT NOT NULL, object_id INTEGER NOT NULL, frame INTEGER NOT NULL, prompts TEXT NOT NULL,
            PRIMARY KEY (media_id, object_id, frame),
            FOREIGN KEY (media_id, object_id) REFERENCES objects ON DELETE CASCADE)""",
        """CREATE TABLE results (
            media_id TEXT NOT NULL, object_id INTEGER NOT NULL, frame INTEGER NOT NULL, counts TEXT NOT NULL,
            area INTEGER NOT NULL, score REAL NOT NULL, presence REAL NOT NULL, stability REAL NOT NULL,
            is_prompted INTEGER NOT NULL, is_backward INTEGER NOT NULL, is_kept INTEGER NOT NULL,
            PRIMARY KEY (media_id, object_id, frame),
            FOREIGN KEY (media_id, object_id) REFERENCES objects ON DELETE CASCADE) WITHOUT ROWID""",
        "CREATE INDEX results_by_frame ON results (media_id, frame)",
        """CREATE TABLE edits (
            project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, number INTEGER NOT NULL,
            action TEXT NOT NULL, changes BLOB NOT NULL, is_undone INTEGER NOT NULL, time_s REAL NOT NULL,
            PRIMARY KEY (project_id, number))""",
        """CREATE TABLE acknowledged (
            project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE, edit_id TEXT NOT NULL,
            revision INTEGER NOT NULL, reply TEXT NOT NULL, PRIMARY KEY (project_id, edit_id))""",
    ),
    (
        "ALTER TABLE classes ADD COLUMN words TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE classes ADD COLUMN place INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE reviews (
            media_id TEXT NOT NULL, object_id INTEGER NOT NULL, confidence REAL NOT NULL,
            is_accepted INTEGER NOT NULL, PRIMARY KEY (media_id, object_id),
            FOREIGN KEY (media_id, object_id) REFERENCES objects ON DELETE CASCADE)""",
    ),
    (
        """CREATE TABLE work (
            media_id TEXT NOT NULL REFERENCES media ON DELETE CASCADE, object_id INTEGER NOT NULL, frame INTEGER,
            action TEXT NOT NULL, time_s REAL NOT NULL)""",
        "CREATE INDEX work_on_media ON work (media_id)",
    ),
    (
        "ALTER TABLE results ADD COLUMN is_occluded INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE label_records (
            id TEXT PRIMARY KEY, project_id TEXT NOT NULL REFERENCES projects ON DELETE CASCADE,
            content BLOB NOT NULL)""",
        """CREATE TABLE label_sources (
            media_id TEXT NOT NULL REFERENCES media ON DELETE CASCADE, records_id TEXT NOT NULL,
            place INTEGER NOT NULL, ids TEXT NOT NULL, PRIMARY KEY (media_id, records_id))""",
    ),
)
"""Statements that lead from each version to the next; a released entry is never changed, only followed by another."""

VERSION = len(MIGRATIONS)
