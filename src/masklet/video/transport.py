"""Walk of the packets of an MPEG transport stream (ISO/IEC 13818-1): what was lost shows in its counters."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from masklet.video.packet_header import read_pes_header

_PACKETS_PER_READ = 16_384
_PACKET_BYTES = 188
_NULL_PID = 0x1FFF
_FIRST_CODE, _HEADER_BYTES = 0xBC, 19

Bytes = np.ndarray[tuple[int, int], np.dtype[np.uint8]]


@dataclass(slots=True, kw_only=True)
class _Stream:
    """What is known of the packets with one id.

    Attributes:
        counter: Continuity counter of the last packet with content, or None.
        at: Number of that packet in the file.
        num_packets: How many packets with content it has.
        jumps: Numbers of the packets before and after each place where the counter jumps.
        bad_start: Number of the first packet that should start so and does not, or None.
        times: Show times that the headers state, in ticks of 90 kHz.
        stated_bytes: Length of the last video or sound packet, 0 when its header does not say.
        found_bytes: Bytes of it that were found.
        is_media: Whether it carries pictures or sound, and not tables.
        is_video: Whether it carries pictures.
    """

    counter: int | None = None
    at: int = -1
    num_packets: int = 0
    jumps: list[tuple[int, int]] = field(default_factory=list)
    bad_start: int | None = None
    times: set[int] = field(default_factory=set)
    stated_bytes: int = 0
    found_bytes: int = 0
    is_media: bool = False
    is_video: bool = False


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What a walk over all packets found: streams by id, the first broken packet, and the last packet's id."""

    streams: dict[int, _Stream]
    broken: str | None = None
    last_pid: int = _NULL_PID


def transport_packet_size(head: bytes) -> tuple[int, int] | None:
    """Packet size and bytes before each sync byte, told by two sync bytes in a row, or None."""
    for packet, lead in ((188, 0), (192, 4), (204, 0)):
        if len(head) > lead + packet and head[lead] == 0x47 and head[lead + packet] == 0x47:
            return packet, lead
    return None


