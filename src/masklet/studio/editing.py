"""Edits as the studio does them: on the database first, and where masks are concerned on the session too.

Edits that concern masks run on the engine's thread, between two frames of whatever is tracked; the others do not wait
for it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from masklet.annotations import prompts_to_json
from masklet.predictors.restore import result_of
from masklet.prompts import PromptSet
from masklet.studio.refusals import RefusedError, not_found
from masklet.studio.sessions import to_row
from masklet.studio.store import ClassRow, Edited, EditRequest, MediaRow, ObjectRow, Recorder, Store
from masklet.studio.store.rows import values_of, with_flags
from masklet.studio.tasks import Engine
from masklet.studio.tracking import TrackTask, Workshop, publish_mask
from masklet.video.overlay import object_color

MAX_OBJECTS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPlace:
    """An object on a frame of a medium."""

    media: MediaRow
    object_id: int
    frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NewLook:
    """Name and class of an object that a prompt makes; what is left out is chosen."""

    name: str = ""
    class_id: int | None = None


class Editor:
    """Does what pages ask for, once each, and tells all pages."""

    def __init__(self, workshop: Workshop, engine: Engine) -> None:
        self._workshop = workshop
        self._engine = engine
        self._tasks: list[TrackTask] = []

    @property
    def store(self) -> Store:
        """Where edits go."""
        return self._workshop.store

    def watch(self, task: TrackTask) -> None:
        """Store what a tracking has found before any edit that concerns masks. On the engine's thread."""
        self._tasks = [one for one in self._tasks if one.media.id != task.media.id] + [task]

    def flush(self) -> None:
        """Store what all trackings have found so far; from any thread."""
        for task in self._tasks:
            task.flush()

    # edits that concern no mask

    def add_object(
        self, media: MediaRow, request: EditRequest, *, name: str, color: str | None, class_id: int | None
    ) -> Edited:
        """A new object, which nothing has been said of yet.

        Raises:
            RefusedError: When the edit is stale or the class is not there.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            object_id = _next_object_id(recorder, media.id)
            row = _new_object(media.id, object_id, name, color, class_id)
            _check_class(recorder, media.project_id, class_id)
            recorder.put("objects", values_of(row))
            return {"object_id": object_id}

        return self._done(media.project_id, request, self._workshop.store.edits.edit(request, perform))

    def change_object(
        self, media: MediaRow, object_id: int, request: EditRequest, changes: dict[str, Any]
    ) -> Edited:
        """Change name, colour, class, visibility or lock.

        Raises:
            RefusedError: When the edit is stale, or there is no such object or class.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            known = _object(recorder, media.id, object_id)
            if known is None:
                raise not_found("object")
            _check_class(recorder, media.project_id, changes.get("class_id"))
            recorder.put("objects", {**values_of(known), **changes})
            return {"object_id": object_id}

        return self._done(media.project_id, request, self._workshop.store.edits.edit(request, perform))

    def set_classes(self, project_id: str, request: EditRequest, classes: Sequence[ClassRow]) -> Edited:
        """Put another ontology in place of the present one.

        Raises:
            RefusedError: When the edit is stale, or two classes have one id or shortcut.
        """
        shortcuts = [one.shortcut for one in classes if one.shortcut]
        if len({one.id for one in classes}) < len(classes) or len(set(shortcuts)) < len(shortcuts):
            raise RefusedError(422, "classes", "Two classes have the same id or shortcut; give each its own.")

        def perform(recorder: Recorder) -> dict[str, Any]:
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
            return {}

        return self._done(project_id, request, self._workshop.store.edits.edit(request, perform))

    # edits that concern masks

    def remove_object(self, media: MediaRow, object_id: int, request: EditRequest) -> Edited:
        """Remove an object with its prompts and masks.

        Raises:
            RefusedError: When the edit is stale, the object is locked or not there.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            _check_unlocked(_object(recorder, media.id, object_id), is_needed=True)
            remove_object(recorder, media.id, object_id)
            return {"object_id": object_id}

        return self._on_engine(
            media.project_id, request, lambda: self._workshop.store.edits.edit(request, perform)
        )

    def clear(self, media: MediaRow, object_id: int, frame: int, request: EditRequest) -> Edited:
        """Take back what was said of an object on a frame, and the masks that rest on it.

        Raises:
            RefusedError: When the edit is stale, the object is locked, or nothing was said there.
        """
        key = {"media_id": media.id, "object_id": object_id, "frame": frame}

        def perform(recorder: Recorder) -> dict[str, Any]:
            _check_unlocked(_object(recorder, media.id, object_id), is_needed=True)
            recorder.drop_dependents(media.id, object_id, frame, self._workshop.pool.look_ahead)
            num_before = len(recorder.changes)
            recorder.delete("prompts", key)
            if len(recorder.changes) == num_before:
                raise RefusedError(
                    404, "not_found", f"Nothing was said of object {object_id} on frame {frame}."
                )
            recorder.delete("results", key)
            return {"object_id": object_id}

        return self._on_engine(
            media.project_id, request, lambda: self._workshop.store.edits.edit(request, perform)
        )

    def perform(self, request: EditRequest, perform: Callable[[Recorder], dict[str, Any]]) -> Edited:
        """Do an edit of many rows, between two frames of whatever is tracked.

        Args:
            request: Whose edit it is.
            perform: Changes rows and returns what the page is told.

        Raises:
            RefusedError: When the edit is stale, or what ``perform`` raises.
        """
        return self._on_engine(
            request.project_id, request, lambda: self._workshop.store.edits.edit(request, perform)
        )

    def accept(self, media: MediaRow, object_id: int, request: EditRequest, *, is_accepted: bool) -> Edited:
        """Say whether a person found an object good.

        Raises:
            RefusedError: When the edit is stale, or there is no such object.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            if _object(recorder, media.id, object_id) is None:
                raise not_found("object")
            key = {"media_id": media.id, "object_id": object_id}
            known = recorder.rows(
                "SELECT confidence FROM reviews WHERE media_id = ? AND object_id = ?", tuple(key.values())
            )
            confidence = known[0]["confidence"] if known else 1.0
            recorder.put("reviews", {**key, "confidence": confidence, "is_accepted": int(is_accepted)})
            return {"object_id": object_id}

        return self._done(media.project_id, request, self._workshop.store.edits.edit(request, perform))

    def step(self, project_id: str, request: EditRequest, direction: Literal["undo", "redo"]) -> Edited:
        """Undo or redo the next edit.

        Raises:
            RefusedError: When there is none, or the request is stale.
        """

        def work() -> Edited:
            look_ahead = self._workshop.pool.look_ahead
            return self._workshop.store.edits.step(request, direction, look_ahead=look_ahead)

        return self._on_engine(project_id, request, work)

    def prompt(
        self, place: PromptPlace, request: EditRequest, prompts: PromptSet, look: NewLook | None = None
    ) -> Edited:
        """Say where an object is; a new id makes a new object.

        Args:
            place: Which object, on which frame.
            request: Whose edit it is.
            prompts: What is said.
            look: Name and class of a new object.

        Raises:
            RefusedError: When the edit is stale or the object is locked.
            PromptError: When the prompts do not fit the frame.
        """
        media, object_id = place.media, place.object_id

        def work() -> Edited:
            done = self._workshop.store.edits.check(request)
            if done is not None:
                return done
            known = {one.id: one for one in self._workshop.store.projects.objects(media.id)}
            _check_unlocked(known.get(object_id), is_needed=False)
            session = self._workshop.pool.get(media)
            session.prompt(object_id, place.frame, prompts)
            self._engine.check_current()
            try:
                return self._store_prompt(place, request, prompts, look or NewLook())
            except BaseException:
                self._workshop.pool.touch(media.id, [object_id])
                raise

        return self._on_engine(media.project_id, request, work, is_in_session=True)

    def _store_prompt(
        self, place: PromptPlace, request: EditRequest, prompts: PromptSet, look: NewLook
    ) -> Edited:
        media, object_id, frame = place.media, place.object_id, place.frame
        found = result_of(self._workshop.pool.get(media), object_id, frame)
        if found is None:
            raise not_found("mask")
        row = to_row(media.id, object_id, frame, found)
        shown = {
            key: value
            for key, value in values_of(row).items()
            if key not in ("media_id", "is_kept", "is_occluded")
        }

        def perform(recorder: Recorder) -> dict[str, Any]:
            if _object(recorder, media.id, object_id) is None:
                _next_object_id(recorder, media.id)
                _check_class(recorder, media.project_id, look.class_id)
                row_of_object = _new_object(media.id, object_id, look.name, None, look.class_id)
                recorder.put("objects", values_of(row_of_object))
            look_ahead = self._workshop.pool.look_ahead
            after, before = recorder.drop_dependents(media.id, object_id, frame, look_ahead)
            said = json.dumps(prompts_to_json(prompts))
            key = {"media_id": media.id, "object_id": object_id, "frame": frame}
            recorder.put("prompts", {**key, "prompts": said})
            recorder.put("results", values_of(row))
            dropped = {"after": after, "before": before}
            return {"object_id": object_id, "mask": shown, "dropped": dropped}

        edited = self._workshop.store.edits.edit(request, perform)
        publish_mask(self._workshop.hub, media, row)
        return edited

    def _on_engine(
        self,
        project_id: str,
        request: EditRequest,
        work: Callable[[], Edited],
        *,
        is_in_session: bool = False,
    ) -> Edited:
        """Run an edit between two frames; sessions learn of objects that it changed behind their back."""

        def guarded() -> Edited:
            self.flush()
            edited = work()
            if not is_in_session:
                for media_id, object_id in edited.touched:
                    self._workshop.pool.touch(media_id, [object_id])
            return edited

        return self._done(project_id, request, self._engine.call(guarded))

    def _done(self, project_id: str, request: EditRequest, edited: Edited) -> Edited:
        if not edited.is_repeat:
            self._workshop.hub.publish(
                project_id,
                {
                    "type": "edit",
                    "revision": edited.revision,
                    "action": request.action,
                    "edit_id": request.edit_id,
                    "object_id": edited.reply.get("object_id"),
                },
            )
        return edited


