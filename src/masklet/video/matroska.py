"""Walk of the elements of a Matroska or WebM file (RFC 8794, RFC 9559), down to the blocks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_EBML, _SEGMENT, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1F43B675
_TRACKS, _TRACK_ENTRY, _TRACK_NUMBER = 0x1654AE6B, 0xAE, 0xD7
_TRACK_TYPE, _VIDEO, _LACING = 0x83, 1, 0x9C
_BLOCK_GROUP, _BLOCKS = 0xA0, frozenset((0xA3, 0xA1))
_VOID, _CRC = 0xEC, 0xBF
_LACED = 0x06
_NUMBERS = frozenset((0xE7, 0xA7, 0xAB))
_SEGMENT_CHILDREN = frozenset(
    (_CLUSTER, _VOID, _CRC, 0x114D9B74, 0x1549A966, _TRACKS, 0x1C53BB6B, 0x1043A770, 0x1254C367, 0x1941A469)
)
_CLUSTER_CHILDREN = frozenset((_VOID, _CRC, 0xE7, 0xA3, _BLOCK_GROUP, 0xA7, 0xAB, 0xAF, 0x5854))


@dataclass(frozen=True, slots=True)
class _Element:
    """One element: its id, where its content starts and ends (None: not stated, a live recording)."""

    identifier: int
    start: int
    end: int | None


@dataclass(slots=True, kw_only=True)
class _Track:
    """One track: whether it shows pictures, whether its blocks may hold several frames, and how many blocks came."""

    is_video: bool
    has_lacing: bool
    num_blocks: int = 0


_Tracks = dict[int, _Track]


def find_matroska_break(file: BinaryIO, num_bytes: int) -> str | None:
    """Why the chain of elements is broken or ends early, or None when it is whole.

    Args:
        file: The open file.
        num_bytes: Its length.
    """
    return _walk_file(file, num_bytes, {})


def count_blocks(file: BinaryIO, num_bytes: int) -> dict[int, int]:
    """Number of blocks of video tracks that hold one frame each, by track number.

    Args:
        file: The open file.
        num_bytes: Its length.
    """
    tracks: _Tracks = {}
    if _walk_file(file, num_bytes, tracks) is not None:
        return {}
    return {number: track.num_blocks for number, track in tracks.items() if track.is_video}


def _walk_file(file: BinaryIO, num_bytes: int, tracks: _Tracks) -> str | None:
    """Walk from the header to the end and fill in the tracks; why it is broken, or None."""
    header = _read_element(file, 0)
    if header is None or header.identifier != _EBML or header.end is None:
        return "its header is broken"
    segment = _read_element(file, header.end)
    if segment is None or segment.identifier != _SEGMENT:
        return "it ends before its segment"
    if segment.end is not None and segment.end > num_bytes:
        return f"the file ends {segment.end - num_bytes} bytes before its segment does"
    end = num_bytes if segment.end is None else segment.end
    return _find_segment_break(file, segment.start, end, tracks)


def _find_segment_break(file: BinaryIO, offset: int, end: int, tracks: _Tracks) -> str | None:
    """Elements of a segment must follow each other up to its end."""
    while offset < end:
        element = _read_element(file, offset)
        broken = _find_element_break(element, offset, end)
        if element is None or broken is not None:
            return broken
        if element.identifier == _CLUSTER:
            reached = _walk_cluster(file, element, end, tracks)
            if isinstance(reached, str):
                return reached
            offset = reached
            continue
        if element.identifier == _TRACKS:
            tracks.update(_read_tracks(file, element))
        offset = end if element.end is None else element.end
    return None


def _find_element_break(element: _Element | None, offset: int, end: int) -> str | None:
    """What is wrong with one child of the segment, which ends at ``end``."""
    if element is None:
        return f"the element at byte {offset} has no whole header"
    if element.identifier not in _SEGMENT_CHILDREN:
        return f"the element at byte {offset} is of no known kind"
    if element.end is None and element.identifier != _CLUSTER:
        return f"the element at byte {offset} has no size"
    if element.end is not None and element.end > end:
        return f"the element at byte {offset} ends {element.end - end} bytes after what holds it"
    return None


def _read_tracks(file: BinaryIO, tracks: _Element) -> _Tracks:
    """All tracks by their number, as blocks name them."""
    found: _Tracks = {}
    for entry in _children(file, tracks):
        if entry.identifier != _TRACK_ENTRY:
            continue
        fields: dict[int, int] = {}
        for part in _children(file, entry):
            if part.identifier in (_TRACK_NUMBER, _TRACK_TYPE, _LACING) and part.end is not None:
                file.seek(part.start)
                fields[part.identifier] = int.from_bytes(file.read(part.end - part.start), "big")
        found[fields.get(_TRACK_NUMBER, 0)] = _Track(
            is_video=fields.get(_TRACK_TYPE) == _VIDEO, has_lacing=fields.get(_LACING, 1) != 0
        )
    return found


def _children(file: BinaryIO, parent: _Element) -> Iterator[_Element]:
    """Children of known size, up to the first that is broken."""
    offset = parent.start
    while parent.end is not None and offset < parent.end:
        child = _read_element(file, offset)
        if child is None or child.end is None or child.end > parent.end:
            return
        yield child
        offset = child.end


def _walk_cluster(file: BinaryIO, cluster: _Element, segment_end: int, tracks: _Tracks) -> int | str:
    """Byte after a cluster, or why its blocks do not fill it."""
    offset, end = cluster.start, segment_end if cluster.end is None else cluster.end
    while offset < end:
        child = _read_element(file, offset)
        if (
            cluster.end is None
            and child is not None
            and child.identifier in _SEGMENT_CHILDREN - _CLUSTER_CHILDREN
        ):
            return offset
        if child is None or child.end is None or child.identifier not in _CLUSTER_CHILDREN:
            return f"the block at byte {offset} has no whole header or is of no known kind"
        if child.end > end:
            return f"the block at byte {offset} ends {child.end - end} bytes after what holds it"
        broken = _find_child_break(file, child, child.end, tracks)
        if broken is not None:
            return f"the block at byte {offset} {broken}"
        offset = child.end
    return offset


def _find_child_break(file: BinaryIO, child: _Element, end: int, tracks: _Tracks) -> str | None:
    """What is wrong with one child of a cluster: a number that is too long for one, or the block that it holds."""
    if child.identifier in _NUMBERS:
        return "is of another kind than it says" if end - child.start > 8 else None
    blocks = [child] if child.identifier in _BLOCKS else []
    if child.identifier == _BLOCK_GROUP:
        blocks = [part for part in _children(file, child) if part.identifier in _BLOCKS]
        if len(blocks) != 1:
            return "lacks its content"
    return next((broken for one in blocks if (broken := _find_block_break(file, one, tracks))), None)


def _find_block_break(file: BinaryIO, block: _Element, tracks: _Tracks) -> str | None:
    """What is wrong with the head of one block: the number of a track (above 127 too), a time, flags."""
    file.seek(block.start)
    head = file.read(12)
    num_bytes = 9 - head[0].bit_length() if head and head[0] else 9
    if num_bytes + 3 > len(head):
        return "belongs to no track"
    track = tracks.get(int.from_bytes(head[:num_bytes], "big") & ((1 << 7 * num_bytes) - 1))
    if track is None:
        return "belongs to no track"
    if head[num_bytes + 2] & _LACED and not track.has_lacing:
        return "holds several frames, which its track rules out"
    track.num_blocks += 1
    return None


def _read_element(file: BinaryIO, offset: int) -> _Element | None:
    """Header of the element at a byte, or None when it is not whole."""
    file.seek(offset)
    head = file.read(12)
    if not head or head[0] < 0x10:
        return None
    id_bytes = 9 - head[0].bit_length()
    if len(head) <= id_bytes or head[id_bytes] == 0:
        return None
    size_bytes = 9 - head[id_bytes].bit_length()
    start = id_bytes + size_bytes
    if len(head) < start:
        return None
    mask = (1 << 7 * size_bytes) - 1
    size = int.from_bytes(head[id_bytes:start], "big") & mask
    end = None if size == mask else offset + start + size
    return _Element(int.from_bytes(head[:id_bytes], "big"), offset + start, end)
