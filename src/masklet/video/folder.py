"""A folder of images as a video."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from masklet.errors import MediaError, UnsupportedMediaError
from masklet.geometry import Size
from masklet.video.image import read_image, read_image_size
from masklet.video.pixels import MAX_PIXELS
from masklet.video.source import ClosingSource, Frame, check_index

IMAGE_SUFFIXES = frozenset(
    (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")
)


class FolderSource(ClosingSource):
    """The images of one folder in natural order of their names; other and hidden files are passed over."""

    def __init__(
        self, paths: tuple[Path, ...], size: Size, *, name: str, fps: float | None, max_pixels: int
    ) -> None:
        """Wrap checked images; ``open_folder`` does both.

        Args:
            paths: At least one image file, in order.
            size: Size of every one, as shown.
            name: Name of the folder.
            fps: Frames per second, or None when the images have no time.
            max_pixels: Largest allowed height times width.
        """
        self._paths = paths
        self._size = size
        self._name = name
        self._fps = fps
        self._max_pixels = max_pixels

    @property
    def name(self) -> str:
        """Name of the folder."""
        return self._name

    @property
    def paths(self) -> tuple[Path, ...]:
        """The image files in order; their stems name the masks of DAVIS-style exports."""
        return self._paths

    @property
    def size(self) -> Size:
        """Size of every image."""
        return self._size

    @property
    def num_frames(self) -> int:
        """Number of images."""
        return len(self._paths)

    @property
    def fps(self) -> float | None:
        """Frames per second that were stated at opening."""
        return self._fps

    def __len__(self) -> int:
        """Number of images."""
        return len(self._paths)

    def __iter__(self) -> Iterator[Frame]:
        """All images in order."""
        for index in range(len(self._paths)):
            yield self.read(index)

    def read(self, index: int) -> Frame:
        """One image.

        Raises:
            MediaError: No such index, or the file is gone, damaged or of another size.
        """
        check_index(index, len(self._paths), repr(self._name))
        image = read_image(self._paths[index], max_pixels=self._max_pixels)
        if image.shape[:2] != self._size.hw:
            raise _other_size(self._paths[index], Size(*image.shape[:2]), self._paths[0], self._size)
        return Frame(index=index, pts_s=self.pts_s(index), image=image)

    def pts_s(self, index: int) -> float | None:
        """When an image is shown, by the stated rate.

        Raises:
            MediaError: No such index.
        """
        check_index(index, len(self._paths), repr(self._name))
        return index / self._fps if self._fps else None


def open_folder(
    path: str | os.PathLike[str], *, fps: float | None = None, max_pixels: int = MAX_PIXELS
) -> FolderSource:
    """Find the images of a folder and check the header of each.

    Args:
        path: The folder; folders inside it are not entered.
        fps: Frames per second, above 0, when the images are frames of a video.
        max_pixels: Largest allowed height times width.

    Raises:
        MediaError: No folder, no image, or a frame rate that is not above 0.
        UnsupportedMediaError: Images of different sizes; names the first that differs.
    """
    folder = Path(path)
    if fps is not None and not fps > 0:
        raise MediaError(
            f"Frames per second must be above 0, got {fps}; leave it out when the images have no time."
        )
    try:
        found = [
            p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")
        ]
    except OSError as error:
        raise MediaError(
            f"{folder.name!r} cannot be listed ({error.strerror}); give a folder of images."
        ) from error
    paths = tuple(sorted((p for p in found if p.is_file()), key=lambda p: natural_key(p.name)))
    if not paths:
        raise MediaError(
            f"{folder.name!r} holds no image; put {', '.join(sorted(IMAGE_SUFFIXES))} files in it."
        )
    size = read_image_size(paths[0], max_pixels=max_pixels)
    for other in paths[1:]:
        other_size = read_image_size(other, max_pixels=max_pixels)
        if other_size != size:
            raise _other_size(other, other_size, paths[0], size)
    return FolderSource(paths, size, name=folder.name, fps=fps, max_pixels=max_pixels)


def natural_key(name: str) -> tuple[tuple[tuple[int, int, str], ...], str]:
    """Sorting key that puts numbers in the order in which people count: img2 before img10.

    Letters compare without case; names that differ only in case or leading zeros keep a fixed order by
    the last part.
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    return tuple((0, int(p), "") if p[0] in "0123456789" else (1, 0, p.casefold()) for p in parts), name


def _other_size(path: Path, size: Size, first: Path, first_size: Size) -> UnsupportedMediaError:
    """The error for a folder of mixed sizes."""
    return UnsupportedMediaError(
        f"{path.name!r} is {size.width} x {size.height} but {first.name!r} is {first_size.width} x "
        f"{first_size.height}; all images of a folder must have one size."
    )
