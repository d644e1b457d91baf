"""Files of this machine as projects: media, and the folders that ``masklet label`` writes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from masklet.errors import StudioError
from masklet.studio.importing import LabelSource
from masklet.studio.paths import new_id
from masklet.studio.store import EditRequest
from masklet.studio.studio import Studio
from masklet.studio.uploads import file_digest

REVIEW = "review.json"
_MANIFEST = "manifest.jsonl"
_DOCUMENTS = "documents"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledMedium:
    """An input of a labelling run, with its document and how sure its classes are, by object id."""

    media: Path
    document: Path
    confidences: Mapping[int, float]


def open_media(studio: Studio, paths: Sequence[Path]) -> str | None:
    """Put files of this machine into a project: the one that holds them all already, or a new one.

    Args:
        studio: The studio.
        paths: Images and videos, or the one folder of a labelling run, whose labels come along.

    Returns:
        The project, or None when there are no files.

    Raises:
        StudioError: When a file is not there, or a folder is no labelling run.
        MediaError: When a file cannot be opened; nothing is left of the project then.
        FormatError: When a document cannot be read; the same.
    """
    if not paths:
        return None
    if len(paths) == 1 and paths[0].is_dir():
        return _open_run(studio, paths[0])
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise StudioError(
            f"{missing[0].name} is not a file; give image and video files, or the folder of one run of masklet label."
        )
    known = [studio.store.projects.project_with(file_digest(path)) for path in paths]
    found = {one[0] for one in known if one is not None}
    if None not in known and len(found) == 1:
        return found.pop()
    return _fill(
        studio, paths[0].name, [LabelledMedium(media=one, document=one, confidences={}) for one in paths]
    )


def _open_run(studio: Studio, folder: Path) -> str:
    """The project of a labelling run: a new one, unless one of this name holds the same files."""
    listed = list(read_run(folder))
    if not listed:
        raise StudioError(f"{folder.name} holds no labelled file that is still there; label again.")
    name = folder.resolve().name
    for project in studio.store.projects.listed():
        held = {one.sha256 for one in studio.store.projects.media_of(project.id)}
        if project.name == name and held == {file_digest(one.media) for one in listed}:
            return project.id
    return _fill(studio, name, listed)


def _fill(studio: Studio, name: str, listed: Sequence[LabelledMedium]) -> str:
    project_id = studio.store.projects.create(name).id
    try:
        for one in listed:
            media = studio.library.add_file(project_id, one.media)
            if one.document == one.media:
                continue
            revision = studio.store.projects.get(project_id).revision
            request = EditRequest(project_id=project_id, revision=revision, edit_id=new_id(), action="import")
            source = LabelSource(
                path=one.document,
                name="labels.json",
                format="masklet",
                media_id=media.id,
                confidences=one.confidences,
                is_for_one=True,
            )
            studio.importer.put(request, source)
    except BaseException:
        for media in studio.store.projects.media_of(project_id):
            studio.library.remove_file(media)
        studio.store.projects.remove(project_id)
        raise
    return project_id


def read_run(folder: Path) -> Iterator[LabelledMedium]:
    """Inputs of a labelling run that are still on this machine, least certain first.

    Raises:
        StudioError: When the folder is no labelling run, or damaged.
    """
    try:
        review = json.loads((folder / REVIEW).read_text(encoding="utf-8"))
        lines = (folder / _MANIFEST).read_text(encoding="utf-8").splitlines()[1:]
        records = [cast("dict[str, object]", json.loads(line)) for line in lines]
        confidences: dict[str, dict[int, float]] = {}
        for one in review["entries"]:
            confidences.setdefault(str(one["document"]), {})[int(one["object_id"])] = float(one["confidence"])
        sources = {f"{_DOCUMENTS}/{one['key']}.json": Path(str(one["uri"])) for one in records}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudioError(
            f"{folder.name} is not the folder of a run of masklet label; give that folder, or image and video files."
        ) from error
    for name in [*confidences, *(one for one in sources if one not in confidences)]:
        document = folder / name
        if name in sources and sources[name].is_file() and document.is_file():
            yield LabelledMedium(
                media=sources[name], document=document, confidences=confidences.get(name, {})
            )
