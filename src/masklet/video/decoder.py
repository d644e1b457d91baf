"""Safe, forward decoding of one video file with PyAV: the only module that opens files for FFmpeg."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import av
import numpy as np
from av.container import InputContainer
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from av.video.stream import VideoStream

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError, UnsupportedMediaError
from masklet.geometry import Size
from masklet.video.boundary import checked_file, media_errors
from masklet.video.orientation import Orientation
from masklet.video.pixels import over_white
from masklet.video.source import Image
from masklet.video.structure import sniff_container

# A renamed play list, session description or concat script must not make FFmpeg open other files or sockets.
_UNFINISHED = {"skip_idct": "all", "skip_loop_filter": "all"}
_OPTIONS = {
    "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,gif",
    "protocol_whitelist": "file",
}
_BUFFER_BYTES = 256 * 1024


class FrameDecoder:
    """Decoded pictures of a file in show order, from the start or from a key frame on."""

    def __init__(self, path: Path, *, is_tolerant: bool, max_pixels: int) -> None:
        """Remember what to open; ``open`` opens it.

        Args:
            path: An existing file.
            is_tolerant: Pass over packets that do not decode, on one thread so that repair is repeatable.
            max_pixels: Largest allowed height times width.
        """
        self._path = path
        self._is_tolerant = is_tolerant
        self._is_unfinished = False
        self._max_pixels = max_pixels
        self._file: BinaryIO | None = None
        self._container: InputContainer | None = None
        self._reformatter = VideoReformatter()
        self.num_failed_packets = 0

    @property
    def name(self) -> str:
        """File name in quotes, for messages."""
        return repr(self._path.name)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def container(self) -> InputContainer:
        """The open container; opened now when it is not."""
        if self._container is None:
            self._container = self._open()
        return self._container

    @property
    def stream(self) -> VideoStream:
        """The video stream that is decoded: the best one that is not a cover picture."""
        streams = [s for s in self.container.streams.video if not s.disposition & Disposition.attached_pic]
        if not streams:
            raise UnsupportedMediaError(
                f"{self.name} holds no video ({_describe_streams(self.container)}); give a file with "
                "pictures."
            )
        best = self.container.streams.best("video")
        return next((s for s in streams if best is not None and s.index == best.index), streams[0])

    def _open(self) -> InputContainer:
        """Open the file object, never the name: a name may be read as a protocol or a pattern."""
        checked_file(self._path)
        options = {**_OPTIONS, "max_pixels": str(self._max_pixels)}
        sniffed = sniff_container(self._path)
        try:
            with media_errors(self.name):
                self._file = self._path.open("rb")
                return av.open(
                    self._file, "r", options=options, metadata_errors="replace", buffer_size=_BUFFER_BYTES
                )
        except MediaError as error:
            self.close()
            if sniffed is None:
                raise UnsupportedMediaError(
                    f"{self.name} is not a video file that is opened here; give MP4, MOV, MKV, WebM, "
                    "AVI, MPEG or GIF."
                ) from error
            raise

    def prepare(self) -> None:
        """Check the size and set up the decoder before the first packet.

        Raises:
            UnsupportedMediaError: No video stream.
            DamagedMediaError: A stream without a size.
            MediaLimitError: More pixels than allowed.
        """
        context = self.stream.codec_context
        if context.width < 1 or context.height < 1:
            raise DamagedMediaError(f"{self.name} states no picture size; it ends before the first picture.")
        self._check_pixels(context.width, context.height)
        if not context.is_open:
            skipped = _UNFINISHED if self._is_unfinished else {}
            context.options = {"max_pixels": str(self._max_pixels), **skipped}
            context.thread_type = "NONE" if self._is_tolerant else "SLICE" if self._is_unfinished else "AUTO"
            if self._is_tolerant:
                context.thread_count = 1

    def _check_pixels(self, width: int, height: int) -> None:
        """Refuse pictures above the limit."""
        if width * height > self._max_pixels:
            raise MediaLimitError(
                f"{self.name} has pictures of {width} x {height} pixels, more than the limit of "
                f"{self._max_pixels}; raise max_pixels if you trust the file."
            )

    def frames(self) -> Iterator[av.VideoFrame]:
        """Decode on from the present place; ends at the end of the file.

        Raises:
            MediaError: A packet cannot be read, or, unless tolerant, decoded.
        """
        with media_errors(self.name):
            self.prepare()
            packets = self.container.demux(self.stream)
        while True:
            try:
                with media_errors(self.name):
                    packet = next(packets, None)
            except MediaError:
                if not self._is_tolerant:
                    raise
                self.num_failed_packets += 1
                return
            if packet is None:
                return
            yield from self._decode(packet)

    def _decode(self, packet: av.Packet[VideoStream]) -> list[av.VideoFrame]:
        """Pictures that one packet completes."""
        try:
            with media_errors(self.name):
                return packet.decode()
        except MediaError as error:
            if packet.has_sidedata("encryption_info"):
                raise UnsupportedMediaError(
                    f"{self.name} is encrypted; give a copy without copy protection."
                ) from error
            if not self._is_tolerant:
                raise
            self.num_failed_packets += 1
            return []

    def seek(self, pts: int) -> None:
        """Go to the key frame at or before a time stamp, as the container sees it."""
        with media_errors(self.name):
            self.container.seek(pts, stream=self.stream, backward=True)

    def frame_times(self, start: int | None) -> list[int | None]:
        """Time stamps of the pictures that decode from a key frame to the end, in order; the file is opened anew.

        The pictures themselves are not finished: inverse transforms and loop filters are left out, which changes no
        time stamp and no error.

        Args:
            start: Time stamp of the key frame; None for the beginning.

        Raises:
            MediaError: A packet cannot be read or decoded.
        """
        self.restart()
        self._is_unfinished = True
        try:
            if start is not None:
                self.seek(start)
            return [frame.pts for frame in self.frames()]
        finally:
            self._is_unfinished = False
            self.restart()

    def restart(self) -> None:
        """Go back to the first packet by opening the file anew, which leaves no decoder state."""
        self.close()

    def has_whole_end(self, start: int | None) -> bool:
        """Whether the last packet decodes without any error, also such as FFmpeg would pass over.

        A picture that ends early is drawn without a word, its lower part grey or repeated.

        Args:
            start: Time stamp of a key frame near the end, from which to decode; None for the whole file. A jump may
                land where pictures lack what they refer to, so that only True can be relied on then.
        """
        self.restart()
        with media_errors(self.name):
            context = self.stream.codec_context
            context.options = {"max_pixels": str(self._max_pixels), "err_detect": "explode"}
            context.thread_type = "NONE"  # so that an error belongs to the packet that raises it
        if start is not None:
            self.seek(start)
        is_whole = True
        for packet in self.container.demux(self.stream):
            if packet.size:
                try:
                    with media_errors(self.name):
                        packet.decode()
                    is_whole = True
                except MediaError:
                    is_whole = False
        self.restart()
        return is_whole

    def to_rgb(self, frame: av.VideoFrame, orientation: Orientation) -> Image:
        """A decoded picture as upright RGB uint8 (h, w, 3).

        YUV is converted by the matrix and range that the stream states (BT.601, limited range when it states
        none); more than 8 bits are rounded to 8; HDR is not tone-mapped; alpha is laid over white.

        Args:
            frame: A picture of this decoder.
            orientation: How it must be turned.
        """
        with media_errors(self.name):
            if any(component.is_alpha for component in frame.format.components):
                rgba = (
                    self._reformatter.reformat(frame, format="rgba").to_ndarray().astype(np.uint8, copy=False)
                )
                return orientation.apply(over_white(rgba))
            rgb = self._reformatter.reformat(frame, format="rgb24").to_ndarray().astype(np.uint8, copy=False)
            return orientation.apply(rgb)

    def close(self) -> None:
        """Close the container and the file."""
        container, self._container = self._container, None
        file, self._file = self._file, None
        if container is not None:
            container.close()
        if file is not None:
            file.close()


def stored_size(frame: av.VideoFrame) -> Size:
    """Size of a decoded picture before it is turned."""
    return Size(frame.height, frame.width)


def _describe_streams(container: InputContainer) -> str:
    """What a container holds, for messages: "1 audio", "nothing"."""
    kinds = [stream.type for stream in container.streams]
    return ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds))) or "nothing"
