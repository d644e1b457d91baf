"""Frames of a video or image as files beside labels."""

from __future__ import annotations

import shutil
from pathlib import Path

from PIL import Image as PillowImage

from masklet.errors import FormatError
from masklet.formats.label_set import Entry, frame_name, frames_to_write
from masklet.formats.media import Media
from masklet.formats.paths import safe_relative

_QUALITY = 95


def write_pictures(entry: Entry, media: Media, folder: Path) -> None:
    """Put every frame into a folder under its own name: image files as they are, frames of videos as JPEG.

    Raises:
        FormatError: When the media lack an image or the disk refuses.
        MediaError: When a frame cannot be read.
    """
    try:
        if entry.frame_names and all(media.image(name) is not None for name in entry.frame_names):
            for name in entry.frame_names:
                target = folder / safe_relative(name)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(media.image(name) or target, target)
            return
        folder.mkdir(parents=True, exist_ok=True)
        with media.open(entry) as source:
            frames = iter(source)
            for index in frames_to_write(entry):
                frame = next(frames, None)
                if frame is None:
                    raise FormatError(
                        f"The media of {entry.name!r} end at frame {index}, the labels at {entry.num_frames}; "
                        "give the media that were labelled."
                    )
                target = folder / safe_relative(frame_name(entry, index))
                target.parent.mkdir(parents=True, exist_ok=True)
                PillowImage.fromarray(frame.image).save(target, quality=_QUALITY)
    except (OSError, ValueError) as error:
        raise FormatError(f"The pictures of {entry.name!r} cannot be written ({error}).") from error
