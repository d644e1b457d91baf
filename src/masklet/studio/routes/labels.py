"""Labels of other programs in, the table of formats, and the review of what was labelled."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter

from masklet.studio.deps import MediaDep, ObjectPath, ProjectDep, StudioDep, edit_request
from masklet.studio.exports.labels import format_states
from masklet.studio.importing import LabelSource
from masklet.studio.reviewing import review_project
from masklet.studio.routes.projects import reply_of
from masklet.studio.schemas import EditReply
from masklet.studio.schemas_labels import FormatList, LabelsReply, NewLabels, ReviewChange, Reviews

router = APIRouter(prefix="/api")


@router.get("/formats", response_model=FormatList)
def list_formats() -> dict[str, Any]:
    """Every format of labels, and whether it can be read."""
    return {"formats": format_states()}


@router.post("/projects/{project_id}/labels", response_model=LabelsReply, status_code=201)
def import_labels(studio: StudioDep, project: ProjectDep, body: NewLabels) -> dict[str, Any]:
    """Put the labels of an uploaded file or archive onto the project's media; can be undone."""
    upload, content = studio.uploads.complete(body.upload_id)
    source = LabelSource(
        path=content,
        name=upload.name,
        format=body.format,
        media_id=body.media_id,
        replaces=body.mode == "replace",
    )
    edited = studio.importer.take(edit_request(project.id, body, "import"), source)
    studio.uploads.remove(body.upload_id)
    return reply_of(edited)


@router.get("/projects/{project_id}/review", response_model=Reviews)
def show_review(studio: StudioDep, project: ProjectDep) -> dict[str, Any]:
    """Objects that have a mask, least certain first."""
    studio.editor.flush()
    revision = studio.store.projects.get(project.id).revision
    return {
        "revision": revision,
        "entries": [asdict(one) for one in review_project(studio.store, project.id)],
    }


@router.post("/media/{media_id}/objects/{object_id}/review", response_model=EditReply)
def review_object(
    studio: StudioDep, media: MediaDep, object_id: ObjectPath, body: ReviewChange
) -> dict[str, Any]:
    """Say whether an object was found good."""
    request = edit_request(media.project_id, body, "review")
    return reply_of(studio.editor.accept(media, object_id, request, is_accepted=body.is_accepted))
