"""Data sets in folders, as DAVIS and SA-V are handed out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from masklet.errors import FormatError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.images import IMAGE_SUFFIXES, decode_rgb, read_index_map
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import ByteArray, IntArray

_VOID = 255


def read_davis(root: Path, *, names: Sequence[str] | None = None, resolution: str = "480p") -> Iterator[Clip]:
    """Clips of a DAVIS folder: ``JPEGImages/<resolution>/<clip>`` and ``Annotations/<resolution>/<clip>``.

    In indexed PNG every index but 0 and 255 (void) is an object; in grey PNG everything but 0 is object 1.

    Args:
        root: The folder that holds JPEGImages and Annotations.
        names: Which clips, such as the lines of ImageSets/2017/val.txt; None for all.
        resolution: Name of the folder between.

    Yields:
        Clips in the order of their names.

    Raises:
        FormatError: When a folder, frame or mask is missing or damaged.
    """
    for name, images in _folder_clips(root / "JPEGImages" / resolution, names):
        annotations = _by_stem(root / "Annotations" / resolution / name)
        indexed = [_index_map(annotations, image) for image in images]
        size = _common_size(indexed, name)
        ids = sorted(
            {int(i) for found in indexed if found is not None for i in np.unique(found)} - {0, _VOID}
        )
        truth = {i: tuple(None if f is None else rle.encode(f == i) for f in indexed) for i in ids}
        yield Clip(
            name=name, size=size, num_frames=len(images), truth=truth, read_frame=_IndexedFiles(tuple(images))
        )


def read_sav(root: Path, *, names: Sequence[str] | None = None) -> Iterator[Clip]:
    """Clips of SA-V val or test: ``JPEGImages_24fps/<clip>`` and ``Annotations_6fps/<clip>/<object>``.

    Args:
        root: The folder that holds JPEGImages_24fps and Annotations_6fps.
        names: Which clips; None for all.

    Yields:
        Clips in the order of their names; three frames of four have no annotation.

    Raises:
        FormatError: When a folder, frame or mask is missing or damaged.
    """
    for name, images in _folder_clips(root / "JPEGImages_24fps", names):
        objects = sorted(folder for folder in _listed(root / "Annotations_6fps" / name) if folder.is_dir())
        masks: dict[int, list[IntArray | None]] = {}
        for folder in objects:
            annotations = _by_stem(folder)
            if not folder.name.isdecimal():
                raise FormatError(f"The object folder {folder.name} of {name} must be a whole number.")
            masks[int(folder.name)] = [_index_map(annotations, image) for image in images]
        size = _common_size([found for frames in masks.values() for found in frames], name)
        truth = {
            object_id: tuple(None if found is None else rle.encode(found > 0) for found in frames)
            for object_id, frames in masks.items()
        }
        yield Clip(
            name=name, size=size, num_frames=len(images), truth=truth, read_frame=_IndexedFiles(tuple(images))
        )


@dataclass(frozen=True, slots=True)
class _IndexedFiles:
    """Frames of a folder."""

    paths: tuple[Path, ...]

    def __call__(self, index: int) -> ByteArray:
        return decode_rgb(self.paths[index].read_bytes(), self.paths[index].name)


def _folder_clips(root: Path, names: Sequence[str] | None) -> Iterator[tuple[str, list[Path]]]:
    """Names of clips and their images in order."""
    wanted = (
        sorted(folder.name for folder in _listed(root) if folder.is_dir()) if names is None else sorted(names)
    )
    for name in wanted:
        if Path(name).name != name:
            raise FormatError(f"A clip is named by one folder name, got {name!r}.")
        images = sorted(path for path in _listed(root / name) if path.suffix.lower() in IMAGE_SUFFIXES)
        if not images:
            raise FormatError(f"The clip {name} has no frames.")
        yield name, images


def _listed(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FormatError(
            f"The data set has no folder {folder.parent.name}/{folder.name}; check its root folder."
        )
    return list(folder.iterdir())


def _by_stem(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in _listed(folder) if path.suffix.lower() == ".png"}


def _index_map(annotations: Mapping[str, Path], image: Path) -> IntArray | None:
    """Object index of each pixel, (h, w), or None where the frame has no annotation."""
    path = annotations.get(image.stem)
    return None if path is None else read_index_map(path)


def _common_size(index_maps: Sequence[IntArray | None], name: str) -> Size:
    """The one size of all annotations of a clip."""
    shapes = {found.shape for found in index_maps if found is not None}
    if len(shapes) != 1:
        raise FormatError(f"The annotations of {name} must have one size, got {sorted(shapes)} (h, w).")
    height, width = shapes.pop()
    return Size(height, width)
