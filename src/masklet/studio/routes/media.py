"""Media: uploads in parts, the sample, facts, frames and strips of frames."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from masklet.studio.deps import FramePath, IdPath, MediaDep, ProjectDep, StudioDep, check_frame
from masklet.studio.frames import CONTENT_TYPES, FrameRequest
from masklet.studio.schemas import (
    MAX_SIDE,
    MAX_WHOLE,
    FrameIndex,
    FrameTimes,
    MediaState,
    NewMedia,
    NewUpload,
    UploadState,
)
from masklet.studio.studio import Studio
from masklet.studio.uploads import Upload

router = APIRouter(prefix="/api")

MAX_STRIP = 100
_CACHE = "private, max-age=31536000, immutable"


def _upload_state(studio: Studio, upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "num_bytes": upload.num_bytes,
        "num_received": upload.num_received,
        "chunk_bytes": studio.settings.limits.chunk_bytes,
    }


@router.post("/uploads", response_model=UploadState, status_code=201)
def begin_upload(studio: StudioDep, body: NewUpload) -> dict[str, Any]:
    """Announce a file; its parts follow with PUT."""
    upload = studio.uploads.begin(body.name, body.num_bytes, body.sha256)
    studio.library.expect()
    return _upload_state(studio, upload)


@router.get("/uploads/{upload_id}", response_model=UploadState)
def show_upload(studio: StudioDep, upload_id: IdPath) -> dict[str, Any]:
    """How much of a file is here, to go on after a cut."""
    return _upload_state(studio, studio.uploads.get(upload_id))


@router.put("/uploads/{upload_id}", response_model=UploadState)
async def append_upload(
    studio: StudioDep,
    upload_id: IdPath,
    request: Request,
    offset: Annotated[int, Query(ge=0, le=MAX_WHOLE)],
) -> dict[str, Any]:
    """One part of a file, as the plain body; ``offset`` must be where the file ends so far."""
    try:
        upload = await studio.uploads.append(upload_id, offset, request.stream())
    except ClientDisconnect:  # nobody reads the answer; what arrived is kept
        upload = studio.uploads.get(upload_id)
    return _upload_state(studio, upload)


@router.delete("/uploads/{upload_id}", status_code=204)
def remove_upload(studio: StudioDep, upload_id: IdPath) -> None:
    """Forget an unfinished file."""
    studio.uploads.get(upload_id)
    studio.uploads.remove(upload_id)


@router.post("/projects/{project_id}/media", response_model=MediaState, status_code=201)
def add_media(studio: StudioDep, project: ProjectDep, body: NewMedia) -> dict[str, Any]:
    """Make a finished upload a medium; it is opened first in a process of its own."""
    media = studio.library.add_upload(project.id, body.upload_id, allow_damaged=body.allow_damaged)
    studio.frames.expect(media)
    studio.hub.publish(project.id, {"type": "media"})
    return studio.store.media_state(media)


@router.post("/projects/{project_id}/sample", response_model=MediaState, status_code=201)
def add_sample(studio: StudioDep, project: ProjectDep) -> dict[str, Any]:
    """Add the clip that comes with masklet."""
    media = studio.library.add_sample(project.id)
    studio.hub.publish(project.id, {"type": "media"})
    return studio.store.media_state(media)


@router.get("/media/{media_id}", response_model=MediaState)
def show_media(studio: StudioDep, media: MediaDep) -> dict[str, Any]:
    """Facts, objects and prompts of a medium."""
    return studio.store.media_state(media)


@router.delete("/media/{media_id}", status_code=204)
def remove_media(studio: StudioDep, media: MediaDep) -> None:
    """Remove a medium with all that was said of it; this cannot be undone."""
    studio.remove_media(media)


@router.get("/media/{media_id}/times", response_model=FrameTimes)
def show_times(
    studio: StudioDep,
    media: MediaDep,
    start: Annotated[FrameIndex, Query()] = 0,
    stop: Annotated[FrameIndex | None, Query()] = None,
) -> dict[str, Any]:
    """When the frames of [start, stop) are shown, in seconds from the first frame."""
    return {"start": start, "times_s": studio.frames.times_s(media)[start:stop]}


@router.get("/media/{media_id}/frames/{frame}", response_class=Response)
def show_frame(
    studio: StudioDep,
    media: MediaDep,
    frame: FramePath,
    request: Request,
    kind: Annotated[Literal["jpeg", "webp", "png"], Query(alias="format")] = "jpeg",
    height: Annotated[int | None, Query(ge=16, le=MAX_SIDE)] = None,
) -> Response:
    """One frame, exact by index; ``height`` makes it smaller, never larger."""
    check_frame(media, frame)
    wanted = FrameRequest(index=frame, kind=kind, height=height)
    headers = {"ETag": wanted.tag(media), "Cache-Control": _CACHE}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(studio.frames.picture(media, wanted), media_type=CONTENT_TYPES[kind], headers=headers)


@router.get("/media/{media_id}/filmstrip", response_class=Response)
def show_strip(
    studio: StudioDep,
    media: MediaDep,
    request: Request,
    count: Annotated[int, Query(ge=1, le=MAX_STRIP)] = 20,
    height: Annotated[int, Query(ge=16, le=256)] = 64,
) -> Response:
    """Frames side by side as one JPEG; place i shows frame (2 i + 1) * num_frames // (2 count)."""
    tag = f'"{media.sha256[:24]}-strip-{count}-{height}"'
    headers = {"ETag": tag, "Cache-Control": _CACHE}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    strip = studio.frames.strip(media, count=count, height=height)
    return Response(strip, media_type="image/jpeg", headers=headers)
