"""Live pictures from a camera or a network stream; never opened unless asked for by ``open_camera``."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import av
import numpy as np

from masklet.errors import MediaError, UnsupportedMediaError
from masklet.geometry import Size
from masklet.video.boundary import media_errors
from masklet.video.pixels import MAX_PIXELS
from masklet.video.source import ClosingSource, Frame, Image

_log = logging.getLogger(__name__)

# What FFmpeg may open for each kind of address; a play list on a server must not lead it elsewhere.
_STREAM_FORMATS = "mpjpeg,mjpeg,mpegts,flv,matroska,mov"
_PROTOCOLS = {
    "rtsp": ("rtsp,tcp,udp,rtp", "rtsp"),
    "rtsps": ("rtsp,tls,tcp,udp,rtp", "rtsp"),
    "http": ("http,tcp", _STREAM_FORMATS),
    "https": ("https,tls,tcp", _STREAM_FORMATS),
}
_DEVICE_FORMAT = "video4linux2"

Connect = Callable[[], Iterator[Image]]


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraPolicy:
    """What to do when a camera is too fast or goes away.

    Attributes:
        num_waiting_frames: Frames that may wait to be read; a new frame that finds no place is dropped
            and counted.
        max_attempts: Connections in a row that may give no frame before the stream ends, at least 1.
        first_pause_s: Pause before the second attempt, in seconds; each further pause is twice as long.
        longest_pause_s: Longest pause, in seconds.
        timeout_s: How long opening or the next frame may take, in seconds.
    """

    num_waiting_frames: int = 2
    max_attempts: int = 6
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    timeout_s: float = 20.0

    def __post_init__(self) -> None:
        """Refuse numbers that cannot work."""
        pauses = self.first_pause_s > 0 and self.longest_pause_s >= self.first_pause_s
        if self.num_waiting_frames < 1 or self.max_attempts < 1 or not pauses or not self.timeout_s > 0:
            raise MediaError(
                f"A camera needs at least one waiting frame, one attempt and positive times, got {self}."
            )

    def pause_s(self, num_failures: int) -> float:
        """Seconds to wait after a number of failed connections in a row, from 1."""
        return min(self.longest_pause_s, self.first_pause_s * 2.0 ** min(num_failures - 1, 60))


class CameraSource(ClosingSource):
    """A live stream, read once and in order; a thread decodes, so a slow reader makes no picture late."""

    def __init__(
        self,
        connect: Connect,
        *,
        name: str,
        policy: CameraPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Remember how to connect; the thread starts when the first frame or the size is asked for.

        Args:
            connect: Opens the camera and gives its RGB images; called again after every loss.
            name: Name for messages and exports; must hold no password.
            policy: What to do when the camera is too fast or goes away.
            clock: Seconds that rise; frame times are counted from the first frame.
        """
        self._connect = connect
        self._name = name
        self._policy = policy or CameraPolicy()
        self._clock = clock
        self._waiting: queue.Queue[Frame | MediaError | None] = queue.Queue(self._policy.num_waiting_frames)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._first: Frame | None = None
        self._size: Size | None = None
        self._end: MediaError | None = None
        self._has_ended = False
        self._start_s: float | None = None
        self._num_given = 0
        self._newest_pts_s: float | None = None
        self._num_dropped = 0
        self._num_reconnects = 0

    @property
    def name(self) -> str:
        """Name of the camera."""
        return self._name

    @property
    def num_frames(self) -> None:
        """Unknown."""
        return

    @property
    def fps(self) -> None:
        """Unknown; every frame carries its own time."""
        return

    @property
    def num_dropped(self) -> int:
        """Frames that came while the places were full."""
        return self._num_dropped

    @property
    def num_reconnects(self) -> int:
        """Connections after the first one."""
        return self._num_reconnects

    @property
    def size(self) -> Size:
        """Size of every frame; waits for the first one.

        Raises:
            MediaError: When the camera gives no frame.
        """
        if self._size is None:
            self._first = self._receive()
            if self._first is None:
                raise MediaError(f"{self._name} was closed before its first frame; open it again.")
            self._size = Size(*self._first.image.shape[:2])
        return self._size

    def __iter__(self) -> Iterator[Frame]:
        """Frames as they come, numbered without gaps, until ``close``.

        Raises:
            MediaError: The camera stays away, or comes back with another picture size.
        """
        while True:
            frame, self._first = self._first or self._receive(), None
            if frame is None:
                return
            self._size = self._size or Size(*frame.image.shape[:2])
            if frame.image.shape[:2] != self._size.hw:
                self.close()
                raise UnsupportedMediaError(
                    f"{self._name} changed its picture size from {self._size.hw} to "
                    f"{frame.image.shape[:2]} (h, w); "
                    "open it again to start a new session."
                )
            # The place is counted here, after dropping, so that indexes have no gaps.
            self._num_given += 1
            self._newest_pts_s = frame.pts_s
            yield Frame(index=self._num_given - 1, pts_s=frame.pts_s, image=frame.image)

    def read(self, index: int) -> Frame:
        """The next frame; a live stream has no other.

        Raises:
            MediaError: Any index but that of the next frame, or the stream has ended.
        """
        frame = next(iter(self), None) if index == self._num_given else None
        if frame is None:
            raise MediaError(
                f"{self._name} is live and can only give frame {self._num_given} next, not {index}."
            )
        return frame

    def pts_s(self, index: int) -> float | None:
        """When the newest frame came; a live stream keeps no other time.

        Raises:
            MediaError: Any index but that of the newest frame.
        """
        if index != self._num_given - 1 or index < 0:
            raise MediaError(
                f"{self._name} is live and knows the time of its newest frame only, not of frame {index}; "
                "keep the times of the frames it gives."
            )
        return self._newest_pts_s

    def close(self) -> None:
        """Stop the thread; it leaves the camera after the frame that it is waiting for."""
        self._stop.set()
        while not self._waiting.empty():
            try:
                self._waiting.get_nowait()
            except queue.Empty:
                break
        self._first = None
        self._has_ended = True

    def _receive(self) -> Frame | None:
        """Wait for the thread's next frame; None after the end."""
        if self._thread is None and not self._stop.is_set():
            self._thread = threading.Thread(
                target=self._run, name=f"masklet camera {self._name}", daemon=True
            )
            self._thread.start()
        while not self._has_ended:
            try:
                item = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            if isinstance(item, Frame):
                return item
            self._has_ended, self._end = True, item
        if self._end is not None:
            raise self._end
        return None

    def _run(self) -> None:
        """Connect, pass frames on, and connect again after a pause, until stopped or out of attempts."""
        num_failures = 0
        while not self._stop.is_set():
            num_passed, error = self._pass_frames()
            if self._stop.is_set():
                break
            num_failures = 1 if num_passed else num_failures + 1
            if num_failures >= self._policy.max_attempts:
                end = MediaError(
                    f"{self._name} gave no frame in {num_failures} attempts ({error or 'it ended'}); "
                    "check it."
                )
                self._put_end(end)
                return
            _log.warning("%s was lost after %d frames (%s); connecting again", self._name, num_passed, error)
            self._stop.wait(self._policy.pause_s(num_failures))
            self._num_reconnects += 1
        self._put_end(None)

    def _pass_frames(self) -> tuple[int, MediaError | None]:
        """Frames of one connection: how many came, and why it ended."""
        num_passed = 0
        try:
            with media_errors(self._name):
                for image in self._connect():
                    if self._stop.is_set():
                        break
                    self._offer(image)
                    num_passed += 1
        except MediaError as error:
            return num_passed, error
        return num_passed, None

    def _offer(self, image: Image) -> None:
        """Queue a frame, or drop it when the reader is behind."""
        now = self._clock()
        self._start_s = now if self._start_s is None else self._start_s
        try:
            self._waiting.put_nowait(Frame(index=0, pts_s=now - self._start_s, image=image))
        except queue.Full:
            self._num_dropped += 1

    def _put_end(self, end: MediaError | None) -> None:
        """Tell the reader that no more frames come, as soon as there is a place."""
        while not self._has_ended:
            try:
                self._waiting.put(end, timeout=0.2)
            except queue.Full:
                continue
            return


