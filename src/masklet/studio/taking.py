"""Several objects from masks at once, as of candidates that a person takes: one edit, with one way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from masklet.annotations import prompts_to_json
from masklet.predictors.restore import result_of
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet
from masklet.studio.editing import Editor
from masklet.studio.recording import check_class, new_object, next_object_id, put_classes, shown_mask
from masklet.studio.refusals import not_found
from masklet.studio.sessions import to_row
from masklet.studio.store import ClassRow, Edited, EditRequest, MediaRow, Recorder, ResultRow
from masklet.studio.store.rows import values_of
from masklet.studio.tasks import Engine
from masklet.studio.tracking import Workshop, publish_mask


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenMask:
    """A mask that becomes an object; an empty name is chosen."""

    prompts: PromptSet
    name: str = ""
    class_id: int | None = None


class Taker:
    """Makes objects of masks."""

    def __init__(self, workshop: Workshop, engine: Engine, editor: Editor) -> None:
        self._workshop = workshop
        self._engine = engine
        self._editor = editor

    def take(
        self,
        media: MediaRow,
        frame: int,
        request: EditRequest,
        taken: Sequence[TakenMask],
        *,
        classes: Sequence[ClassRow] | None = None,
    ) -> Edited:
        """Make an object of each mask, with the next free ids in the order given.

        Args:
            media: The medium.
            frame: The frame that the masks are of.
            request: Whose edit it is.
            taken: The masks.
            classes: Takes the place of the project's classes before, unless None.

        Raises:
            RefusedError: When the edit is stale, the medium is full or a class is not there.
            PromptError: When a mask cannot be used.
        """
        store, pool = self._workshop.store, self._workshop.pool

        def work() -> Edited:
            done = store.edits.check(request)
            if done is not None:
                return done
            first = 1 + max((one.id for one in store.projects.objects(media.id)), default=0)
            ids = range(first, first + len(taken))
            try:
                rows = _prompted(pool.get(media), media, frame, dict(zip(ids, taken, strict=True)))
                self._engine.check_current()
                edited = store.edits.edit(
                    request, lambda recorder: _record(recorder, media, taken, rows, classes)
                )
            except BaseException:
                pool.touch(media.id, ids)
                raise
            for row in rows:
                publish_mask(self._workshop.hub, media, row)
            return edited

        return self._editor.perform_in_session(request, work)


def _prompted(
    session: VideoSession, media: MediaRow, frame: int, taken: dict[int, TakenMask]
) -> list[ResultRow]:
    """Tell a session of new objects; their masks as rows."""
    rows: list[ResultRow] = []
    for object_id, one in taken.items():
        session.prompt(object_id, frame, one.prompts)
        found = result_of(session, object_id, frame)
        if found is None:
            raise not_found("mask")
        rows.append(to_row(media.id, object_id, frame, found))
    return rows


def _record(
    recorder: Recorder,
    media: MediaRow,
    taken: Sequence[TakenMask],
    rows: Sequence[ResultRow],
    classes: Sequence[ClassRow] | None,
) -> dict[str, Any]:
    if classes is not None:
        put_classes(recorder, media.project_id, classes)
    for one, row in zip(taken, rows, strict=True):
        next_object_id(recorder, media.id)  # refuses one too many
        check_class(recorder, media.project_id, one.class_id)
        made = new_object(media.id, row.object_id, one.name, None, one.class_id)
        recorder.put("objects", values_of(made))
        said = json.dumps(prompts_to_json(one.prompts))
        key = {"media_id": media.id, "object_id": row.object_id, "frame": row.frame}
        recorder.put("prompts", {**key, "prompts": said})
        recorder.put("results", values_of(row))
    return {"object_id": rows[-1].object_id, "masks": [shown_mask(row) for row in rows]}
