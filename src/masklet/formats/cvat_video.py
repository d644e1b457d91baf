"""CVAT XML 1.1 for a video: one track per object. ``cvat`` reads it, this file writes it.

In CVAT a shape stays until the track says otherwise, so where nothing is known any more, the first such
frame says that the object is outside. Shapes that nobody changed stand as they were; corrected ones keep the attributes
of the shape before.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from xml.etree import ElementTree

from masklet.annotations import FrameMask, Track, write_atomically
from masklet.formats.cvat import box_attributes, box_of, mask_attributes, start_document
from masklet.formats.label_set import Entry, LabelSet, label_of
from masklet.formats.media import Media
from masklet.formats.strips import SHAPES_OF_TRACKS, is_bare_box
from masklet.formats.xml_fields import child, xml_bytes
from masklet.geometry import Box, Size

_NOTHING = {"rle": "1", "left": "0", "top": "0", "width": "1", "height": "1"}


def write_cvat_video(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write one video with its tracks."""
    (entry,) = labels.entries
    tree = start_document(labels, "interpolation")
    if next(tree.iter("original_size"), None) is None:
        size = ElementTree.SubElement(child(child(tree, "meta"), "task"), "original_size")
        for side, value in (
            ("width", entry.project.video.size.width),
            ("height", entry.project.video.size.height),
        ):
            ElementTree.SubElement(size, side).text = str(value)
    before = _tracks_before(entry)
    for object_id, track in entry.project.tracks.items():
        label = label_of(entry, track)
        name, old = "" if label is None else label.name, before.get(str(object_id))
        facts = {"source": "manual"} if old is None else old.attrib
        one = ElementTree.SubElement(tree, "track", {"id": str(object_id), "label": name, **facts})
        one.set("label", name)
        boxes = {
            frame: said.box
            for frame, said in entry.project.prompts.get(object_id, {}).items()
            if is_bare_box(entry.project, object_id, frame, said)
        }
        one.extend(_shapes(entry, track, boxes))
        one.extend(() if old is None else copy.deepcopy(list(old)))
    write_atomically(out, xml_bytes(tree))


def _tracks_before(entry: Entry) -> dict[str, ElementTree.Element]:
    """What stood in the file of every track beside its shapes, by its id."""
    if entry.record is None or entry.record[0] != SHAPES_OF_TRACKS:
        return {}
    about = entry.record[1]
    return {one.get("id", ""): one for one in about} if isinstance(about, ElementTree.Element) else {}


def _shapes(entry: Entry, track: Track, boxes: Mapping[int, Box | None]) -> Iterator[ElementTree.Element]:
    """The shapes of a track, frame by frame."""
    attributes: list[ElementTree.Element] = []
    label = label_of(entry, track)
    for frame in sorted({*track.frames, *boxes}):
        kept = entry.kept(SHAPES_OF_TRACKS, track, frame)
        before = entry.records.get((track.object_id, frame))
        if (
            before is not None
            and before.format == SHAPES_OF_TRACKS
            and isinstance(before.record, ElementTree.Element)
        ):
            is_same_class = (before.label and before.label.name) == (label and label.name)
            attributes = before.record.findall("attribute") if is_same_class else []
        if isinstance(kept, ElementTree.Element) and _says(kept, boxes.get(frame), entry.project.video.size):
            yield copy.deepcopy(kept)
            continue
        if frame in boxes:
            shape = ElementTree.Element("box", {**_state(frame), **box_attributes(boxes[frame])})
        else:
            shape = ElementTree.Element("mask", _attributes(track.frames[frame]))
        shape.extend(copy.deepcopy(attributes))
        yield shape


def _says(shape: ElementTree.Element, box: Box | None, size: Size) -> bool:
    """Whether a shape says what is said now where there is a box and no mask."""
    before = box_of(shape) if box is not None and shape.tag == "box" else None
    return box is None or (before is not None and before.clipped(size) == box)


def _state(frame: int, *, is_outside: bool = False, is_occluded: bool = False) -> dict[str, str]:
    values = {"outside": is_outside, "occluded": is_occluded, "keyframe": True}
    return {"frame": str(frame), **{name: str(int(value)) for name, value in values.items()}, "z_order": "0"}


def _attributes(found: FrameMask) -> dict[str, str]:
    if found.rle is None or found.is_absent:
        return {**_state(found.frame, is_outside=True, is_occluded=found.is_occluded), **_NOTHING}
    return {**_state(found.frame), **mask_attributes(found.rle)}
