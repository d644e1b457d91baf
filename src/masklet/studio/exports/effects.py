"""The video of one medium with effects on its background and its objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from masklet.effects import EffectSettings, compose
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.pipeline.effects import draw_effects_video
from masklet.studio.exports.overlay import write_png
from masklet.studio.store import MediaRow, Store
from masklet.video.source import FrameSource


def write_effects(
    store: Store, media: MediaRow, source: FrameSource, path: Path, settings: EffectSettings
) -> Iterator[None]:
    """An MP4 of the video with effects; of an image, a PNG.

    Yields:
        Once per frame.

    Raises:
        MediaError: When a frame cannot be read.
    """
    if media.num_frames == 1:
        _, masks = next(_masks(store, media))
        write_png(path, compose(source.read(0).image, masks, settings, 0))
        yield
        return
    for _ in draw_effects_video(path, source, _masks(store, media), settings):
        yield


def _masks(store: Store, media: MediaRow) -> Iterator[tuple[int, dict[int, npt.NDArray[np.bool_]]]]:
    """Whole masks of every frame; where objects overlap, both have the pixel."""
    size = Size(media.height, media.width)
    for frame, rows in store.results.by_frame(media.id, media.num_frames):
        yield frame, {one.object_id: rle.decode(RLE(size, one.counts.encode("ascii"))) for one in rows}
