"""Frames of videos and images as files beside labels."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

from PIL import Image as PillowImage

from masklet.annotations import Project, VideoFacts
from masklet.errors import FormatError
from masklet.formats.label_set import Entry, frame_name, frames_to_write
from masklet.formats.media import Media
from masklet.formats.paths import safe_relative
from masklet.video.source import Frame

_QUALITY = 95


def write_pictures(places: Iterable[tuple[Entry, Path]], media: Media) -> None:
    """Put every frame into a folder under its own name: image files as they are, frames of videos as JPEG.

    Args:
        places: Entries, each with the folder for its frames. Images that were frames of one video follow each other.
        media: Where the frames are.

    Raises:
        FormatError: When the media lack an image or the disk refuses.
        MediaError: When a frame cannot be read.
    """
    with _Videos(media) as videos:
        for entry, folder in places:
            try:
                _write(entry, folder, media, videos)
            except (OSError, ValueError) as error:
                raise FormatError(f"The pictures of {entry.name!r} cannot be written ({error}).") from error


def _write(entry: Entry, folder: Path, media: Media, videos: _Videos) -> None:
    files = [media.image(name) for name in entry.frame_names]
    video, start = entry.origin or (entry.project.video, 0)
    for index in frames_to_write(entry):
        target = folder / safe_relative(frame_name(entry, index))
        target.parent.mkdir(parents=True, exist_ok=True)
        found = files[index] if files and None not in files else None
        if found is not None:
            shutil.copyfile(found, target)
        else:
            names = () if entry.origin else entry.frame_names
            frame = videos.frame(video, names, start + index)
            PillowImage.fromarray(frame.image).save(target, quality=_QUALITY)


class _Videos:
    """The video that is read at the moment, front to back."""

    def __init__(self, media: Media) -> None:
        self._media = media
        self._stack = ExitStack()
        self._video: VideoFacts | None = None
        self._frames: Iterator[Frame] = iter(())
        self._next = 0

    def __enter__(self) -> _Videos:
        """Self."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close what is open."""
        self._stack.close()

    def frame(self, video: VideoFacts, names: tuple[str, ...], index: int) -> Frame:
        """One frame; those before it are passed over.

        Raises:
            FormatError: When the video is not there, or ends before.
            MediaError: When it cannot be read.
        """
        if video != self._video or index < self._next:
            self._stack.close()
            entry = Entry(project=Project(video=video), frame_names=names)
            source = self._stack.enter_context(self._media.open(entry))
            self._video, self._frames, self._next = video, iter(source), 0
        found = next(islice(self._frames, index - self._next, None), None)
        self._next = index + 1
        if found is None:
            raise FormatError(
                f"The media of {video.name!r} end before frame {index}, which the labels reach; give the media that were "
                "labelled."
            )
        return found
