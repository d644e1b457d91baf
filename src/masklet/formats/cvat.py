"""CVAT XML 1.1: images with shapes, or one video with tracks. This file reads both and writes images.

Masks are run lengths of CVAT's own kind (rows of a box, off first), so holes and parts stay. Shapes of one
``group_id`` above 0 are one object. Polygons are filled by the even-odd rule; boxes are boxes of objects
without a mask. Points, lines, tags, ellipses and cuboids are passed over with a note; they, the attributes of
objects that are corrected, and what stands above the labels are written again as they stood.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import numpy as np

from masklet.annotations import FrameMask, Label, Track, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder, by_id, labels_from_names
from masklet.formats.label_set import Entry, LabelSet, base_name, common_labels, frame_name, label_of, seen
from masklet.formats.media import Media
from masklet.formats.outlines import filled
from masklet.formats.source import Source, as_whole
from masklet.formats.strips import SHAPES_OF_TRACKS, is_bare_box
from masklet.formats.xml_fields import attribute, child, number_of, xml_bytes
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.masks.rle import RLE

NAME = "cvat"
_IMAGES, _VIDEO = "annotation", "interpolation"
_SHAPES = ("mask", "polygon", "box")


def is_cvat(source: Source) -> bool:
    """Whether an XML file begins with annotations of version 1.1 or has images or tracks."""
    if source.is_folder or source.path.suffix.lower() != ".xml":
        return False
    return b"<annotations>" in source.read()[:400]


def read_cvat(source: Source, _media: Media | None) -> LabelSet:
    """Read a CVAT file.

    Raises:
        FormatError: When it is damaged.
    """
    tree = source.xml()
    listed = [one for one in tree.iter("label") if one.find("name") is not None]
    names = [one.findtext("name") or "" for one in listed]
    shapes = [one.get("label", "") for one in tree.iter() if one.tag in (*_SHAPES, "track")]
    labels = labels_from_names([*names, *sorted(set(shapes))])
    for one in listed:
        color = (one.findtext("color") or "").lower()
        name = one.findtext("name") or ""
        if name and len(color) == 7 and set(color[1:]) <= set("0123456789abcdef"):
            labels[name] = Label(id=labels[name].id, name=name, color=color)
    notes: list[str] = []
    meta = tree.find("meta")
    record = None if meta is None else (NAME, copy.deepcopy(meta))
    if tree.find("track") is not None or (meta is not None and _mode(meta) == _VIDEO):
        return LabelSet(entries=(_read_video(tree, labels, notes),), notes=tuple(notes), record=record)
    images = tuple(_read_image(one, labels, notes) for one in tree.findall("image"))
    return LabelSet(entries=images, notes=tuple(notes), record=record)


def _work(meta: ElementTree.Element) -> ElementTree.Element:
    """What the file was written of: a task, or a job of one, which says the same."""
    job = meta.find("job")
    return child(meta, "task") if job is None else job


def _mode(meta: ElementTree.Element) -> str | None:
    return meta.findtext("task/mode") or meta.findtext("job/mode")


def _size(tree: ElementTree.Element, where: str) -> Size:
    height, width = (
        as_whole(tree.get(side) or tree.findtext(side), f"The {side} of {where}", least=1, most=1 << 20)
        for side in ("height", "width")
    )
    return Size(height, width)


def _label_id(tree: ElementTree.Element, labels: Mapping[str, Label]) -> int | None:
    name = tree.get("label", "")
    return labels[name].id if name else None


def _read_image(tree: ElementTree.Element, labels: dict[str, Label], notes: list[str]) -> Entry:
    name = attribute(tree, "name")
    builder = EntryBuilder(
        format=NAME,
        name=base_name(name) or "image",
        size=_size(tree, name),
        num_frames=1,
        frame_names=(name,),
    )
    groups: dict[int, list[ElementTree.Element]] = {}
    single: list[ElementTree.Element] = []
    for shape in tree:
        if shape.tag not in _SHAPES:
            notes.append(f"a {shape.tag} of {name!r} was passed over")
            continue
        group = as_whole(shape.get("group_id") or 0, "A group_id")
        (groups.setdefault(group, []) if group else single).append(shape)
    first = max(groups, default=0) + 1
    groups |= {first + place: [shape] for place, shape in enumerate(single)}
    for object_id, shapes in groups.items():
        builder.track(object_id, label_id=_label_id(shapes[0], labels))
        masks = [mask for one in shapes if (mask := _mask(one, builder.size)) is not None]
        if masks:
            builder.add(object_id, seen(0, rle.union(masks)), record=shapes)
        else:
            builder.add_box(object_id, 0, box_of(shapes[0]), record=shapes)
    return builder.finish(by_id(labels), record=_without(tree, *_SHAPES))


def _without(tree: ElementTree.Element, *tags: str) -> ElementTree.Element:
    """A copy without the children of some kinds."""
    left = ElementTree.Element(tree.tag, tree.attrib)
    left.extend(copy.deepcopy(one) for one in tree if one.tag not in tags)
    return left


def _read_video(tree: ElementTree.Element, labels: dict[str, Label], notes: list[str]) -> Entry:
    task = _work(child(tree, "meta"))
    name = task.findtext("source") or task.findtext("name") or "video"
    length = task.findtext("size")
    builder = EntryBuilder(
        format=SHAPES_OF_TRACKS,
        name=base_name(name) or "video",
        size=_size(child(task, "original_size"), name),
        num_frames=None if not length else as_whole(length, "The size of the task", least=1),
    )
    for track in tree.findall("track"):
        number = as_whole(attribute(track, "id"), "The id of a track")
        builder.track(number, label_id=_label_id(track, labels))
        for shape in track:
            if shape.tag not in _SHAPES:
                notes.append(f"a {shape.tag} of track {number} was passed over")
                continue
            frame = as_whole(attribute(shape, "frame"), "A frame")
            if shape.get("outside") == "1":
                is_occluded = shape.get("occluded") == "1"
                builder.add(number, FrameMask(frame=frame, rle=None, is_occluded=is_occluded), record=shape)
                continue
            mask = _mask(shape, builder.size)
            if mask is None:
                builder.add_box(number, frame, box_of(shape), record=shape)
            else:
                builder.add(number, seen(frame, mask), record=shape)
    about = ElementTree.Element("tracks")
    about.extend(_without(one, *_SHAPES) for one in tree.findall("track"))
    return builder.finish(by_id(labels), record=about)


def _mask(shape: ElementTree.Element, size: Size) -> RLE | None:
    """The mask of a shape, or None for a box."""
    if shape.tag == "polygon":
        return filled([_points(attribute(shape, "points"))], size)
    if shape.tag != "mask":
        return None
    left, top, width, height = (
        as_whole(attribute(shape, field), f"The {field} of a mask", most=1 << 20)
        for field in ("left", "top", "width", "height")
    )
    counts = [
        as_whole(part, "A run of a mask") for part in attribute(shape, "rle").split(",") if part.strip()
    ]
    is_inside = left + width <= size.width and top + height <= size.height
    if sum(counts) != width * height or not is_inside:
        raise FormatError("A mask's runs do not fill its box, or the box lies outside; the file is damaged.")
    flat = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    mask = np.zeros(size.hw, dtype=np.bool_)
    mask[top : top + height, left : left + width] = flat.reshape(height, width)
    return rle.encode(mask)


def _points(text: str) -> tuple[tuple[float, float], ...]:
    pairs = [part.split(",") for part in text.split(";") if part]
    if any(len(pair) != 2 for pair in pairs):
        raise FormatError("A polygon's points must be x,y;x,y;...; the file is damaged.")
    return tuple((number_of(x, "A point"), number_of(y, "A point")) for x, y in pairs)


def box_of(shape: ElementTree.Element) -> Box | None:
    """The box of a shape, or None when it has no area."""
    x0, y0, x1, y1 = (number_of(attribute(shape, side), side) for side in ("xtl", "ytl", "xbr", "ybr"))
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def write_cvat_images(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write images with their shapes; those that nobody changed stand as they were."""
    tree = start_document(labels, _IMAGES)
    for number, entry in enumerate(labels.entries):
        size = entry.project.video.size
        image = ElementTree.SubElement(tree, "image", id=str(number), name=frame_name(entry, 0))
        image.attrib |= {"width": str(size.width), "height": str(size.height)}
        if (
            entry.record is not None
            and entry.record[0] == NAME
            and isinstance(entry.record[1], ElementTree.Element)
        ):
            before = entry.record[1]
            image.attrib |= before.attrib
        else:
            before = ()
        for object_id, track in entry.project.tracks.items():
            kept = entry.kept(NAME, track, 0)
            if isinstance(kept, list):
                image.extend(copy.deepcopy(kept))
                continue
            label = label_of(entry, track)
            common = {"label": "" if label is None else label.name, "source": "manual", "occluded": "0"}
            common |= {"z_order": "0", "group_id": str(object_id)}
            found = track.frames.get(0)
            said = entry.project.prompts.get(object_id, {}).get(0)
            if found is not None and found.rle is not None and not found.is_absent:
                shape = ElementTree.SubElement(image, "mask", {**common, **mask_attributes(found.rle)})
            elif said is not None and is_bare_box(entry.project, object_id, 0, said):
                shape = ElementTree.SubElement(image, "box", {**common, **box_attributes(said.box)})
            else:
                continue
            shape.extend(_attributes_of(entry, track))
        image.extend(copy.deepcopy(list(before)))
    write_atomically(out, xml_bytes(tree))


