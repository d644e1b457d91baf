"""What routes ask for, declared as types."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import HTTPConnection

from masklet.studio.refusals import RefusedError
from masklet.studio.schemas import Edit, FrameIndex, ObjectId
from masklet.studio.store import EditRequest, MediaRow, ProjectRow
from masklet.studio.studio import Studio

IdPath = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", max_length=16)]


def get_studio(connection: HTTPConnection) -> Studio:
    """The studio that this application serves."""
    return connection.app.state.studio


StudioDep = Annotated[Studio, Depends(get_studio)]


def get_project(studio: StudioDep, project_id: IdPath) -> ProjectRow:
    """The project that the address names."""
    return studio.store.projects.get(project_id)


def get_media(studio: StudioDep, media_id: IdPath) -> MediaRow:
    """The medium that the address names."""
    return studio.store.projects.media(media_id)


ProjectDep = Annotated[ProjectRow, Depends(get_project)]
MediaDep = Annotated[MediaRow, Depends(get_media)]
FramePath = Annotated[FrameIndex, Path()]
ObjectPath = Annotated[ObjectId, Path()]


def check_frame(media: MediaRow, frame: int) -> None:
    """Refuse a frame that the medium does not have.

    Raises:
        RefusedError: When there is no such frame.
    """
    if frame >= media.num_frames:
        raise RefusedError(404, "no_frame", f"There is no frame {frame}; the last is {media.num_frames - 1}.")


def edit_request(project_id: str, body: Edit, action: str) -> EditRequest:
    """What the store needs to know of an edit."""
    return EditRequest(project_id=project_id, revision=body.revision, edit_id=body.edit_id, action=action)
