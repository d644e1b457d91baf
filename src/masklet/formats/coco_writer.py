"""COCO instances: images, annotations and categories in one JSON file. This file writes.

What COCO has no word for stands in fields that its readers pass over: ``track_id`` and ``score`` in
annotations, and the lists ``videos`` and ``tracks``, as TAO has them, with names and the frames on which an
object is known to be absent or hidden.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import cast

from masklet.annotations import FrameMask, Label, Track, write_atomically
from masklet.formats.coco import CROWD, NAME, UNLABELLED_GROUP
from masklet.formats.label_set import Entry, LabelSet, common_labels, frame_name, frames_to_write
from masklet.formats.media import Media
from masklet.formats.outlines import part_outlines
from masklet.formats.palette import palette_color
from masklet.formats.source import to_bytes
from masklet.formats.strips import UNLABELLED, is_bare_box
from masklet.geometry import Box
from masklet.masks import polygons, rle
from masklet.masks.rle import RLE


def write_coco(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a COCO file; masks are compressed run lengths, and what nobody changed stands as it was."""
    write_atomically(out, to_bytes(_Writer(labels, rle.to_json, keeps=_any_kind).document()))


def write_coco_polygons(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a COCO file whose masks are polygons."""
    write_atomically(out, to_bytes(_Writer(labels, segmentation_polygons, keeps=_is_polygons).document()))


def segmentation_polygons(mask: RLE) -> object:
    """COCO's list of polygons for a mask; holes are joined by bridges."""
    return [polygons.flat_from_ring(ring) for ring in part_outlines(mask)]


def _any_kind(_record: Mapping[str, object]) -> bool:
    return True


def _is_polygons(record: Mapping[str, object]) -> bool:
    """Whether a record may stand in a file of polygons: COCO writes crowds as run lengths there too."""
    return not isinstance(record.get("segmentation"), dict) or bool(record.get("iscrowd"))


class Numbers:
    """Unique ids: the one that is wished for while it is free, otherwise the next above all wishes."""

    def __init__(self, wishes: Iterable[object] = ()) -> None:
        """Ids that will be asked for later stay free."""
        self._next = max((one for one in wishes if type(one) is int), default=0) + 1
        self._taken: set[object] = set()

    def take(self, wish: object = None) -> object:
        """An id that nobody has yet."""
        if wish is not None and wish not in self._taken:
            self._taken.add(wish)
            return wish
        number = self._next
        self._next += 1
        self._taken.add(number)
        return number


def write_categories(
    known: Mapping[int, Label], record: tuple[str, object] | None, name: str, *, needs_unlabelled: bool
) -> tuple[list[dict[str, object]], int]:
    """The list of categories, and the id of the one for objects without a class.

    Args:
        known: Classes by id.
        record: What stood above the entries when they were read.
        name: Name of the format.
        needs_unlabelled: Whether any object has no class.
    """
    before: Mapping[int, dict[str, object]] = {}
    if record is not None and record[0] == name:
        before = cast("Mapping[str, Mapping[int, dict[str, object]]]", record[1])["categories"]
    categories: list[dict[str, object]] = []
    for one in known.values():
        old = before.get(one.id, {})
        found = {**(old if old.get("name") == one.name else {}), "id": one.id, "name": one.name}
        if one.color != palette_color(one.id):
            found["color"] = [int(one.color[i : i + 2], 16) for i in (1, 3, 5)]
        categories.append(found)
    unlabelled = max(known, default=0) + 1
    if needs_unlabelled:
        categories.append({"id": unlabelled, "name": UNLABELLED, "supercategory": UNLABELLED_GROUP})
    return categories, unlabelled


class _Writer:
    """Makes the document."""

    def __init__(
        self,
        labels: LabelSet,
        segmentation: Callable[[RLE], object],
        keeps: Callable[[Mapping[str, object]], bool],
    ) -> None:
        self._labels = labels
        self._segmentation = segmentation
        self._keeps = keeps
        self._known, self._ids = common_labels(labels.entries)
        records = [
            cast("Mapping[str, object]", kept.record)
            for entry in labels.entries
            for kept in entry.records.values()
            if kept.format == NAME
        ]
        images = [image for entry in labels.entries for image in _image_records(entry).values()]
        self._annotation_ids = Numbers(one.get("id") for one in records)
        self._image_ids = Numbers(one.get("id") for one in images)
        self._video_ids = Numbers(_video_record(entry).get("id") for entry in labels.entries)
        self._unlabelled = 0

    def document(self) -> dict[str, object]:
        """The whole file."""
        entries = self._labels.entries
        needs = any(track.label_id is None for one in entries for track in one.project.tracks.values())
        record = self._labels.record
        categories, self._unlabelled = write_categories(self._known, record, NAME, needs_unlabelled=needs)
        lists: dict[str, list[object]] = {
            "videos": [],
            "images": [],
            "tracks": [],
            "annotations": [],
            "categories": list[object](categories),
        }
        for entry in entries:
            self._add(entry, lists)
        head: object = {"info": {"description": "written by masklet"}}
        if record is not None and record[0] == NAME:
            head = cast("Mapping[str, object]", record[1])["head"]
        optional = {key: value for key, value in lists.items() if value or key not in ("videos", "tracks")}
        return {**cast("dict[str, object]", head), **optional}

    def _add(self, entry: Entry, lists: dict[str, list[object]]) -> None:
        video_id = None
        if not entry.is_image:
            video = self._video(entry)
            lists["videos"].append(video)
            video_id = video["id"]
        images = self._images(entry, video_id)
        lists["images"] += images.values()
        owner = ("image_id", images[0]["id"]) if video_id is None else ("video_id", video_id)
        for track in entry.project.tracks.values():
            annotations = list(self._annotations(entry, track, images))
            lists["annotations"] += annotations
            is_named = track.name not in ("", CROWD) or (track.name == CROWD and not _is_crowd(annotations))
            if video_id is not None or is_named or not annotations:
                lists["tracks"].append(self._track(entry, track, owner))

    def _video(self, entry: Entry) -> dict[str, object]:
        before, facts = _video_record(entry), entry.project.video
        video: dict[str, object] = {
            **before,
            "id": self._video_ids.take(before.get("id")),
            "name": entry.name,
            "width": facts.size.width,
            "height": facts.size.height,
            "length": entry.num_frames,
        }
        if not entry.frame_names:
            video["file_name"] = entry.name
        if facts.frame_rate is not None:
            video["frame_rate"] = [facts.frame_rate.numerator, facts.frame_rate.denominator]
        if facts.sha256 is not None:
            video["sha256"] = facts.sha256
        return video

    def _images(self, entry: Entry, video_id: object) -> dict[int, dict[str, object]]:
        before, size = _image_records(entry), entry.project.video.size
        images: dict[int, dict[str, object]] = {}
        for index in frames_to_write(entry):
            old = before.get(index, {})
            image: dict[str, object] = {
                **old,
                "id": self._image_ids.take(old.get("id")),
                "file_name": old.get("file_name") or _file_name(entry, index),
                "width": size.width,
                "height": size.height,
            }
            if video_id is not None:
                image |= {"video_id": video_id, "frame_index": index}
            images[index] = image
        return images

    def _annotations(
        self, entry: Entry, track: Track, images: Mapping[int, Mapping[str, object]]
    ) -> Iterator[dict[str, object]]:
        for frame, found in track.frames.items():
            if not found.is_absent and found.rle is not None:
                kept = cast("dict[str, object] | None", entry.kept(NAME, track, frame))
                own = kept if kept and self._keeps(kept) else self._masked(found, found.rle, track)
                yield self._numbered(entry, track, own, images[frame])
        for frame, said in entry.project.prompts.get(track.object_id, {}).items():
            if said.box is not None and is_bare_box(entry.project, track.object_id, frame, said):
                kept = cast("dict[str, object] | None", entry.kept(NAME, track, frame))
                own = kept or {"id": None, "track_id": track.object_id, "segmentation": [], **boxed(said.box)}
                yield self._numbered(entry, track, own, images[frame])

    def _numbered(
        self, entry: Entry, track: Track, own: dict[str, object], image: Mapping[str, object]
    ) -> dict[str, object]:
        label = None if track.label_id is None else entry.project.labels[track.label_id]
        found = {**own, "id": self._annotation_ids.take(own["id"]), "image_id": image["id"]}
        found["category_id"] = self._unlabelled if label is None else self._ids[label.name]
        if "track_id" not in found and "instance_id" not in found and found["id"] != track.object_id:
            found["track_id"] = track.object_id
        return found

    def _masked(self, found: FrameMask, mask: RLE, track: Track) -> dict[str, object]:
        box = rle.bounding_box(mask)
        values: dict[str, object] = {
            "id": None,
            "track_id": track.object_id,
            "segmentation": self._segmentation(mask),
            **({} if box is None else boxed(box)),
            "area": rle.area(mask),
        }
        for name in ("score", "presence", "stability"):
            if getattr(found, name) is not None:
                values[name] = getattr(found, name)
        if found.is_prompted:
            values["is_prompted"] = True
        return values

    def _track(self, entry: Entry, track: Track, owner: tuple[str, object]) -> dict[str, object]:
        label = None if track.label_id is None else entry.project.labels[track.label_id]
        hidden = [frame for frame, found in track.frames.items() if found.is_occluded]
        absent = [frame for frame, found in track.frames.items() if found.is_absent and not found.is_occluded]
        values: dict[str, object] = {
            "id": track.object_id,
            owner[0]: owner[1],
            "category_id": self._unlabelled if label is None else self._ids[label.name],
            "name": track.name,
        }
        if absent:
            values["absent_frames"] = absent
        if hidden:
            values["occluded_frames"] = hidden
        return values


def boxed(box: Box) -> dict[str, object]:
    """COCO's fields of a box, with its area."""
    width, height = box.x1 - box.x0, box.y1 - box.y0
    return {"bbox": [box.x0, box.y0, width, height], "area": width * height, "iscrowd": 0}


def _is_crowd(annotations: Iterable[Mapping[str, object]]) -> bool:
    """Whether the annotations say themselves that the object is a crowd."""
    return any(one.get("iscrowd") for one in annotations)


def _file_name(entry: Entry, index: int) -> str:
    return frame_name(entry, index) if entry.frame_names else f"{entry.name}/{frame_name(entry, index)}"


def _video_record(entry: Entry) -> Mapping[str, object]:
    if entry.record is None or entry.record[0] != NAME or entry.is_image:
        return {}
    return cast("Mapping[str, Mapping[str, object]]", entry.record[1]).get("video", {})


def _image_records(entry: Entry) -> Mapping[int, Mapping[str, object]]:
    if entry.record is None or entry.record[0] != NAME:
        return {}
    record = cast("Mapping[str, object]", entry.record[1])
    if entry.is_image:
        return (
            {0: record}
            if "images" not in record
            else cast("Mapping[int, Mapping[str, object]]", record["images"])
        )
    return cast("Mapping[int, Mapping[str, object]]", record.get("images", {}))
