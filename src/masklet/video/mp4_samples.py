"""Do the tables of an MP4 or MOV video agree with each other (ISO/IEC 14496-12)?

They state the number, times and places of all frames more than once, so that a wrong number in one shows in another.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

_PARENTS = frozenset((b"moov", b"trak", b"mdia", b"minf", b"stbl", b"edts", b"moof", b"traf"))
_KEPT = frozenset(
    (
        b"mvhd",
        b"tkhd",
        b"mdhd",
        b"hdlr",
        b"elst",
        b"stts",
        b"ctts",
        b"stsz",
        b"stsc",
        b"stco",
        b"co64",
        b"tfhd",
        b"trun",
    )
)
_MOST_BYTES = 256 * 1024 * 1024
_MOST_SAMPLES = 2**24  # ten days of video; more is not laid out in memory
_UNKNOWN = (0, 2**32 - 1, 2**64 - 1)


@dataclass(slots=True, kw_only=True)
class _Track:
    """Boxes of one video track, by type, and the movie's own clock."""

    boxes: dict[bytes, bytes] = field(default_factory=dict)
    movie_clock: tuple[int, int] = (0, 0)

    @property
    def is_video(self) -> bool:
        """Whether its handler shows pictures."""
        return self.boxes.get(b"hdlr", b"")[8:12] == b"vide"

    @property
    def number(self) -> int:
        """Track number, as fragments name it."""
        head = self.boxes.get(b"tkhd") or bytes(24)
        return int.from_bytes(head[20:24] if head[0] else head[12:16], "big")

    def pairs(self, kind: bytes) -> np.ndarray:
        """Counts and values of a run-length table, int64 (n, 2)."""
        return _rows(self.boxes.get(kind, b""), 2)

    @property
    def num_samples(self) -> int:
        """Number of frames by the table of sizes."""
        sizes = self.boxes.get(b"stsz", b"")
        return int.from_bytes(sizes[8:12], "big")


def find_sample_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Which tables of a video track contradict each other, or None when all agree.

    Args:
        file: The open file, whose boxes are whole.
        num_bytes: Its length.
    """
    tracks, num_movies = _tracks(file, num_bytes)
    if num_movies > 1:
        return "it has two 'moov' boxes"
    for track in tracks:
        if track.is_video and track.num_samples:
            broken = _find_count_break(track) or _find_time_break(track)
            if broken is not None:
                return broken
    return None


def count_samples(file: BinaryIO, num_bytes: int) -> dict[int, int]:
    """Number of frames that tables and fragments state, by track number; trimmed tracks are left out.

    FFmpeg gives no frame that an edit hides, so that the numbers say nothing of a trimmed track.
    """
    tracks, _ = _tracks(file, num_bytes)
    counts = {
        track.number: track.num_samples for track in tracks if track.is_video and not _is_trimmed(track)
    }
    number = 0
    for kind, content in _boxes(file, 0, num_bytes):
        if kind == b"tfhd":
            number = int.from_bytes(content[4:8], "big")
        elif kind == b"trun" and number in counts:
            counts[number] += int.from_bytes(content[4:8], "big")
    return counts


def _find_count_break(track: _Track) -> str | None:
    """All tables must speak of the same number of frames."""
    num_samples, sizes = track.num_samples, track.boxes[b"stsz"]
    if not any(sizes[4:8]) and len(sizes) < 12 + 4 * num_samples:
        return "its table of sizes is not whole"
    for kind in (b"stts", b"ctts"):
        if kind not in track.boxes:
            continue
        num_timed = int(track.pairs(kind)[:, 0].sum())
        if num_timed != num_samples:
            return f"its {kind.decode()!r} table speaks of {num_timed} frames, its sizes of {num_samples}"
    num_chunked = _num_chunked(track)
    if num_chunked is not None and num_chunked != num_samples:
        return f"its chunks hold {num_chunked} frames, its sizes speak of {num_samples}"
    return None


def _num_chunked(track: _Track) -> int | None:
    """Number of frames in all chunks, or None when the tables do not tell."""
    runs = _rows(track.boxes.get(b"stsc", b""), 3)
    places = track.boxes.get(b"stco") or track.boxes.get(b"co64") or b""
    num_chunks = int.from_bytes(places[4:8], "big")
    if not len(runs) or not num_chunks:
        return None
    ends = np.append(runs[1:, 0], num_chunks + 1)
    return int(((ends - runs[:, 0]) * runs[:, 1]).sum())


def _find_time_break(track: _Track) -> str | None:
    """The frames' times must fill the stated duration, and an untrimmed edit must hide no frame."""
    scale, duration = _clock(track.boxes.get(b"mdhd", b""))
    runs, num_samples = track.pairs(b"stts"), track.num_samples
    total = int((runs[:, 0] * runs[:, 1]).sum())
    if not scale or duration in _UNKNOWN or not total or num_samples > _MOST_SAMPLES:
        return None
    shown = _shown_times(track, runs)
    # writers state the time from the first frame decoded, or shown, to the last, and its own length or none
    spread, allowed = int(shown.max() - shown.min()), 2 * min(total, duration) // num_samples + 1
    shortest, longest = min(total, spread), max(total, spread + int(runs[:, 1].max()))
    if not shortest - allowed <= duration <= longest + allowed:
        return f"its frames last {total} ticks and it states {duration}"
    edit = _only_edit(track)
    if edit is None or b"ctts" not in track.boxes or _is_trimmed(track):
        return None
    start, length_s = edit
    num_hidden = int(((shown < start) | (shown >= start + length_s * scale + 1)).sum())
    return f"{num_hidden} of its frames are shown outside its own duration" if num_hidden else None


