"""Label sets of other programs onto the media of a project, as one edit that can be taken back."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from masklet.annotations import FrameMask, Label, Project, Track, prompts_to_json
from masklet.errors import FormatError
from masklet.formats import Entry, LabelSet
from masklet.formats.imported import shown_name
from masklet.formats.label_set import base_name
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet
from masklet.studio.editing import Editor
from masklet.studio.exports.imported import packed
from masklet.studio.label_reading import read_apart
from masklet.studio.paths import new_id
from masklet.studio.recording import MAX_OBJECTS, remove_object
from masklet.studio.refusals import RefusedError
from masklet.studio.settings import StudioSettings
from masklet.studio.store import (
    ClassRow,
    Edited,
    EditRequest,
    LabelSourceRow,
    MediaRow,
    ObjectRow,
    Recorder,
)
from masklet.studio.store.label_sources import ids_to_text
from masklet.studio.store.rows import PromptRow, ResultRow, values_of
from masklet.studio.suggesting import Suggester
from masklet.video.overlay import object_color

MAX_MASKS = 200_000
MAX_BOXES = 500
"""Boxes without masks that the model cuts out on the way in."""
_NUM_REMEMBERED = 5
"""Imported masks of an object that tracking starts from: each of their frames is encoded when the video is opened."""
_ENDINGS = (".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tar", ".zip", ".json", ".xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """Labels on their way in.

    Attributes:
        path: The file.
        name: Its name as it was sent; its ending says whether it is an archive.
        format: Name of the format, or None to recognise it.
        media_id: The medium that is meant when the labels are of one image or video alone.
        replaces: Whether the objects that are there go.
        confidences: How sure the class of each object is, by object id, for the review.
        is_for_one: Whether all is meant for ``media_id``, whatever names say.
    """

    path: Path
    name: str
    format: str | None = None
    media_id: str | None = None
    replaces: bool = False
    confidences: Mapping[int, float] = field(default_factory=dict[int, float])
    is_for_one: bool = False


class LabelImporter:
    """Reads labels and puts them into projects."""

    def __init__(self, settings: StudioSettings, editor: Editor, suggester: Suggester) -> None:
        self._settings = settings
        self._store = editor.store
        self._editor = editor
        self._suggester = suggester

    def take(self, request: EditRequest, source: LabelSource) -> Edited:
        """Put labels into a project, between two frames of whatever is tracked.

        Args:
            request: Whose edit it is.
            source: The labels.

        Raises:
            FormatError: When they cannot be read, or are over a limit.
            RefusedError: When they belong to no medium of the project, or the edit is stale.
        """
        return self._editor.perform(request, self._read_edit(request, source, self._cut_out))

    def put(self, request: EditRequest, source: LabelSource) -> Edited:
        """The same before the studio's threads have started.

        Raises:
            FormatError: When they cannot be read, or are over a limit.
            RefusedError: When they do not fit the medium.
        """
        return self._store.edits.edit(request, self._read_edit(request, source, lambda _row, entry: entry))

    def _read_edit(
        self, request: EditRequest, source: LabelSource, complete: Callable[[MediaRow, Entry], Entry]
    ) -> Callable[[Recorder], dict[str, Any]]:
        media = [
            one
            for one in self._store.projects.media_of(request.project_id)
            if not source.is_for_one or one.id == source.media_id
        ]
        name, labels = self._read(media, source)
        pairs = matched(labels, media, source.media_id)
        num_boxes = sum(len(bare_prompts(one)) for _, one in pairs)
        if num_boxes > MAX_BOXES:
            raise FormatError(
                f"The labels hold {num_boxes} boxes without masks, the most that is cut out on the way in is {MAX_BOXES}; "
                "import them in parts."
            )
        came = replace(labels, entries=tuple(entry for _, entry in pairs))
        pairs = [(row, complete(row, entry)) for row, entry in pairs]
        num_masks = sum(len(track.frames) for _, one in pairs for track in one.project.tracks.values())
        num_objects = sum(len(one.project.tracks) for _, one in pairs)
        if num_masks > MAX_MASKS or num_objects > MAX_OBJECTS:
            raise FormatError(
                f"The labels hold {num_objects} objects with {num_masks} masks, the most is {MAX_OBJECTS} with "
                f"{MAX_MASKS}; import them in parts."
            )
        reply = {
            "format": name,
            "num_media": len(pairs),
            "num_objects": num_objects,
            "num_masks": num_masks,
            "notes": [note[:2000] for note in labels.notes[:1000]],
        }
        kept = packed(came)

        def perform(recorder: Recorder) -> dict[str, Any]:
            put_entries(recorder, pairs, source, kept)
            return reply

        return perform

    def _cut_out(self, row: MediaRow, entry: Entry) -> Entry:
        """The entry with masks where it says boxes or clicks alone."""
        tracks = dict(entry.project.tracks)
        size = entry.project.video.size
        for object_id, frame, prompts in bare_prompts(entry):
            found = self._suggester.cut_out(row, frame, prompts)
            mask = FrameMask(
                frame=frame,
                rle=RLE(size, found.counts.encode("ascii")),
                score=found.score,
                presence=1.0,
                stability=found.stability,
                is_prompted=True,
            )
            tracks[object_id] = tracks[object_id].with_frames([mask])
        return replace(entry, project=replace(entry.project, tracks=tracks))

    def _read(self, media: Sequence[MediaRow], source: LabelSource) -> tuple[str, LabelSet]:
        sizes = {one.name: Size(one.height, one.width) for one in media}
        with self._named(source) as path:
            return read_apart(
                path, source.name, self._settings.limits, format_name=source.format, sizes=sizes
            )

    @contextmanager
    def _named(self, source: LabelSource) -> Iterator[Path]:
        """The file with a short name of ours and the ending of its own."""
        lowered = source.name.lower()
        ending = next((one for one in _ENDINGS if lowered.endswith(one)), "")
        with tempfile.TemporaryDirectory(dir=self._settings.uploads_folder, prefix="labels-") as folder:
            path = Path(folder) / f"labels{ending}"
            shutil.copyfile(source.path, path)
            yield path


def matched(
    labels: LabelSet, media: Sequence[MediaRow], media_id: str | None
) -> list[tuple[MediaRow, Entry]]:
    """Media with the entries that belong to them: by name, or the only entry with the medium that is meant.

    Raises:
        RefusedError: When there is none, or sizes or lengths differ.
    """
    by_name = {_plain(name): one for one in labels.entries for name in _names(one)}
    pairs = [(one, by_name[_plain(one.name)]) for one in media if _plain(one.name) in by_name]
    if not pairs and len(labels.entries) == 1:
        pairs = [(one, labels.entries[0]) for one in media if one.id == media_id or len(media) == 1]
    if not pairs:
        named = ", ".join(one.name[:60] for one in labels.entries[:3])
        raise RefusedError(
            422,
            "no_match",
            f"The labels are of {named}{' and others' if len(labels.entries) > 3 else ''}, which this project lacks; add "
            "them first, under the same names.",
        )
    for row, entry in pairs:
        _check_fit(row, entry)
    return pairs


def bare_prompts(entry: Entry) -> list[tuple[int, int, PromptSet]]:
    """Object, frame and prompts where something is said and no mask is given, as in labels of boxes alone."""
    tracks = entry.project.tracks
    return [
        (object_id, frame, said)
        for object_id, frames in entry.project.prompts.items()
        for frame, said in frames.items()
        if object_id in tracks
        and (frame not in tracks[object_id].frames or tracks[object_id].frames[frame].is_absent)
    ]


def _names(entry: Entry) -> Iterator[str]:
    yield entry.name
    if len(entry.frame_names) == 1:
        yield entry.frame_names[0]


def _plain(name: str) -> str:
    """A name without folders and ending: labels of clip.mp4 may be those of clip."""
    base = base_name(name)
    return (base.rpartition(".")[0] or base).casefold()


def _check_fit(row: MediaRow, entry: Entry) -> None:
    size = entry.project.video.size
    if size.hw != (row.height, row.width):
        raise RefusedError(
            422,
            "no_match",
            f"The labels of {entry.name[:80]} are {size.width} x {size.height} pixels, but {row.name} is {row.width} x "
            f"{row.height}; open the file that was labelled.",
        )
    last = max((frame for track in entry.project.tracks.values() for frame in track.frames), default=0)
    if last >= row.num_frames:
        raise RefusedError(
            422,
            "no_match",
            f"The labels of {entry.name[:80]} reach frame {last}, but {row.name} ends at frame {row.num_frames - 1}; open "
            "the file that was labelled.",
        )


def put_entries(
    recorder: Recorder, pairs: Sequence[tuple[MediaRow, Entry]], source: LabelSource, kept: bytes
) -> None:
    """Put entries into their media, and keep how they came in."""
    records_id = new_id()
    recorder.keep_records(pairs[0][0].project_id, records_id, kept)
    for place, (row, entry) in enumerate(pairs):
        if source.replaces:
            _remove_objects(recorder, row)
        ids = ids_to_text(put_entry(recorder, row, entry, source))
        known = LabelSourceRow(media_id=row.id, records_id=records_id, place=place, ids=ids)
        recorder.put("label_sources", values_of(known))


def put_entry(recorder: Recorder, row: MediaRow, entry: Entry, source: LabelSource) -> dict[int, int]:
    """Put the objects of an entry into a medium; gives for each of their ids the one that it got there."""
    project = entry.project
    classes = _put_classes(recorder, row.project_id, project.labels)
    taken = {one["id"] for one in recorder.rows("SELECT id FROM objects WHERE media_id = ?", (row.id,))}
    remembered = _remembered(project)
    ids: dict[int, int] = {}
    for track in project.tracks.values():
        object_id = track.object_id if 0 < track.object_id not in taken else max(taken, default=0) + 1
        taken.add(object_id)
        ids[track.object_id] = object_id
        known = _object_row(row, object_id, track, classes)
        recorder.put("objects", values_of(known))
        _put_masks(recorder, known, track, project, remembered)
        if track.object_id in source.confidences:
            values = {"media_id": row.id, "object_id": object_id, "is_accepted": 0}
            recorder.put("reviews", {**values, "confidence": source.confidences[track.object_id]})
    return ids


def _object_row(row: MediaRow, object_id: int, track: Track, classes: Mapping[int, int]) -> ObjectRow:
    red, green, blue = object_color(object_id)
    return ObjectRow(
        media_id=row.id,
        id=object_id,
        name=shown_name(track.name, object_id),
        color=f"#{red:02x}{green:02x}{blue:02x}",
        class_id=None if track.label_id is None else classes[track.label_id],
    )


def _put_masks(
    recorder: Recorder, known: ObjectRow, track: Track, project: Project, remembered: set[int]
) -> None:
    size, said = project.video.size, project.prompts.get(track.object_id, {})
    shown = {frame: result_row(known, one, size) for frame, one in track.frames.items()}
    prompts = {frame: one for frame, one in said.items() if frame in shown}
    for frame in _seeds(shown, remembered):
        mask = track.frames[frame].rle
        if frame not in prompts and mask is not None:
            prompts[frame] = PromptSet(mask=rle.decode(mask))
            shown[frame] = replace(shown[frame], is_prompted=True)
    for frame, one in prompts.items():
        text = json.dumps(prompts_to_json(one))
        said_row = PromptRow(media_id=known.media_id, object_id=known.id, frame=frame, prompts=text)
        recorder.put("prompts", values_of(said_row))
    for one in shown.values():
        recorder.put("results", values_of(one))


def _seeds(shown: Mapping[int, ResultRow], remembered: set[int]) -> list[int]:
    """Frames that tracking starts from: drawn ones, or all where there are only a few, as on first frames alone."""
    visible = {frame for frame, one in shown.items() if one.area > 0}
    drawn = {frame for frame in visible & remembered if shown[frame].is_prompted}
    return sorted(drawn or (visible if len(shown) <= _NUM_REMEMBERED else ()))


def result_row(known: ObjectRow, found: FrameMask, size: Size) -> ResultRow:
    """A mask as a row; one without scores was drawn by a person and stays as it is until that person changes it."""
    mask = rle.empty(size) if found.rle is None else found.rle
    is_drawn = found.score is None and found.presence is None and found.stability is None
    return ResultRow(
        media_id=known.media_id,
        object_id=known.id,
        frame=found.frame,
        counts=mask.counts.decode("ascii"),
        area=rle.area(mask),
        score=1.0 if found.score is None else found.score,
        presence=1.0 if found.presence is None else found.presence,
        stability=1.0 if found.stability is None else found.stability,
        is_prompted=is_drawn or found.is_prompted,
        is_backward=False,
        is_kept=True,
        is_occluded=found.is_occluded,
    )


def _remembered(project: Project) -> set[int]:
    """A few frames, evenly spread, whose drawn masks tracking starts from."""
    drawn = sorted(
        {
            found.frame
            for track in project.tracks.values()
            for found in track.frames.values()
            if not found.is_absent and found.score is None
        }
    )
    if len(drawn) <= _NUM_REMEMBERED:
        return set(drawn)
    return {drawn[round(i * (len(drawn) - 1) / (_NUM_REMEMBERED - 1))] for i in range(_NUM_REMEMBERED)}


def _put_classes(recorder: Recorder, project_id: str, labels: Mapping[int, Label]) -> dict[int, int]:
    """Classes of the labels as classes of the project: those of one name are one; gives the project's id for each."""
    known = recorder.rows("SELECT * FROM classes WHERE project_id = ?", (project_id,))
    ids = {one["name"]: int(one["id"]) for one in known}
    place = max((int(one["place"]) for one in known), default=-1)
    found: dict[int, int] = {}
    for label in labels.values():
        name = label.name[:255].strip() or f"class {label.id}"
        if name not in ids:
            place += 1
            ids[name] = label.id if label.id not in ids.values() else max(ids.values()) + 1
            row = ClassRow(project_id=project_id, id=ids[name], name=name, color=label.color, place=place)
            recorder.put("classes", values_of(row))
        found[label.id] = ids[name]
    return found


def _remove_objects(recorder: Recorder, row: MediaRow) -> None:
    """Empty a medium for other labels."""
    for source in recorder.rows("SELECT * FROM label_sources WHERE media_id = ?", (row.id,)):
        recorder.delete("label_sources", source)
    for known in recorder.rows("SELECT * FROM objects WHERE media_id = ?", (row.id,)):
        if known["is_locked"]:
            raise RefusedError(
                409, "locked", f"{known['name']} is locked; unlock it, or add the labels beside it."
            )
        remove_object(recorder, row.id, known["id"])
