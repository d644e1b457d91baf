"""masklet's own file, the folders that ``masklet track`` and ``masklet label`` wrote, and a project of the studio.

Nothing is lost.

One video is one document as ``masklet.annotations`` writes it. Several videos, or images with file names, are
one file with all their documents.
"""

from __future__ import annotations

import json
from pathlib import Path

from masklet.annotations import dumps, from_json, load, to_json, write_atomically
from masklet.errors import FormatError
from masklet.formats.imported import as_imported, label_set_from_json
from masklet.formats.label_set import Entry, LabelSet
from masklet.formats.media import Media
from masklet.formats.paths import contain
from masklet.formats.source import IMAGE_SUFFIXES, Source, as_list, as_object, as_text, as_whole, to_bytes

TRACKS = "tracks.json"
PROJECT, DOCUMENTS, LABELS = "project.json", "documents", "labels"
MANIFEST = "manifest.jsonl"
_SET = "masklet-label-set"
_VERSION = 1


def is_native(source: Source) -> bool:
    """Whether it is a document, a set of documents, or the folder of a tracked video."""
    if source.is_folder:
        return (
            (source.path / TRACKS).is_file() or _is_studio_project(source.path) or _is_labelled(source.path)
        )
    return source.json_object().get("format") in ("masklet", _SET)


def read_native(source: Source, _media: Media | None) -> LabelSet:
    """Read one document or a set of them.

    Raises:
        FormatError: When a part is damaged or newer than this masklet.
    """
    if source.is_folder and _is_studio_project(source.path):
        return _studio_project(source.path)
    if source.is_folder and (source.path / TRACKS).is_file():
        return LabelSet(entries=(Entry(project=load(source.path / TRACKS)),))
    if source.is_folder:
        return _labelled(source)
    content = as_object(source.json(), f"{source.name!r}")
    if content.get("format") != _SET:
        return LabelSet(entries=(Entry(project=from_json(content)),))
    if as_whole(content.get("version"), "The version") > _VERSION:
        raise FormatError(f"{source.name!r} was written by a newer masklet; update this one.")
    return LabelSet(
        entries=tuple(_entry(one) for one in as_list(content.get("entries"), "The list of entries"))
    )


def _is_labelled(path: Path) -> bool:
    return (path / MANIFEST).is_file() and (path / DOCUMENTS).is_dir()


def _labelled(source: Source) -> LabelSet:
    """The documents of a folder that ``masklet label`` wrote, in the order of its manifest."""
    names: dict[str, str] = {}
    lines = source.text(MANIFEST).splitlines()[1:]
    for number, line in enumerate(lines, start=1):
        try:
            record = as_object(json.loads(line), f"A line of {MANIFEST}")
        except (ValueError, RecursionError) as error:
            if number == len(lines):
                break  # a kill cut the last line short
            raise FormatError(
                f"A line of {MANIFEST} is not JSON: {error}; run masklet label --resume."
            ) from error
        names[as_text(record.get("key"), "A key")] = as_text(record.get("name"), "The name of an input")
    entries: list[Entry] = []
    for key, name in names.items():
        path = contain(source.path / DOCUMENTS, f"{key}.json")
        if path.is_file():
            is_picture = Path(name).suffix.lower() in IMAGE_SUFFIXES
            entries.append(Entry(project=load(path), frame_names=(name,) if is_picture else ()))
    return LabelSet(entries=tuple(entries))


def _is_studio_project(path: Path) -> bool:
    return (path / PROJECT).is_file() and (path / DOCUMENTS).is_dir()


def _studio_project(path: Path) -> LabelSet:
    """The documents of a project that the studio exported, unpacked."""
    found = sorted((path / DOCUMENTS).glob("*.json"), key=lambda one: (len(one.name), one.name))
    documents = [load(one) for one in found]
    entries = [
        Entry(project=one, frame_names=(one.video.name,) if one.video.num_frames == 1 else ())
        for one in documents
    ]
    record: tuple[str, object] | None = None
    came: dict[int, LabelSet] = {}
    manifest = as_object(Source(path / PROJECT).json(), f"{PROJECT!r}")
    for value in as_list(manifest.get("sources", []), "The label sets that came in"):
        one = as_object(value, "A label set that came in")
        media, number, place = (
            as_whole(one.get(field), f"The {field} of a label set") for field in ("media", "labels", "place")
        )
        if number not in came:
            came[number] = label_set_from_json(Source(path / LABELS / f"{number}.json").json())
        labels = came[number]
        if media >= len(entries) or place >= len(labels.entries):
            raise FormatError(
                "A label set that came in is of a medium that the project lacks; export it again."
            )
        pairs = [as_list(pair, "Ids") for pair in as_list(one.get("ids"), "The ids of a label set")]
        ids = {as_whole(pair[0], "An id"): as_whole(pair[1], "An id") for pair in pairs if len(pair) == 2}
        entries[media] = as_imported(entries[media], labels.entries[place], ids)
        record = labels.record or record
    return LabelSet(entries=tuple(entries), record=record)


def _entry(value: object) -> Entry:
    fields = as_object(value, "An entry")
    names = as_list(fields.get("frames", []), "The list of frames")
    return Entry(
        project=from_json(fields.get("document")),
        frame_names=tuple(as_text(name, "The name of a frame") for name in names),
    )


def write_native(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write one document, or a set of them when there are several or frames have file names."""
    if len(labels.entries) == 1 and not labels.entries[0].frame_names:
        write_atomically(out, dumps(labels.entries[0].project))
        return
    entries = [{"frames": list(one.frame_names), "document": to_json(one.project)} for one in labels.entries]
    write_atomically(out, to_bytes({"format": _SET, "version": _VERSION, "entries": entries}))
