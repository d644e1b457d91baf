"""Clips and photos with true masks, and their reader from packed tars. Images are decoded when asked for."""

from __future__ import annotations

import json
import tarfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from masklet.errors import FormatError
from masklet.evaluation.images import IMAGE_SUFFIXES, decode_rgb
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.masks.rle import RLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Clip:
    """A clip with true masks.

    Args:
        name: Name inside its data set.
        size: Size of every frame and mask.
        num_frames: Number of frames, at least 1.
        truth: For each object id one entry per frame: the mask (empty when the object is not there), or
            None where nobody annotated.
        read_frame: Decodes the frame of an index, RGB uint8 (h, w, 3).
        frame_names: File names of the frames without ending, or empty.
    """

    name: str
    size: Size
    num_frames: int
    truth: Mapping[int, Sequence[RLE | None]]
    read_frame: Callable[[int], ByteArray]
    frame_names: tuple[str, ...] = ()

    @property
    def object_ids(self) -> tuple[int, ...]:
        """Ids in ascending order."""
        return tuple(sorted(self.truth))

    def frame(self, index: int) -> ByteArray:
        """Decode a frame.

        Args:
            index: In [0, num_frames).

        Returns:
            RGB uint8 (h, w, 3).

        Raises:
            FormatError: When the image is damaged or has another size than the masks.
        """
        return _checked_size(self.read_frame(index), self.size, f"{self.name}, frame {index}")

    def frames(self) -> Iterator[ByteArray]:
        """Every frame in order."""
        return (self.frame(index) for index in range(self.num_frames))

    def mask(self, object_id: int, index: int) -> BoolArray | None:
        """The true mask, bool (h, w), or None where nobody annotated."""
        found = self.truth[object_id][index]
        return None if found is None else rle.decode(found)

    def first_frame(self, object_id: int) -> int | None:
        """Index of the first frame on which the object is seen, or None when it never is."""
        for index, found in enumerate(self.truth[object_id]):
            if found is not None and rle.area(found) > 0:
                return index
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Still:
    """A photo with true masks.

    Args:
        name: Name inside its source.
        source: The collection it comes from; results are averaged over sources.
        kind: What the masks are: "instances", "regions", "parts" or "foreground".
        size: Size of image and masks.
        masks: One mask per object; they may overlap.
        labels: One class name per mask, or empty.
        read_image: Decodes the photo, RGB uint8 (h, w, 3).
    """

    name: str
    source: str
    kind: str
    size: Size
    masks: tuple[RLE, ...]
    labels: tuple[str, ...]
    read_image: Callable[[], ByteArray]

    def image(self) -> ByteArray:
        """Decode the photo, RGB uint8 (h, w, 3).

        Raises:
            FormatError: When the image is damaged or has another size than the masks.
        """
        return _checked_size(self.read_image(), self.size, f"{self.source}/{self.name}")


def read_packed_clips(path: Path) -> Iterator[Clip]:
    """Clips of a tar that holds ``<clip>/<frame>.webp`` and ``<clip>/masks.json``.

    The JSON is ``{"size": [h, w], "rle": [...]}`` with one string of compressed counts per frame in the
    order of the file names, empty masks where the object is absent.

    Args:
        path: The tar.

    Yields:
        Clips in the order of their names, each with the one object 1.

    Raises:
        FormatError: When the tar or a part of it cannot be used.
    """
    archive = _Archive(path)
    for name, members in archive.folders():
        yield _packed_clip(archive, name, members)


def packed_clip_names(path: Path) -> list[str]:
    """Names of the clips of such a tar in order, whether or not they can be read.

    Raises:
        FormatError: When the tar cannot be read.
    """
    return [name for name, _ in _Archive(path).folders()]


def read_packed_clip(path: Path, name: str) -> Clip:
    """One clip of such a tar; see read_packed_clips.

    Raises:
        FormatError: When it is not there or cannot be used.
    """
    archive = _Archive(path)
    members = dict(archive.folders()).get(name)
    if members is None:
        raise FormatError(f"{path.name} has no clip {name}.")
    return _packed_clip(archive, name, members)


def _packed_clip(archive: _Archive, name: str, members: Sequence[str]) -> Clip:
    facts = archive.json(f"{name}/masks.json")
    size, masks = _packed_masks(facts, f"{name}/masks.json")
    images = [member for member in members if member.endswith(IMAGE_SUFFIXES)]
    if len(images) != len(masks) or not images:
        raise FormatError(
            f"The clip {name} of {archive.name} has {len(images)} frames and {len(masks)} masks; "
            "it must have one mask per frame and at least one frame."
        )
    return Clip(
        name=name,
        size=size,
        num_frames=len(images),
        truth={1: masks},
        read_frame=_IndexedImages(archive, tuple(images)),
        frame_names=tuple(Path(image).stem for image in images),
    )


def read_packed_stills(path: Path, problems: list[str] | None = None) -> Iterator[Still]:
    """Photos of a tar that holds ``<source>/<id>.webp`` and ``<source>/<id>.json``.

    The JSON is ``{"size": [h, w], "kind": "...", "rle": [...], "labels": [...]}``, labels being optional.

    Args:
        path: The tar.
        problems: Gets one sentence per photo that is missing or odd, which is left out then; with None the first one is
            an error.

    Yields:
        Photos in the order of their names.

    Raises:
        FormatError: When the tar cannot be used, or without ``problems`` a part of it.
    """
    archive = _Archive(path)
    for source, members in archive.folders():
        images = {name.rpartition(".")[0]: name for name in members if name.endswith(IMAGE_SUFFIXES)}
        if problems is not None:
            alone = [
                name for name in members if name.endswith(".json") and name[: -len(".json")] not in images
            ]
            problems.extend(f"{name}: its image is missing." for name in alone)
        for stem, member in images.items():
            try:
                yield _packed_still(archive, source, stem, member)
            except FormatError as error:
                if problems is None:
                    raise
                problems.append(f"{stem}: {error}")


