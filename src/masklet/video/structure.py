"""Does a media file end where its own container says it ends, and are its parts what they say they are?

FFmpeg opens most cut files without a word, and passes over a packet whose header has a wrong bit. So the boxes, elements,
chunks and packets are walked here; only headers are read. What cannot be told, because what is left is another whole
file, stands in the guide to the command line ("Damaged videos").
"""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from masklet.video.matroska import count_blocks, find_matroska_break
from masklet.video.mp4_boxes import FIRST_BOXES, find_mp4_break
from masklet.video.mp4_samples import count_samples
from masklet.video.program import find_program_break, program_times
from masklet.video.transport import find_transport_break, transport_packet_size, transport_times


def sniff_container(path: Path) -> str | None:
    """The container that the first bytes show: mp4, matroska, avi, gif, mpegts, mpeg, or None."""
    with path.open("rb") as file:
        head = file.read(400)
    if head[4:8] in FIRST_BOXES:
        return "mp4"
    if head[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "avi"
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "gif"
    if head[:4] in (b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3"):
        return "mpeg"
    if transport_packet_size(head) is not None:
        return "mpegts"
    return None


def find_break(path: Path, container: str | None) -> str | None:
    """Why a file's structure is broken or ends early.

    Args:
        path: An existing file.
        container: A name that ``sniff_container`` gave.

    Returns:
        A clause such as "its data box ends 1200 bytes after the file does", or None when the structure
        is whole.
    """
    walk = {
        "mp4": find_mp4_break,
        "matroska": find_matroska_break,
        "avi": _find_avi_break,
        "gif": _find_gif_break,
        "mpegts": find_transport_break,
        "mpeg": find_program_break,
    }.get(container or "")
    if walk is None:
        return None
    with path.open("rb") as file:
        return walk(file, os.fstat(file.fileno()).st_size)


def stated_frames(path: Path, container: str | None) -> Mapping[int, int]:
    """Number of frames that the index or the blocks of a file state, by the number of the video track.

    Args:
        path: An existing file.
        container: A name that ``sniff_container`` gave; others than mp4 and matroska give nothing.
    """
    count = {"mp4": count_samples, "matroska": count_blocks}.get(container or "")
    if count is None:
        return {}
    with path.open("rb") as file:
        return count(file, os.fstat(file.fileno()).st_size)


def stated_times(path: Path, container: str | None) -> Mapping[int, frozenset[int]]:
    """Show times that the packet headers of an MPEG stream state, in ticks of 90 kHz modulo 2**33.

    Args:
        path: An existing file.
        container: A name that ``sniff_container`` gave; others than MPEG streams give nothing.

    Returns:
        Times by the number of the video stream, of which a program stream tells the last two digits.
    """
    with path.open("rb") as file:
        if container == "mpegts":
            return transport_times(file)
        if container == "mpeg":
            return program_times(file, os.fstat(file.fileno()).st_size)
    return {}


def _find_avi_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Walk the RIFF chunks and the chunks inside them (AVI, OpenDML 1.02)."""
    if num_bytes < 12:
        return "it ends inside its header"
    offset = 0
    while offset + 12 <= num_bytes:
        file.seek(offset)
        kind, length = struct.unpack("<4sI", file.read(8))
        if kind != b"RIFF":
            return None
        end = offset + 8 + length
        if length in (0, 0xFFFFFFFF):
            return "its size was never filled in, so the recording was stopped"
        if end > num_bytes:
            return f"the file ends {end - num_bytes} bytes before its RIFF chunk does"
        broken = _find_riff_child_break(file, offset + 12, end)
        if broken is not None:
            return broken
        offset = end + length % 2
    return None


def _find_riff_child_break(file: BinaryIO, offset: int, end: int) -> str | None:
    """Chunks directly inside a RIFF chunk must fill it."""
    while offset + 8 <= end:
        file.seek(offset)
        length = struct.unpack("<4sI", file.read(8))[1]
        if offset + 8 + length > end:
            return f"the chunk at byte {offset} is longer than the chunk that holds it"
        offset += 8 + length + length % 2
    return None


def _find_gif_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Walk the blocks to the trailer (GIF89a specification, section 27)."""
    header = file.read(13)
    if len(header) < 13:
        return "it ends inside its header"
    file.seek(_color_table_bytes(header[10]), os.SEEK_CUR)
    while True:
        introducer = file.read(1)
        if introducer == b"\x3b":
            return None
        if introducer == b"\x2c":
            descriptor = file.read(9)
            if len(descriptor) == 9:
                file.seek(_color_table_bytes(descriptor[8]) + 1, os.SEEK_CUR)
        elif introducer == b"\x21":
            file.seek(1, os.SEEK_CUR)
        elif introducer:
            return f"the block at byte {file.tell() - 1} is of no known kind"
        if not introducer or not _skip_sub_blocks(file, num_bytes):
            return "it ends before its trailer"


def _color_table_bytes(flags: int) -> int:
    """Bytes of the colour table that a flag byte announces."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_sub_blocks(file: BinaryIO, num_bytes: int) -> bool:
    """Pass a chain of sub-blocks; False when the file ends inside it."""
    while True:
        length = file.read(1)
        if not length or file.tell() + length[0] > num_bytes:
            return False
        if length == b"\x00":
            return True
        file.seek(length[0], os.SEEK_CUR)
