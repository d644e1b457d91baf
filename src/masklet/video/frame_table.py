"""The table that gives every frame of a file its index and its time stamp, from packets or by decoding."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import av
from av.video.frame import PictureType

from masklet.errors import DamagedMediaError, MediaError, UnsupportedMediaError
from masklet.geometry import Size
from masklet.video.decoder import FrameDecoder, stored_size
from masklet.video.orientation import Orientation, orientation_of
from masklet.video.packet_list import Packets, announced_times, read_packets

# Codecs whose every packet is one picture: a packet without its picture is damage. Left out on purpose
# are VP8
# (hidden reference frames) and MPEG-4 part 2 (packed and empty B-frames).
_ONE_PICTURE_PER_PACKET = frozenset(
    [
        "h264",
        "hevc",
        "vp9",
        "av1",
        "mjpeg",
        "gif",
        "png",
        "rawvideo",
        "ffv1",
        "huffyuv",
        "ffvhuff",
        "qtrle",
        "prores",
        "dnxhd",
        "mpeg2video",
        "mpeg1video",
    ]
)
_UNBOUNDED = ("mpegts", "mpeg")  # containers that do not state how long a picture is
_CONTAINERS_WITH_PTS = ("mov", "matroska", "gif", "mpegts", "mpeg")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameTable:
    """Frames of a file in show order.

    Attributes:
        pts: Ticks of the stream's time base, strictly rising.
        keyframes: Indexes from which decoding can start; 0 is always one.
        is_decoded: Whether it was made by decoding every frame.
        is_seekable: Whether a time stamp finds the same frame after a jump.
        stored_size: Size of the pictures before they are turned.
        orientation: How they are turned.
        last_duration: Ticks that the last frame is shown, 0 when not stated.
        damage: What went wrong and was passed over, or None.
    """

    pts: tuple[int, ...]
    keyframes: tuple[int, ...]
    is_decoded: bool
    is_seekable: bool
    stored_size: Size
    orientation: Orientation
    last_duration: int
    damage: str | None = None


def build_table(decoder: FrameDecoder) -> FrameTable:
    """The frame table of an undamaged file.

    Raises:
        DamagedMediaError: No frame, a cut packet, fewer packets than the index says, or a frame that
            does not decode.
        UnsupportedMediaError: Encrypted, or the picture size changes.
    """
    packets = read_packets(decoder)
    if _tells_frames(decoder, packets):
        table = _table_from_packets(decoder, packets)
        if _proves_itself(decoder, table):
            return table
    return _table_by_decoding(decoder, packets)


def repair_table(decoder: FrameDecoder) -> FrameTable:
    """The table of the frames that still decode in a damaged file; the decoder must be tolerant.

    Raises:
        DamagedMediaError: When no frame decodes.
    """
    table, num_corrupt = _decode_all(decoder)
    problems = []
    if decoder.num_failed_packets:
        problems.append(f"{decoder.num_failed_packets} packets could not be decoded")
    if num_corrupt:
        problems.append(f"{num_corrupt} frames show damage")
    damage = ", ".join(problems) or None
    return replace(table, damage=damage, is_seekable=False, keyframes=(0,))


def expected_frames(decoder: FrameDecoder) -> int | None:
    """About how many frames the container says there are, or None when it says nothing."""
    stream = decoder.stream
    if stream.frames:
        return stream.frames
    if decoder.container.format.name.startswith("mov") and len(stream.index_entries):
        return len(stream.index_entries)
    if decoder.container.format.name == "mpegts":
        return len(announced_times(decoder)) or None
    duration, rate = decoder.container.duration, stream.average_rate
    if not (decoder.container.format.name.startswith("matroska") and duration and rate):
        return None
    # Matroska states when the last frame ends, and the first need not start at 0
    first = max(decoder.container.start_time or 0, 0)
    return max(1, round((duration - first) / av.time_base * float(rate)))


def _tells_frames(decoder: FrameDecoder, packets: Packets) -> bool:
    """Whether packets and frames correspond one to one, with the same time stamps."""
    stream, container = decoder.stream, decoder.container.format.name
    if (
        packets.num_empty
        or not packets.has_unique_pts
        or stream.codec.canonical_name not in _ONE_PICTURE_PER_PACKET
    ):
        return False
    # pictures shown before the first one in the file refer to what was cut off, and do not decode
    if packets.pts[0] not in packets.key_pts or packets.pts[0] != min(
        time for time in packets.pts if time is not None
    ):
        return False
    if container.startswith("avi"):
        return not stream.codec_context.has_b_frames
    return container.startswith(("mov", "matroska", "gif"))


def _table_from_packets(decoder: FrameDecoder, packets: Packets) -> FrameTable:
    """Packets in show order; size and turn come from the first picture."""
    pts = tuple(sorted(p for p in packets.pts if p is not None))
    decoder.restart()
    first = next(decoder.frames(), None)
    if first is None:
        raise DamagedMediaError(f"{decoder.name} holds no frame that decodes; copy it again from its source.")
    return FrameTable(
        pts=pts,
        keyframes=(0, *(index for index, time in enumerate(pts) if index and time in packets.key_pts)),
        is_decoded=False,
        is_seekable=True,
        stored_size=stored_size(first),
        orientation=orientation_of(first),
        last_duration=packets.last_duration,
    )


def _proves_itself(decoder: FrameDecoder, table: FrameTable) -> bool:
    """Whether the frames from the last key frame to the end are those of the table."""
    start = table.keyframes[-1]
    found = decoder.frame_times(table.pts[start] if start else None)
    return tuple(p for p in found if p is not None and p >= table.pts[start]) == table.pts[start:]


def _table_by_decoding(decoder: FrameDecoder, packets: Packets) -> FrameTable:
    """Decode the file once, and hold the result against its packets."""
    decoder.restart()
    table, num_corrupt = _decode_all(decoder)
    if num_corrupt:
        raise DamagedMediaError(
            f"{decoder.name} has {num_corrupt} damaged frames of {len(table.pts)}; open it with "
            "allow_damaged=True "
            "to use it as it is."
        )
    num_leading = _num_leading(packets, table)
    num_missing = len(packets.pts) - num_leading - len(table.pts)
    if num_missing > 0 and decoder.stream.codec.canonical_name in _ONE_PICTURE_PER_PACKET:
        raise DamagedMediaError(
            f"{decoder.name} is damaged: {len(table.pts)} frames of about {len(packets.pts)} decode; "
            "open it with "
            "allow_damaged=True to use what is left."
        )
    _check_end(decoder, table)
    is_seekable = (
        table.is_seekable
        and packets.has_unique_pts
        and decoder.container.format.name.startswith(_CONTAINERS_WITH_PTS)
    )
    return replace(table, is_seekable=is_seekable, last_duration=packets.last_duration)


def _check_end(decoder: FrameDecoder, table: FrameTable) -> None:
    """Refuse a stream whose last picture is cut, where the container does not say how long it should be."""
    if decoder.container.format.name not in _UNBOUNDED:
        return
    near = table.pts[table.keyframes[-1]] if table.is_seekable else None
    if (near is None or not decoder.has_whole_end(near)) and not decoder.has_whole_end(None):
        raise DamagedMediaError(
            f"{decoder.name} ends early: the last of its {len(table.pts)} frames is cut; copy it again, or open it "
            "with allow_damaged=True to use what is left."
        )


def _num_leading(packets: Packets, table: FrameTable) -> int:
    """Packets before the first whole picture, where an open group of pictures was cut; no player shows them."""
    if not packets.has_unique_pts:
        return 0
    key = next((index for index, time in enumerate(packets.pts) if time in packets.key_pts), None)
    before = len(packets.pts) if key is None else key
    start = table.pts[0] if key is None else packets.pts[key]
    late = sum(1 for time in packets.pts[before:] if time is not None and start is not None and time < start)
    lost = sum(1 for time in packets.pts if time is not None and time < table.pts[0])
    return min(before + late, lost)


def _decode_all(decoder: FrameDecoder) -> tuple[FrameTable, int]:
    """Table of everything that decodes, and the number of frames that show damage."""
    pts: list[int | None] = []
    keyframes: list[int] = [0]
    first: av.VideoFrame | None = None
    size, orientation, num_corrupt = Size(1, 1), Orientation(), 0
    for frame in decoder.frames():
        if first is None:
            first, size, orientation = frame, stored_size(frame), orientation_of(frame)
        elif stored_size(frame) != size:
            raise size_change(decoder.name, len(pts), size, stored_size(frame))
        if pts and is_clean_start(frame):
            keyframes.append(len(pts))
        pts.append(frame.pts)
        num_corrupt += frame.is_corrupt
    if first is None:
        raise DamagedMediaError(f"{decoder.name} holds no frame that decodes; copy it again from its source.")
    rising, is_repaired = _rising(pts)
    table = FrameTable(
        pts=rising,
        keyframes=(0,) if is_repaired else tuple(keyframes),
        is_decoded=True,
        is_seekable=not is_repaired,
        stored_size=size,
        orientation=orientation,
        last_duration=0,
    )
    return table, num_corrupt


def is_clean_start(frame: av.VideoFrame) -> bool:
    """Whether a picture needs no other: a key frame that is intra-coded, not a step of a gradual refresh."""
    return frame.key_frame and frame.pict_type == PictureType.I


def size_change(name: str, index: int, before: Size, after: Size) -> MediaError:
    """The error for a video whose pictures change size."""
    return UnsupportedMediaError(
        f"{name} changes its picture size at frame {index} from {before.width} x {before.height} to "
        f"{after.width} x {after.height}; convert it to one size."
    )


def _rising(pts: list[int | None]) -> tuple[tuple[int, ...], bool]:
    """The stamps and False; or, when one is missing or goes back, an even grid and True."""
    known = [time for time in pts if time is not None]
    if len(known) == len(pts) and all(before < after for before, after in pairwise(known)):
        return tuple(known), False
    first = min(known, default=0)
    step = max(1, round((max(known, default=0) - first) / max(1, len(pts) - 1)))
    return tuple(first + index * step for index in range(len(pts))), True
