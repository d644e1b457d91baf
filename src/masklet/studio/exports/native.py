"""A whole project as one zip file, and back: media, documents, and how objects and classes look.

project.json           name, classes, media with their objects
media/0.bin            the file of each medium, byte for byte
documents/0.json       its tracks, masks and prompts, as ``masklet.annotations`` reads them
labels/0.json          a label set that came in, as it was, so that what nobody changed can go out as it stood
"""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from masklet.annotations import dumps, loads
from masklet.errors import FormatError
from masklet.formats.imported import label_set_from_json
from masklet.studio.exports.document import Flags, classes_to_json, to_document, to_rows, work_rows
from masklet.studio.exports.imported import as_json, packed
from masklet.studio.library import Library
from masklet.studio.paths import new_id
from masklet.studio.refusals import too_large
from masklet.studio.schemas import ClassId, ClassState, Color, GivenName, Name, ObjectId, Wire
from masklet.studio.settings import Limits
from masklet.studio.store import ImportedMedia, LabelSourceRow, MediaRow, ObjectRow, Store
from masklet.studio.store.label_sources import ids_from_text, ids_to_text

_FORMAT = "masklet-project"
_VERSION, _VERSION_WITH_LABELS = 1, 2
_MAX_MANIFEST_BYTES = 64 * 2**20
_MAX_DOCUMENT_BYTES = 512 * 2**20
_MAX_RATIO = 200
_BLOCK = 2**20


class _Look(Wire):
    """An object as it is shown."""

    id: ObjectId
    name: Name
    color: Color
    class_id: ClassId | None = None
    is_visible: bool
    is_locked: bool


class _Medium(Wire):
    """A medium of the file; frames by object id that the document has no flag for."""

    name: GivenName
    objects: list[_Look] = Field(max_length=10_000)
    backward: dict[int, list[int]]
    not_kept: dict[int, list[int]]


class _Source(Wire):
    """A label set that came in for a medium: numbers of both, its entry, and ids of objects there and here."""

    media: int = Field(ge=0)
    labels: int = Field(ge=0, lt=100_000)
    place: int = Field(ge=0)
    ids: list[tuple[int, int]] = Field(max_length=10_000)


class _Manifest(Wire):
    """``project.json``."""

    format: str
    version: int
    name: GivenName
    classes: list[ClassState] = Field(max_length=10_000)
    media: list[_Medium] = Field(max_length=1000)
    sources: list[_Source] = Field(default=[], max_length=100_000)


def write_project(store: Store, library: Library, project_id: str, path: Path) -> Iterator[None]:
    """Write a project; equal projects give equal bytes.

    Yields:
        Once per medium.
    """
    project = store.projects.get(project_id)
    listed: list[dict[str, Any]] = []
    sources: list[dict[str, Any]] = []
    numbers: dict[str, int] = {}
    with zipfile.ZipFile(path, "w", allowZip64=True) as archive:
        for number, media in enumerate(store.projects.media_of(project_id)):
            document, flags = to_document(store, media)
            _put(archive, f"documents/{number}.json", dumps(document), is_packed=True)
            _put_file(archive, f"media/{number}.bin", library.path(media))
            for one in store.label_sources.of_media(media.id):
                if one.records_id not in numbers:
                    numbers[one.records_id] = len(numbers)
                    content = as_json(store.label_sources.content(one.records_id))
                    _put(archive, f"labels/{numbers[one.records_id]}.json", content, is_packed=True)
                ids = list(ids_from_text(one.ids).items())
                source = {"media": number, "labels": numbers[one.records_id], "place": one.place, "ids": ids}
                sources.append(source)
            looks = [_look(one) for one in store.projects.objects(media.id)]
            listed.append(
                {
                    "name": media.name,
                    "objects": looks,
                    "backward": flags.backward,
                    "not_kept": flags.not_kept,
                }
            )
            yield
        manifest = {
            "format": _FORMAT,
            "version": _VERSION_WITH_LABELS if sources else _VERSION,
            "name": project.name,
            "classes": classes_to_json(store.projects.classes(project_id)),
            "media": listed,
            **({"sources": sources} if sources else {}),
        }
        content = json.dumps(manifest, sort_keys=True).encode()
        _put(archive, "project.json", content, is_packed=True)