def remove_object(recorder: Recorder, media_id: str, object_id: int) -> None:
    """Remove the rows of an object, those that hang on others first."""
    for table in ("results", "prompts", "reviews"):
        statement = f"SELECT * FROM {table} WHERE media_id = ? AND object_id = ?"
        for row in recorder.rows(statement, (media_id, object_id)):
            recorder.delete(table, row)
    recorder.delete("objects", {"media_id": media_id, "id": object_id})


def _object(recorder: Recorder, media_id: str, object_id: int) -> ObjectRow | None:
    found = recorder.rows("SELECT * FROM objects WHERE media_id = ? AND id = ?", (media_id, object_id))
    return ObjectRow(**with_flags(found[0])) if found else None


def _next_object_id(recorder: Recorder, media_id: str) -> int:
    found = recorder.rows(
        "SELECT COUNT(*) AS num, MAX(id) AS last FROM objects WHERE media_id = ?", (media_id,)
    )
    if found[0]["num"] >= MAX_OBJECTS:
        raise RefusedError(409, "too_many", f"A video holds {MAX_OBJECTS} objects; remove some first.")
    return (found[0]["last"] or 0) + 1


def _new_object(
    media_id: str, object_id: int, name: str, color: str | None, class_id: int | None
) -> ObjectRow:
    red, green, blue = object_color(object_id)
    return ObjectRow(
        media_id=media_id,
        id=object_id,
        name=name or f"Object {object_id}",
        color=color or f"#{red:02x}{green:02x}{blue:02x}",
        class_id=class_id,
    )


def _check_class(recorder: Recorder, project_id: str, class_id: int | None) -> None:
    if class_id is None:
        return
    if not recorder.rows("SELECT 1 FROM classes WHERE project_id = ? AND id = ?", (project_id, class_id)):
        raise RefusedError(422, "no_class", f"There is no class {class_id}; add it first.")


def _check_unlocked(known: ObjectRow | None, *, is_needed: bool) -> None:
    if known is None and is_needed:
        raise not_found("object")
    if known is not None and known.is_locked:
        raise RefusedError(409, "locked", f"{known.name or 'The object'} is locked; unlock it to change it.")
