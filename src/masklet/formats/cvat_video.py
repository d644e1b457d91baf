"""CVAT XML 1.1 for a video: one track per object. ``cvat`` reads it, this file writes it.

In CVAT a shape stays until the track says otherwise, so where nothing is known any more, the first such
frame says that the object is outside.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from masklet.annotations import FrameMask, write_atomically
from masklet.formats.cvat import box_attributes, mask_attributes, start_document
from masklet.formats.label_set import LabelSet, label_of
from masklet.formats.media import Media
from masklet.formats.strips import is_bare_box
from masklet.formats.xml_fields import child, xml_bytes

_NOTHING = {"rle": "1", "left": "0", "top": "0", "width": "1", "height": "1"}


def write_cvat_video(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write one video with its tracks."""
    (entry,) = labels.entries
    tree = start_document(labels.entries, "interpolation")
    size = ElementTree.SubElement(child(child(tree, "meta"), "task"), "original_size")
    for side, value in (
        ("width", entry.project.video.size.width),
        ("height", entry.project.video.size.height),
    ):
        ElementTree.SubElement(size, side).text = str(value)
    for object_id, track in entry.project.tracks.items():
        label = label_of(entry, track)
        name = "" if label is None else label.name
        one = ElementTree.SubElement(tree, "track", id=str(object_id), label=name, source="manual")
        boxes = {
            frame: said.box
            for frame, said in entry.project.prompts.get(object_id, {}).items()
            if is_bare_box(entry.project, object_id, frame, said)
        }
        for frame in sorted({*track.frames, *boxes}):
            if frame in boxes:
                ElementTree.SubElement(one, "box", {**_state(frame), **box_attributes(boxes[frame])})
            else:
                ElementTree.SubElement(one, "mask", _attributes(track.frames[frame]))
    write_atomically(out, xml_bytes(tree))


def _state(frame: int, *, is_outside: bool = False, is_occluded: bool = False) -> dict[str, str]:
    values = {"outside": is_outside, "occluded": is_occluded, "keyframe": True}
    return {"frame": str(frame), **{name: str(int(value)) for name, value in values.items()}, "z_order": "0"}


def _attributes(found: FrameMask) -> dict[str, str]:
    if found.rle is None or found.is_absent:
        return {**_state(found.frame, is_outside=True, is_occluded=found.is_occluded), **_NOTHING}
    return {**_state(found.frame), **mask_attributes(found.rle)}