def open_camera(
    address: str, *, policy: CameraPolicy | None = None, max_pixels: int = MAX_PIXELS
) -> CameraSource:
    """A live source from a network camera or, on Linux, a local one.

    Args:
        address: ``rtsp://``, ``rtsps://``, ``http://`` or ``https://`` (MJPEG, MPEG-TS, FLV, Matroska
            or MP4 streams),
            or a device such as ``/dev/video0``.
        policy: What to do when the camera is too fast or goes away.
        max_pixels: Largest allowed height times width.

    Raises:
        UnsupportedMediaError: Another kind of address.
    """
    chosen = policy or CameraPolicy()
    if address.startswith("/dev/video") and address[10:].isdecimal():
        options = {"protocol_whitelist": "file", "format_whitelist": "video4linux2,v4l2"}
        return CameraSource(
            lambda: _live_images(address, _DEVICE_FORMAT, options, chosen.timeout_s, max_pixels),
            name=address,
            policy=chosen,
        )
    parts = urlsplit(address)
    if parts.scheme not in _PROTOCOLS or not parts.hostname:
        raise UnsupportedMediaError(
            f"A camera needs an address that starts with {', '.join(f'{s}://' for s in _PROTOCOLS)} or "
            "/dev/video, "
            f"got {parts.scheme or 'none of them'!r}; give files to open_source."
        )
    protocols, formats = _PROTOCOLS[parts.scheme]
    options = {"protocol_whitelist": protocols, "format_whitelist": formats}
    if formats == "rtsp":
        options["rtsp_transport"] = "tcp"
    # The host alone: user name, password and tokens in the query must not reach messages or exports.
    return CameraSource(
        lambda: _live_images(address, None, options, chosen.timeout_s, max_pixels),
        name=f"{parts.scheme}://{parts.hostname}",
        policy=chosen,
    )


def _live_images(
    address: str, container_format: str | None, options: dict[str, str], timeout_s: float, max_pixels: int
) -> Iterator[Image]:
    """Decode one connection."""
    limits = {**options, "max_pixels": str(max_pixels)}
    with av.open(
        address, "r", format=container_format, options=limits, timeout=timeout_s, metadata_errors="replace"
    ) as container:
        if not container.streams.video:
            raise UnsupportedMediaError("the stream holds no video; check the address.")
        stream = container.streams.video[0]
        stream.codec_context.options = {"max_pixels": str(max_pixels)}
        for frame in container.decode(stream):
            yield np.asarray(frame.to_ndarray(format="rgb24"), dtype=np.uint8)
