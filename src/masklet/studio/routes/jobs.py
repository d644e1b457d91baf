"""Work that takes time: tracking and exports, their progress, cancelling, and the finished files."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse

from masklet.effects import EffectSettings
from masklet.formats import FORMATS
from masklet.studio.deps import IdPath, MediaDep, ProjectDep, StudioDep
from masklet.studio.exporting import ExportRequest
from masklet.studio.refusals import RefusedError
from masklet.studio.schemas import Health, JobList, JobState, NewExport, NewTracking
from masklet.studio.tracking import checked_range

router = APIRouter(prefix="/api")

_TYPES = {
    "json": "application/json",
    "csv": "text/csv",
    "zip": "application/zip",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "png": "image/png",
    "mov": "video/quicktime",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
}


@router.get("/health", response_model=Health)
def show_health(studio: StudioDep) -> dict[str, object]:
    """Whether the studio can work; needs no token."""
    return studio.health()


@router.post("/media/{media_id}/track", response_model=JobState, status_code=202)
def track(studio: StudioDep, media: MediaDep, body: NewTracking) -> dict[str, Any]:
    """Track all prompted objects; masks come over the stream as they are found."""
    frames = checked_range(media, body.start, body.stop, body.direction)
    return studio.track(media, frames, keeps_apart=body.keeps_apart).state()


@router.post("/projects/{project_id}/exports", response_model=JobState, status_code=202)
def export(studio: StudioDep, project: ProjectDep, body: NewExport) -> dict[str, Any]:
    """Write a file that can be fetched when the job is done."""
    media = None if body.media_id is None else studio.store.projects.media(body.media_id)
    if (body.kind == "labels") != (body.format is not None):
        raise RefusedError(422, "format", "Labels need a format, and nothing else has one; choose one.")
    request = ExportRequest(
        kind=body.kind,
        effects=EffectSettings()
        if body.effects is None
        else EffectSettings.from_json(body.effects.model_dump()),
        target=None if body.format is None else FORMATS[body.format],
        with_pictures=body.with_pictures,
    )
    return studio.export(project.id, media, request).state()


@router.get("/projects/{project_id}/jobs", response_model=JobList)
def list_jobs(studio: StudioDep, project: ProjectDep) -> dict[str, Any]:
    """Jobs of a project since the studio was started, oldest first."""
    return {"jobs": [one.state() for one in studio.jobs.of_project(project.id)]}


@router.get("/jobs/{job_id}", response_model=JobState)
def show_job(studio: StudioDep, job_id: IdPath) -> dict[str, Any]:
    """How far a job is."""
    return studio.jobs.get(job_id).state()


@router.post("/jobs/{job_id}/cancel", response_model=JobState)
def cancel_job(studio: StudioDep, job_id: IdPath) -> dict[str, Any]:
    """Stop a job after the frame at work; what is done stays."""
    return studio.jobs.cancel(job_id).state()


@router.get("/jobs/{job_id}/file", response_class=FileResponse)
def fetch_file(studio: StudioDep, job_id: IdPath) -> FileResponse:
    """The file that a finished export wrote."""
    job, path = studio.exporter.finished(job_id)
    name = f"masklet-{job.format or job.kind}.{job.suffix}"
    return FileResponse(path, media_type=_TYPES.get(job.suffix, "application/octet-stream"), filename=name)