def _attributes_of(entry: Entry, track: Track) -> list[ElementTree.Element]:
    """What the first shape of a corrected object says beside its outline, while its class is the same."""
    before, label = entry.records.get((track.object_id, 0)), label_of(entry, track)
    if before is None or before.format != NAME or not isinstance(before.record, list):
        return []
    if (before.label and before.label.name) != (label and label.name):
        return []
    return copy.deepcopy(cast("list[ElementTree.Element]", before.record)[0].findall("attribute"))


def mask_attributes(mask: RLE) -> dict[str, str]:
    """CVAT's attributes of a mask that is not empty."""
    picture = rle.decode(mask)
    rows, columns = np.flatnonzero(picture.any(1)), np.flatnonzero(picture.any(0))
    top, left = int(rows[0]), int(columns[0])
    crop = picture[top : int(rows[-1]) + 1, left : int(columns[-1]) + 1]
    # Run lengths down the columns of the transposed picture are those along the rows of the picture.
    runs = rle.runs(rle.encode(np.ascontiguousarray(crop.T)))
    return {
        "rle": ", ".join(map(str, runs.tolist())),
        "left": str(left),
        "top": str(top),
        "width": str(crop.shape[1]),
        "height": str(crop.shape[0]),
    }


def box_attributes(box: Box | None) -> dict[str, str]:
    """CVAT's attributes of a box."""
    sides = ("xtl", "ytl", "xbr", "ybr")
    return (
        {} if box is None else {side: repr(float(value)) for side, value in zip(sides, box.xyxy, strict=True)}
    )


