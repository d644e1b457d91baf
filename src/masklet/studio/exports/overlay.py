"""The video of one medium with the masks drawn over it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from masklet.errors import MediaError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.pipeline.job import MAX_OBJECT_ID, Labels
from masklet.pipeline.labels import label_image
from masklet.pipeline.results import draw_overlay_video
from masklet.studio.refusals import RefusedError
from masklet.studio.store import MediaRow, Store
from masklet.video.overlay import draw_overlay
from masklet.video.source import FrameSource


def write_overlay(store: Store, media: MediaRow, source: FrameSource, path: Path) -> Iterator[None]:
    """An MP4 of the video with the masks drawn over it; of an image, a PNG.

    Yields:
        Once per frame.

    Raises:
        RefusedError: When an object's id is too high.
        MediaError: When a frame cannot be read.
    """
    if media.num_frames == 1:
        _, labels = next(_labels(store, media))
        masks = {int(one): labels == one for one in np.unique(labels) if one}
        write_png(path, draw_overlay(source.read(0).image, masks))
        yield
        return
    for _ in draw_overlay_video(path, source, _labels(store, media)):
        yield


def write_png(path: Path, image: npt.NDArray[np.uint8]) -> None:
    """Write a picture.

    Args:
        path: The file.
        image: RGB uint8 (h, w, 3).

    Raises:
        MediaError: When the disk refuses.
    """
    try:
        Image.fromarray(image).save(path, format="PNG")
    except OSError as error:
        raise MediaError(
            f"The picture cannot be written: {error.strerror or error}; free disk space."
        ) from error


def _labels(store: Store, media: MediaRow) -> Iterator[tuple[int, Labels]]:
    """Object ids per pixel; where masks overlap, the lowest id has the pixel."""
    too_high = [one.id for one in store.projects.objects(media.id) if one.id > MAX_OBJECT_ID]
    if too_high:
        raise RefusedError(
            409,
            "ids",
            f"Object {too_high[0]} does not fit a picture of objects, which holds ids up to {MAX_OBJECT_ID}; export COCO.",
        )
    size = Size(media.height, media.width)
    for frame, rows in store.results.by_frame(media.id, media.num_frames):
        masks = {one.object_id: rle.decode(RLE(size, one.counts.encode("ascii"))) for one in rows}
        logits = {key: mask.astype(np.float32) for key, mask in masks.items()}
        yield frame, label_image(masks, logits, size)
