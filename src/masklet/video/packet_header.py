"""Headers of the packets that carry pictures and sound in MPEG streams (ISO/IEC 13818-1, 2.4.3.6; 11172-1)."""

from __future__ import annotations

from dataclasses import dataclass

VIDEO_STREAMS = frozenset((*range(0xE0, 0xF0), 0xFD))
"""Stream numbers of pictures; 0xFD holds newer codecs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PesHeader:
    """One header.

    Attributes:
        stream: Stream number, such as 0xE0 for the first video.
        time: Show time of the first picture that starts in the packet, in ticks of 90 kHz, or None.
    """

    stream: int
    time: int | None

    @property
    def is_video(self) -> bool:
        """Whether it starts pictures."""
        return self.stream in VIDEO_STREAMS


def read_pes_header(data: bytes) -> PesHeader | None:
    """The header at the start of some bytes, or None when its fixed bits or lengths are wrong.

    Args:
        data: From the start code on; 19 bytes are enough unless an MPEG-1 header is stuffed.
    """
    if len(data) < 9 or data[:3] != b"\x00\x00\x01":
        return None
    if data[6] & 0xC0 == 0x80:
        return _read_second_kind(data)
    return _read_first_kind(data)


def _read_second_kind(data: bytes) -> PesHeader | None:
    """An MPEG-2 header: flags, length, times."""
    times, num_bytes = data[7] >> 6, data[8]
    if times == 0:
        return PesHeader(stream=data[3], time=None)
    if times == 1 or num_bytes < 5 * (times - 1):
        return None
    time = _read_time(data[9:14], times)
    if time is None or (times == 3 and _read_time(data[14:19], 1) is None):
        return None
    return PesHeader(stream=data[3], time=time)


def _read_first_kind(data: bytes) -> PesHeader | None:
    """An MPEG-1 header: stuffing, perhaps a buffer size, then times or 0x0F."""
    offset = 6
    while offset < len(data) and data[offset] == 0xFF:
        offset += 1
    if offset < len(data) and data[offset] & 0xC0 == 0x40:
        offset += 2
    kind = data[offset] >> 4 if offset < len(data) else 0
    if kind in (2, 3):
        time = _read_time(data[offset : offset + 5], kind)
        return None if time is None else PesHeader(stream=data[3], time=time)
    is_plain = offset < len(data) and data[offset] == 0x0F
    return PesHeader(stream=data[3], time=None) if is_plain else None


def _read_time(data: bytes, kind: int) -> int | None:
    """A time of 33 bits, or None when the fixed bits around it are wrong."""
    if len(data) < 5 or data[0] >> 4 != kind or not data[0] & data[2] & data[4] & 1:
        return None
    high, middle, low = (data[0] >> 1) & 7, int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    return high << 30 | (middle >> 1) << 15 | low >> 1
