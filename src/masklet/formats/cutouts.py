"""Cut-outs: one PNG with transparency per object and frame, cropped to the object's box."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image as PillowImage

from masklet.formats.label_set import Entry, LabelSet
from masklet.formats.media import Media, required
from masklet.formats.paths import unique_names
from masklet.formats.strips import masks_by_frame
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.video.source import Image


def write_cutouts(labels: LabelSet, out: Path, media: Media | None) -> None:
    """Write ``<video>/<object>/<frame>.png``; colours outside of the mask are black and transparent.

    Raises:
        FormatError: When no media were given, or they do not fit.
        MediaError: When a frame cannot be read.
    """
    found = required(media, "A cut-out")
    for name, entry in zip(unique_names(one.name for one in labels.entries), labels.entries, strict=True):
        for index, image, masks in frames_with_masks(entry, found):
            for object_id, mask in masks.items():
                path = out / name / f"{object_id:03d}" / f"{index:05d}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                PillowImage.fromarray(_cut(image, mask)).save(path)


def frames_with_masks(entry: Entry, media: Media) -> Iterator[tuple[int, Image, dict[int, RLE]]]:
    """Frames on which any object is seen: index, RGB uint8 (h, w, 3), and masks by object id.

    Raises:
        FormatError: When the media do not fit the labels.
        MediaError: When a frame cannot be read.
    """
    with media.open(entry) as source:
        for index, masks in masks_by_frame(entry).items():
            yield index, source.read(index).image, masks


def _cut(image: Image, mask: RLE) -> Image:
    """RGBA uint8 of the box around a mask that is not empty."""
    on = rle.decode(mask)
    rows, columns = np.flatnonzero(on.any(1)), np.flatnonzero(on.any(0))
    place = slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)
    alpha = on[place].astype(np.uint8)[..., None]
    return np.concatenate((image[place] * alpha, alpha * np.uint8(255)), axis=2)
