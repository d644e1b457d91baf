"""Walk of the boxes of an MP4 or MOV file (ISO/IEC 14496-12)."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO

from masklet.video.mp4_samples import find_sample_break

FIRST_BOXES = frozenset(
    (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"sidx", b"moof", b"pnot")
)
_KNOWN_BOXES = FIRST_BOXES | frozenset(
    (b"mfra", b"uuid", b"meta", b"emsg", b"ssix", b"pdin", b"udta", b"prft")
)
_FRAGMENT_BOXES = {
    b"moof": frozenset((b"mfhd", b"traf", b"meta", b"pssh", b"uuid", b"free")),
    b"traf": frozenset(
        (
            b"tfhd",
            b"tfdt",
            b"trun",
            b"sdtp",
            b"sbgp",
            b"sgpd",
            b"subs",
            b"saiz",
            b"saio",
            b"senc",
            b"uuid",
            b"meta",
        )
    ),
}


@dataclass(frozen=True, slots=True)
class _Box:
    """One box: its type, where its content starts and where it says it ends."""

    kind: bytes
    start: int
    end: int


def find_mp4_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Why the boxes are broken or end early, or None when they are whole.

    Args:
        file: The open file.
        num_bytes: Its length.
    """
    offset, seen, kind = 0, set[bytes](), b""
    while offset + 8 <= num_bytes:
        box = _read_box(file, offset, num_bytes)
        if box is None:
            has_all = {b"moov", b"mdat"} <= seen
            return None if has_all else f"the box at byte {offset} has an impossible size"
        kind = box.kind
        # What is cut after the frames and their index, such as user data of a plain MP4, loses no frame.
        is_needed = kind in (b"moov", b"mdat", b"moof") or b"mvex" in seen or b"moov" not in seen
        if box.end > num_bytes and is_needed:
            return f"the file ends {box.end - num_bytes} bytes before its {kind.decode('latin-1')!r} box does"
        if kind == b"moof" and not _is_whole(file, box):
            return f"the fragment at byte {offset} is broken"
        if b"mvex" in seen and kind not in _KNOWN_BOXES:
            return f"the box at byte {offset} is of no known kind"
        seen.add(kind)
        if kind == b"moov" and _holds(file, box, b"mvex"):
            seen.add(b"mvex")
        offset = box.end
    if b"moov" not in seen:
        return "it has no 'moov' box, which is written last, so the recording or copy was stopped"
    if b"mvex" in seen and (kind == b"moof" or offset < num_bytes):
        return "its last fragment is not whole"
    return find_sample_break(file, num_bytes)


def _read_box(file: BinaryIO, offset: int, end: int) -> _Box | None:
    """The box at a byte of something that ends at ``end``, or None when its size is impossible."""
    file.seek(offset)
    header = file.read(16)
    length, kind = struct.unpack(">I4s", header[:8])
    start = offset + 8
    if length == 1 and len(header) == 16:
        length, start = struct.unpack(">Q", header[8:])[0], offset + 16
    elif length == 0:
        length = end - offset
    return _Box(kind, start, offset + length) if length >= 8 else None


def _is_whole(file: BinaryIO, parent: _Box) -> bool:
    """Whether the boxes of a fragment's header are known ones and fill it."""
    offset = parent.start
    while offset + 8 <= parent.end:
        box = _read_box(file, offset, parent.end)
        if box is None or box.end > parent.end or box.kind not in _FRAGMENT_BOXES[parent.kind]:
            return False
        if box.kind == b"traf" and not _is_whole(file, box):
            return False
        offset = box.end
    return offset == parent.end


def _holds(file: BinaryIO, parent: _Box, kind: bytes) -> bool:
    """Whether a box has a direct child of a type."""
    offset = parent.start
    while offset + 8 <= parent.end:
        box = _read_box(file, offset, parent.end)
        if box is None or box.kind == kind:
            return box is not None
        offset = box.end
    return False
