"""The images or the video that labels belong to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from masklet.errors import FormatError
from masklet.formats.label_set import Entry
from masklet.formats.paths import contain, safe_relative
from masklet.geometry import Size
from masklet.video import FolderSource, FrameSource, open_source
from masklet.video.image import read_image_size
from masklet.video.pixels import MAX_PIXELS


@dataclass(frozen=True, slots=True)
class Media:
    """Where frames are found: a video, a folder of images, or a folder of videos and folders.

    Args:
        path: The file or folder.
    """

    path: Path

    def image(self, name: str) -> Path | None:
        """The file of an image by the name that labels give it, with or without its folders, or None."""
        if not self.path.is_dir():
            return self.path if self.path.name == name.rpartition("/")[2] else None
        for candidate in (name, name.rpartition("/")[2], safe_relative(name).as_posix()):
            found = contain(self.path, candidate)
            if found.is_file():
                return found
        return None

    def image_size(self, name: str) -> Size | None:
        """Size of an image as shown, or None when there is no such image.

        Raises:
            MediaError: When the image is damaged or too large.
        """
        path = self.image(name)
        return None if path is None else read_image_size(path)

    def open(self, entry: Entry) -> FrameSource:
        """The frames of a video or image; the caller closes them.

        Raises:
            FormatError: When they are not there or have another size than the masks.
            MediaError: When they cannot be read.
        """
        source = self._source(entry)
        size = entry.project.video.size
        if source.size != size:
            source.close()
            raise FormatError(
                f"The media of {entry.name!r} are {source.size.hw} (h, w) but the masks are {size.hw}; "
                "give the media that were labelled."
            )
        return source

    def _source(self, entry: Entry) -> FrameSource:
        if entry.frame_names:
            paths = [self.image(name) for name in entry.frame_names]
            found = [path for path in paths if path is not None]
            if len(found) == len(paths):
                size = read_image_size(found[0])
                return FolderSource(tuple(found), size, name=entry.name, fps=None, max_pixels=MAX_PIXELS)
        inside = contain(self.path, safe_relative(entry.name).as_posix()) if self.path.is_dir() else self.path
        if inside.exists():
            return open_source(inside)
        if entry.frame_names and len(entry.frame_names) == 1:
            raise FormatError(f"{self.path.name!r} has no image {entry.frame_names[0]!r}; check --media.")
        return open_source(self.path)


def required(media: Media | None, what: str) -> Media:
    """The media.

    Raises:
        FormatError: When none were given.
    """
    if media is None:
        raise FormatError(f"{what} needs the pictures too; give the video or the folder of images as media.")
    return media
