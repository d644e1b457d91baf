"""GIF: the video with its masks drawn over it, for pages and messages. At most 256 colours a frame."""

from __future__ import annotations

from pathlib import Path

from PIL import Image as PillowImage

from masklet.errors import FormatError
from masklet.formats.label_set import LabelSet, frames_to_write
from masklet.formats.media import Media, required
from masklet.formats.strips import masks_by_frame
from masklet.masks import rle
from masklet.video.boundary import write_errors
from masklet.video.overlay import draw_overlay

_LONGEST_SIDE = 640
_MOST_FRAMES = 1500
_DEFAULT_RATE = 10.0
_LEAST_MS = 20  # browsers slow shorter frames down


def write_gif(labels: LabelSet, out: Path, media: Media | None) -> None:
    """Write every frame that the labels speak of, at most 640 pixels on its longer side.

    Raises:
        FormatError: When no media were given, they do not fit, or there are more than 1500 frames.
        MediaError: When a frame cannot be read.
    """
    (entry,) = labels.entries
    known = {index for track in entry.project.tracks.values() for index in track.frames}
    indices = [index for index in frames_to_write(entry) if index in known]
    if not indices or len(indices) > _MOST_FRAMES:
        raise FormatError(
            f"A GIF needs 1 to {_MOST_FRAMES} labelled frames, got {len(indices)}; write a video instead."
        )
    masks = masks_by_frame(entry)
    pictures: list[PillowImage.Image] = []
    with required(media, "A GIF").open(entry) as source, write_errors(repr(out.name)):
        for index in indices:
            found = {i: rle.decode(mask) for i, mask in masks.get(index, {}).items()}
            picture = PillowImage.fromarray(draw_overlay(source.read(index).image, found))
            picture.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
            pictures.append(picture.quantize(256, dither=PillowImage.Dither.NONE))
        duration = max(_LEAST_MS, round(1000 / (source.fps or _DEFAULT_RATE)))
        pictures[0].save(
            out, format="GIF", save_all=True, append_images=pictures[1:], duration=duration, loop=0
        )
