"""A video with effects: frames and masks in, an MP4 out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from masklet.effects import EffectSettings, compose
from masklet.errors import MediaError
from masklet.pipeline.job import Labels
from masklet.video.image import read_indexed_png
from masklet.video.source import FrameSource
from masklet.video.writer import Mp4Writer

Masks = Mapping[int, npt.NDArray[np.bool_]]
_DEFAULT_FPS = 25.0


def draw_effects_video(
    path: Path, source: FrameSource, masks: Iterable[tuple[int, Masks]], settings: EffectSettings
) -> Iterator[int]:
    """Write frames with their effects; the video starts at the first of them.

    Args:
        path: The MP4 file; its folder must exist.
        source: Where frames are read.
        masks: Frame index, and bool (h, w) by object id, in rising order.
        settings: Which effects.

    Yields:
        Number of frames written so far.

    Raises:
        MediaError: When a frame cannot be read or the file cannot be written.
        EffectError: When a mask has another size than the frames.
    """
    first_pts_s: float | None = None
    with Mp4Writer(path, fps=source.fps or _DEFAULT_FPS) as writer:
        for index, found in masks:
            frame = source.read(index)
            pts_s = frame.pts_s
            if pts_s is not None:
                first_pts_s = pts_s if first_pts_s is None else first_pts_s
                pts_s -= first_pts_s
            writer.write(compose(frame.image, found, settings, index), pts_s=pts_s)
            yield writer.num_frames


def mask_files(folder: Path) -> dict[int, Path]:
    """Indexed PNGs by frame index, in order, as ``track_video`` writes them.

    Args:
        folder: Holds ``NNNNN.png``, by itself or in a folder ``masks``.

    Raises:
        MediaError: When there is none.
    """
    for place in (folder / "masks", folder):
        found = {int(path.stem): path for path in place.glob("*.png") if path.stem.isdecimal()}
        if found:
            return dict(sorted(found.items()))
    raise MediaError(
        f"{folder} holds no masks; give the folder that masklet track has written, or one with 00000.png, 00001.png, ..."
    )


def read_masks(files: Mapping[int, Path]) -> Iterator[tuple[int, Masks]]:
    """Masks of every frame from the first file to the last; frames without a file have none.

    Args:
        files: Indexed PNGs by frame index, in order.

    Raises:
        MediaError: When a file cannot be read.
    """
    for index in range(min(files), max(files) + 1):
        labels = read_indexed_png(files[index]) if index in files else None
        yield index, {} if labels is None else split_labels(labels)


def split_labels(labels: Labels) -> dict[int, npt.NDArray[np.bool_]]:
    """The mask of each object of a label image, by object id."""
    return {int(one): labels == one for one in np.unique(labels) if one}
