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
from masklet.studio.recording import (
    check_class,
    check_unlocked,
    find_object,
    new_object,
    next_object_id,
    put_classes,
    remove_object,
    shown_mask,
)
from masklet.studio.refusals import RefusedError, not_found
from masklet.studio.sessions import to_row
from masklet.studio.store import ClassRow, Edited, EditRequest, MediaRow, Recorder, Store
from masklet.studio.store.rows import values_of
from masklet.studio.tasks import Engine
from masklet.studio.tracking import TrackTask, Workshop, publish_mask


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
            object_id = next_object_id(recorder, media.id)
            row = new_object(media.id, object_id, name, color, class_id)
            check_class(recorder, media.project_id, class_id)
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
            known = find_object(recorder, media.id, object_id)
            if known is None:
                raise not_found("object")
            check_class(recorder, media.project_id, changes.get("class_id"))
            recorder.put("objects", {**values_of(known), **changes})
            return {"object_id": object_id}

        return self._done(media.project_id, request, self._workshop.store.edits.edit(request, perform))

    def set_classes(self, project_id: str, request: EditRequest, classes: Sequence[ClassRow]) -> Edited:
        """Put another ontology in place of the present one.

        Raises:
            RefusedError: When the edit is stale, or two classes have one id or shortcut.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            put_classes(recorder, project_id, classes)
            return {}

        return self._done(project_id, request, self._workshop.store.edits.edit(request, perform))

    # edits that concern masks

    def remove_object(self, media: MediaRow, object_id: int, request: EditRequest) -> Edited:
        """Remove an object with its prompts and masks.

        Raises:
            RefusedError: When the edit is stale, the object is locked or not there.
        """

        def perform(recorder: Recorder) -> dict[str, Any]:
            check_unlocked(find_object(recorder, media.id, object_id), is_needed=True)
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
            check_unlocked(find_object(recorder, media.id, object_id), is_needed=True)
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
            if find_object(recorder, media.id, object_id) is None:
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
            check_unlocked(known.get(object_id), is_needed=False)
            session = self._workshop.pool.get(media)
            session.prompt(object_id, place.frame, prompts)
            self._engine.check_current()
            try:
                return self._store_prompt(place, request, prompts, look or NewLook())
            except BaseException:
                self._workshop.pool.touch(media.id, [object_id])
                raise

        return self.perform_in_session(request, work)

    def perform_in_session(self, request: EditRequest, work: Callable[[], Edited]) -> Edited:
        """Do an edit that has changed the session itself, between two frames of whatever is tracked.

        Args:
            request: Whose edit it is.
            work: Does it.

        Raises:
            RefusedError: When the edit is stale, or what ``work`` raises.
        """
        return self._on_engine(request.project_id, request, work, is_in_session=True)

    def _store_prompt(
        self, place: PromptPlace, request: EditRequest, prompts: PromptSet, look: NewLook
    ) -> Edited:
        media, object_id, frame = place.media, place.object_id, place.frame
        found = result_of(self._workshop.pool.get(media), object_id, frame)
        if found is None:
            raise not_found("mask")
        row = to_row(media.id, object_id, frame, found)

        def perform(recorder: Recorder) -> dict[str, Any]:
            if find_object(recorder, media.id, object_id) is None:
                next_object_id(recorder, media.id)
                check_class(recorder, media.project_id, look.class_id)
                row_of_object = new_object(media.id, object_id, look.name, None, look.class_id)
                recorder.put("objects", values_of(row_of_object))
            look_ahead = self._workshop.pool.look_ahead
            after, before = recorder.drop_dependents(media.id, object_id, frame, look_ahead)
            said = json.dumps(prompts_to_json(prompts))
            key = {"media_id": media.id, "object_id": object_id, "frame": frame}
            recorder.put("prompts", {**key, "prompts": said})
            recorder.put("results", values_of(row))
            dropped = {"after": after, "before": before}
            return {"object_id": object_id, "mask": shown_mask(row), "dropped": dropped}

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
