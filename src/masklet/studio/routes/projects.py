"""Projects: list, make, rename, remove, undo and redo, ontology."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter

from masklet.studio.deps import ProjectDep, StudioDep, edit_request
from masklet.studio.exports.document import classes_to_json
from masklet.studio.exports.native import read_project
from masklet.studio.schemas import (
    ClassState,
    Edit,
    EditReply,
    NewImport,
    NewProject,
    Ontology,
    OntologyChange,
    ProjectList,
    ProjectState,
)
from masklet.studio.store import ClassRow, Edited

router = APIRouter(prefix="/api")


def reply_of(edited: Edited) -> dict[str, Any]:
    """What a page is told of an edit."""
    return {"revision": edited.revision, **edited.reply}


def class_rows(project_id: str, classes: Sequence[ClassState]) -> list[ClassRow]:
    """Classes of a request, in their order."""
    return [
        ClassRow(project_id=project_id, place=place, **one.model_dump()) for place, one in enumerate(classes)
    ]


@router.get("/projects", response_model=ProjectList)
def list_projects(studio: StudioDep) -> dict[str, Any]:
    """All projects, the last changed first."""
    return {"projects": studio.store.listed()}


@router.post("/projects", response_model=ProjectState, status_code=201)
def create_project(studio: StudioDep, body: NewProject) -> dict[str, Any]:
    """A new, empty project."""
    return studio.store.state(studio.store.projects.create(body.name).id)


@router.post("/imports", response_model=ProjectState, status_code=201)
def import_project(studio: StudioDep, body: NewImport) -> dict[str, Any]:
    """A project from an uploaded project file."""
    _, content = studio.uploads.complete(body.upload_id)
    scratch = studio.settings.uploads_folder
    project_id = read_project(studio.store, studio.library, studio.settings.limits, content, scratch)
    studio.uploads.remove(body.upload_id)
    return studio.store.state(project_id)


@router.get("/projects/{project_id}", response_model=ProjectState)
def show_project(studio: StudioDep, project: ProjectDep) -> dict[str, Any]:
    """A project with its media, objects and prompts, without masks."""
    return studio.store.state(project.id)


@router.patch("/projects/{project_id}", response_model=ProjectState)
def rename_project(studio: StudioDep, project: ProjectDep, body: NewProject) -> dict[str, Any]:
    """Give a project another name."""
    studio.store.projects.rename(project.id, body.name)
    studio.hub.publish(project.id, {"type": "project"})
    return studio.store.state(project.id)


@router.delete("/projects/{project_id}", status_code=204)
def remove_project(studio: StudioDep, project: ProjectDep) -> None:
    """Remove a project with everything in it."""
    studio.remove_project(project.id)


@router.post("/projects/{project_id}/undo", response_model=EditReply)
def undo(studio: StudioDep, project: ProjectDep, body: Edit) -> dict[str, Any]:
    """Take back the last edit."""
    return reply_of(studio.editor.step(project.id, edit_request(project.id, body, "undo"), "undo"))


@router.post("/projects/{project_id}/redo", response_model=EditReply)
def redo(studio: StudioDep, project: ProjectDep, body: Edit) -> dict[str, Any]:
    """Do again what was taken back last."""
    return reply_of(studio.editor.step(project.id, edit_request(project.id, body, "redo"), "redo"))


@router.get("/projects/{project_id}/ontology", response_model=Ontology)
def export_ontology(studio: StudioDep, project: ProjectDep) -> dict[str, Any]:
    """The classes of a project, as a file that can be imported elsewhere."""
    return {"classes": classes_to_json(studio.store.projects.classes(project.id))}


@router.put("/projects/{project_id}/ontology", response_model=EditReply)
def set_ontology(studio: StudioDep, project: ProjectDep, body: OntologyChange) -> dict[str, Any]:
    """Put these classes in place of the present ones."""
    request = edit_request(project.id, body, "ontology")
    return reply_of(studio.editor.set_classes(project.id, request, class_rows(project.id, body.classes)))
