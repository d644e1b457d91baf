"""One PNG per object and frame: ``<video>/<object>/<frame>.png``, black and white, as SA-V val and test have it.

A black picture says that the object is not seen, a missing one that nothing is known. Masks may overlap.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from masklet.errors import FormatError
from masklet.formats.builder import EntryBuilder
from masklet.formats.davis import frame_indices
from masklet.formats.label_set import LabelSet, seen
from masklet.formats.media import Media
from masklet.formats.paths import contain, unique_names
from masklet.formats.source import Source
from masklet.geometry import Size
from masklet.masks import rle
from masklet.video.image import read_indexed_png

NAME = "png"


def is_object_png(source: Source) -> bool:
    """Whether PNG without a palette stand in folders that are named by numbers."""
    if not source.is_folder:
        return False
    name = next(iter(source.with_suffix(".png")), "")
    parts = name.split("/")
    if len(parts) < 2 or not parts[-2].isdecimal() or not Path(name).stem.isdecimal():
        return False
    with contain(source.path, name).open("rb") as file:
        is_grey = file.read(26)[25:26] == b"\0"
    return is_grey or "Annotations_6fps" in source.path.parts or "Annotations_6fps" in parts


def read_object_png(source: Source, _media: Media | None) -> LabelSet:
    """Read a folder of PNG per object and frame.

    Raises:
        FormatError: When it holds none, an object's folder is no number, or sizes of a video differ.
        MediaError: When a PNG is damaged.
    """
    folders: dict[str, list[str]] = {}
    for name in source.with_suffix(".png"):
        folders.setdefault(name.rpartition("/")[0], []).append(name)
    videos: dict[str, EntryBuilder] = {}
    for folder, names in folders.items():
        above, _, number = folder.rpartition("/")
        if not (number.isascii() and number.isdecimal() and len(number) < 16):
            raise FormatError(f"The folder {number!r} of an object must be a whole number; rename it.")
        _read_object(source, videos, above.rpartition("/")[2] or source.name, int(number), names)
    return LabelSet(entries=tuple(one.finish({}) for _, one in sorted(videos.items())))


def _read_object(
    source: Source, videos: dict[str, EntryBuilder], video: str, number: int, names: list[str]
) -> None:
    indices = frame_indices([Path(name).stem for name in names])
    for index, name in zip(indices, names, strict=True):
        mask = read_indexed_png(contain(source.path, name)) > 0
        size = Size(*mask.shape)
        builder = videos.setdefault(video, EntryBuilder(format=NAME, name=video, size=size))
        if builder.size != size:
            raise FormatError(f"{name} is {size.hw} but the video begins with {builder.size.hw} (h, w).")
        builder.add(number, seen(index, rle.encode(mask)))


def write_object_png(labels: LabelSet, out: Path, _media: Media | None) -> None:
    """Write a folder of PNG per object and frame."""
    names = unique_names(one.name for one in labels.entries)
    for name, entry in zip(names, labels.entries, strict=True):
        for track in entry.project.tracks.values():
            folder = out / name / f"{track.object_id:03d}"
            folder.mkdir(parents=True)
            for index, found in track.frames.items():
                picture = found.mask(entry.project.video.size).astype(np.uint8) * 255
                PillowImage.fromarray(picture).save(folder / f"{index:05d}.png")
