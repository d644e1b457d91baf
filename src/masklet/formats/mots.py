"""MOTS text: one file per video, one line per mask: frame, object, class, height, width, run lengths.

Classes are numbers; their names stand in ``classes.txt`` beside the files, which other readers pass over.
Without it 1 is car, 2 pedestrian and 10 ignore, as in the MOTS challenge.
"""

from __future__ import annotations

from pathlib import Path

from masklet.annotations import Label, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.label_set import Entry, LabelSet, common_labels, seen
from masklet.formats.media import Media
from masklet.formats.palette import palette_color
from masklet.formats.paths import unique_names
from masklet.formats.source import Source, as_whole
from masklet.formats.strips import masks_by_frame
from masklet.geometry import Size
from masklet.masks.rle import RLE

NAME = "mots"
_CLASSES = "classes.txt"
_CHALLENGE = {1: "car", 2: "pedestrian", 10: "ignore"}


def is_mots(source: Source) -> bool:
    """Whether text files hold lines of six fields, of which five are numbers."""
    names = [name for name in source.with_suffix(".txt") if "/" not in name and name != _CLASSES]
    if not names:
        return False
    line = source.text(names[0] if source.is_folder else None).partition("\n")[0].split()
    return len(line) == 6 and all(part.isdecimal() for part in line[:5])


def read_mots(source: Source, _media: Media | None) -> LabelSet:
    """Read MOTS files.

    Raises:
        FormatError: When a line is damaged.
    """
    names = [name for name in source.with_suffix(".txt") if name != _CLASSES]
    lines = {name: _lines(source, name) for name in names}
    numbers = {one[2] for found in lines.values() for one in found}
    labels = _labels(source, numbers)
    entries = [_entry(name, found, labels) for name, found in lines.items() if found]
    return LabelSet(entries=tuple(entries))


_Line = tuple[int, int, int, RLE]


def _lines(source: Source, name: str) -> list[_Line]:
    found: list[_Line] = []
    for number, line in enumerate(source.text(name if source.is_folder else None).splitlines(), start=1):
        parts = line.split()
        if not parts:
            continue
        where = f"line {number} of {name}"
        if len(parts) != 6:
            raise FormatError(f"The {where} must have six fields, got {len(parts)}; check the file.")
        frame, object_id, class_id = (as_whole(part, where) for part in parts[:3])
        height, width = (as_whole(part, where, least=1, most=1 << 20) for part in parts[3:5])
        found.append((frame, object_id, class_id, RLE(Size(height, width), parts[5].encode())))
    return found


def _labels(source: Source, numbers: set[int]) -> dict[int, Label]:
    names = {number: _CHALLENGE.get(number, f"class {number}") for number in numbers}
    if source.is_folder and _CLASSES in source.files():
        for line in source.text(_CLASSES).splitlines():
            number, _, name = line.partition(" ")
            names[as_whole(number, f"A class of {_CLASSES}")] = name
    return {i: Label(id=i, name=name, color=palette_color(i)) for i, name in sorted(names.items())}


def _entry(name: str, lines: list[_Line], labels: dict[int, Label]) -> Entry:
    builder = EntryBuilder(format=NAME, name=name.rpartition("/")[2][: -len(".txt")], size=lines[0][3].size)
    for frame, object_id, class_id, mask in lines:
        if mask.size != builder.size:
            raise FormatError(f"The masks of {name} have different sizes; split the video there.")
        builder.track(object_id, label_id=class_id)
        builder.add(object_id, seen(frame, mask))
    return builder.finish(labels)


def write_mots(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write MOTS files and the names of the classes."""
    known, ids = common_labels(labels.entries)
    for name, entry in zip(unique_names(one.name for one in labels.entries), labels.entries, strict=True):
        lines: list[str] = []
        for frame, masks in masks_by_frame(entry).items():
            for object_id, mask in masks.items():
                label_id = entry.project.tracks[object_id].label_id
                class_id = 0 if label_id is None else ids[entry.project.labels[label_id].name]
                height, width = mask.size.hw
                lines.append(f"{frame} {object_id} {class_id} {height} {width} {mask.counts.decode()}\n")
        write_atomically(out / f"{name}.txt", "".join(lines).encode())
    classes = "".join(f"{number} {one.name}\n" for number, one in known.items())
    write_atomically(out / _CLASSES, classes.encode())
