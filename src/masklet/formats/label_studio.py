"""Label Studio JSON: a list of tasks, one per image, with regions as results.

Masks are brush regions in Label Studio's own run lengths, so holes and parts stay. Polygons are read too;
rectangles are boxes of objects without a mask. Other regions are passed over with a note.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

from masklet.annotations import Label, Track, write_atomically
from masklet.errors import FormatError
from masklet.formats.brush import decode_brush, encode_brush
from masklet.formats.builder import EntryBuilder, by_id, labels_from_names
from masklet.formats.label_set import Entry, LabelSet, base_name, frame_name, label_of, seen
from masklet.formats.media import Media
from masklet.formats.outlines import filled
from masklet.formats.source import Source, as_list, as_numbers, as_object, as_whole, objects_of, to_bytes
from masklet.formats.strips import is_bare_box
from masklet.geometry import Box, Size
from masklet.masks import rle

NAME = "label-studio"
_KINDS = {"brushlabels", "polygonlabels", "rectanglelabels", "brush", "polygon", "rectangle"}
_Region = dict[str, object]


def is_label_studio(source: Source) -> bool:
    """Whether a JSON file is a list of tasks with data and annotations."""
    if source.is_folder or source.path.suffix.lower() != ".json":
        return False
    value = source.json()
    first = cast("list[object]", value)[0] if isinstance(value, list) and value else None
    keys = cast("dict[str, object]", first).keys() if isinstance(first, dict) else set[str]()
    return "data" in keys and bool({"annotations", "predictions", "completions"} & keys)


def read_label_studio(source: Source, media: Media | None) -> LabelSet:
    """Read tasks.

    Raises:
        FormatError: When a task is damaged, or the size of an image is not known.
    """
    tasks = objects_of(source.json(), "the tasks")
    regions = [_regions(task) for task in tasks]
    words = {word for found in regions for one in found if (word := _word(one))}
    labels = labels_from_names(sorted(words))
    notes: list[str] = []
    entries = [_entry(task, one, labels, media, notes) for task, one in zip(tasks, regions, strict=True)]
    return LabelSet(entries=tuple(entries), notes=tuple(notes))


def _regions(task: Mapping[str, object]) -> list[_Region]:
    """The regions of the first annotation that was not cancelled, or else of the first prediction."""
    for field in ("annotations", "completions", "predictions"):
        for one in objects_of(task.get(field) or [], field):
            if not one.get("was_cancelled"):
                return list(objects_of(one.get("result") or [], "a result"))
    return []


def _word(region: _Region) -> str:
    value = region.get("value")
    if region.get("type") not in _KINDS or not isinstance(value, dict):
        return ""
    fields = cast("dict[str, object]", value)
    for kind in ("brushlabels", "polygonlabels", "rectanglelabels", "labels"):
        words = fields.get(kind)
        if isinstance(words, list) and words:
            return str(cast("list[object]", words)[0])
    return ""


def _entry(
    task: dict[str, object],
    regions: list[_Region],
    labels: dict[str, Label],
    media: Media | None,
    notes: list[str],
) -> Entry:
    data = as_object(task.get("data"), "The data of a task")
    name = str(data.get("image") or data.get("img") or task.get("id"))
    builder = EntryBuilder(
        format=NAME,
        name=base_name(name) or "image",
        size=_image_size(name, data, regions, media),
        num_frames=1,
        frame_names=(name,),
    )
    for region in regions:
        if region.get("type") not in _KINDS:
            notes.append(f"a {region.get('type')} of {name!r} was passed over")
            continue
        word = _word(region)
        text = str(region.get("id", ""))
        is_free = text.isascii() and text.isdecimal() and len(text) < 16 and not builder.has(int(text))
        object_id = int(text) if is_free else builder.free_id()
        meta = region.get("meta")
        words = cast("dict[str, object]", meta).get("text") if isinstance(meta, dict) else None
        shown = cast("list[object]", words)[0] if isinstance(words, list) and words else ""
        builder.track(object_id, name=str(shown), label_id=labels[word].id if word else None)
        _add(builder, object_id, region)
    return builder.finish(by_id(labels), record=task)


def _image_size(name: str, data: Mapping[str, object], regions: list[_Region], media: Media | None) -> Size:
    for sides, (height, width) in (
        *((one, ("original_height", "original_width")) for one in regions),
        (data, ("height", "width")),
    ):
        if sides.get(height) is not None and sides.get(width) is not None:
            height_px, width_px = (
                as_whole(sides[side], side, least=1, most=1 << 20) for side in (height, width)
            )
            return Size(height_px, width_px)
    size = None if media is None else media.image_size(name)
    if size is None:
        raise FormatError(f"The size of {name!r} is not known; give the folder of images as media.")
    return size


def _add(builder: EntryBuilder, object_id: int, region: _Region) -> None:
    value, size = as_object(region.get("value"), "The value of a region"), builder.size
    if "rle" in value:
        numbers = rle.whole_numbers(value["rle"], most=255)
        if numbers is None:
            raise FormatError("A brush of Label Studio must be a list of bytes; the file is damaged.")
        builder.add(object_id, seen(0, decode_brush(numbers, size)), record=region)
    elif "points" in value:
        points = [as_numbers(one, "A point") for one in as_list(value["points"], "The points")]
        if any(len(point) != 2 for point in points):
            raise FormatError("A point of Label Studio must be x and y; the file is damaged.")
        ring = tuple((_pixels(x, size.width), _pixels(y, size.height)) for x, y in points)
        builder.add(object_id, seen(0, filled([ring], size)), record=region)
    elif {"x", "y", "width", "height"} <= value.keys():
        x, y, width, height = as_numbers([value[side] for side in ("x", "y", "width", "height")], "A box")
        x0, x1 = _pixels(x, size.width), _pixels(x + width, size.width)
        y0, y1 = _pixels(y, size.height), _pixels(y + height, size.height)
        builder.add_box(object_id, 0, Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None, record=region)


def _pixels(percent: float, side: int) -> float:
    """Pixels of a percentage; what is whole but for rounding becomes whole."""
    value = percent * side / 100
    return float(round(value)) if abs(value - round(value)) < 1e-6 else value


def write_label_studio(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write tasks; regions that nobody changed stand as they were."""
    tasks: list[object] = []
    for number, entry in enumerate(labels.entries, start=1):
        size = entry.project.video.size
        results = [one for track in entry.project.tracks.values() for one in _results(entry, track)]
        if entry.record is not None and entry.record[0] == NAME:
            tasks.append(_updated(cast("dict[str, object]", entry.record[1]), results))
            continue
        data = {"image": frame_name(entry, 0), "width": size.width, "height": size.height}
        tasks.append({"id": number, "data": data, "annotations": [{"id": number, "result": results}]})
    write_atomically(out, to_bytes(tasks))


