"""YOLO segmentation: one text file per image, one line per object: class, then x y x y ... from 0 to 1.

A line has one outline, so parts and holes are joined by bridges (see ``outlines``). Lines of five numbers are
boxes (class, centre, width, height). The files say no sizes: they come from the images beside the labels, from
the media, or from ``sizes.json``, which is written here beside ``data.yaml``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import yaml

from masklet.annotations import Label, write_atomically
from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.label_set import (
    Entry,
    LabelSet,
    common_labels,
    frame_name,
    frames_to_write,
    of_one_frame,
    seen,
)
from masklet.formats.media import Media
from masklet.formats.outlines import filled, one_outline
from masklet.formats.palette import palette_color
from masklet.formats.paths import safe_relative, stem_of, unique_names
from masklet.formats.pictures import write_pictures
from masklet.formats.source import IMAGE_SUFFIXES, Source, as_list, as_object, as_text, to_bytes
from masklet.formats.strips import is_bare_box
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.masks.polygons import Ring

NAME = "yolo"
_DIGITS = 10  # of coordinates from 0 to 1: a corner stays within a millionth of a pixel of its place
_SIZES = "sizes.json"
_FOLDERS = ("labels", "train", "val", "valid", "test")


def is_yolo(source: Source) -> bool:
    """Whether a folder has data.yaml or text files of numbers in a folder of labels."""
    if not source.is_folder:
        return source.path.suffix.lower() in (".yaml", ".yml") and b"names" in source.read()
    names = source.with_suffix(".txt", ".yaml", ".yml")
    if any(name in ("data.yaml", "dataset.yaml") for name in names):
        return True
    first = next((name for name in names if _is_label_file(name)), None)
    return first is not None and _is_numbers(source.text(first))


def _is_label_file(name: str) -> bool:
    parts = name.split("/")
    return (
        name.endswith(".txt") and ("labels" in parts[:-1] or len(parts) == 1) and parts[-1] != "classes.txt"
    )


def _is_numbers(text: str) -> bool:
    try:
        rows = [[float(value) for value in line.split()] for line in text.splitlines()[:5] if line.strip()]
    except ValueError:
        return False
    return bool(rows) and all(len(row) >= 5 and row[0].is_integer() for row in rows)


def read_yolo(source: Source, media: Media | None) -> LabelSet:
    """Read a YOLO data set.

    Raises:
        FormatError: When a line is damaged, or the size of an image is not known.
    """
    if not source.is_folder:
        source = Source(source.path.parent)
    files = [name for name in source.files() if _is_label_file(name)]
    sizes = _Sizes(source, media)
    rows = {name: list(_rows(source, name)) for name in files}
    numbers = {row[0] for found in rows.values() for row in found}
    labels = _labels(source, numbers)
    return LabelSet(entries=tuple(_entry(name, rows[name], labels, sizes) for name in files))


class _Sizes:
    """Names and sizes of images by the names of their label files without ending."""

    def __init__(self, source: Source, media: Media | None) -> None:
        self._media = Media(source.path) if media is None else media
        self._images = {
            _without_labels(stem_of(name)): name
            for name in source.files()
            if Path(name).suffix.lower() in IMAGE_SUFFIXES
        }
        self._is_inside = {*self._images.values()} if media is None else set[str]()
        self._listed: dict[str, tuple[str, Size]] = {}
        if _SIZES in source.files():
            for value in as_list(as_object(source.json(_SIZES), _SIZES).get("images"), _SIZES):
                one = as_object(value, _SIZES)
                name = as_text(one.get("file_name"), "A file name")
                found = name, rle.size_from_json(one.get("size"))
                self._listed[as_text(one.get("labels"), "A file of labels")] = found

    def of(self, file: str) -> tuple[str, Size]:
        """File name and size of the image of a label file."""
        stem = _without_labels(stem_of(file))
        if file in self._listed:
            return self._listed[file]
        for name in (self._images.get(stem), *(stem + suffix for suffix in sorted(IMAGE_SUFFIXES))):
            size = None if name is None else self._media.image_size(name)
            if name is not None and size is not None:
                return _without_images(name), size
        raise FormatError(
            f"The size of the image of {file} is not known; give the folder of images as media, since YOLO's "
            "files hold parts of sizes only."
        )


def _without_labels(name: str) -> str:
    """A name without the folder that separates labels from images: labels/train/a and images/train/a are one."""
    return "/".join(part for part in name.split("/") if part not in ("labels", "images"))


def _without_images(name: str) -> str:
    return name.partition("images/")[2] if name.startswith("images/") else name


def _labels(source: Source, numbers: set[int]) -> dict[int, Label]:
    """Classes of data.yaml, or of classes.txt, or numbers as names; ids are one above YOLO's, which begin at 0."""
    names: dict[int, str] = {}
    listed = next((name for name in source.with_suffix(".yaml", ".yml") if "/" not in name), None)
    if listed is not None:
        names = _names_of_yaml(source.text(listed), listed)
    elif "classes.txt" in source.files():
        names = dict(enumerate(source.text("classes.txt").splitlines()))
    for number in sorted(numbers):
        names.setdefault(number, str(number))
    return {
        number + 1: Label(id=number + 1, name=name, color=palette_color(number + 1))
        for number, name in names.items()
        if name
    }