def find_transport_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Why packets are missing or broken, or None when all are there.

    Args:
        file: The open file.
        num_bytes: Its length.
    """
    found = transport_packet_size(file.read(400))
    if found is None:
        return None
    packet, lead = found
    if num_bytes % packet:
        return f"its last packet has {num_bytes % packet} of {packet} bytes"
    walk = _walk(file, packet, lead)
    if walk.broken is not None:
        return walk.broken
    return _find_lost_packet(walk, packet) or _find_missing_end(walk)


def transport_times(file: BinaryIO) -> dict[int, frozenset[int]]:
    """Show times of pictures that the packet headers state, in ticks of 90 kHz modulo 2**33, by stream id."""
    found = transport_packet_size(file.read(400))
    if found is None:
        return {}
    walk = _walk(file, *found)
    return {pid: frozenset(stream.times) for pid, stream in walk.streams.items() if stream.is_video}


def _find_lost_packet(walk: _Walk, packet: int) -> str | None:
    """Counters that jump, and pictures whose header is not whole."""
    tables = [stream for stream in walk.streams.values() if not stream.is_media]
    # Where tables jump too, two whole recordings were put one behind the other.
    joins = sorted(at for stream in tables for _, at in stream.jumps)
    for stream in walk.streams.values():
        if not stream.is_video:
            continue
        if stream.bad_start is not None:
            return f"the picture at byte {stream.bad_start * packet} has no whole header"
        if stream.num_packets == 1 and any(
            one.is_video and one.num_packets > 1 for one in walk.streams.values()
        ):
            return f"the picture at byte {stream.at * packet} belongs to no stream"
        for before, after in stream.jumps:
            if not any(before < join < after for join in joins):
                return f"packets are missing before byte {after * packet}"
    return None


def _find_missing_end(walk: _Walk) -> str | None:
    """A last picture or sound of stated length that is not whole, or tables that announce what is not there."""
    for stream in walk.streams.values():
        missing = stream.stated_bytes - stream.found_bytes
        if stream.stated_bytes and missing > 0:
            return f"its last picture or sound lacks {missing} bytes"
    last = walk.streams.get(walk.last_pid)
    if last is not None and not last.is_media and any(stream.is_media for stream in walk.streams.values()):
        return "it ends with tables that no picture follows"
    return None


def _walk(file: BinaryIO, packet: int, lead: int) -> _Walk:
    """Look at the header of every packet."""
    file.seek(0, os.SEEK_SET)
    walk, first = _Walk(streams=defaultdict(_Stream)), 0
    while data := file.read(packet * _PACKETS_PER_READ):
        num_packets = len(data) // packet
        rows = np.frombuffer(data, np.uint8, num_packets * packet).reshape(num_packets, packet)
        rows = rows[:, lead : lead + _PACKET_BYTES]
        walk.broken = walk.broken or _find_broken_header(rows, first, packet)
        _walk_rows(walk, rows, first)
        first += num_packets
    return walk


def _pids(rows: Bytes) -> np.ndarray:
    return ((rows[:, 1].astype(np.int32) & 0x1F) << 8) | rows[:, 2]


def _find_broken_header(rows: Bytes, first: int, packet: int) -> str | None:
    """The first packet without its sync byte, marked as broken, or longer than itself."""
    control, field_bytes = (rows[:, 3] >> 4) & 3, rows[:, 4]
    is_overlong = ((control == 3) & (field_bytes > 182)) | ((control == 2) & (field_bytes > 183))
    is_used = _pids(rows) != _NULL_PID
    checks = (
        (rows[:, 0] != 0x47, "has no sync byte"),
        (rows[:, 1] >= 0x80, "is marked as broken"),
        (is_used & (is_overlong | (control == 0)), "has a broken header"),
    )
    for is_broken, what in checks:
        if is_broken.any():
            return f"the packet at byte {(first + int(is_broken.argmax())) * packet} {what}"
    return None


def _walk_rows(walk: _Walk, rows: Bytes, first: int) -> None:
    """Sort packets by stream and follow each."""
    pids = _pids(rows)
    walk.last_pid = int(pids[-1])
    for pid in np.unique(pids).tolist():
        if pid != _NULL_PID:
            places = np.flatnonzero(pids == pid)
            _follow_counter(walk.streams[pid], rows, places, first)
            _follow_content(walk.streams[pid], rows, places, first)


def _follow_counter(stream: _Stream, rows: Bytes, places: np.ndarray, first: int) -> None:
    """Note where the continuity counter jumps; it counts packets with content and may stand still once."""
    places = places[(rows[places, 3] & 0x10) != 0]
    if not len(places):
        return
    counters = (rows[places, 3] & 15).astype(np.int32)
    before = np.concatenate(([counters[0] - 1 if stream.counter is None else stream.counter], counters[:-1]))
    at_before = np.concatenate(([stream.at], places[:-1] + first))
    has_field = (rows[places, 3] & 0x20) != 0
    is_announced = has_field & (rows[places, 4] > 0) & ((rows[places, 5] & 0x80) != 0)
    for jump in np.flatnonzero(((counters - before) & 15 > 1) & ~is_announced).tolist():
        stream.jumps.append((int(at_before[jump]), int(places[jump]) + first))
    stream.num_packets += len(places)
    stream.counter, stream.at = int(counters[-1]), int(places[-1]) + first


def _follow_content(stream: _Stream, rows: Bytes, places: np.ndarray, first: int) -> None:
    """Read the header that starts a picture, and count the bytes that follow it."""
    places = places[(rows[places, 3] & 0x10) != 0]
    starts = 4 + np.where(rows[places, 3] & 0x20, rows[places, 4].astype(np.int32) + 1, 0)
    is_start = (rows[places, 1] & 0x40) != 0
    for place in np.flatnonzero(is_start).tolist():
        row = rows[places[place]]
        _start_content(stream, row[starts[place] :].tobytes(), int(places[place]) + first)
    for place in np.flatnonzero(_are_unmarked_starts(rows, places, starts) & ~is_start).tolist():
        at = int(places[place]) + first
        stream.bad_start = at if stream.bad_start is None else stream.bad_start
    last = int(np.flatnonzero(is_start)[-1]) if is_start.any() else None
    stream.found_bytes = 0 if last is not None else stream.found_bytes
    stream.found_bytes += int((_PACKET_BYTES - starts[last or 0 :]).sum())


def _are_unmarked_starts(rows: Bytes, places: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Which packets begin as a picture's header does; no coded picture holds these bytes inside."""
    columns = np.minimum(starts, _PACKET_BYTES - 4)[:, None] + np.arange(4)
    head = rows[places[:, None], columns]
    is_prefix = (head[:, 0] == 0) & (head[:, 1] == 0) & (head[:, 2] == 1) & (head[:, 3] & 0xF0 == 0xE0)
    return is_prefix & (starts <= _PACKET_BYTES - 4)


def _start_content(stream: _Stream, payload: bytes, at: int) -> None:
    """The first bytes of a picture, of sound or of a table."""
    stream.stated_bytes = 0
    is_prefixed = payload[:3] == b"\x00\x00\x01" and len(payload) >= 6
    if is_prefixed and payload[3] >= _FIRST_CODE:
        stream.is_media = True
        length = int.from_bytes(payload[4:6], "big")
        stream.stated_bytes = length + 6 if length else 0
    if is_prefixed and len(payload) < _HEADER_BYTES:
        return  # the header goes on in the next packet
    header = read_pes_header(payload) if is_prefixed else None
    if header is None or not header.is_video:
        stream.bad_start = at if stream.bad_start is None else stream.bad_start
        return
    stream.is_video = True
    if header.time is not None:
        stream.times.add(header.time)
