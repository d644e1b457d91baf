"""Frames of a video file, decoded as they are asked for, in constant memory."""

from __future__ import annotations

import os
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path

import av

from masklet.errors import DamagedMediaError
from masklet.geometry import Size
from masklet.video.boundary import checked_file
from masklet.video.decoder import FrameDecoder, stored_size
from masklet.video.facts import VideoFacts, probe
from masklet.video.frame_table import is_clean_start, size_change
from masklet.video.pixels import MAX_PIXELS
from masklet.video.source import ClosingSource, Frame, check_index

CACHE_BYTES = 64 * 1024 * 1024


class VideoReader(ClosingSource):
    """A video file as a source of frames; ``read`` and iteration give equal pixels, from any thread."""

    def __init__(
        self, path: Path, facts: VideoFacts, *, max_pixels: int = MAX_PIXELS, cache_bytes: int = CACHE_BYTES
    ) -> None:
        """Wrap a probed file; ``open_video`` does both.

        Args:
            path: The file that was probed.
            facts: What ``probe`` said of it.
            max_pixels: Largest allowed height times width.
            cache_bytes: How many bytes of decoded frames may be kept for reading again; the last frame
                always is.
        """
        self._facts = facts
        self._decoder = FrameDecoder(path, is_tolerant=facts.is_damaged, max_pixels=max_pixels)
        self._cache = _FrameCache(cache_bytes)
        self._keyframes = facts.keyframes if facts.is_seekable else (0,)
        self._frames: Iterator[av.VideoFrame] | None = None
        self._next_index = 0
        self._lock = threading.Lock()

    @property
    def facts(self) -> VideoFacts:
        """What is known of the file."""
        return self._facts

    @property
    def name(self) -> str:
        """File name."""
        return self._facts.name

    @property
    def size(self) -> Size:
        """Size as shown."""
        return self._facts.size

    @property
    def num_frames(self) -> int:
        """Exact number of frames."""
        return self._facts.num_frames

    @property
    def fps(self) -> float | None:
        """Average frames per second."""
        return self._facts.fps

    def __len__(self) -> int:
        """Exact number of frames."""
        return self._facts.num_frames

    def __iter__(self) -> Iterator[Frame]:
        """All frames in order; several iterators may run, each at its own place."""
        for index in range(self.num_frames):
            yield self.read(index)

    def read(self, index: int) -> Frame:
        """One frame.

        Reading in order costs one decode per frame; a jump costs the frames from the key frame before it.

        Args:
            index: 0 to ``num_frames`` - 1.

        Raises:
            MediaError: No such frame.
            DamagedMediaError: The file does not decode to the frame that its table states.
        """
        check_index(index, self.num_frames, repr(self.name))
        with self._lock:
            picture = self._cache.get(index)
            if picture is None:
                picture = self._decode(index)
            image = self._decoder.to_rgb(picture, self._facts.orientation)
        return Frame(index=index, pts_s=self.pts_s(index), image=image)

    def pts_s(self, index: int) -> float:
        """When a frame is shown, by the file's own time stamp, in seconds.

        Raises:
            MediaError: No such frame.
        """
        check_index(index, self.num_frames, repr(self.name))
        return float(self._facts.pts[index] * self._facts.time_base)

    def close(self) -> None:
        """Close the file; reading again opens it again."""
        with self._lock:
            self._frames = None
            self._cache.clear()
            self._decoder.close()

    def _decode(self, index: int) -> av.VideoFrame:
        """Decode forward to a frame, after a jump when that is shorter."""
        place = bisect_right(self._keyframes, index) - 1
        is_ahead = self._frames is not None and self._next_index <= index
        if not (is_ahead and self._keyframes[place] <= self._next_index):
            landed = self._jump(place)
            if landed is not None and self._next_index > index:
                return landed
        while True:
            picture = self._advance()
            if self._next_index > index:
                return picture

    def _jump(self, place: int) -> av.VideoFrame | None:
        """Decode a key frame, or an earlier one when container or stream allow no clean start there.

        Returns:
            The key frame, or None when the next frame is the first of the file.
        """
        step = 1
        while place > 0:
            index = self._keyframes[place]
            self._decoder.seek(self._facts.pts[index])
            self._frames = self._decoder.frames()
            first = self._skip_to(self._facts.pts[index])
            if first is not None and first.pts == self._facts.pts[index] and is_clean_start(first):
                self._check(first, index)
                self._cache.put(index, first)
                self._next_index = index + 1
                return first
            place, step = place - step, step * 2
        self._decoder.restart()
        self._frames = self._decoder.frames()
        self._next_index = 0
        return None

    def _skip_to(self, pts: int) -> av.VideoFrame | None:
        """The first picture that is not before a time stamp; earlier ones lack what they refer to."""
        for picture in self._frames or ():
            if picture.pts is not None and picture.pts >= pts:
                return picture
        return None

    def _advance(self) -> av.VideoFrame:
        """Decode the next frame and hold it against the table."""
        index = self._next_index
        picture = next(self._frames or iter(()), None)
        if picture is None:
            self._frames = None
            raise DamagedMediaError(
                f"{self.name!r} stops decoding at frame {index} of {self.num_frames}{_CURE}"
            )
        self._check(picture, index)
        self._cache.put(index, picture)
        self._next_index = index + 1
        return picture

    def _check(self, picture: av.VideoFrame, index: int) -> None:
        """Refuse a picture of another size, another time, or with damage in a file that was found whole."""
        facts = self._facts
        size = stored_size(picture)
        if facts.orientation.size_of(size) != facts.size:
            raise size_change(repr(self.name), index, facts.orientation.size_of(facts.size), size)
        if facts.is_damaged:
            return
        if facts.is_seekable and picture.pts != facts.pts[index]:
            self._frames = None
            raise DamagedMediaError(
                f"{self.name!r} decodes to another frame than its table says at {index}{_CURE}"
            )
        if picture.is_corrupt:
            self._frames = None
            raise DamagedMediaError(
                f"{self.name!r} has damaged pictures at frame {index} of {self.num_frames}{_CURE}"
            )


