"""H.264 video out, with the times of the frames kept."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from masklet.errors import MediaError, SessionError
from masklet.geometry import Size
from masklet.video.boundary import write_errors
from masklet.video.overlay import OverlayStyle, draw_overlay
from masklet.video.source import Frame, Image, check_image

_log = logging.getLogger(__name__)

# Ticks per second of written files: whole for 24, 25, 30, 50 and 60 frames per second, and for 1/1000
# s within 0.1.
_TICKS_PER_SECOND = 90_000
# MPEG-4 part 2 allows no more than 65535.
_TICKS_PER_SECOND_MPEG4 = 60_000
_ENCODERS = ("libx264", "libopenh264", "mpeg4")
# A fixed number of threads makes the bytes equal on machines with different numbers of cores.
_NUM_THREADS = 4


class Mp4Writer:
    """Writes RGB frames to an MP4 file that appears under its name when it is whole.

    Until ``close`` the file is called ``<name>.partial``. When the ``with`` block ends by an error,
    the partial file is
    finished so that it plays, and keeps that name. Equal frames and times give equal bytes. Odd sizes
    are padded by
    one repeated row or column, because H.264 with 4:2:0 colour needs even ones.
    """

    def __init__(self, path: str | os.PathLike[str], *, fps: float = 25.0, quality: int = 20) -> None:
        """Remember what to write; the file is made at the first frame.

        Args:
            path: The file; its folder must exist.
            fps: Frames per second of frames that are written without a time, above 0.
            quality: x264's constant rate factor, 0 (lossless) to 51; lower is better and larger.

        Raises:
            MediaError: A number out of range.
        """
        if not fps > 0 or not 0 <= quality <= 51:
            raise MediaError(f"A video needs fps above 0 and quality 0 to 51, got {fps} and {quality}.")
        self._path = Path(path)
        self._fps = fps
        self._quality = quality
        self._container: OutputContainer | None = None
        self._stream: VideoStream | None = None
        self._size: Size | None = None
        self._last_pts = -1
        self._ticks_per_second = _TICKS_PER_SECOND
        self._num_frames = 0
        self._is_closed = False

    @property
    def num_frames(self) -> int:
        """Frames written so far."""
        return self._num_frames

    @property
    def partial_path(self) -> Path:
        """Where the file is until it is whole."""
        return self._path.with_name(self._path.name + ".partial")

    def write(self, image: Image, *, pts_s: float | None = None) -> None:
        """Add one frame.

        Args:
            image: RGB uint8 (h, w, 3), of the first frame's size.
            pts_s: When it is shown, in seconds, not below 0 and after the frame before it; None for
                the next place
                at ``fps``.

        Raises:
            MediaError: Another size, a time that goes back, or the disk refuses.
            SessionError: The writer is closed.
        """
        if self._is_closed:
            raise SessionError(f"{self._path.name!r} is finished; open a new writer.")
        size = Size(*check_image(image, "A frame").shape[:2])
        with write_errors(repr(self._path.name)):
            container, stream = self._opened(size)
            if size != self._size:
                raise MediaError(
                    f"A frame has size {size.hw}, but the video has {self._size}; write frames of one size."
                )
            frame = av.VideoFrame.from_ndarray(_padded_to_even(image), format="rgb24")
            frame.pts, frame.time_base = self._ticks(pts_s), Fraction(1, self._ticks_per_second)
            _mux(container, stream, frame)
        self._last_pts = frame.pts
        self._num_frames += 1

    def _ticks(self, pts_s: float | None) -> int:
        """A time in ticks, checked to rise."""
        seconds = self._num_frames / self._fps if pts_s is None else pts_s
        ticks = round(seconds * self._ticks_per_second)
        if ticks < 0 or ticks <= self._last_pts:
            raise MediaError(
                f"Frame {self._num_frames} is at {seconds:.6f} s, but times must be 0 or later and "
                "rise; sort the frames."
            )
        return ticks

    def _opened(self, size: Size) -> tuple[OutputContainer, VideoStream]:
        """The container and stream, made at the first frame."""
        if self._container is None or self._stream is None:
            self._size = size
            options = {"fflags": "+bitexact", "movflags": "+faststart"}
            self._container = av.open(os.fspath(self.partial_path), "w", format="mp4", options=options)
            rate = Fraction(self._fps).limit_denominator(1001)
            add_stream = self._container.add_stream  # pyright: ignore[reportUnknownMemberType]
            self._stream = cast(VideoStream, add_stream(find_encoder(), rate=rate))
            self._set_up(self._stream, size)
            self._container.start_encoding()
        return self._container, self._stream

    def _set_up(self, stream: VideoStream, size: Size) -> None:
        """Encoder settings."""
        stream.width, stream.height = size.width + size.width % 2, size.height + size.height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = _NUM_THREADS
        if stream.codec.name == "libx264":
            # Without mbtree=0, x264's AVX-512 code reads memory it did not set, and equal frames can give
            # other bytes.
            stream.codec_context.options = {
                "crf": str(self._quality),
                "preset": "veryfast",
                "mbtree": "0",
                "flags": "+bitexact",
            }
        else:
            stream.bit_rate = 4 * size.num_pixels
            self._ticks_per_second = _TICKS_PER_SECOND_MPEG4
        stream.codec_context.time_base = Fraction(1, self._ticks_per_second)

    def close(self) -> None:
        """Finish the file and give it its name; closing twice does nothing.

        Raises:
            MediaError: No frame was written, or the disk refuses.
        """
        if self._is_closed:
            return
        self._finish()
        with write_errors(repr(self._path.name)):
            self.partial_path.replace(self._path)

    def _finish(self) -> None:
        """Write what the encoder still holds and the index."""
        self._is_closed = True
        if self._container is None or self._stream is None:
            raise MediaError(f"{self._path.name!r} got no frame; write at least one before closing.")
        with write_errors(repr(self._path.name)):
            try:
                _mux(self._container, self._stream, None)
            finally:
                self._container.close()

    def __enter__(self) -> Mp4Writer:
        """Self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; after an error only finish the partial file."""
        if error is None:
            self.close()
        elif not self._is_closed:
            with suppress(MediaError):
                self._finish()
                _log.warning(
                    "%s is not whole: %d frames are in %s",
                    self._path.name,
                    self._num_frames,
                    self.partial_path,
                )


class OverlayWriter:
    """Draws masks over frames and writes them as a video."""

    def __init__(
        self, path: str | os.PathLike[str], *, fps: float | None = None, style: OverlayStyle | None = None
    ) -> None:
        """Remember what to write.

        Args:
            path: The MP4 file; its folder must exist.
            fps: Frames per second of frames without a time; 25 when None.
            style: How masks are drawn; the default style when None.
        """
        self._writer = Mp4Writer(path, fps=fps or 25.0)
        self._style = style or OverlayStyle()

    def write(
        self, frame: Frame, masks: Mapping[int, np.ndarray], *, labels: Mapping[int, str] | None = None
    ) -> None:
        """Add one frame with its masks, at the frame's own time.

        Args:
            frame: The frame.
            masks: Object id to bool (h, w) mask.
            labels: Words for the tags of some objects.

        Raises:
            MediaError: As ``draw_overlay`` and ``Mp4Writer.write``.
        """
        drawn = draw_overlay(frame.image, masks, style=self._style, labels=labels)
        self._writer.write(drawn, pts_s=frame.pts_s)

    @property
    def num_frames(self) -> int:
        """Frames written so far."""
        return self._writer.num_frames

    def close(self) -> None:
        """Finish the file."""
        self._writer.close()

    def __enter__(self) -> OverlayWriter:
        """Self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """As ``Mp4Writer``."""
        self._writer.__exit__(kind, error, trace)


def _mux(container: OutputContainer, stream: VideoStream, frame: av.VideoFrame | None) -> None:
    """Encode a frame, or what the encoder still holds, into the container."""
    container.mux(stream.encode(frame))  # pyright: ignore[reportUnknownMemberType]


def find_encoder() -> str:
    """The best encoder of this PyAV build: H.264, or MPEG-4 part 2 with a logged note.

    Raises:
        MediaError: When there is none.
    """
    for name in _ENCODERS:
        if name in av.codecs_available and _can_encode(name):
            if name == "mpeg4":
                _log.warning(
                    "this PyAV has no H.264 encoder; writing MPEG-4 part 2, which browsers do not play"
                )
            return name
    raise MediaError(
        f"This PyAV has none of the encoders {', '.join(_ENCODERS)}; install the wheel from PyPI."
    )


def _can_encode(name: str) -> bool:
    """Whether an encoder, not only a decoder, of this name exists."""
    with suppress(FFmpegError, ValueError):
        return av.Codec(name, "w").is_encoder
    return False


def _padded_to_even(image: Image) -> Image:
    """The image with its last row or column repeated where a side is odd."""
    height, width = image.shape[:2]
    if height % 2 or width % 2:
        return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    return np.ascontiguousarray(image)