def _shown_times(track: _Track, runs: np.ndarray) -> np.ndarray:
    """When each frame is shown, in ticks of the track, in the order of decoding."""
    decoded = np.concatenate(([0], np.cumsum(np.repeat(runs[:, 1], runs[:, 0]))[:-1]))
    if b"ctts" not in track.boxes:
        return decoded
    offsets = track.pairs(b"ctts")
    return decoded + np.repeat(offsets[:, 1].astype(np.int32).astype(np.int64), offsets[:, 0])


def _is_trimmed(track: _Track) -> bool:
    """Whether an edit shows less than the whole track, or parts of it."""
    scale, duration = _clock(track.boxes.get(b"mdhd", b""))
    runs, edit = track.pairs(b"stts"), _only_edit(track)
    if edit is None or not scale or not track.num_samples:
        return b"elst" in track.boxes
    wholes = (duration, int((runs[:, 0] * runs[:, 1]).sum()))
    return min(abs(edit[1] - whole / scale) for whole in wholes) > 1.5 / track.movie_clock[0]


def _only_edit(track: _Track) -> tuple[int, float] | None:
    """Start in ticks of the track and length in seconds of the edit, or None when there are several or none."""
    data = track.boxes.get(b"elst", b"")
    layout = struct.Struct(">Qqi" if data[:1] == b"\x01" else ">Iii")
    num_edits = min(int.from_bytes(data[4:8], "big"), (len(data) - 8) // layout.size)
    edits = [layout.unpack_from(data, 8 + index * layout.size) for index in range(num_edits)]
    # an edit that starts at -1 shows nothing for a while
    found = [(start, length) for length, start, _ in edits if start >= 0]
    if len(found) != 1 or not track.movie_clock[0]:
        return None
    start, length = found[0]
    return (start, length / track.movie_clock[0]) if length else None


def _clock(header: bytes) -> tuple[int, int]:
    """Ticks per second and duration in ticks that a header box states; zeros when it is short."""
    if len(header) < 20:
        return 0, 0
    if header[0]:
        return struct.unpack(">IQ", header[20:32]) if len(header) >= 32 else (0, 0)
    return struct.unpack(">II", header[12:20])


def _rows(table: bytes, width: int) -> np.ndarray:
    """Rows of a table of 32-bit numbers after its count, int64 (n, width); short tables give what is there."""
    num_rows = min(int.from_bytes(table[4:8], "big"), max(len(table) - 8, 0) // (4 * width))
    found = np.frombuffer(table, ">u4", num_rows * width, 8) if num_rows else np.zeros(0, ">u4")
    return found.astype(np.int64).reshape(num_rows, width)


def _tracks(file: BinaryIO, num_bytes: int) -> tuple[list[_Track], int]:
    """Tracks of the movie, and how many movies the file has."""
    tracks: list[_Track] = []
    clock, num_movies = (0, 0), 0
    for kind, content in _boxes(file, 0, num_bytes):
        if kind == b"moov":
            num_movies += 1
        elif kind == b"mvhd":
            clock = _clock(content)
        elif kind == b"trak":
            tracks.append(_Track(movie_clock=clock))
        elif tracks and kind not in (b"tfhd", b"trun"):
            tracks[-1].boxes.setdefault(kind, content)
    return tracks, num_movies


def _boxes(file: BinaryIO, offset: int, end: int) -> Iterator[tuple[bytes, bytes]]:
    """Boxes that are looked at, parents before children; parents come without content."""
    while offset + 8 <= end:
        file.seek(offset)
        header = file.read(16)
        length, kind = struct.unpack(">I4s", header[:8])
        start = offset + 8
        if length == 1 and len(header) == 16:
            length, start = struct.unpack(">Q", header[8:])[0], offset + 16
        length = end - offset if length == 0 else length
        if length < start - offset or offset + length > end:
            return
        if kind in _PARENTS:
            yield kind, b""
            yield from _boxes(file, start, offset + length)
        elif kind in _KEPT and length <= _MOST_BYTES:
            file.seek(start)
            yield kind, file.read(offset + length - start)
        offset += length
