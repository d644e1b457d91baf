"""What edits of several kinds do with rows: objects and classes made, found, checked and removed within an edit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from masklet.studio.refusals import RefusedError, not_found
from masklet.studio.store import ClassRow, ObjectRow, Recorder, ResultRow
from masklet.studio.store.rows import values_of, with_flags
from masklet.video.overlay import object_color

MAX_OBJECTS = 10_000
_HIDDEN = ("media_id", "is_kept", "is_occluded")


def shown_mask(row: ResultRow) -> dict[str, Any]:
    """A stored mask as pages are told of it."""
    return {key: value for key, value in values_of(row).items() if key not in _HIDDEN}


def put_classes(recorder: Recorder, project_id: str, classes: Sequence[ClassRow]) -> None:
    """Put another ontology in place of the present one; objects of classes that are gone have none then.

    Raises:
        RefusedError: When two classes have one id or shortcut.
    """
    shortcuts = [one.shortcut for one in classes if one.shortcut]
    if len({one.id for one in classes}) < len(classes) or len(set(shortcuts)) < len(shortcuts):
        raise RefusedError(422, "classes", "Two classes have the same id or key; give each its own.")
    kept = {one.id for one in classes}
    for row in recorder.rows("SELECT * FROM classes WHERE project_id = ?", (project_id,)):
        if row["id"] not in kept:
            recorder.delete("classes", row)
    for one in classes:
        recorder.put("classes", values_of(one))
    orphans = recorder.rows(
        "SELECT objects.* FROM objects JOIN media ON media.id = objects.media_id "
        "WHERE media.project_id = ? AND class_id IS NOT NULL",
        (project_id,),
    )
    for row in orphans:
        if row["class_id"] not in kept:
            recorder.put("objects", {**row, "class_id": None})


def remove_object(recorder: Recorder, media_id: str, object_id: int) -> None:
    """Remove the rows of an object, those that hang on others first."""
    for table in ("results", "prompts", "reviews"):
        statement = f"SELECT * FROM {table} WHERE media_id = ? AND object_id = ?"
        for row in recorder.rows(statement, (media_id, object_id)):
            recorder.delete(table, row)
    recorder.delete("objects", {"media_id": media_id, "id": object_id})


def find_object(recorder: Recorder, media_id: str, object_id: int) -> ObjectRow | None:
    """An object, or None."""
    found = recorder.rows("SELECT * FROM objects WHERE media_id = ? AND id = ?", (media_id, object_id))
    return ObjectRow(**with_flags(found[0])) if found else None


def next_object_id(recorder: Recorder, media_id: str) -> int:
    """The id of an object that is about to be added.

    Raises:
        RefusedError: When the medium is full.
    """
    found = recorder.rows(
        "SELECT COUNT(*) AS num, MAX(id) AS last FROM objects WHERE media_id = ?", (media_id,)
    )
    if found[0]["num"] >= MAX_OBJECTS:
        raise RefusedError(409, "too_many", f"A video holds {MAX_OBJECTS} objects; remove some first.")
    return (found[0]["last"] or 0) + 1


def new_object(
    media_id: str, object_id: int, name: str, color: str | None, class_id: int | None
) -> ObjectRow:
    """An object with name and colour chosen where none is given."""
    red, green, blue = object_color(object_id)
    return ObjectRow(
        media_id=media_id,
        id=object_id,
        name=name or f"Object {object_id}",
        color=color or f"#{red:02x}{green:02x}{blue:02x}",
        class_id=class_id,
    )


def check_class(recorder: Recorder, project_id: str, class_id: int | None) -> None:
    """Refuse a class that the project does not have.

    Raises:
        RefusedError: When there is none of this id.
    """
    if class_id is None:
        return
    if not recorder.rows("SELECT 1 FROM classes WHERE project_id = ? AND id = ?", (project_id, class_id)):
        raise RefusedError(422, "no_class", f"There is no class {class_id}; add it first.")


def check_unlocked(known: ObjectRow | None, *, is_needed: bool) -> None:
    """Refuse to change an object that is locked.

    Raises:
        RefusedError: When it is, or is not there although it ``is_needed``.
    """
    if known is None and is_needed:
        raise not_found("object")
    if known is not None and known.is_locked:
        raise RefusedError(409, "locked", f"{known.name or 'The object'} is locked; unlock it to change it.")
