"""Objects, what is said of them, and their masks."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from masklet.geometry import Size
from masklet.studio.deps import FramePath, MediaDep, ObjectPath, StudioDep, check_frame, edit_request
from masklet.studio.editing import NewLook, PromptPlace
from masklet.studio.prompt_body import prompts_of
from masklet.studio.recording import shown_mask
from masklet.studio.refusals import RefusedError
from masklet.studio.routes.projects import class_rows, reply_of
from masklet.studio.schemas import (
    Edit,
    EditReply,
    FrameIndex,
    Lanes,
    MaskRange,
    NewObject,
    NewObjects,
    NewPrompts,
    ObjectChange,
    PromptBody,
)
from masklet.studio.taking import TakenMask

router = APIRouter(prefix="/api/media/{media_id}")

MAX_RANGE = 1000


@router.post("/objects", response_model=EditReply, status_code=201)
def add_object(studio: StudioDep, media: MediaDep, body: NewObject) -> dict[str, Any]:
    """Add an object; saying something of an id that is not there yet adds one too."""
    request = edit_request(media.project_id, body, "add_object")
    edited = studio.editor.add_object(
        media, request, name=body.name, color=body.color, class_id=body.class_id
    )
    return reply_of(edited)


@router.patch("/objects/{object_id}", response_model=EditReply)
def change_object(
    studio: StudioDep, media: MediaDep, object_id: ObjectPath, body: ObjectChange
) -> dict[str, Any]:
    """Change name, colour, class (null for none), visibility or lock; what is left out stays."""
    changes = body.model_dump(exclude_unset=True, exclude={"revision", "edit_id"})
    changes = {key: value for key, value in changes.items() if value is not None or key == "class_id"}
    request = edit_request(media.project_id, body, "change_object")
    return reply_of(studio.editor.change_object(media, object_id, request, changes))


@router.post("/objects/{object_id}/remove", response_model=EditReply)
def remove_object(studio: StudioDep, media: MediaDep, object_id: ObjectPath, body: Edit) -> dict[str, Any]:
    """Remove an object with its prompts and masks; can be undone."""
    request = edit_request(media.project_id, body, "remove_object")
    return reply_of(studio.editor.remove_object(media, object_id, request))


@router.put("/objects/{object_id}/frames/{frame}/prompts", response_model=EditReply)
def set_prompts(
    studio: StudioDep, media: MediaDep, object_id: ObjectPath, frame: FramePath, body: NewPrompts
) -> dict[str, Any]:
    """Say where an object is on a frame; answers with its mask. Masks of other frames that rest on it are dropped."""
    check_frame(media, frame)
    prompts = prompts_of(body, Size(media.height, media.width))
    request = edit_request(media.project_id, body, "prompt")
    place = PromptPlace(media=media, object_id=object_id, frame=frame)
    look = NewLook(name=body.name, class_id=body.class_id)
    return reply_of(studio.editor.prompt(place, request, prompts, look))


@router.post("/frames/{frame}/objects", response_model=EditReply, status_code=201)
def take_objects(studio: StudioDep, media: MediaDep, frame: FramePath, body: NewObjects) -> dict[str, Any]:
    """Make an object of each mask, all in one edit; answers with their masks."""
    check_frame(media, frame)
    size = Size(media.height, media.width)
    taken = [
        TakenMask(prompts=prompts_of(PromptBody(mask=one.mask), size), name=one.name, class_id=one.class_id)
        for one in body.objects
    ]
    classes = None if body.classes is None else class_rows(media.project_id, body.classes)
    request = edit_request(media.project_id, body, "take")
    return reply_of(studio.taker.take(media, frame, request, taken, classes=classes))


@router.post("/objects/{object_id}/frames/{frame}/clear", response_model=EditReply)
def clear_prompts(
    studio: StudioDep, media: MediaDep, object_id: ObjectPath, frame: FramePath, body: Edit
) -> dict[str, Any]:
    """Take back what was said of an object on a frame."""
    request = edit_request(media.project_id, body, "clear")
    return reply_of(studio.editor.clear(media, object_id, frame, request))


@router.get("/masks", response_model=MaskRange)
def show_masks(
    studio: StudioDep,
    media: MediaDep,
    start: Annotated[FrameIndex, Query()] = 0,
    stop: Annotated[FrameIndex | None, Query()] = None,
) -> dict[str, Any]:
    """Masks on the frames of [start, stop), at most 1000 frames at a time."""
    end = min(start + MAX_RANGE, media.num_frames) if stop is None else stop
    if not 0 <= end - start <= MAX_RANGE:
        raise RefusedError(422, "range", f"Ask for at most {MAX_RANGE} frames at a time, from first to last.")
    studio.editor.flush()
    revision = studio.store.projects.get(media.project_id).revision
    masks = [shown_mask(row) for row in studio.store.results.of_range(media.id, start, end)]
    return {"revision": revision, "size": [media.height, media.width], "masks": masks}


@router.get("/lanes", response_model=Lanes)
def show_lanes(studio: StudioDep, media: MediaDep) -> dict[str, Any]:
    """Where each object is known, how sure it is, and where it was prompted: the timeline without the masks."""
    studio.editor.flush()
    lanes: dict[int, dict[str, Any]] = {}
    names = ("frames", "score", "presence", "is_prompted", "is_backward", "area")
    for object_id, *values in studio.store.results.lanes(media.id):
        lane = lanes.setdefault(object_id, {"object_id": object_id, **{name: [] for name in names}})
        for name, value in zip(names, values, strict=True):
            lane[name].append(value)
    return {"lanes": list(lanes.values())}