def start_document(labels: LabelSet, mode: str) -> ElementTree.Element:
    """The root of a file with its classes, and with what stood above labels of the same kind when they were read.

    Args:
        labels: What will be written.
        mode: "annotation" for images, "interpolation" for a video.
    """
    entries = labels.entries
    tree = ElementTree.Element("annotations")
    ElementTree.SubElement(tree, "version").text = "1.1"
    known = common_labels(entries)[0].values()
    if labels.record is not None and labels.record[0] == NAME:
        meta = labels.record[1]
        if isinstance(meta, ElementTree.Element) and _mode(meta) in (None, mode):
            meta = copy.deepcopy(meta)
            for listed in meta.iter("labels"):
                _update_labels(listed, known)
            tree.append(meta)
            return tree
    task = ElementTree.SubElement(ElementTree.SubElement(tree, "meta"), "task")
    facts = {"name": entries[0].name, "size": str(sum(one.num_frames for one in entries)), "mode": mode}
    for field, text in facts.items():
        ElementTree.SubElement(task, field).text = text
    listed = ElementTree.SubElement(task, "labels")
    _update_labels(listed, known)
    return tree


def _update_labels(listed: ElementTree.Element, known: Iterable[Label]) -> None:
    """Drop classes that are gone and add those that are new."""
    left = {one.name: one for one in known}
    for label in listed.findall("label"):
        one = left.pop(label.findtext("name") or "", None)
        if one is None:
            listed.remove(label)
        elif (label.findtext("color") or one.color).lower() != one.color:
            child(label, "color").text = one.color
    for one in left.values():
        label = ElementTree.SubElement(listed, "label")
        ElementTree.SubElement(label, "name").text = one.name
        ElementTree.SubElement(label, "color").text = one.color
        ElementTree.SubElement(label, "attributes")