_CURE = "; copy it again, or open it with allow_damaged=True to use what is left."


class _FrameCache:
    """The last decoded pictures, in their stored pixel format, up to a number of bytes."""

    def __init__(self, budget_bytes: int) -> None:
        self._budget_bytes = budget_bytes
        self._pictures: OrderedDict[int, av.VideoFrame] = OrderedDict()
        self._num_bytes = 0

    def get(self, index: int) -> av.VideoFrame | None:
        """The picture, if it is kept."""
        picture = self._pictures.get(index)
        if picture is not None:
            self._pictures.move_to_end(index)
        return picture

    def put(self, index: int, picture: av.VideoFrame) -> None:
        """Keep a picture and drop the longest unused ones above the budget."""
        self._num_bytes += _num_bytes(picture) - (
            _num_bytes(old) if (old := self._pictures.pop(index, None)) else 0
        )
        self._pictures[index] = picture
        while self._num_bytes > self._budget_bytes and len(self._pictures) > 1:
            self._num_bytes -= _num_bytes(self._pictures.popitem(last=False)[1])

    def clear(self) -> None:
        """Drop all pictures."""
        self._pictures.clear()
        self._num_bytes = 0


def _num_bytes(picture: av.VideoFrame) -> int:
    """Memory of a decoded picture."""
    return sum(plane.buffer_size for plane in picture.planes)


def open_video(
    path: str | os.PathLike[str],
    *,
    allow_damaged: bool = False,
    max_pixels: int = MAX_PIXELS,
    cache_bytes: int = CACHE_BYTES,
) -> VideoReader:
    """Probe a video file and read its frames.

    Args:
        path: MP4, MOV, MKV, WebM, AVI, MPEG or GIF.
        allow_damaged: Open what is left of a cut or broken file; ``reader.facts.damage`` says what is
            missing.
        max_pixels: Largest allowed height times width.
        cache_bytes: How many bytes of decoded frames may be kept for reading again.

    Raises:
        MediaError: Or one of its kinds, as ``probe`` says.
    """
    facts = probe(path, allow_damaged=allow_damaged, max_pixels=max_pixels)
    return VideoReader(checked_file(path), facts, max_pixels=max_pixels, cache_bytes=cache_bytes)