def read_project(store: Store, library: Library, limits: Limits, path: Path, scratch: Path) -> str:
    """Make a project from a file; when anything is wrong with it, nothing stays.

    Args:
        store: Where the project goes.
        library: Where its media go.
        limits: How large it may be.
        path: The file.
        scratch: A folder for its parts.

    Returns:
        Id of the new project.

    Raises:
        FormatError: When it is no project file, or damaged.
        MediaError: When a medium in it cannot be opened.
        RefusedError: When it is larger than allowed.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            manifest = _manifest(archive, limits)
            return _import(store, library, archive, manifest, scratch, limits)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError) as error:
        raise FormatError("The file is no whole masklet project; export it again.") from error


def _import(
    store: Store,
    library: Library,
    archive: zipfile.ZipFile,
    manifest: _Manifest,
    scratch: Path,
    limits: Limits,
) -> str:
    project_id = store.projects.create(manifest.name).id
    added: list[MediaRow] = []
    try:
        labels = {one.labels: _labels(archive, one.labels) for one in manifest.sources}
        names = {number: new_id() for number in labels}
        imported: list[ImportedMedia] = []
        for number, medium in enumerate(manifest.media):
            document = loads(_read(archive, f"documents/{number}.json", _MAX_DOCUMENT_BYTES))
            with tempfile.TemporaryDirectory(dir=scratch, prefix="import-") as folder:
                content = Path(folder) / "content"
                _extract(archive, f"media/{number}.bin", content, limits.upload_bytes)
                media = library.add_found(project_id, content, medium.name)
            added.append(media)
            looks = [ObjectRow(media_id=media.id, **one.model_dump()) for one in medium.objects]
            flags = Flags(backward=medium.backward, not_kept=medium.not_kept)
            prompts, results = to_rows(document, flags, media, looks)
            work = work_rows(document, media)
            sources = [
                LabelSourceRow(
                    media_id=media.id,
                    records_id=names[one.labels],
                    place=one.place,
                    ids=ids_to_text(dict(one.ids)),
                )
                for one in manifest.sources
                if one.media == number
            ]
            imported.append(
                ImportedMedia(objects=looks, prompts=prompts, results=results, work=work, sources=sources)
            )
        classes = [{**one.model_dump(), "place": place} for place, one in enumerate(manifest.classes)]
        store.imports.put(project_id, classes, imported, {names[i]: one for i, one in labels.items()})
    except BaseException:
        store.projects.remove(project_id)
        for media in added:
            library.remove_file(media)
        raise
    return project_id


def _labels(archive: zipfile.ZipFile, number: int) -> bytes:
    """A label set that came in, after it was found to be one, as the store keeps it."""
    content = _read(archive, f"labels/{number}.json", _MAX_DOCUMENT_BYTES)
    try:
        return packed(label_set_from_json(json.loads(content)))
    except (ValueError, RecursionError) as error:
        raise FormatError("A label set in the project file is damaged; export it again.") from error


def _manifest(archive: zipfile.ZipFile, limits: Limits) -> _Manifest:
    """``project.json``, after every entry was found to be one that we write."""
    entries = archive.infolist()
    if len(entries) > limits.archive_entries:
        raise FormatError(
            f"The project file holds {len(entries)} files, the most is {limits.archive_entries}; divide the project."
        )
    if sum(one.file_size for one in entries) > limits.upload_bytes:
        raise too_large("The unpacked project", limits.upload_bytes)
    for one in entries:
        if one.file_size > _BLOCK and one.file_size > _MAX_RATIO * max(one.compress_size, 1):
            raise FormatError("The project file unpacks to far more than it holds; it is refused.")
    try:
        manifest = _Manifest.model_validate_json(_read(archive, "project.json", _MAX_MANIFEST_BYTES))
    except ValidationError as error:
        raise FormatError("The file is no masklet project, or its project.json is damaged.") from error
    if manifest.format != _FORMAT or manifest.version > _VERSION_WITH_LABELS:
        raise FormatError("The file is no masklet project, or of a newer version; update masklet.")
    count = range(len(manifest.media))
    wanted = ["project.json", *(f"documents/{i}.json" for i in count), *(f"media/{i}.bin" for i in count)]
    wanted += [f"labels/{i}.json" for i in {one.labels for one in manifest.sources}]
    if sorted(one.filename for one in entries) != sorted(wanted):
        raise FormatError("The project file lacks parts or holds others than a project has; export it again.")
    return manifest


def _read(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    blocks: list[bytes] = []
    _copy(archive, name, most, blocks.append)
    return b"".join(blocks)


def _extract(archive: zipfile.ZipFile, name: str, target: Path, most: int) -> None:
    with target.open("wb") as file:
        _copy(archive, name, most, file.write)


def _copy(archive: zipfile.ZipFile, name: str, most: int, write: Callable[[bytes], object]) -> None:
    """Read an entry block by block: what an archive says of its sizes need not be true."""
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise FormatError(f"The project file lacks {name}; export it again.") from error
    num_bytes = 0
    with archive.open(info) as entry:
        while block := entry.read(_BLOCK):
            num_bytes += len(block)
            if num_bytes > most:
                raise too_large("A part of the project", most)
            write(block)


def _look(one: ObjectRow) -> dict[str, Any]:
    names = ("id", "name", "color", "class_id", "is_visible", "is_locked")
    return {name: getattr(one, name) for name in names}


def _info(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))


def _put(archive: zipfile.ZipFile, name: str, content: bytes, *, is_packed: bool) -> None:
    archive.writestr(_info(name), content, zipfile.ZIP_DEFLATED if is_packed else zipfile.ZIP_STORED)


def _put_file(archive: zipfile.ZipFile, name: str, path: Path) -> None:
    with path.open("rb") as file, archive.open(_info(name), "w", force_zip64=True) as entry:
        while block := file.read(_BLOCK):
            entry.write(block)
