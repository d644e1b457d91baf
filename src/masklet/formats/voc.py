"""Pascal VOC: for each image an XML of its objects, and indexed PNG of object numbers and of classes.

The n-th object of the XML is index n of ``SegmentationObject``; 255 is void. An object without a pixel there
is a box. Corners of boxes count from 1 and are inclusive, as VOC has them. ``labelmap.txt`` lists the classes.
Objects that nobody changed keep everything that their XML says, corrected ones all but box and parts; void stays void.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import cast
from xml.etree import ElementTree

import numpy as np

from masklet.annotations import Label, Track
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder, by_id, labels_from_names
from masklet.formats.davis import VOID, check_numbers, put_void
from masklet.formats.label_set import Entry, LabelSet, common_labels, frame_name, label_of, seen
from masklet.formats.media import Media
from masklet.formats.paths import contain, safe_relative, stem_of
from masklet.formats.pictures import write_pictures
from masklet.formats.source import Source, as_whole
from masklet.formats.strips import masks_by_frame
from masklet.formats.xml_fields import child, child_text, number_of, xml_bytes
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.video.image import read_indexed_png, write_indexed_png

NAME = "voc"
_OBJECTS, _CLASSES, _LABELS = "SegmentationObject", "SegmentationClass", "labelmap.txt"


def is_voc(source: Source) -> bool:
    """Whether a folder has XML in Annotations whose root is "annotation"."""
    if not source.is_folder:
        return False
    name = next((one for one in source.with_suffix(".xml") if one.startswith("Annotations/")), None)
    return name is not None and b"<annotation>" in source.read(name)[:400]


def read_voc(source: Source, _media: Media | None) -> LabelSet:
    """Read a VOC folder.

    Raises:
        FormatError: When an XML is damaged or does not fit its PNG.
        MediaError: When a PNG is damaged.
    """
    names = [name for name in source.with_suffix(".xml") if name.startswith("Annotations/")]
    trees = {name: source.xml(name) for name in names}
    listed: list[str] = []
    if _LABELS in source.files():
        lines = [line for line in source.text(_LABELS).splitlines() if line and not line.startswith("#")]
        listed = [line.partition(":")[0] for line in lines if line.partition(":")[0] != "background"]
    found = sorted({child_text(one, "name") for tree in trees.values() for one in tree.iter("object")})
    labels = labels_from_names([*listed, *found])
    return LabelSet(entries=tuple(_entry(source, name, tree, labels) for name, tree in trees.items()))


def _entry(source: Source, name: str, tree: ElementTree.Element, labels: dict[str, Label]) -> Entry:
    size_tree = child(tree, "size")
    size = Size(
        as_whole(child_text(size_tree, "height"), f"The height in {name}", least=1, most=1 << 20),
        as_whole(child_text(size_tree, "width"), f"The width in {name}", least=1, most=1 << 20),
    )
    file_name = child_text(tree, "filename")
    builder = EntryBuilder(
        format=NAME, name=Path(file_name).name, size=size, num_frames=1, frame_names=(file_name,)
    )
    numbers = _numbers(source, name, size)
    for number, one in enumerate(tree.iter("object"), start=1):
        builder.track(
            number, label_id=labels[child_text(one, "name")].id if child_text(one, "name") else None
        )
        mask = None if numbers is None else numbers == number
        if mask is not None and mask.any():
            builder.add(number, seen(0, rle.encode(mask)), record=one)
        elif one.find("bndbox") is not None:
            builder.add_box(number, 0, _box(child(one, "bndbox")), record=one)
    record: dict[str, object] = {"about": _without_objects(tree)}
    if numbers is not None and (numbers == VOID).any():
        record["void"] = {0: rle.to_json(rle.encode(numbers == VOID))}
    return builder.finish(by_id(labels), record=record)


def _without_objects(tree: ElementTree.Element) -> ElementTree.Element:
    """What the XML of an image says beside its objects."""
    about = ElementTree.Element(tree.tag, tree.attrib)
    about.extend(copy.deepcopy(one) for one in tree if one.tag != "object")
    return about


def _numbers(source: Source, name: str, size: Size) -> np.ndarray | None:
    """Object numbers of an image, or None when it has boxes only."""
    head, _, tail = f"/{name}".rpartition("/Annotations/")
    file = f"{head}/{_OBJECTS}/{stem_of(tail)}.png".lstrip("/")
    path = contain(source.path, file)
    if not path.is_file():
        return None
    numbers = read_indexed_png(path)
    if numbers.shape != size.hw:
        raise FormatError(f"{file} is {numbers.shape} but {name} says {size.hw} (h, w).")
    return numbers


def _box(tree: ElementTree.Element) -> Box | None:
    x0, y0, x1, y1 = (number_of(child_text(tree, side), side) for side in ("xmin", "ymin", "xmax", "ymax"))
    return Box(x0 - 1, y0 - 1, x1, y1) if x1 > x0 - 1 and y1 > y0 - 1 else None


def write_voc(labels: LabelSet, out: Path, media: Media | None) -> None:
    """Write a VOC folder, with the images when media are given.

    Raises:
        FormatError: When an image has more than 254 objects.
    """
    known, ids = common_labels(labels.entries)
    places = {one: place for place, one in enumerate(known, start=1)}
    stems: list[str] = []
    for entry in labels.entries:
        check_numbers(entry, 254, "an indexed PNG")
        relative = safe_relative(frame_name(entry, 0)).with_suffix("")
        stems.append(relative.as_posix())
        tree = _tree(entry)
        _put(out / "Annotations" / f"{relative}.xml", xml_bytes(tree))
        numbers = np.zeros(entry.project.video.size.hw, dtype=np.uint8)
        for object_id, mask in sorted(masks_by_frame(entry).get(0, {}).items(), reverse=True):
            numbers[rle.decode(mask)] = object_id
        classes = np.zeros(256, dtype=np.uint8)
        for object_id, track in entry.project.tracks.items():
            label = None if track.label_id is None else entry.project.labels[track.label_id]
            classes[object_id] = 0 if label is None else min(places[ids[label.name]], 254)
        put_void(numbers, entry, NAME, 0)
        classes[VOID] = VOID
        for folder, picture in ((_OBJECTS, numbers), (_CLASSES, classes[numbers])):
            path = out / folder / f"{relative}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_indexed_png(path, picture)
    if media is not None:
        write_pictures(((entry, out / "JPEGImages") for entry in labels.entries), media)
    _put(out / "ImageSets" / "Segmentation" / "default.txt", "".join(f"{one}\n" for one in stems).encode())
    rows = [
        f"{one.name}:{','.join(str(int(one.color[i : i + 2], 16)) for i in (1, 3, 5))}::"
        for one in known.values()
    ]
    _put(
        out / _LABELS,
        "\n".join(["# label:color_rgb:parts:actions", "background:0,0,0::", *rows, ""]).encode(),
    )


def _put(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def _tree(entry: Entry) -> ElementTree.Element:
    tree = _about(entry)
    for track in entry.project.tracks.values():
        kept = entry.kept(NAME, track, 0)
        box = _box_now(entry, track)
        if isinstance(kept, ElementTree.Element) and (0 in track.frames or box == _kept_box(kept, entry)):
            tree.append(copy.deepcopy(kept))
        else:
            tree.append(_object(entry, track, box))
    if masks_by_frame(entry):
        segmented = tree.find("segmented")
        (ElementTree.SubElement(tree, "segmented") if segmented is None else segmented).text = "1"
    return tree


def _about(entry: Entry) -> ElementTree.Element:
    if entry.record is not None and entry.record[0] == NAME:
        about = cast("Mapping[str, object]", entry.record[1]).get("about")
        if isinstance(about, ElementTree.Element):
            return copy.deepcopy(about)
    size, name = entry.project.video.size, frame_name(entry, 0)
    tree = ElementTree.Element("annotation")
    _text(tree, "folder", "JPEGImages")
    _text(tree, "filename", name)
    sides = ElementTree.SubElement(tree, "size")
    for side, value in (("width", size.width), ("height", size.height), ("depth", 3)):
        _text(sides, side, str(value))
    _text(tree, "segmented", "0")
    return tree


def _box_now(entry: Entry, track: Track) -> Box | None:
    """Around the mask, or what is said where there is none."""
    found = track.frames.get(0)
    said = entry.project.prompts.get(track.object_id, {}).get(0)
    if found is not None and found.rle is not None:
        return rle.bounding_box(found.rle)
    return None if said is None else said.box


def _kept_box(kept: ElementTree.Element, entry: Entry) -> Box | None:
    box = None if kept.find("bndbox") is None else _box(child(kept, "bndbox"))
    return None if box is None else box.clipped(entry.project.video.size)


def _object(entry: Entry, track: Track, box: Box | None) -> ElementTree.Element:
    """An object as it is now, with what its XML said of it beside its shape."""
    before = entry.records.get((track.object_id, 0))
    old = before.record if before is not None and before.format == NAME else None
    one = ElementTree.Element("object")
    label = label_of(entry, track)
    _text(one, "name", "" if label is None else label.name)
    if isinstance(old, ElementTree.Element):
        one.extend(copy.deepcopy(about) for about in old if about.tag not in ("name", "bndbox", "part"))
    else:
        for field, value in (("pose", "Unspecified"), ("truncated", "0"), ("difficult", "0")):
            _text(one, field, value)
    if box is not None:
        corners = ElementTree.SubElement(one, "bndbox")
        for side, value in (("xmin", box.x0 + 1), ("ymin", box.y0 + 1), ("xmax", box.x1), ("ymax", box.y1)):
            _text(corners, side, f"{value:.10g}")
    return one


def _text(parent: ElementTree.Element, name: str, value: str) -> None:
    ElementTree.SubElement(parent, name).text = value
