"""Where data sets keep the truth: DAVIS, YouTube-VOS, MOSE, LVOS, SA-V and packed tars, read one clip at a time.

What is missing or damaged is left out and named; who cannot use a part of a clip refuses it by what was named. Images
need not be there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from masklet.errors import FormatError
from masklet.evaluation.datasets import Clip, packed_clip_names, read_packed_clip
from masklet.evaluation.images import IMAGE_SUFFIXES, decode_rgb, read_ids
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import ByteArray
from masklet.masks.id_maps import encode_ids
from masklet.masks.rle import RLE

LayoutName: TypeAlias = Literal["davis", "youtube-vos", "mose", "lvos", "sav", "packed"]

_RESOLUTIONS = ("480p", "Full-Resolution", "1080p")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadClip:
    """A clip with truth, and what was wrong with its files.

    Args:
        clip: The clip, without what could not be read.
        problems: One sentence per file that is missing or odd, each naming it.
    """

    clip: Clip
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipPlace:
    """Where one clip lies; a small value that can be sent to another process.

    Args:
        name: Folder name of the clip.
        annotations: Folder of its masks, or the tar for a packed clip.
        images: Folder of its frames; need not exist.
        is_by_object: Whether the masks lie in one folder per object.
    """

    name: str
    annotations: Path
    images: Path
    is_by_object: bool = False

    def read(self) -> ReadClip:
        """Read the truth; images are decoded when asked for.

        Raises:
            FormatError: When nothing of it can be used.
        """
        if self.annotations.is_file():
            return ReadClip(clip=read_packed_clip(self.annotations, self.name))
        problems: list[str] = []
        layers = self._layers(problems)
        names = self._frame_names()
        size = common_size(
            [found for layer in layers.values() for found in layer.values()], self.name, problems
        )
        truth = {
            object_id: tuple(_of_size(layer.get(name), size) for name in names)
            for object_id, layer in layers.items()
        }
        reader = _FramesByName(self.name, self.images, names)
        clip = Clip(
            name=self.name,
            size=size,
            num_frames=len(names),
            truth=truth,
            read_frame=reader,
            frame_names=names,
        )
        return ReadClip(clip=clip, problems=tuple(problems))

    def count_frames(self) -> int:
        """Number of frames, without reading any mask of a folder."""
        return self.read().clip.num_frames if self.annotations.is_file() else len(self._frame_names())

    def _layers(self, problems: list[str]) -> dict[int, dict[str, RLE]]:
        """For each object its mask by frame name."""
        if self.is_by_object:
            layers = dict(read_object_folders(self.annotations, self.name, problems))
        else:
            layers = read_id_maps(self.annotations, self.name, problems)
        if not any(layers.values()):
            raise FormatError(f"The clip {self.name} has no annotation that can be read.")
        return layers

    def _frame_names(self) -> tuple[str, ...]:
        """Names of all frames in order: of the images that are there and of the annotations, damaged or not."""
        annotated = self.annotations.glob("*/*.png" if self.is_by_object else "*.png")
        seen = self.images.iterdir() if self.images.is_dir() else ()
        images = [path for path in seen if path.suffix.lower() in IMAGE_SUFFIXES]
        return tuple(sorted({path.stem for path in [*annotated, *images]}))


def find_clips(
    root: Path, *, layout: LayoutName | None = None, names: Sequence[str] | None = None
) -> tuple[LayoutName, list[ClipPlace]]:
    """List the clips of a data set.

    Args:
        root: The folder of the data set, or a packed tar.
        layout: How it is laid out; None to see for oneself (YouTube-VOS, MOSE and LVOS look the same; they are
            taken for MOSE).
        names: Which clips; None for all.

    Returns:
        The layout, and the clips in the order of their names.

    Raises:
        FormatError: When there is no such data set or it has no clip of a wanted name.
    """
    if root.is_file():
        found = [ClipPlace(name=name, annotations=root, images=root) for name in packed_clip_names(root)]
        return "packed", _chosen(found, names)
    layout = layout or _recognised(root)
    if layout == "packed":
        raise FormatError(f"{root.name} is a folder; a packed data set is one tar.")
    annotations, images = _halves(root, layout)
    if not annotations.is_dir():
        raise FormatError(f"A data set in {layout} layout needs the folder {annotations.relative_to(root)}.")
    places = [
        ClipPlace(
            name=folder.name, annotations=folder, images=images / folder.name, is_by_object=layout == "sav"
        )
        for folder in sorted(annotations.iterdir())
        if folder.is_dir()
    ]
    return layout, _chosen(places, names)


def read_names(path: Path) -> list[str]:
    """Names of clips, one a line; of paths of frames, as DAVIS 2016 lists them, the names of their folders.

    Raises:
        FormatError: When the file cannot be read.
    """
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, ValueError) as error:
        raise FormatError(
            f"The list of names {path} cannot be read; give a text file with one a line."
        ) from error
    names = [word if "/" not in word else word.split("/")[-2] for word in words]
    return list(dict.fromkeys(names))


def read_id_maps(folder: Path, where: str, problems: list[str]) -> dict[int, dict[str, RLE]]:
    """Masks from one PNG of object ids per frame.

    Args:
        folder: Holds the PNGs.
        where: What to call the folder in problems.
        problems: Gets a sentence per file that cannot be used.

    Returns:
        For each id that occurs, in ascending order, its mask (perhaps empty) by frame name.
    """
    layers: dict[int, dict[str, RLE]] = {}
    sizes: dict[str, Size] = {}
    for path in sorted(folder.glob("*.png")):
        try:
            id_map = read_ids(path)
        except FormatError as error:
            problems.append(f"{where}/{path.name}: {error}")
            continue
        sizes[path.stem] = Size(*id_map.shape)
        for object_id, mask in encode_ids(id_map).items():
            layers.setdefault(object_id, {})[path.stem] = mask
    nothing = {size: rle.empty(size) for size in set(sizes.values())}
    return {
        object_id: {name: layers[object_id].get(name) or nothing[size] for name, size in sizes.items()}
        for object_id in sorted(layers)
    }


def read_object_folders(
    folder: Path, where: str, problems: list[str]
) -> Iterator[tuple[int, dict[str, RLE]]]:
    """Masks from one folder of PNGs per object, in which everything but 0 is the object; see read_id_maps."""
    for inner in sorted(path for path in folder.iterdir() if path.is_dir()):
        if not inner.name.isdecimal():
            problems.append(f"{where}/{inner.name}: the folder of an object must be a whole number.")
            continue
        masks: dict[str, RLE] = {}
        for path in sorted(inner.glob("*.png")):
            try:
                masks[path.stem] = rle.encode(read_ids(path) > 0)
            except FormatError as error:
                problems.append(f"{where}/{inner.name}/{path.name}: {error}")
        yield int(inner.name), masks


def common_size(masks: Sequence[RLE], where: str, problems: list[str]) -> Size:
    """The size that most masks have; others are named as problems.

    Raises:
        FormatError: When there is no mask.
    """
    if not masks:
        raise FormatError(f"The clip {where} has no annotation that can be read.")
    counts: dict[Size, int] = {}
    for mask in masks:
        counts[mask.size] = counts.get(mask.size, 0) + 1
    size = max(counts, key=lambda one: counts[one])
    problems.extend(
        f"{where}: {number} masks are {other.hw} and not {size.hw} (h, w); they are left out."
        for other, number in counts.items()
        if other != size
    )
    return size


@dataclass(frozen=True, slots=True)
class _FramesByName:
    """Frames of a folder, whatever their ending."""

    clip: str
    folder: Path
    names: tuple[str, ...]

    def __call__(self, index: int) -> ByteArray:
        for suffix in IMAGE_SUFFIXES:
            path = self.folder / f"{self.names[index]}{suffix}"
            if path.is_file():
                return decode_rgb(path.read_bytes(), path.name)
        raise FormatError(f"The clip {self.clip} has no image {self.names[index]}.")


def _recognised(root: Path) -> LayoutName:
    if not root.is_dir():
        raise FormatError(f"There is no data at {root}; give a packed tar or a folder.")
    if (root / "Annotations_6fps").is_dir():
        return "sav"
    if any((root / "Annotations" / one).is_dir() for one in _RESOLUTIONS):
        return "davis"
    return "mose"


def _halves(root: Path, layout: LayoutName) -> tuple[Path, Path]:
    """The folders of the annotations and of the images."""
    if layout == "sav":
        return root / "Annotations_6fps", root / "JPEGImages_24fps"
    if layout == "davis":
        for one in _RESOLUTIONS:
            if (root / "Annotations" / one).is_dir():
                return root / "Annotations" / one, root / "JPEGImages" / one
    return root / "Annotations", root / "JPEGImages"


def _chosen(places: list[ClipPlace], names: Sequence[str] | None) -> list[ClipPlace]:
    if names is None:
        return places
    by_name = {place.name: place for place in places}
    lost = [name for name in names if name not in by_name]
    if lost:
        raise FormatError(f"The data set has no clip {', '.join(lost[:5])}; check the list of names.")
    return [by_name[name] for name in sorted(set(names))]


def _of_size(mask: RLE | None, size: Size) -> RLE | None:
    return mask if mask is not None and mask.size == size else None