def _updated(task: dict[str, object], results: list[_Region]) -> dict[str, object]:
    """A task with other results in the annotation that was read, and the regions that were passed over."""
    kept = [one for one in _regions(task) if one.get("type") not in _KINDS]
    annotations = list(objects_of(task.get("annotations") or [], "annotations"))
    place = next((i for i, one in enumerate(annotations) if not one.get("was_cancelled")), None)
    if place is None:
        annotations.append({"result": [*results, *kept]})
    else:
        annotations[place] = {**annotations[place], "result": [*results, *kept]}
    return {**task, "annotations": annotations}


def _results(entry: Entry, track: Track) -> Iterator[_Region]:
    kept = entry.kept(NAME, track, 0)
    if kept is not None:
        yield cast("_Region", kept)
        return
    size, label = entry.project.video.size, label_of(entry, track)
    words = [] if label is None else [label.name]
    common: _Region = {
        "id": str(track.object_id),
        "from_name": "label",
        "to_name": "image",
        "original_width": size.width,
        "original_height": size.height,
        "image_rotation": 0,
    }
    if track.name:
        common["meta"] = {"text": [track.name]}
    found = track.frames.get(0)
    said = entry.project.prompts.get(track.object_id, {}).get(0)
    if found is not None and found.rle is not None and not found.is_absent:
        brush = {"format": "rle", "rle": encode_brush(found.rle), "brushlabels": words}
        yield {**common, "type": "brushlabels", "value": brush}
    elif said is not None and said.box is not None and is_bare_box(entry.project, track.object_id, 0, said):
        x0, y0, x1, y1 = said.box.xyxy
        box: _Region = {
            "x": 100 * x0 / size.width,
            "y": 100 * y0 / size.height,
            "width": 100 * (x1 - x0) / size.width,
            "height": 100 * (y1 - y0) / size.height,
            "rotation": 0,
            "rectanglelabels": words,
        }
        yield {**common, "type": "rectanglelabels", "value": box}
