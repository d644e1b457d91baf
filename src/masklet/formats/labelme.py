"""LabelMe: one JSON beside each image, with shapes. Shapes of one ``group_id`` are one object.

A mask without holes is written as polygons, one for each part; a mask with holes as a shape of type "mask".
Rectangles are boxes of objects without a mask. Points, lines and circles are passed over with a note, and written again
where they stood in a file that is corrected.
"""

from __future__ import annotations

import base64
import binascii
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image as PillowImage

from masklet.annotations import Label, Track
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder, by_id, labels_from_names
from masklet.formats.label_set import Entry, LabelSet, frame_name, of_one_frame, seen
from masklet.formats.media import Media
from masklet.formats.outlines import filled
from masklet.formats.paths import safe_relative
from masklet.formats.pictures import write_pictures
from masklet.formats.source import Source, as_numbers, as_object, as_whole, objects_of, to_bytes
from masklet.formats.strips import is_bare_box
from masklet.geometry import Box, Size
from masklet.masks import polygons, rle
from masklet.masks.rle import RLE
from masklet.video.image import read_image

NAME = "labelme"
_VERSION = "5.5.0"
_Shape = dict[str, object]


def is_labelme(source: Source) -> bool:
    """Whether a JSON file, or the first of a folder, lists shapes of an image."""
    if not source.is_folder:
        return {"shapes", "imagePath"} <= source.json_object().keys()
    name = next(iter(source.with_suffix(".json")), None)
    value = None if name is None else source.json(name)
    return isinstance(value, dict) and {"shapes", "imagePath"} <= cast("dict[str, object]", value).keys()


def read_labelme(source: Source, _media: Media | None) -> LabelSet:
    """Read LabelMe files.

    Raises:
        FormatError: When one is damaged.
    """
    names = source.with_suffix(".json")
    files = {name: as_object(source.json(name if source.is_folder else None), name) for name in names}
    shapes = {name: objects_of(one.get("shapes"), f"the shapes of {name}") for name, one in files.items()}
    words = {str(shape.get("label", "")) for found in shapes.values() for shape in found}
    labels = labels_from_names(sorted(words))
    notes: list[str] = []
    entries = [_entry(name, files[name], shapes[name], labels, notes) for name in names]
    return LabelSet(entries=tuple(entries), notes=tuple(notes))


def _entry(
    name: str,
    content: Mapping[str, object],
    shapes: Sequence[_Shape],
    labels: dict[str, Label],
    notes: list[str],
) -> Entry:
    height, width = (
        as_whole(content.get(f"image{side}"), f"The {side} in {name}", least=1, most=1 << 20)
        for side in ("Height", "Width")
    )
    picture = str(content.get("imagePath")).replace("\\", "/").rpartition("/")[2]
    file_name = (Path(name).parent / picture).as_posix()
    builder = EntryBuilder(
        format=NAME, name=picture, size=Size(height, width), num_frames=1, frame_names=(file_name,)
    )
    groups: dict[int, list[_Shape]] = {}
    single = [one for one in shapes if one.get("group_id") is None]
    for shape in shapes:
        if shape.get("group_id") is not None:
            groups.setdefault(as_whole(shape["group_id"], "A group_id"), []).append(shape)
    first = max(groups, default=0) + 1
    groups |= {first + place: [shape] for place, shape in enumerate(single)}
    notes += [f"a {_kind(one)} of {picture!r} was passed over" for one in shapes if _is_passed_over(one)]
    for object_id, parts in groups.items():
        known = [one for one in parts if not _is_passed_over(one)]
        if known:
            _add(builder, object_id, known, labels)
    return builder.finish(by_id(labels), record=dict(content))


def _kind(shape: _Shape) -> str:
    return str(shape.get("shape_type") or "polygon")


def _points(shape: _Shape) -> list[object]:
    return cast("list[object]", shape.get("points") or [])


def _is_passed_over(shape: _Shape) -> bool:
    kind = _kind(shape)
    return kind not in ("polygon", "mask") and not (kind == "rectangle" and len(_points(shape)) == 2)


