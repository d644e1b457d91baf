"""COCO-video, as YouTube-VIS and OVIS have it: an annotation is an object with one mask per frame of its video.

A null means that the object is not seen, so frames on which nothing is known cannot be told from those.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from masklet.annotations import Track, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.coco import read_categories, read_segmentation
from masklet.formats.coco_writer import Numbers, write_categories
from masklet.formats.label_set import (
    WHOLE_TRACK,
    Entry,
    LabelSet,
    base_name,
    common_labels,
    frame_name,
    frames_to_write,
    seen,
)
from masklet.formats.media import Media
from masklet.formats.source import Source, as_list, as_object, as_text, as_whole, objects_of, to_bytes
from masklet.geometry import Size
from masklet.masks import rle

NAME = "coco-video"
_LISTS = ("videos", "annotations", "categories")


def is_coco_video(source: Source) -> bool:
    """Whether a JSON file lists videos and annotations, but no images."""
    keys = source.json_object().keys()
    return {"videos", "annotations"} <= keys and "images" not in keys


def read_coco_video(source: Source, _media: Media | None) -> LabelSet:
    """Read a COCO-video file.

    Raises:
        FormatError: When a part is missing or damaged.
    """
    content = as_object(source.json(), f"{source.name!r}")
    categories = objects_of(content.get("categories", []), "categories")
    labels = read_categories(categories)
    builders: dict[object, tuple[EntryBuilder, dict[str, object]]] = {}
    for video in objects_of(content["videos"], "videos"):
        key = as_whole(video.get("id"), "A video's id")
        if key in builders:
            raise FormatError(f"The video {key} comes twice; keep one of them.")
        builders[key] = _builder(video, key), video
    for annotation in objects_of(content["annotations"] or [], "annotations"):
        key = as_whole(annotation.get("video_id"), "An annotation's video_id")
        if key not in builders:
            raise FormatError(f"An annotation speaks of video {key}, which is not listed; add the video.")
        number = annotation.get("category_id")
        label_id = number if number in labels else None
        _add(builders[key][0], annotation, cast("int | None", label_id))
    head = {name: value for name, value in content.items() if name not in _LISTS}
    named = {one["id"]: one for one in categories}
    return LabelSet(
        entries=tuple(builder.finish(labels, record=video) for builder, video in builders.values()),
        record=(NAME, {"head": head, "categories": named}),
    )


def _builder(video: Mapping[str, object], key: int) -> EntryBuilder:
    where = f"Video {key}"
    names = [as_text(one, "A file name") for one in as_list(video.get("file_names", []), "file_names")]
    sides = [
        as_whole(video.get(side), f"{where}: the {side}", least=1, most=1 << 20)
        for side in ("height", "width")
    ]
    length = as_whole(video.get("length", len(names)), f"{where}: the length", least=1)
    folder = names[0].replace("\\", "/").rpartition("/")[0].rpartition("/")[2] if names else ""
    has_files = "file_name" not in video and len(names) == length
    plain = base_name(names[0]) if len(names) == 1 else folder
    return EntryBuilder(
        format=NAME,
        name=str(video.get("name") or plain or key),
        size=Size(*sides),
        num_frames=length,
        frame_names=names if has_files else (),
    )


def _add(builder: EntryBuilder, annotation: dict[str, object], label_id: int | None) -> None:
    where = f"annotation {annotation.get('id')!r}"
    number = as_whole(annotation.get("track_id", annotation.get("id")), f"The id of {where}")
    if builder.has(number):
        raise FormatError(f"Object {number} of {builder.name!r} comes twice; keep one of them.")
    builder.track(number, name=str(annotation.get("name", "")), label_id=label_id)
    builder.keep(number, annotation)
    for frame, value in enumerate(as_list(annotation.get("segmentations"), f"The masks of {where}")):
        builder.add(number, seen(frame, read_segmentation(value, builder.size, where)))


def write_coco_video(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a COCO-video file; objects that nobody changed stand as they were."""
    known, ids = common_labels(labels.entries)
    needs = any(track.label_id is None for one in labels.entries for track in one.project.tracks.values())
    categories, unlabelled = write_categories(known, labels.record, NAME, needs_unlabelled=needs)
    videos: list[object] = []
    annotations: list[object] = []
    video_ids = Numbers(_before(one).get("id") for one in labels.entries)
    kept = [one.record for entry in labels.entries for one in entry.records.values() if one.format == NAME]
    numbers = Numbers(cast("Mapping[str, object]", one).get("id") for one in kept)
    for entry in labels.entries:
        video = _video(entry, video_ids)
        videos.append(video)
        for track in entry.project.tracks.values():
            label = None if track.label_id is None else entry.project.labels[track.label_id].name
            before = cast("dict[str, object] | None", entry.kept(NAME, track, WHOLE_TRACK))
            own = before or _annotation(entry, track)
            annotations.append(
                {
                    **own,
                    "id": numbers.take(own.get("id")),
                    "video_id": video["id"],
                    "category_id": unlabelled if label is None else ids[label],
                }
            )
    head: object = {"info": {"description": "written by masklet"}}
    if labels.record is not None and labels.record[0] == NAME:
        head = cast("Mapping[str, object]", labels.record[1])["head"]
    lists = {"videos": videos, "annotations": annotations, "categories": categories}
    write_atomically(out, to_bytes({**cast("dict[str, object]", head), **lists}))


def _before(entry: Entry) -> Mapping[str, object]:
    is_own = entry.record is not None and entry.record[0] == NAME
    return cast("tuple[str, Mapping[str, object]]", entry.record)[1] if is_own else {}


def _video(entry: Entry, numbers: Numbers) -> dict[str, object]:
    size, before = entry.project.video.size, _before(entry)
    video: dict[str, object] = {**before, "id": numbers.take(before.get("id"))}
    if not before:
        video["name"] = entry.name
    if not entry.frame_names and "file_names" not in before:
        video["file_name"] = entry.name
    names = entry.frame_names or [f"{entry.name}/{frame_name(entry, i)}" for i in frames_to_write(entry)]
    return {
        **video,
        "width": size.width,
        "height": size.height,
        "length": entry.num_frames,
        "file_names": before.get("file_names", list(names)),
    }


def _annotation(entry: Entry, track: Track) -> dict[str, object]:
    masks = [track.frames[i].rle if i in track.frames else None for i in frames_to_write(entry)]
    boxes = [None if mask is None else rle.bounding_box(mask) for mask in masks]
    size = entry.project.video.size
    values: dict[str, object] = {
        "id": None,
        "track_id": track.object_id,
        "iscrowd": 0,
        "height": size.height,
        "width": size.width,
        "length": len(masks),
        "segmentations": [None if mask is None else rle.to_json(mask) for mask in masks],
        "bboxes": [None if b is None else [b.x0, b.y0, b.x1 - b.x0, b.y1 - b.y0] for b in boxes],
        "areas": [None if mask is None else rle.area(mask) for mask in masks],
    }
    return {**values, "name": track.name} if track.name else values
