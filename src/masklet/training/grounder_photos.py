"""Photos that the embedded grounder learns from, with the names of their masks where the shards give names.

Read apart from ``masklet.training.data``, whose records are about masks without names.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from masklet.errors import TrainingError
from masklet.training.data import CLIP_LIST, HELD_OUT_SUFFIX, decode_mask, decode_rgb

SHARDS = ("photos-1", "photos-2", "pets", "backgrounds", "davis-train")
HELD_OUT_SHARD = f"photos{HELD_OUT_SUFFIX}"

QUOTAS: Mapping[str, int] = MappingProxyType(
    {
        "coco": 200,
        "coco-person": 90,
        "bsds": 60,
        "ccp": 80,
        "human": 30,
        "car-parts": 40,
        "camvid": 20,
        "pets": 70,
        "imagenet": 160,
        "coco-unlabelled": 220,
        "davis": 24,
        "leaves": 4,
        "nuclei": 4,
        "cigarette": 8,
        "face": 8,
    }
)
"""The most photos of each source: sources that show one thing are thinned, others are taken whole."""

ALL_LABELLED = "coco"
"""The source in which people outlined every object, so that no teacher is asked."""
_ENLARGED_PART = 0.6
_SHOWN_LARGE = (
    "pets",
    "leaves",
    "nuclei",
    "cigarette",
    "face",
)  # small pictures, or of one thing that fills them
_NUM_EARLY = 100  # photos outlined by people that come before twice as many others
_FRAME_STEP = 10  # frames of a clip that lie closer say the same


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NamedPhoto:
    """One photo, not yet decoded.

    Attributes:
        source: Name of its data source.
        name: Name of the photo within the source.
        kind: "instances", "regions", "parts", "foreground", or "" without masks.
        size_hw: Height and width of the masks in pixels; (0, 0) without masks.
        encoded: Compressed image.
        counts: One compressed run-length string per mask.
        names: Name of each mask as the shard gives it, "" where it gives none.
        window: Left, top and side in pixels of the square part that is meant; None for the whole photo.
    """

    source: str
    name: str
    kind: str
    size_hw: tuple[int, int]
    encoded: bytes
    counts: tuple[bytes, ...] = ()
    names: tuple[str, ...] = ()
    window: tuple[int, int, int] | None = None

    @property
    def key(self) -> str:
        """Unique among all photos and their windows."""
        place = "" if self.window is None else "@" + "-".join(map(str, self.window))
        return f"{self.source}/{self.name}{place}"

    def image(self) -> np.ndarray:
        """RGB uint8 (h, w, 3)."""
        return self._part(decode_rgb(self.encoded))

    def mask(self, index: int) -> np.ndarray:
        """One mask, uint8 0 or 1, (h, w)."""
        return self._part(decode_mask(self.counts[index], self.size_hw))

    def _part(self, pixels: np.ndarray) -> np.ndarray:
        if self.window is None:
            return pixels
        left, top, side = self.window
        return pixels[top : top + side, left : left + side]


def read_training_photos(folder: Path, quotas: Mapping[str, int] = QUOTAS) -> list[NamedPhoto]:
    """Photos for training, spread evenly over each source, in the order of their keys.

    Args:
        folder: Folder with the packed shards; those that are missing are left out.
        quotas: The most photos of each source.

    Raises:
        TrainingError: When the folder holds none of the shards, or one is damaged.
    """
    paths = [path for name in SHARDS if (path := folder / f"{name}.tar").is_file()]
    if not paths:
        raise TrainingError(
            f"{folder} holds none of the shards {', '.join(SHARDS)} (*.tar); give the folder of the packed data."
        )
    by_source: dict[str, list[NamedPhoto]] = {}
    for path in paths:
        for photo in _read_photos(path):
            by_source.setdefault(photo.source, []).append(photo)
    chosen = [
        photo for source, photos in by_source.items() for photo in _spread(photos, quotas.get(source, 0))
    ]
    return sorted(chosen, key=lambda one: one.key)


def square_windows(photo: NamedPhoto) -> list[NamedPhoto]:
    """Square parts of a photo: the network is shown objects undistorted, as they are and enlarged.

    Where people outlined everything, both ends and five parts of .6 of the shorter side; else the middle, and one such part.

    Args:
        photo: A whole photo.
    """
    height, width = photo.image().shape[:2]
    side = min(height, width)
    part = max(1, round(_ENLARGED_PART * side))
    if photo.source == ALL_LABELLED:
        whole = ((0, 0, side), (width - side, height - side, side))
        middles = ((0.1, 0.1), (0.9, 0.1), (0.1, 0.9), (0.9, 0.9), (0.5, 0.5))
    else:
        whole = (((width - side) // 2, (height - side) // 2, side),)
        # anywhere, but always there
        generator = np.random.default_rng(list(photo.key.encode()))
        middles = () if photo.source in _SHOWN_LARGE else (tuple(generator.random(2)),)
    parts = ((round(x * (width - part)), round(y * (height - part)), part) for x, y in middles)
    return [replace(photo, window=window) for window in dict.fromkeys((*whole, *parts))]


def read_held_out_photos(folder: Path) -> list[NamedPhoto]:
    """Every held-out photo, for measuring only.

    Raises:
        TrainingError: When the shard is missing or damaged.
    """
    return sorted(_read_photos(folder / f"{HELD_OUT_SHARD}.tar"), key=lambda one: one.key)


def _spread(photos: list[NamedPhoto], most: int) -> list[NamedPhoto]:
    """At most so many, at even distances."""
    photos = sorted(photos, key=lambda one: one.key)
    if len(photos) <= most:
        return photos
    return [photos[int(place)] for place in np.linspace(0, len(photos) - 1, most)] if most else []


def _read_photos(path: Path) -> Iterator[NamedPhoto]:
    try:
        with tarfile.open(path) as archive:
            members = {
                one.name: handle.read()
                for one in archive
                if one.isfile() and (handle := archive.extractfile(one)) is not None
            }
    except (OSError, tarfile.TarError) as error:
        raise TrainingError(
            f"Shard {path} cannot be read ({error}); give a folder with whole tar shards."
        ) from error
    is_clips = any(Path(name).name == CLIP_LIST for name in members)
    yield from _frames_of(members) if is_clips else _stills_of(members, path)


def _frames_of(members: Mapping[str, bytes]) -> Iterator[NamedPhoto]:
    for name in sorted(members):
        path = Path(name)
        if path.suffix == ".webp" and int(path.stem) % _FRAME_STEP == 0:
            yield NamedPhoto(
                source="davis",
                name=f"{path.parent.name}-{path.stem}",
                kind="",
                size_hw=(0, 0),
                encoded=members[name],
            )


def _stills_of(members: Mapping[str, bytes], path: Path) -> Iterator[NamedPhoto]:
    for name in sorted(members):
        if not name.endswith(".webp"):
            continue
        listing = members.get(Path(name).with_suffix(".json").as_posix())
        try:
            found = {} if listing is None else json.loads(listing)
            counts = tuple(one.encode() for one in found.get("rle", ()))
            height, width = found.get("size", (0, 0))
            names = tuple(map(str, found.get("labels") or [""] * len(counts)))
            kind = str(found.get("kind", ""))
        except (ValueError, TypeError, AttributeError) as error:
            raise TrainingError(
                f"The masks of {name} in {path} cannot be used ({error}); pack it again."
            ) from error
        yield NamedPhoto(
            source=Path(name).parts[0],
            name=Path(name).stem,
            kind=kind,
            size_hw=(int(height), int(width)),
            encoded=members[name],
            counts=counts,
            names=names,
        )


def in_training_order(photos: list[NamedPhoto], seed: int = 0) -> list[NamedPhoto]:
    """Shuffled, so that the first of them are a fair sample; those in which people outlined everything come early.

    Args:
        photos: Photos of all sources.
        seed: Of the shuffle.
    """
    order = np.random.default_rng(seed).permutation(len(photos))
    shuffled = [photos[int(place)] for place in order]
    outlined = [one for one in shuffled if one.source == "coco"]
    others = [one for one in shuffled if one.source != "coco"]
    return [
        *outlined[:_NUM_EARLY],
        *others[: 2 * _NUM_EARLY],
        *outlined[_NUM_EARLY:],
        *others[2 * _NUM_EARLY :],
    ]