def _packed_still(archive: _Archive, source: str, stem: str, member: str) -> Still:
    facts = archive.json(f"{stem}.json")
    size, masks = _packed_masks(facts, f"{stem}.json")
    return Still(
        name=stem.rpartition("/")[2],
        source=source,
        kind=str(facts.get("kind", "")),
        size=size,
        masks=masks,
        labels=_labels(facts.get("labels"), len(masks), f"{stem}.json"),
        read_image=_OneImage(archive, member),
    )


def thinned(clip: Clip, *, most: int | None = None, step: int = 1) -> Clip:
    """Every step-th frame of a clip, at most so many, or all of them.

    Args:
        clip: The clip.
        most: Most frames, at least 1, or None.
        step: From one frame to the next, at least 1.
    """
    kept = list(range(0, clip.num_frames, step))[:most]
    return replace(
        clip,
        num_frames=len(kept),
        truth={i: [masks[k] for k in kept] for i, masks in clip.truth.items()},
        read_frame=lambda index: clip.read_frame(kept[index]),
        frame_names=tuple(clip.frame_names[k] for k in kept) if clip.frame_names else (),
    )


def few_per_source(stills: Iterable[Still], most: int, max_masks: int | None) -> Iterator[Still]:
    """The first photos of each source, with masks spread over those of each photo.

    Args:
        stills: Photos in any order.
        most: Most photos of each source.
        max_masks: Most masks of each photo, at least 1, or None for all.
    """
    seen: dict[str, int] = {}
    for still in stills:
        seen[still.source] = seen.get(still.source, 0) + 1
        if seen[still.source] > most:
            continue
        step = 1 if max_masks is None else max(1, -(-len(still.masks) // max_masks))
        labels = still.labels[::step] if still.labels else still.labels
        yield replace(still, masks=still.masks[::step], labels=labels)


class _Archive:
    """Positions of the plain files of a tar; holds no file open."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with tarfile.open(path, "r:") as tar:
                self._places = {m.name: (m.offset_data, m.size) for m in tar if m.isfile()}
        except (OSError, tarfile.TarError) as error:
            raise FormatError(f"{path.name} cannot be read as an uncompressed tar: {error}.") from error

    @property
    def name(self) -> str:
        """File name of the tar."""
        return self._path.name

    def folders(self) -> list[tuple[str, list[str]]]:
        """Top folders and the sorted names of what they hold."""
        folders: dict[str, list[str]] = {}
        for name in sorted(self._places):
            folders.setdefault(name.partition("/")[0], []).append(name)
        return sorted(folders.items())

    def read(self, name: str) -> bytes:
        """The bytes of one member."""
        if name not in self._places:
            raise FormatError(f"{self._path.name} has no {name}; pack every image with its masks.")
        offset, length = self._places[name]
        with self._path.open("rb") as file:
            file.seek(offset)
            content = file.read(length)
        if len(content) != length:
            raise FormatError(f"{self._path.name} ends in the middle of {name}; copy it again.")
        return content

    def json(self, name: str) -> dict[str, object]:
        """One member as a JSON object."""
        try:
            value: object = json.loads(self.read(name))
        except (ValueError, RecursionError) as error:
            raise FormatError(f"{name} of {self._path.name} is not JSON: {error}.") from error
        if not isinstance(value, dict):
            raise FormatError(f"{name} of {self._path.name} must hold a JSON object.")
        return cast("dict[str, object]", value)


@dataclass(frozen=True, slots=True)
class _IndexedImages:
    """Frames of a packed clip; a value, so that a clip can be sent to another process."""

    archive: _Archive
    names: tuple[str, ...]

    def __call__(self, index: int) -> ByteArray:
        return decode_rgb(self.archive.read(self.names[index]), self.names[index])


@dataclass(frozen=True, slots=True)
class _OneImage:
    """A packed photo."""

    archive: _Archive
    name: str

    def __call__(self) -> ByteArray:
        return decode_rgb(self.archive.read(self.name), self.name)


def _packed_masks(facts: dict[str, object], where: str) -> tuple[Size, tuple[RLE, ...]]:
    """Size and masks of a packed JSON."""
    counts = facts.get("rle")
    if not isinstance(counts, list):
        raise FormatError(f'{where} must hold a list "rle" of compressed counts.')
    size = rle.size_from_json(facts.get("size"))
    size_hw = list(size.hw)
    items = cast("list[object]", counts)
    return size, tuple(rle.from_json({"size": size_hw, "counts": item}) for item in items)


def _labels(value: object, num_masks: int, where: str) -> tuple[str, ...]:
    """One class name per mask, or nothing."""
    if value is None:
        return ()
    items = cast("list[object]", value) if isinstance(value, list) else []
    if len(items) != num_masks:
        raise FormatError(f'{where} must hold one entry of "labels" per mask, or none at all.')
    return tuple(str(item) for item in items)


def _checked_size(image: ByteArray, size: Size, where: str) -> ByteArray:
    if image.shape[:2] != size.hw:
        raise FormatError(f"The image {where} is {image.shape[:2]} but its masks are {size.hw} (h, w).")
    return image
