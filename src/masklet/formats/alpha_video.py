"""Video with transparency: the frames as they are, opaque where any object is seen.

ProRes 4444 for editors, VP9 in WebM for browsers, FFV1 in Matroska without any loss. The alpha of VP9 lies
beside the picture in the file; browsers and players on libvpx show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.container import OutputContainer
from av.video.stream import VideoStream

from masklet.errors import FormatError
from masklet.formats.label_set import Entry, LabelSet, frames_to_write
from masklet.formats.media import Media, required
from masklet.formats.strips import masks_by_frame
from masklet.geometry import Size
from masklet.masks import rle
from masklet.video.boundary import write_errors
from masklet.video.source import Image

_TICKS_PER_SECOND = 90_000
_DEFAULT_RATE = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaCodec:
    """How a video with transparency is encoded.

    Args:
        encoder: Name of FFmpeg's encoder.
        container: Name of FFmpeg's container.
        pixel_format: A pixel format with alpha.
        options: Options of the encoder.
        ticks_per_second: Ticks of the file's clock.
    """

    encoder: str
    container: str
    pixel_format: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    ticks_per_second: int = _TICKS_PER_SECOND


PRORES = AlphaCodec(
    encoder="prores_ks",
    container="mov",
    pixel_format="yuva444p10le",
    options={"profile": "4444", "alpha_bits": "16"},
)
VP9 = AlphaCodec(
    encoder="libvpx-vp9",
    container="webm",
    pixel_format="yuva420p",
    options={"crf": "24", "b": "0", "auto-alt-ref": "0", "deadline": "good", "cpu-used": "4"},
    ticks_per_second=1000,
)
FFV1 = AlphaCodec(encoder="ffv1", container="matroska", pixel_format="bgra", ticks_per_second=1000)


def alpha_exporter(codec: AlphaCodec) -> Callable[[LabelSet, Path, Media | None], None]:
    """The exporter of a codec."""

    def write(labels: LabelSet, out: Path, media: Media | None) -> None:
        (entry,) = labels.entries
        write_alpha_video(entry, required(media, "A video with transparency"), out, codec)

    return write


def write_alpha_video(entry: Entry, media: Media, out: Path, codec: AlphaCodec) -> None:
    """Write every frame of a video with the union of its objects as alpha, at the frames' own times.

    Raises:
        FormatError: When the media do not fit.
        MediaError: When a frame cannot be read, or this PyAV lacks the encoder, or the disk refuses.
    """
    masks = {index: rle.union(list(found.values())) for index, found in masks_by_frame(entry).items()}
    size = entry.project.video.size
    with (
        media.open(entry) as source,
        write_errors(repr(out.name)),
        av.open(str(out), "w", format=codec.container) as container,
    ):
        rate = Fraction(source.fps or _DEFAULT_RATE).limit_denominator(1001)
        stream = _stream(container, codec, size, rate)
        first_s: float | None = None
        frames = iter(source)
        for index in frames_to_write(entry):
            frame = next(frames, None)
            if frame is None:
                raise FormatError(f"The media of {entry.name!r} end at frame {index}; give the whole video.")
            pts_s = float(index / rate) if frame.pts_s is None else frame.pts_s
            first_s = pts_s if first_s is None else first_s
            picture = _with_alpha(frame.image, masks.get(index), size)
            encoded = av.VideoFrame.from_ndarray(picture, format="rgba")
            encoded.pts = round((pts_s - first_s) * codec.ticks_per_second)
            encoded.time_base = Fraction(1, codec.ticks_per_second)
            container.mux(stream.encode(encoded))
        container.mux(stream.encode(None))


def _stream(container: OutputContainer, codec: AlphaCodec, size: Size, rate: Fraction) -> VideoStream:
    stream = cast(VideoStream, container.add_stream(codec.encoder, rate=rate))
    stream.width, stream.height = size.width + size.width % 2, size.height + size.height % 2
    stream.pix_fmt = codec.pixel_format
    stream.codec_context.thread_count = 2
    stream.codec_context.options = dict(codec.options)
    stream.codec_context.time_base = Fraction(1, codec.ticks_per_second)
    return stream


def _with_alpha(image: Image, mask: rle.RLE | None, size: Size) -> Image:
    """RGBA uint8 with even sides: sides of odd length get one transparent row or column."""
    alpha = np.zeros(size.hw, np.uint8) if mask is None else rle.decode(mask).astype(np.uint8) * np.uint8(255)
    picture = np.concatenate((image, alpha[..., None]), axis=2)
    return np.pad(picture, ((0, size.height % 2), (0, size.width % 2), (0, 0)))
