"""DAVIS: one indexed PNG per frame, a folder per video; the index of a pixel is the object's number.

Written as ``Annotations/Full-Resolution/<video>/00000.png``. Read are that, folders of such PNG without the
folders above them, and single folders. Index 0 is the background and 255 void, which belongs to no object and stays void
where no object is put.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import numpy.typing as npt

from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.label_set import Entry, LabelSet, seen
from masklet.formats.media import Media
from masklet.formats.paths import contain, unique_names
from masklet.formats.source import Source
from masklet.formats.strips import masks_by_frame
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.video.image import read_indexed_png, write_indexed_png

NAME = "davis"
Labels = npt.NDArray[np.uint8]
VOID = 255
_MOST_OBJECTS = 254
_LARGEST_FRAME = 2**31


def is_davis(source: Source) -> bool:
    """Whether a folder holds indexed PNG in folders of videos, or right inside."""
    if not source.is_folder:
        return False
    names = source.with_suffix(".png")
    folders = video_folders(names)
    return bool(folders) and any(
        Path(name).stem.isdecimal() and _is_indexed(contain(source.path, name)) for name in names[:1]
    )


def _is_indexed(path: Path) -> bool:
    """Whether a PNG has a palette: colour type 3 in its header."""
    with path.open("rb") as file:
        return file.read(26)[25:26] == b"\x03"


def video_folders(names: Sequence[str]) -> dict[str, list[str]]:
    """Files by their folder; of several folders of one name (resolutions), the first."""
    folders: dict[str, list[str]] = {}
    for name in names:
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    first: dict[str, str] = {}
    for folder in folders:
        first.setdefault(folder.rpartition("/")[2], folder)
    return {folder: folders[folder] for folder in first.values()}


def read_davis(source: Source, _media: Media | None) -> LabelSet:
    """Read a folder of indexed PNG.

    Raises:
        FormatError: When it holds none, or the sizes of a video differ.
        MediaError: When a PNG is damaged or of another kind.
    """
    folders = video_folders(source.with_suffix(".png"))
    if not folders:
        raise FormatError(f"{source.name!r} holds no PNG; give a folder of DAVIS annotations.")
    entries = [
        _read_video(source, folder.rpartition("/")[2] or source.name, names)
        for folder, names in sorted(folders.items())
    ]
    return LabelSet(entries=tuple(entries))


def frame_indices(stems: Sequence[str]) -> list[int]:
    """Frame indices of files: the numbers that they are named by, or their order."""
    if all(stem.isascii() and stem.isdecimal() and int(stem) < _LARGEST_FRAME for stem in stems):
        found = [int(stem) for stem in stems]
        if len(set(found)) == len(found):
            return found
    return list(range(len(stems)))


def _read_video(source: Source, name: str, files: Sequence[str]) -> Entry:
    indices = frame_indices([Path(one).stem for one in files])
    builder: EntryBuilder | None = None
    masks: dict[int, dict[int, RLE]] = {}
    void: dict[int, object] = {}
    for index, file in zip(indices, files, strict=True):
        labels = read_indexed_png(contain(source.path, file))
        size = Size(*labels.shape)
        builder = builder or EntryBuilder(format=NAME, name=name, size=size)
        if size != builder.size:
            raise FormatError(f"{file} is {size.hw} but the video begins with {builder.size.hw} (h, w).")
        masks[index] = {int(i): rle.encode(labels == i) for i in np.unique(labels) if i not in (0, VOID)}
        if (labels == VOID).any():
            void[index] = rle.to_json(rle.encode(labels == VOID))
    if builder is None:
        raise FormatError(f"The video {name!r} has no masks.")
    for number in sorted({number for found in masks.values() for number in found}):
        for index, found in masks.items():
            builder.add(number, seen(index, found.get(number)))
    builder.num_frames = max(masks) + 1
    return builder.finish({}, record={"void": void} if void else None)


def write_davis(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a folder of indexed PNG.

    Raises:
        FormatError: When an object's number does not fit.
    """
    names = unique_names(one.name for one in labels.entries)
    for name, entry in zip(names, labels.entries, strict=True):
        folder = out / "Annotations" / "Full-Resolution" / name
        folder.mkdir(parents=True)
        check_numbers(entry, _MOST_OBJECTS, "an indexed PNG")
        for index, image in label_images(entry):
            put_void(image, entry, NAME, index)
            write_indexed_png(folder / f"{index:05d}.png", image)


def put_void(image: Labels, entry: Entry, name: str, index: int) -> None:
    """Make void, in place, what was void in the file of this format and belongs to no object."""
    if entry.record is None or entry.record[0] != name:
        return
    void = cast("Mapping[str, Mapping[int, object]]", entry.record[1]).get("void", {}).get(index)
    if void is not None:
        image[rle.decode(rle.from_json(void)) & (image == 0)] = VOID


def check_numbers(entry: Entry, most: int, what: str) -> None:
    """Refuse objects whose number a format cannot hold.

    Raises:
        FormatError: When an object's number is 0 or above the most.
    """
    wrong = [i for i in entry.project.tracks if not 1 <= i <= most]
    if wrong:
        raise FormatError(
            f"Object {wrong[0]} of {entry.name!r} does not fit {what}, which holds numbers 1 to {most}; number the "
            "objects anew (--renumber), or choose another format when there are more."
        )


def label_images(entry: Entry) -> Iterator[tuple[int, Labels]]:
    """For each frame on which anything is known, its index and the objects' numbers, uint8 (h, w).

    Where masks overlap, the object of lowest number keeps the pixels.
    """
    found = masks_by_frame(entry)
    known = {index for track in entry.project.tracks.values() for index in track.frames}
    for index in sorted(known):
        image = np.zeros(entry.project.video.size.hw, dtype=np.uint8)
        for number, mask in sorted(found.get(index, {}).items(), reverse=True):
            image[rle.decode(mask)] = number
        yield index, image