def _add(builder: EntryBuilder, object_id: int, parts: list[_Shape], labels: dict[str, Label]) -> None:
    masks: list[RLE] = []
    box: Box | None = None
    for shape in parts:
        kind, points = _kind(shape), [as_numbers(one, "A point") for one in _points(shape)]
        if any(len(point) != 2 for point in points):
            raise FormatError(f"A shape of {builder.name!r} has a point that is not x and y; correct it.")
        if kind == "polygon":
            masks.append(filled([tuple((x, y) for x, y in points)], builder.size))
        elif kind == "mask":
            masks.append(_pasted(shape, points, builder.size))
        else:
            (x0, y0), (x1, y1) = points
            is_area = x0 != x1 and y0 != y1
            box = Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)) if is_area else None
    label = labels.get(str(parts[0].get("label", "")))
    if not masks and box is None:
        return
    name = str(parts[0].get("description") or "")
    builder.track(object_id, name=name, label_id=None if label is None else label.id)
    if masks:
        builder.add(object_id, seen(0, rle.union(masks)), record=parts)
    else:
        builder.add_box(object_id, 0, box, record=parts)


def _pasted(shape: _Shape, points: list[list[float]], size: Size) -> RLE:
    """A mask whose box has its first corner at the first point."""
    try:
        content = base64.b64decode(str(shape.get("mask")), validate=True)
    except (binascii.Error, ValueError) as error:
        raise FormatError("A mask of LabelMe is not base64; the file is damaged.") from error
    crop = read_image(content)[..., 0] > 0
    x, y = (round(value) for value in points[0]) if points else (0, 0)
    if not (x >= 0 and y >= 0 and y + crop.shape[0] <= size.height and x + crop.shape[1] <= size.width):
        raise FormatError("A mask of LabelMe lies outside of its image; the file is damaged.")
    mask = np.zeros(size.hw, dtype=np.bool_)
    mask[y : y + crop.shape[0], x : x + crop.shape[1]] = crop
    return rle.encode(mask)


def write_labelme(labels: LabelSet, out: Path, media: Media | None) -> None:
    """Write a JSON for each image, and the images when media are given; shapes nobody changed stay."""
    for entry in labels.entries:
        relative = safe_relative(frame_name(entry, 0))
        path = out / relative.with_suffix(".json")
        path.parent.mkdir(parents=True, exist_ok=True)
        size = entry.project.video.size
        is_own = entry.record is not None and entry.record[0] == NAME
        before = (
            cast("tuple[str, dict[str, object]]", entry.record)[1]
            if is_own
            else {"version": _VERSION, "flags": {}}
        )
        shapes = [shape for track in entry.project.tracks.values() for shape in _shapes(entry, track)]
        shapes += [one for one in cast("list[_Shape]", before.get("shapes", [])) if _is_passed_over(one)]
        content = {
            **before,
            "shapes": shapes,
            "imagePath": before.get("imagePath", Path(frame_name(entry, 0)).name),
            "imageData": before.get("imageData"),
            "imageHeight": size.height,
            "imageWidth": size.width,
        }
        path.write_bytes(to_bytes(content))
    if media is not None:
        write_pictures(((entry, out) for entry in labels.entries), media)


def _shapes(entry: Entry, track: Track) -> Iterator[_Shape]:
    kept = entry.kept(NAME, track, 0)
    if kept is not None:
        yield from cast("list[_Shape]", kept)
        return
    label = None if track.label_id is None else entry.project.labels[track.label_id].name
    common: _Shape = {
        "label": label or "",
        "group_id": track.object_id,
        "description": track.name,
        "flags": {},
    }
    found = of_one_frame(track, 0).frames.get(0)
    if found is not None and found.rle is not None and not found.is_absent:
        yield from ({**common, "mask": None, **shape} for shape in _mask_shapes(rle.decode(found.rle)))
    said = entry.project.prompts.get(track.object_id, {}).get(0)
    if said is not None and said.box is not None and is_bare_box(entry.project, track.object_id, 0, said):
        x0, y0, x1, y1 = said.box.xyxy
        yield {**common, "shape_type": "rectangle", "points": [[x0, y0], [x1, y1]], "mask": None}


def _mask_shapes(mask: np.ndarray) -> Iterator[_Shape]:
    parts = polygons.from_mask(mask)
    if not any(part.holes for part in parts):
        for part in parts:
            yield {"shape_type": "polygon", "points": [list(corner) for corner in part.exterior]}
        return
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    y0, y1, x0, x1 = (int(value) for value in (rows[0], rows[-1], columns[0], columns[-1]))
    stream = io.BytesIO()
    PillowImage.fromarray(mask[y0 : y1 + 1, x0 : x1 + 1].astype(np.uint8) * 255).save(stream, format="PNG")
    text = base64.b64encode(stream.getvalue()).decode("ascii")
    yield {"shape_type": "mask", "points": [[float(x0), float(y0)], [float(x1), float(y1)]], "mask": text}
