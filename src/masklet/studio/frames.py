"""Single frames for the browser, exact by index: JPEG, WebP or PNG, and strips of small ones."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass

from PIL import Image

from masklet.errors import MediaError
from masklet.studio.decoding import Opener
from masklet.studio.library import Library
from masklet.studio.store import MediaRow
from masklet.video.source import FrameSource

CONTENT_TYPES = {"jpeg": "image/jpeg", "webp": "image/webp", "png": "image/png"}
_OPEN_SOURCES = 6
_JPEG_QUALITY = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRequest:
    """Which frame, and how; ``height`` None is the frame's own."""

    index: int
    kind: str = "jpeg"
    height: int | None = None

    def tag(self, media: MediaRow) -> str:
        """An entity tag: the same one is the same picture for ever."""
        return f'"{media.sha256[:24]}-{self.index}-{self.kind}-{self.height or 0}"'


class FrameServer:
    """Decodes frames, with a few files open at a time."""

    def __init__(self, library: Library, opener: Opener) -> None:
        self._library = library
        self._opener = opener
        self._open: OrderedDict[str, FrameSource] = OrderedDict()
        self._lock = threading.Lock()
        self._is_closed = False

    def picture(self, media: MediaRow, request: FrameRequest) -> bytes:
        """One frame as a file.

        Raises:
            MediaError: No such frame, or it cannot be decoded.
        """
        image = Image.fromarray(self.source(media).read(request.index).image)
        return encode_picture(_resized(image, request.height), request.kind)

    def strip(self, media: MediaRow, *, count: int, height: int) -> bytes:
        """Frames side by side as one JPEG; frame ``i`` of it is frame ``strip_index(i, ...)`` of the medium.

        Raises:
            MediaError: When a frame cannot be decoded.
        """
        source = self.source(media)
        width = max(1, round(media.width * height / media.height))
        strip = Image.new("RGB", (width * count, height))
        for place in range(count):
            frame = source.read(strip_index(place, count, media.num_frames))
            strip.paste(Image.fromarray(frame.image).resize((width, height)), (place * width, 0))
        return encode_picture(strip, "jpeg")

    def times_s(self, media: MediaRow) -> list[float]:
        """When each frame is shown, in seconds from the first."""
        source = self.source(media)
        first_s = source.pts_s(0)
        if first_s is None:
            return [0.0] * media.num_frames
        return [(source.pts_s(index) or 0.0) - first_s for index in range(media.num_frames)]

    def source(self, media: MediaRow) -> FrameSource:
        """The frames of a medium; the least recently used file is closed when too many are open.

        Raises:
            MediaError: When it cannot be opened, or the studio is closing.
        """
        with self._lock:
            if self._is_closed:
                raise MediaError("The studio is closing; start it again.")
            found = self._open.get(media.id)
            if found is None:
                found = self._open[media.id] = self._library.open(media, self._opener)
            self._open.move_to_end(media.id)
            while len(self._open) > _OPEN_SOURCES:
                self._open.popitem(last=False)[1].close()
            return found

    def expect(self, media: MediaRow) -> None:
        """Open a medium that will soon be shown; does not wait for it."""

        def open_soon() -> None:
            with suppress(MediaError, OSError):  # whoever asks for a frame is told
                self.source(media)

        threading.Thread(target=open_soon, name="masklet-frames", daemon=True).start()

    def forget(self, media_id: str) -> None:
        """Close a medium's file."""
        with self._lock:
            found = self._open.pop(media_id, None)
        if found is not None:
            found.close()

    def close(self) -> None:
        """Close all files."""
        with self._lock:
            self._is_closed = True
            for source in self._open.values():
                source.close()
            self._open.clear()


def strip_index(place: int, count: int, num_frames: int) -> int:
    """Frame shown at a place of a strip: the middle of the place's share of the video."""
    return min(num_frames - 1, (2 * place + 1) * num_frames // (2 * count))


def encode_picture(image: Image.Image, kind: str) -> bytes:
    """A picture as a file."""
    buffer = io.BytesIO()
    if kind == "png":
        image.save(buffer, "PNG", compress_level=1)
    elif kind == "webp":
        image.save(buffer, "WEBP", quality=_JPEG_QUALITY, method=1)
    else:
        image.save(buffer, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
    return buffer.getvalue()


def _resized(image: Image.Image, height: int | None) -> Image.Image:
    if height is None or height >= image.height:
        return image
    width = max(1, round(image.width * height / image.height))
    return image.resize((width, height), Image.Resampling.BILINEAR)
