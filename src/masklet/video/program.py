"""Walk of the packets of an MPEG program stream (ISO/IEC 13818-1, 2.5; 11172-1)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import BinaryIO

from masklet.video.packet_header import VIDEO_STREAMS, read_pes_header

_PACK, _SYSTEM, _END = 0xBA, 0xBB, 0xB9
_FIRST_CODE = 0xB9
_HEADER_BYTES = 64


def find_program_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Why the chain of packets is broken or ends early, or None when it is whole.

    A stream that was cut exactly between two packets cannot be told from a whole one here: its length stands nowhere.

    Args:
        file: The open file.
        num_bytes: Its length.
    """
    for offset, code, end in _packets(file, num_bytes):
        if code is None:
            return f"no packet starts at byte {offset}"
        if end is None:
            return f"the packet at byte {offset} has a broken header"
        if end > num_bytes:
            return f"the file ends {end - num_bytes} bytes before the packet at byte {offset} does"
    return None


def program_times(file: BinaryIO, num_bytes: int) -> dict[int, frozenset[int]]:
    """Show times of pictures that the packet headers state, in ticks of 90 kHz, by stream number."""
    times: defaultdict[int, set[int]] = defaultdict(set)
    for offset, code, _ in _packets(file, num_bytes):
        if code in VIDEO_STREAMS:
            file.seek(offset)
            header = read_pes_header(file.read(_HEADER_BYTES))
            if header is not None and header.time is not None:
                times[header.stream].add(header.time)
    return {stream: frozenset(found) for stream, found in times.items()}


def _packets(file: BinaryIO, num_bytes: int) -> Iterator[tuple[int, int | None, int | None]]:
    """Start, code and end of each packet; the last is broken when its code or end is None."""
    file.seek(0)
    if file.read(4) != b"\x00\x00\x01\xba":
        return  # bare pictures without packets
    offset = 0
    while offset + 4 <= num_bytes:
        file.seek(offset)
        header = file.read(_HEADER_BYTES)
        if header[:3] != b"\x00\x00\x01" or header[3] < _FIRST_CODE:
            offset = _after_zeros(file, offset)
            if offset >= num_bytes:
                return
            file.seek(offset)
            header = file.read(_HEADER_BYTES)
        if header[:3] != b"\x00\x00\x01" or len(header) < 4 or header[3] < _FIRST_CODE:
            yield offset, None, None
            return
        end = _end_of(header, offset)
        yield offset, header[3], end
        if end is None or header[3] == _END:
            return
        offset = end


def _after_zeros(file: BinaryIO, offset: int) -> int:
    """The start code after zero bytes, which may pad a stream, or the end of the file."""
    file.seek(offset)
    while data := file.read(65_536):
        rest = data.lstrip(b"\x00")
        if rest:
            num_zeros = len(data) - len(rest)
            return offset + max(num_zeros - 2, 0) if rest[0] == 1 else offset + num_zeros
        offset += len(data)
    return offset


def _end_of(header: bytes, offset: int) -> int | None:
    """Byte after a packet, or None when its header is broken."""
    code = header[3]
    if code == _END:
        return offset + 4
    if code == _PACK:
        if len(header) >= 14 and header[4] & 0xC0 == 0x40:
            return offset + 14 + (header[13] & 7)
        return offset + 12 if len(header) >= 12 and header[4] & 0xF0 == 0x20 else None
    if len(header) < 6:
        return None
    if code in VIDEO_STREAMS and len(header) >= 19 and read_pes_header(header) is None:
        return None
    return offset + 6 + int.from_bytes(header[4:6], "big")