def _names_of_yaml(text: str, where: str) -> dict[int, str]:
    try:
        content: object = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise FormatError(f"{where} is not YAML; correct it.") from error
    names = cast("dict[str, object]", content).get("names") if isinstance(content, dict) else None
    if isinstance(names, list):
        return {number: str(name) for number, name in enumerate(cast("list[object]", names))}
    if isinstance(names, dict) and all(
        type(key) is int and key >= 0 for key in cast("dict[object, object]", names)
    ):
        return {cast("int", key): str(name) for key, name in cast("dict[object, object]", names).items()}
    raise FormatError(f'{where} must hold "names", a list of classes or their names by number.')


def _rows(source: Source, file: str) -> Iterator[tuple[int, list[float], str]]:
    for number, line in enumerate(source.text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            values = [float(value) for value in line.split()]
        except ValueError as error:
            raise FormatError(f"Line {number} of {file} holds something that is no number.") from error
        is_whole = bool(values) and values[0].is_integer() and 0 <= values[0] < 2**31
        if not is_whole or len(values) < 5 or not all(math.isfinite(v) and abs(v) < 1e6 for v in values):
            raise FormatError(
                f"Line {number} of {file} must be a class and x y x y ..., or a class and a box, got {line[:60]!r}."
            )
        yield int(values[0]), values[1:], line


def _entry(
    file: str, rows: list[tuple[int, list[float], str]], labels: dict[int, Label], sizes: _Sizes
) -> Entry:
    name, size = sizes.of(file)
    builder = EntryBuilder(
        format=NAME, name=name.rpartition("/")[2], size=size, num_frames=1, frame_names=(name,)
    )
    for object_id, (number, values, line) in enumerate(rows, start=1):
        builder.track(object_id, label_id=number + 1)
        if len(values) == 4:
            builder.add_box(object_id, 0, _box(values, size), record=line)
            continue
        # Predictors write a confidence behind the corners, which makes the count odd.
        corners = zip(values[: len(values) // 2 * 2 : 2], values[1::2], strict=True)
        ring: Ring = tuple((x * size.width, y * size.height) for x, y in corners)
        mask = filled([_snapped(ring)], size)
        builder.add(object_id, seen(0, mask), record=line)
    return builder.finish(labels)


def _snapped(ring: Ring) -> Ring:
    """Corners that lie on whole pixels but for the rounding of their digits are put there."""

    def snap(value: float) -> float:
        return float(round(value)) if abs(value - round(value)) < 1e-5 else value

    return tuple((snap(x), snap(y)) for x, y in ring)


def _box(values: list[float], size: Size) -> Box | None:
    x, y, width, height = values
    corners = _snapped(
        (
            ((x - width / 2) * size.width, (y - height / 2) * size.height),
            ((x + width / 2) * size.width, (y + height / 2) * size.height),
        )
    )
    (x0, y0), (x1, y1) = corners
    return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def write_yolo(labels: LabelSet, out: Path, media: Media | None) -> None:
    """Write labels, data.yaml and sizes.json, and the images when media are given."""
    known, ids = common_labels(labels.entries)
    order = {number: place for place, number in enumerate(known)}
    listed: list[object] = []
    for entry, folder in zip(labels.entries, _folders(labels), strict=True):
        for index in frames_to_write(entry):
            name = frame_name(entry, index)
            relative = folder / safe_relative(name)
            file = Path("labels") / relative.with_suffix(".txt")
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            lines = [
                _line(entry, i, index, {name: order[one] for name, one in ids.items()})
                for i in entry.project.tracks
            ]
            text = "".join(f"{line}\n" for line in lines if line is not None)
            (out / file).write_text(text, encoding="utf-8")
            shown = name if entry.frame_names else f"{entry.name}/{name}"
            listed.append(
                {"labels": file.as_posix(), "file_name": shown, "size": list(entry.project.video.size.hw)}
            )
    if media is not None:
        folders = [out / "images" / folder for folder in _folders(labels)]
        write_pictures(zip(labels.entries, folders, strict=True), media)
    write_atomically(out / _SIZES, to_bytes({"images": listed}))
    names = {order[number]: one.name for number, one in known.items()}
    head = yaml.safe_dump({"path": ".", "train": "images", "val": "images"}, sort_keys=False)
    text = head + yaml.safe_dump({"names": names}, allow_unicode=True, sort_keys=True)
    write_atomically(out / "data.yaml", text.encode())


def _folders(labels: LabelSet) -> list[Path]:
    """A folder for each video; images stand where their names say."""
    names = unique_names(one.name for one in labels.entries if not one.is_image)
    free = iter(names)
    return [Path() if one.is_image else Path(next(free)) for one in labels.entries]


def _line(entry: Entry, object_id: int, index: int, places: dict[str, int]) -> str | None:
    track = entry.project.tracks[object_id]
    kept = entry.kept(NAME, track, index)
    if isinstance(kept, str):
        return kept
    size = entry.project.video.size
    label = entry.project.labels[cast("int", track.label_id)]
    found = of_one_frame(track, index).frames.get(index)
    if found is not None and found.rle is not None and not found.is_absent:
        numbers = [value for x, y in one_outline(found.rle) for value in (x / size.width, y / size.height)]
        return " ".join([str(places[label.name]), *map(_number, numbers)])
    said = entry.project.prompts.get(object_id, {}).get(index)
    if said is None or said.box is None or not is_bare_box(entry.project, object_id, index, said):
        return None
    box = said.box
    parts = (
        (box.x0 + box.x1) / 2 / size.width,
        (box.y0 + box.y1) / 2 / size.height,
        (box.x1 - box.x0) / size.width,
        (box.y1 - box.y0) / size.height,
    )
    return " ".join([str(places[label.name]), *map(_number, parts)])


def _number(value: float) -> str:
    return f"{value:.{_DIGITS}f}".rstrip("0").rstrip(".") or "0"
