"""Every way to get frames: arrays, iterators, folders, files; ``open_source`` picks by what it is given."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias, cast

import numpy as np

from masklet.errors import MediaError, SessionError
from masklet.geometry import Size
from masklet.video.folder import IMAGE_SUFFIXES, FolderSource, open_folder
from masklet.video.image import read_image
from masklet.video.pixels import MAX_PIXELS
from masklet.video.reader import VideoReader, open_video
from masklet.video.source import (
    ClosingSource,
    Frame,
    FrameSource,
    Image,
    check_image,
    check_index,
    is_source,
    missing_members,
)

__all__ = [
    "ArraySource",
    "FolderSource",
    "Frame",
    "FrameSource",
    "Image",
    "IterableSource",
    "VideoReader",
    "open_folder",
    "open_source",
    "open_video",
]

NUM_KEPT_FRAMES = 8

SourceLike: TypeAlias = "str | os.PathLike[str] | Image | FrameSource | Iterable[Image]"


class ArraySource(ClosingSource):
    """A video that is an array in memory."""

    def __init__(self, images: np.ndarray, *, fps: float | None = None, name: str = "array") -> None:
        """Wrap an array without copying it.

        Args:
            images: RGB uint8 (t, h, w, 3), at least one frame.
            fps: Frames per second, above 0, or None.
            name: Name for messages and exports.

        Raises:
            MediaError: Another dtype or shape, or a frame rate that is not above 0.
        """
        if images.dtype != np.uint8 or images.ndim != 4 or images.shape[3] != 3 or images.size == 0:
            raise MediaError(
                f"A video array must be RGB uint8 of shape (t, h, w, 3), got {images.dtype} of shape "
                f"{images.shape}; "
                "convert it first."
            )
        if fps is not None and not fps > 0:
            raise MediaError(
                f"Frames per second must be above 0, got {fps}; leave it out when there is no clock."
            )
        self._images = images
        self._fps = fps
        self._name = name

    @property
    def name(self) -> str:
        """Name for messages and exports."""
        return self._name

    @property
    def size(self) -> Size:
        """Size of every frame."""
        return Size(self._images.shape[1], self._images.shape[2])

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self._images.shape[0]

    @property
    def fps(self) -> float | None:
        """Frames per second, when stated."""
        return self._fps

    def __len__(self) -> int:
        """Number of frames."""
        return self._images.shape[0]

    def __iter__(self) -> Iterator[Frame]:
        """All frames in order."""
        for index in range(self.num_frames):
            yield self.read(index)

    def read(self, index: int) -> Frame:
        """A copy of one frame.

        Raises:
            MediaError: No such frame.
        """
        check_index(index, self.num_frames, self._name)
        return Frame(index=index, pts_s=self.pts_s(index), image=self._images[index].copy())

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown, by the stated rate.

        Raises:
            MediaError: No such frame.
        """
        check_index(index, self.num_frames, self._name)
        return index / self._fps if self._fps else None


