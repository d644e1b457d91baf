"""Common data sets as they come, for training: COCO JSON, DAVIS folders and SA-V clips.

Masks are read by the readers of evaluation and of the label formats; here they become records to draw from.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import FormatError, TrainingError
from masklet.evaluation.layouts import read_id_maps
from masklet.formats.coco import read_segmentation
from masklet.geometry import Size
from masklet.masks import rle
from masklet.training.data import (
    ClipRecord,
    EncodedFrames,
    Shards,
    StillRecord,
    measured_clip,
    measured_still,
    read_encoded,
)
from masklet.video.reader import open_video

_SAV_STRIDE = 4  # SA-V masks are given on every fourth frame of the video
_IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp"})


@dataclass(frozen=True, slots=True)
class VideoFrames:
    """Frames of a video file, every ``stride``-th one.

    Attributes:
        path: Video file.
        stride: Frames of the video from one index to the next, at least 1.
    """

    path: Path
    stride: int = 1

    def read(self, indices: Sequence[int]) -> list[np.ndarray]:
        """RGB uint8 (h, w, 3) frames, in the order asked for."""
        numbers = [index * self.stride for index in indices]
        with open_video(self.path) as video:
            if max(numbers) >= video.num_frames:
                raise TrainingError(
                    f"Training video {self.path} has {video.num_frames} frames but its masks name frame "
                    f"{max(numbers)}; remove the clip or fetch it again."
                )
            found = {number: video.read(number).image for number in sorted(set(numbers))}
        return [found[number] for number in numbers]


def open_coco(annotations: Path, images: Path, *, source: str = "coco") -> Shards:
    """Read stills from a COCO instance file and its folder of images.

    Args:
        annotations: JSON file with ``images`` and ``annotations``.
        images: Folder that the file names are relative to.
        source: Name given to the source.

    Raises:
        TrainingError: When the file cannot be parsed, or no image has a mask.
    """
    listing = _parsed(annotations)
    try:
        by_image: dict[int, list[Mapping[str, Any]]] = {}
        for one in listing["annotations"]:
            by_image.setdefault(one["image_id"], []).append(one)
        records = [
            _coco_still(entry, by_image[entry["id"]], images, source)
            for entry in listing["images"]
            if entry["id"] in by_image
        ]
    except (KeyError, TypeError, ValueError, FormatError) as error:
        raise TrainingError(
            f"{annotations} is not a COCO instance file ({error!r}); give one with images and annotations."
        ) from error
    kept = tuple(record for record in records if record.counts)
    if not kept:
        raise TrainingError(f"{annotations} holds no mask; give a COCO file with segmentations.")
    return Shards(stills={source: kept})


def _coco_still(
    entry: Mapping[str, Any], annotations: Iterable[Mapping[str, Any]], images: Path, source: str
) -> StillRecord:
    size_hw = int(entry["height"]), int(entry["width"])
    single = [one for one in annotations if not one.get("iscrowd", 0) and one.get("segmentation")]
    return measured_still(
        source=source,
        name=Path(entry["file_name"]).stem,
        kind="instances",
        size_hw=size_hw,
        encoded=images / entry["file_name"],
        counts=[coco_counts(one["segmentation"], size_hw) for one in single],
    )


def coco_counts(
    segmentation: Sequence[Sequence[float]] | Mapping[str, Any], size_hw: tuple[int, int]
) -> bytes:
    """Compressed counts of a COCO segmentation: polygons, plain counts or compressed counts."""
    mask = read_segmentation(segmentation, Size(*size_hw), "an annotation")
    return rle.empty(Size(*size_hw)).counts if mask is None else mask.counts


def open_davis(folder: Path, *, clips: Sequence[str] | None = None, source: str = "davis") -> Shards:
    """Read clips from a DAVIS folder: ``JPEGImages/<size>/<clip>`` beside ``Annotations/<size>/<clip>``.

    Args:
        folder: Folder that holds both.
        clips: Names of the clips to read, as listed in a split; all when left out.
        source: Name given to the source.

    Raises:
        TrainingError: When no clip is found, or a mask has no frame of the same name and size.
    """
    found = [path for path in sorted((folder / "Annotations").glob("*/*")) if path.is_dir()]
    if clips is not None:
        missing = sorted(set(clips) - {path.name for path in found})
        if missing:
            raise TrainingError(f"Clips {', '.join(missing)} are not in {folder}; name clips that are there.")
        found = [path for path in found if path.name in set(clips)]
    if not found:
        raise TrainingError(
            f"{folder} holds no Annotations/<size>/<clip> folder; give the folder above Annotations."
        )
    records = (_davis_clip(folder, path, source) for path in found)
    return Shards(clips={source: tuple(record for record in records if record is not None)})


def _davis_clip(folder: Path, annotations: Path, source: str) -> ClipRecord | None:
    """A clip, or None when it shows no object."""
    images = folder / "JPEGImages" / annotations.parent.name / annotations.name
    by_stem = {path.stem: path for path in sorted(images.glob("*")) if path.suffix.lower() in _IMAGE_SUFFIXES}
    masks = sorted(annotations.glob("*.png"))
    missing = [path.stem for path in masks if path.stem not in by_stem]
    if missing or not masks:
        raise TrainingError(
            f"Clip {annotations.name} has {len(masks)} masks, {len(missing)} of them without a frame in "
            f"{images}; restore the frames or remove the clip."
        )
    problems: list[str] = []
    layers = list(read_id_maps(annotations, annotations.name, problems).values())
    if problems:
        raise TrainingError(f"A mask cannot be used ({problems[0]}); restore or remove it.")
    if not layers:
        return None
    names = [path.stem for path in masks]
    return measured_clip(
        source=source,
        name=annotations.name,
        size_hw=layers[0][names[0]].size.hw,
        frames=EncodedFrames(tuple(by_stem[name] for name in names)),
        counts=[[layer[name].counts for layer in layers] for name in names],
    )


def open_sav(folder: Path, *, source: str = "sav") -> Shards:
    """Read SA-V clips: each ``<id>.mp4`` beside ``<id>_manual.json`` or ``<id>_auto.json``.

    Manual masks are preferred. Listings are read at once and videos when drawn, so give one part of the data
    set.

    Raises:
        TrainingError: When no clip is found or a listing cannot be parsed.
    """
    clips = []
    for video in sorted(folder.rglob("*.mp4")):
        listings = [video.with_name(f"{video.stem}_{kind}.json") for kind in ("manual", "auto")]
        listing = next((path for path in listings if path.is_file()), None)
        if listing is not None:
            clips.append(_sav_clip(video, listing, source))
    if not clips:
        raise TrainingError(
            f"{folder} holds no .mp4 beside a _manual.json or _auto.json; give an SA-V folder."
        )
    return Shards(clips={source: tuple(clips)})


def _sav_clip(video: Path, listing: Path, source: str) -> ClipRecord:
    content = _parsed(listing)
    try:
        size_hw = int(content["video_height"]), int(content["video_width"])
        rows = [[coco_counts(run, size_hw) for run in row] for row in content["masklet"]]
    except (KeyError, TypeError, ValueError, FormatError) as error:
        raise TrainingError(f"{listing} is not an SA-V listing ({error!r}); remove the clip.") from error
    return measured_clip(
        source=source, name=video.stem, size_hw=size_hw, frames=VideoFrames(video, _SAV_STRIDE), counts=rows
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(read_encoded(path))
    except ValueError as error:
        raise TrainingError(f"{path} is not JSON ({error}); give a whole annotation file.") from error
    if not isinstance(content, dict):
        raise TrainingError(
            f"{path} holds a {type(content).__name__} but must hold an object; give another file."
        )
    return content
