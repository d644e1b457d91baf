"""Training records: stills, cut-outs, backgrounds and clips, kept as compressed bytes and decoded when drawn.

A packed folder holds tar shards. A still is ``<source>/<id>.webp`` beside ``<source>/<id>.json`` with its
masks, a cut-out is an image with alpha, a background is an image alone, and a clip is a folder of frames with
``masks.json``.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from masklet.errors import FormatError, TrainingError
from masklet.geometry import Size
from masklet.masks.rle import RLE

HELD_OUT_SUFFIX = "-dev"
CUTOUT_SHARD = "cutouts"
BACKGROUND_SHARD = "backgrounds"
CLIP_LIST = "masks.json"
_IMAGE_FORMATS = ("WEBP", "JPEG", "PNG")
_MAX_PIXELS = 64_000_000

_Record = TypeVar("_Record")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TrainClip:
    """One training sample: frames and the masks of the objects followed in them.

    Attributes:
        frames: RGB, uint8, (t, side, side, 3).
        masks: Visible pixels, bool, (t, n, side, side); object k is the same through time and never empty on
            frame 0.
        source: Name of the data source it was drawn from.
    """

    frames: np.ndarray
    masks: np.ndarray
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StillRecord:
    """A still image with masks, not yet decoded.

    Attributes:
        source: Name of its data source.
        name: Name of the image within the source.
        kind: "instances", "regions", "parts" or "foreground".
        size_hw: Height and width in pixels.
        encoded: Compressed image, as bytes or as a file.
        counts: One compressed COCO run-length string per mask.
        areas: Pixels of each mask, (n,).
        boxes_xywh: Box of each mask, (n, 4).
    """

    source: str
    name: str
    kind: str
    size_hw: tuple[int, int]
    encoded: bytes | Path
    counts: tuple[bytes, ...]
    areas: np.ndarray
    boxes_xywh: np.ndarray

    def image(self) -> np.ndarray:
        """Decode the image as RGB uint8 (h, w, 3)."""
        image = decode_rgb(self.encoded)
        if image.shape[:2] != self.size_hw:
            raise TrainingError(
                f"Image {self.source}/{self.name} is {image.shape[:2]} (h, w) but its masks are "
                f"{self.size_hw}; both must agree, repair or remove the record."
            )
        return image

    def mask(self, index: int) -> np.ndarray:
        """Decode one mask as uint8 0 or 1, (h, w)."""
        return decode_mask(self.counts[index], self.size_hw)


class FrameReader(Protocol):
    """Gives frames of one clip by their index."""

    def read(self, indices: Sequence[int]) -> list[np.ndarray]:
        """RGB uint8 (h, w, 3) frames, in the order asked for."""
        ...


@dataclass(frozen=True, slots=True)
class EncodedFrames:
    """Frames kept as compressed images, in memory or as files."""

    encoded: tuple[bytes | Path, ...]

    def read(self, indices: Sequence[int]) -> list[np.ndarray]:
        """RGB uint8 (h, w, 3) frames, in the order asked for."""
        return [decode_rgb(self.encoded[index]) for index in indices]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipRecord:
    """A clip with masks, not yet decoded.

    Attributes:
        source: Name of its data source.
        name: Name of the clip within the source.
        size_hw: Height and width in pixels.
        frames: Gives the annotated frames by index.
        counts: Per annotated frame, one compressed COCO run-length string per object; b"" where it is absent.
        is_present: Whether object n has pixels on frame t, bool (t, n).
    """

    source: str
    name: str
    size_hw: tuple[int, int]
    frames: FrameReader
    counts: tuple[tuple[bytes, ...], ...]
    is_present: np.ndarray

    @property
    def num_frames(self) -> int:
        """How many annotated frames the clip has."""
        return len(self.counts)

    def mask(self, frame: int, index: int) -> np.ndarray:
        """Decode the mask of one object on one frame as uint8 0 or 1, (h, w)."""
        counts = self.counts[frame][index]
        return decode_mask(counts, self.size_hw) if counts else np.zeros(self.size_hw, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Shards:
    """Everything that can be drawn for training, by source.

    Attributes:
        stills: Stills with masks, by source.
        clips: Clips with masks, by source.
        cutouts: Compressed RGBA images with exact alpha.
        backgrounds: Compressed photographs without masks.
    """

    stills: Mapping[str, tuple[StillRecord, ...]] = field(default_factory=dict)
    clips: Mapping[str, tuple[ClipRecord, ...]] = field(default_factory=dict)
    cutouts: tuple[bytes | Path, ...] = ()
    backgrounds: tuple[bytes | Path, ...] = ()

    def merged(self, other: Shards) -> Shards:
        """Both collections as one; sources of the same name are joined."""
        return Shards(
            stills=_joined(self.stills, other.stills),
            clips=_joined(self.clips, other.clips),
            cutouts=self.cutouts + other.cutouts,
            backgrounds=self.backgrounds + other.backgrounds,
        )


def _joined(
    first: Mapping[str, tuple[_Record, ...]], second: Mapping[str, tuple[_Record, ...]]
) -> dict[str, tuple[_Record, ...]]:
    names = dict.fromkeys([*first, *second])
    return {name: (*first.get(name, ()), *second.get(name, ())) for name in names}


def read_encoded(encoded: bytes | Path) -> bytes:
    """The compressed bytes, read from the file when a path is given."""
    if isinstance(encoded, bytes):
        return encoded
    try:
        return encoded.read_bytes()
    except OSError as error:
        raise TrainingError(
            f"Training image {encoded} cannot be read ({error}); restore or remove it."
        ) from error


def decode_rgb(encoded: bytes | Path) -> np.ndarray:
    """Decode a compressed image as RGB uint8 (h, w, 3).

    Raises:
        TrainingError: When the bytes are not an image of an allowed format and size.
    """
    return _decoded(encoded, "RGB")


def decode_rgba(encoded: bytes | Path) -> np.ndarray:
    """Decode a compressed image as RGBA uint8 (h, w, 4); without alpha it is opaque.

    Raises:
        TrainingError: When the bytes are not an image of an allowed format and size.
    """
    return _decoded(encoded, "RGBA")


def _decoded(encoded: bytes | Path, mode: str) -> np.ndarray:
    """Decode as stored: masks belong to the stored pixels, so an orientation tag is left alone."""
    name = (
        f"A training image of {len(encoded)} bytes"
        if isinstance(encoded, bytes)
        else f"Training image {encoded}"
    )
    try:
        with Image.open(BytesIO(read_encoded(encoded)), formats=_IMAGE_FORMATS) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise TrainingError(
                    f"{name} is {image.height} by {image.width} (h, w) but at most {_MAX_PIXELS} pixels are "
                    "allowed; shrink it with its masks."
                )
            return np.array(image.convert(mode) if image.mode != mode else image)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        raise TrainingError(
            f"{name} is not a readable {', '.join(_IMAGE_FORMATS)} ({error}); repair or remove it."
        ) from error


def decode_mask(counts: bytes, size_hw: tuple[int, int]) -> np.ndarray:
    """Decode compressed COCO run-length counts as uint8 0 or 1, (h, w)."""
    return np.ascontiguousarray(coco_mask.decode({"size": list(size_hw), "counts": counts}))


def checked_counts(counts: bytes, size_hw: tuple[int, int]) -> bytes:
    """The counts, found whole before compiled code sees them.

    Raises:
        TrainingError: When the counts are damaged or do not fill the size.
    """
    try:
        return RLE(Size(*size_hw), counts).counts
    except FormatError as error:
        raise TrainingError(f"A training mask cannot be used: {error}") from error


def measured_still(
    *,
    source: str,
    name: str,
    kind: str,
    size_hw: tuple[int, int],
    encoded: bytes | Path,
    counts: Sequence[bytes],
) -> StillRecord:
    """A still record with the area and box of each mask measured; empty masks are left out."""
    checked = [checked_counts(one, size_hw) for one in counts]
    runs = [{"size": list(size_hw), "counts": one} for one in checked]
    areas = coco_mask.area(runs).astype(np.float32) if runs else np.zeros(0, np.float32)
    boxes = coco_mask.toBbox(runs).astype(np.float32).reshape(-1, 4) if runs else np.zeros((0, 4), np.float32)
    keep = areas > 0
    return StillRecord(
        source=source,
        name=name,
        kind=kind,
        size_hw=size_hw,
        encoded=encoded,
        counts=tuple(one for one, is_kept in zip(checked, keep, strict=True) if is_kept),
        areas=areas[keep],
        boxes_xywh=boxes[keep],
    )


def open_shards(folder: Path, *, names: Sequence[str] | None = None) -> Shards:
    """Read the tar shards of a packed folder, keeping compressed bytes in memory.

    Args:
        folder: Folder with ``*.tar`` shards.
        names: Shards to read, without ``.tar``; all but the held-out ones when left out.

    Raises:
        TrainingError: When a shard is missing, damaged or held out, or when no shard is there.
    """
    if names is None:
        names = sorted(path.stem for path in folder.glob("*.tar") if not path.stem.endswith(HELD_OUT_SUFFIX))
    if not names:
        raise TrainingError(
            f"No training shard (*.tar) was found in {folder}; give a folder that holds them."
        )
    shards = Shards()
    for name in names:
        if name.endswith(HELD_OUT_SUFFIX):
            raise TrainingError(
                f"Shard {name} is held out for measuring; training takes other shards, leave it out."
            )
        shards = shards.merged(_read_shard(folder / f"{name}.tar"))
    return shards


def _read_shard(path: Path) -> Shards:
    try:
        with tarfile.open(path) as archive:
            members = {
                member.name: handle.read()
                for member in archive
                if member.isfile() and (handle := archive.extractfile(member)) is not None
            }
    except (OSError, tarfile.TarError) as error:
        raise TrainingError(
            f"Shard {path} cannot be read ({error}); give a folder with whole tar shards."
        ) from error
    if path.stem == CUTOUT_SHARD:
        return Shards(cutouts=tuple(members[name] for name in sorted(members)))
    if path.stem == BACKGROUND_SHARD:
        return Shards(backgrounds=tuple(members[name] for name in sorted(members)))
    if any(Path(name).name == CLIP_LIST for name in members):
        return Shards(clips=_packed_clips(members, source=path.stem.removesuffix("-train")))
    return Shards(stills=_packed_stills(members, path))


def _packed_stills(members: Mapping[str, bytes], path: Path) -> dict[str, tuple[StillRecord, ...]]:
    found: dict[str, list[StillRecord]] = {}
    for name in sorted(members):
        image_name = Path(name).with_suffix(".webp").as_posix()
        if not name.endswith(".json") or image_name not in members:
            continue
        try:
            listing = json.loads(members[name])
            record = measured_still(
                source=Path(name).parts[0],
                name=Path(name).stem,
                kind=listing["kind"],
                size_hw=_size_hw(listing),
                encoded=members[image_name],
                counts=[one.encode() for one in listing["rle"]],
            )
        except (ValueError, KeyError, TypeError) as error:
            raise TrainingError(
                f"Masks {name} in {path} cannot be used ({error}); pack the shard again."
            ) from error
        if record.counts:
            found.setdefault(record.source, []).append(record)
    return {source: tuple(records) for source, records in found.items()}


def _packed_clips(members: Mapping[str, bytes], *, source: str) -> dict[str, tuple[ClipRecord, ...]]:
    clips = []
    for name in sorted(members):
        if Path(name).name != CLIP_LIST:
            continue
        folder = Path(name).parent.as_posix()
        listing = json.loads(members[name])
        frames = [members[other] for other in sorted(members) if Path(other).parent.as_posix() == folder]
        frames.pop()  # the list of masks sorts behind the numbered frames
        counts = [(one.encode(),) for one in listing["rle"]]
        if len(frames) != len(counts):
            raise TrainingError(
                f"Clip {folder} has {len(frames)} frames but {len(counts)} masks; give one mask per frame."
            )
        clips.append(
            measured_clip(
                source=source,
                name=folder,
                size_hw=_size_hw(listing),
                frames=EncodedFrames(tuple(frames)),
                counts=counts,
            )
        )
    return {source: tuple(clips)}


def measured_clip(
    *,
    source: str,
    name: str,
    size_hw: tuple[int, int],
    frames: FrameReader,
    counts: Iterable[Sequence[bytes]],
) -> ClipRecord:
    """A clip record with the presence of each object on each frame measured."""
    rows = tuple(tuple(checked_counts(one, size_hw) if one else one for one in row) for row in counts)
    areas = [
        [coco_mask.area({"size": list(size_hw), "counts": one}) if one else 0 for one in row] for row in rows
    ]
    return ClipRecord(
        source=source,
        name=name,
        size_hw=size_hw,
        frames=frames,
        counts=rows,
        is_present=np.asarray(areas) > 0,
    )


def _size_hw(listing: Mapping[str, Sequence[int]]) -> tuple[int, int]:
    height, width = listing["size"]
    return int(height), int(width)
