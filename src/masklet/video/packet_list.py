"""The packets of a video stream, and whether they are all that the file says it holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import av
from av.packet import Packet
from av.video.stream import VideoStream

from masklet.errors import DamagedMediaError, UnsupportedMediaError
from masklet.video.boundary import media_errors
from masklet.video.decoder import FrameDecoder
from masklet.video.mpeg_pictures import PictureOrder
from masklet.video.structure import sniff_container, stated_frames, stated_times

_NUMBERED_PICTURES = ("mpeg1video", "mpeg2video")
_FEWEST_MISSCALED = 0.25
_TIME_WRAP = 2**33  # MPEG streams count show times in 33 bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Packets:
    """What the packets of the video stream say, in file order; empty and discarded packets are left out."""

    pts: tuple[int | None, ...]
    key_pts: frozenset[int]
    num_empty: int
    hidden_pts: tuple[int, ...]
    last_duration: int

    @property
    def has_unique_pts(self) -> bool:
        """Whether every packet has a time stamp of its own."""
        return None not in self.pts and len(set(self.pts)) == len(self.pts)

    @property
    def num_found(self) -> int:
        """Number of packets that are shown, empty ones included."""
        return len(self.pts) + self.num_empty


def read_packets(decoder: FrameDecoder) -> Packets:
    """Demux the whole file without decoding, and check that nothing is missing that the file states.

    Raises:
        DamagedMediaError: No packet, a broken one, or fewer than index, headers, numbers or duration say.
        UnsupportedMediaError: Encrypted.
    """
    packets = _demux(decoder)
    _check_number(decoder, packets)
    _check_duration(decoder, packets)
    _check_times(decoder, packets)
    return packets


def _demux(decoder: FrameDecoder) -> Packets:
    """All packets that hold something."""
    pts: list[int | None] = []
    keys: set[int] = set()
    hidden: list[int] = []
    num_empty = last_duration = 0
    name = decoder.name
    with media_errors(name):
        decoder.prepare()
        order = PictureOrder() if decoder.stream.codec.canonical_name in _NUMBERED_PICTURES else None
        packets: Iterator[Packet[VideoStream]] = decoder.container.demux(decoder.stream)
        for packet in packets:
            _check_packet(packet, name)
            if packet.size == 0:
                num_empty += packet.dts is not None
                continue
            if order is not None:
                order.add(bytes(packet))
            if packet.is_discard:
                hidden.append(packet.pts or 0)
                continue
            pts.append(packet.pts)
            if packet.is_keyframe and packet.pts is not None:
                keys.add(packet.pts)
            last_duration = packet.duration or 0
    if not pts:
        raise DamagedMediaError(f"{decoder.name} holds no frame; copy it again from its source.")
    _check_order(decoder, order)
    return Packets(
        pts=tuple(pts),
        key_pts=frozenset(keys),
        num_empty=num_empty,
        hidden_pts=tuple(hidden),
        last_duration=last_duration,
    )


def _check_order(decoder: FrameDecoder, order: PictureOrder | None) -> None:
    """Refuse a video whose pictures are numbered and where a number is missing."""
    if order is None:
        return
    order.end()
    if order.broken is not None:
        raise DamagedMediaError(
            f"{decoder.name} is damaged: {order.broken}; copy it again, or open it with allow_damaged=True to use "
            "what is left."
        )


def _check_packet(packet: Packet[VideoStream], name: str) -> None:
    """Refuse cut and encrypted packets."""
    if packet.is_corrupt:
        raise DamagedMediaError(
            f"{name} has a broken packet at byte {packet.pos}; copy it again from its source."
        )
    if packet.has_sidedata("encryption_info"):
        raise UnsupportedMediaError(f"{name} is encrypted; give a copy without copy protection.")


def _check_number(decoder: FrameDecoder, packets: Packets) -> None:
    """Compare the number of packets found with the one that index, fragments or blocks state."""
    stream = decoder.stream
    num_found, num_hidden = packets.num_found, len(packets.hidden_pts)
    counts = stated_frames(decoder.path, sniff_container(decoder.path))
    # FFmpeg names Matroska tracks otherwise than the file does, so only a lone one is sure to be the same.
    num_stated = next(iter(counts.values())) if len(counts) == 1 else counts.get(stream.id)
    if num_stated is None and decoder.container.format.name.startswith("avi"):
        num_stated = stream.frames
    is_short = num_stated is not None and num_found + num_hidden < num_stated
    known = [time for time in packets.pts if time is not None]
    # Fragments have no edits that could hide frames in the middle on purpose.
    is_torn = (
        not stream.frames and known and any(min(known) < time < max(known) for time in packets.hidden_pts)
    )
    if is_short or is_torn or _is_misscaled(decoder, packets):
        raise DamagedMediaError(
            f"{decoder.name} ends early or is damaged: {num_found} frames of about "
            f"{num_stated or num_found + num_hidden} can be read; copy it again, or open it with allow_damaged=True to "
            "use what is left."
        )


def _is_misscaled(decoder: FrameDecoder, packets: Packets) -> bool:
    """Whether an edit hides many frames that would all find a place at the rate which the coding states.

    Then the edit does not trim the video: the time scale of the track is wrong.
    """
    stream, duration = decoder.stream, decoder.container.duration
    num_frames, rate = stream.frames, stream.codec_context.framerate
    is_edited = decoder.container.format.name.startswith("mov")
    if (
        not is_edited
        or not rate
        or not duration
        or num_frames - packets.num_found < _FEWEST_MISSCALED * num_frames
    ):
        return False
    return abs(num_frames / (duration / av.time_base) / float(rate) - 1) < 1 / max(num_frames, 1)


def _check_duration(decoder: FrameDecoder, packets: Packets) -> None:
    """Compare the time of the last packet with the duration that the container states."""
    stream, container = decoder.stream, decoder.container
    rate, known = stream.average_rate, [time for time in packets.pts if time is not None]
    is_stated = container.format.name.startswith(("matroska", "mov")) and len(container.streams) == 1
    if not (is_stated and rate and container.duration and known and stream.time_base):
        return
    # Other streams may last longer than the video, so only a lone one can be held against the stated duration.
    # MP4 states how long the last frame is shown; Matroska often does not, so it gets more room.
    step_s = max(float(packets.last_duration * stream.time_base), 1.0 / float(rate))
    missing_s = container.duration / av.time_base - float(max(known) * stream.time_base) - step_s
    allowed_s = 1.5 * step_s if container.format.name.startswith("mov") else max(1.0, 5.0 * step_s)
    if missing_s > allowed_s:
        raise DamagedMediaError(
            f"{decoder.name} ends early: {packets.num_found} frames are there and the last {missing_s:.2f} s have "
            "none; copy it again, or open it with allow_damaged=True to use what is left."
        )


def _check_times(decoder: FrameDecoder, packets: Packets) -> None:
    """Every picture whose show time an MPEG stream states must be among the packets found."""
    stated = announced_times(decoder)
    missing = stated - {time % _TIME_WRAP for time in packets.pts if time is not None}
    if missing:
        raise DamagedMediaError(
            f"{decoder.name} is damaged: {len(missing)} of {len(stated)} pictures that its packets announce are "
            "missing; copy it again, or open it with allow_damaged=True to use what is left."
        )


def announced_times(decoder: FrameDecoder) -> frozenset[int]:
    """Show times of pictures that the packet headers of an MPEG stream state; empty for other containers."""
    number = decoder.stream.id
    if decoder.container.format.name == "mpeg":
        number &= 0xFF  # FFmpeg adds 256 to the numbers of program streams
    return stated_times(decoder.path, sniff_container(decoder.path)).get(number, frozenset())