class IterableSource(ClosingSource):
    """A stream of arrays that is read once, in order; the last few frames can be read again."""

    def __init__(
        self,
        images: Iterable[np.ndarray],
        *,
        fps: float | None = None,
        name: str = "stream",
        num_kept_frames: int = NUM_KEPT_FRAMES,
    ) -> None:
        """Wrap an iterable; nothing is taken from it before the first frame or the size is asked for.

        Args:
            images: RGB uint8 (h, w, 3) arrays of one size.
            fps: Frames per second, or None.
            name: Name for messages and exports.
            num_kept_frames: How many frames stay readable after they were passed, at least 1.
        """
        self._images = iter(images)
        self._fps = fps
        self._name = name
        self._kept: deque[Frame] = deque(maxlen=max(1, num_kept_frames))
        self._num_taken = 0
        self._num_given = 0
        self._size: Size | None = None
        self._has_ended = False

    @property
    def has_ended(self) -> bool:
        """Whether the iterable was found to hold no further frame."""
        return self._has_ended

    @property
    def name(self) -> str:
        """Name for messages and exports."""
        return self._name

    @property
    def num_frames(self) -> None:
        """Unknown: the stream ends when it ends."""
        return None

    @property
    def fps(self) -> float | None:
        """Frames per second, when stated."""
        return self._fps

    @property
    def size(self) -> Size:
        """Size of every frame; takes the first frame when none was taken yet.

        Raises:
            MediaError: When the stream holds no frame.
        """
        if self._size is None and self._take() is None:
            raise MediaError(f"{self._name} ended before its first frame; check what feeds it.")
        if self._size is None:
            raise SessionError(f"{self._name} is closed; open it again.")
        return self._size

    def __iter__(self) -> Iterator[Frame]:
        """The frames that were not given yet."""
        while True:
            waiting = self._num_given < self._num_taken
            frame = self._find(self._num_given) if waiting else self._take()
            if frame is None:
                return
            self._num_given = frame.index + 1
            yield frame

    def read(self, index: int) -> Frame:
        """The next frame or one of the last few.

        Raises:
            MediaError: A frame that is past, or further ahead than the next one, or the stream has ended.
        """
        frame = self._take() if index == self._num_taken else self._find(index)
        if frame is None:
            oldest = self._kept[0].index if self._kept else 0
            raise MediaError(
                f"{self._name} is a stream and cannot give frame {index}; ask for {oldest} to "
                f"{self._num_taken}, in order."
            )
        self._num_given = max(self._num_given, frame.index + 1)
        return frame

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown, by the stated rate."""
        return index / self._fps if self._fps else None

    def close(self) -> None:
        """Forget the kept frames and take no more."""
        self._kept.clear()
        self._images = iter(())

    def _find(self, index: int) -> Frame | None:
        """A kept frame."""
        return next((frame for frame in self._kept if frame.index == index), None)

    def _take(self) -> Frame | None:
        """Take one frame from the iterable and keep it."""
        image = next(self._images, None)
        if image is None:
            self._has_ended = True
            return None
        checked = check_image(image, f"Frame {self._num_taken} of {self._name}")
        size = Size(*checked.shape[:2])
        if self._size is not None and size != self._size:
            raise MediaError(
                f"Frame {self._num_taken} of {self._name} has size {size.hw}, but the first had "
                f"{self._size.hw} (h, w); "
                "send frames of one size."
            )
        self._size = size
        frame = Frame(index=self._num_taken, pts_s=self.pts_s(self._num_taken), image=checked)
        self._kept.append(frame)
        self._num_taken += 1
        return frame


def open_source(
    source: SourceLike,
    *,
    fps: float | None = None,
    allow_damaged: bool = False,
    max_pixels: int = MAX_PIXELS,
) -> FrameSource:
    """A source of frames from whatever is at hand. Live cameras are opened by ``open_camera`` only.

    Args:
        source: A video file, an image file (a video of one frame; GIF counts as video), a folder of
            images, an array RGB uint8 (t, h, w, 3) or (h, w, 3), an iterable of (h, w, 3) arrays, or a
            FrameSource (given back as is).
        fps: Frames per second of a folder, array or iterable; files know their own.
        allow_damaged: Open what is left of a cut or broken video.
        max_pixels: Largest allowed height times width.

    Raises:
        MediaError: Or one of its kinds, when it cannot be opened.
    """
    # The annotation helps type checkers; what comes at run time can be anything.
    given = cast(object, source)
    if isinstance(given, (str, os.PathLike)):
        path = Path(cast("str | os.PathLike[str]", given))
        return _open_path(path, fps, allow_damaged=allow_damaged, max_pixels=max_pixels)
    if isinstance(given, np.ndarray):
        images = cast(Image, given)
        return ArraySource(images[None] if images.ndim == 3 else images, fps=fps)
    if is_source(given):
        return given
    missing = missing_members(given)
    if hasattr(type(given), "read") and hasattr(type(given), "num_frames"):
        raise MediaError(
            f"A {type(given).__name__} lacks {', '.join(missing)} of FrameSource; add what is missing."
        )
    if isinstance(given, Iterable):
        return IterableSource(cast("Iterable[Image]", given), fps=fps)
    raise MediaError(
        f"A {type(given).__name__} is no source of frames; give a path, an array, an iterable of arrays "
        "or a FrameSource."
    )


def _open_path(path: Path, fps: float | None, *, allow_damaged: bool, max_pixels: int) -> FrameSource:
    """A folder, a still image or a video file."""
    try:
        is_folder = path.is_dir()
    except ValueError as error:
        raise MediaError(f"{path.name!r} is not a path ({error}); check its characters.") from error
    if is_folder:
        return open_folder(path, fps=fps, max_pixels=max_pixels)
    if path.suffix.lower() in IMAGE_SUFFIXES - {".gif"}:
        return ArraySource(read_image(path, max_pixels=max_pixels)[None], name=path.name)
    return open_video(path, allow_damaged=allow_damaged, max_pixels=max_pixels)
