"""Masks as bytes: the compact binary message of the stream. ``docs/guides/studio.md`` describes it for other programs.

    byte 0        1, the version of the format
    bytes 1-8     id of the medium; zeros on a live stream
    byte 9        flags: 1 prompted, 2 tracked backward
    bytes 10-12   score, presence, stability: 0 to 255 for 0 to 1
    varints       cursor, object id, frame, width, height, number of runs, then the runs

A varint is seven bits per byte, lowest first, with the top bit set on all but the last. Runs go down the columns, off
first, as in COCO.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE

VERSION = 1
LIVE_ID = "0" * 16
_FIXED_BYTES = 13
_PROMPTED, _BACKWARD = 1, 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WireMask:
    """One mask on its way. Scores are in [0, 1] and lose all but eight bits."""

    media_id: str
    object_id: int
    frame: int
    mask: RLE
    score: float
    presence: float
    stability: float
    is_prompted: bool = False
    is_backward: bool = False
    cursor: int = 0


def pack_mask(one: WireMask) -> bytes:
    """The bytes of a mask."""
    runs = rle.runs(one.mask)
    numbers = np.concatenate(
        (
            [one.cursor, one.object_id, one.frame, one.mask.size.width, one.mask.size.height, runs.size],
            runs,
        )
    )
    flags = _PROMPTED * one.is_prompted + _BACKWARD * one.is_backward
    scores = bytes(_byte(value) for value in (one.score, one.presence, one.stability))
    return bytes([VERSION]) + bytes.fromhex(one.media_id) + bytes([flags]) + scores + pack_varints(numbers)


def unpack_mask(message: bytes) -> WireMask:
    """A mask from its bytes.

    Raises:
        FormatError: When the message is cut, of another version, or its runs do not fill the size.
    """
    if len(message) <= _FIXED_BYTES or message[0] != VERSION:
        raise FormatError(f"A mask message begins with {VERSION} and 12 more bytes; update this program.")
    numbers = unpack_varints(message[_FIXED_BYTES:])
    if len(numbers) < 7 or len(numbers) != 6 + numbers[5]:
        raise FormatError("A mask message is cut; ask for the mask again.")
    cursor, object_id, frame, width, height = numbers[:5]
    if not width or not height:
        raise FormatError("A mask message has a size of nothing; ask for the mask again.")
    score, presence, stability = (value / 255 for value in message[10:13])
    return WireMask(
        media_id=message[1:9].hex(),
        object_id=object_id,
        frame=frame,
        mask=rle.from_runs(Size(height, width), numbers[6:]),
        score=score,
        presence=presence,
        stability=stability,
        is_prompted=bool(message[9] & _PROMPTED),
        is_backward=bool(message[9] & _BACKWARD),
        cursor=cursor,
    )


def pack_varints(numbers: np.ndarray) -> bytes:
    """Whole numbers from 0 to 2**53, seven bits per byte."""
    if numbers.size == 0:
        return b""
    values = numbers.astype(np.uint64)
    num_bytes = np.ones(values.size, dtype=np.int64)
    for place in range(1, 8):
        num_bytes += values >= np.uint64(1) << np.uint64(7 * place)
    starts = np.concatenate(([0], np.cumsum(num_bytes)[:-1]))
    place_of = np.arange(int(num_bytes.sum())) - np.repeat(starts, num_bytes)
    digits = (np.repeat(values, num_bytes) >> (7 * place_of).astype(np.uint64)) & np.uint64(127)
    is_last = place_of == np.repeat(num_bytes, num_bytes) - 1
    return np.where(is_last, digits, digits | np.uint64(128)).astype(np.uint8).tobytes()


def unpack_varints(content: bytes) -> list[int]:
    """Whole numbers from their bytes.

    Raises:
        FormatError: When the last number is cut or one is too long.
    """
    numbers: list[int] = []
    value = place = 0
    for byte in content:
        value |= (byte & 127) << (7 * place)
        place += 1
        if place > 8:
            raise FormatError("A number in a message has too many bytes; the message is damaged.")
        if byte < 128:
            numbers.append(value)
            value = place = 0
    if place:
        raise FormatError("A message ends within a number; it is cut.")
    return numbers


def _byte(value: float) -> int:
    return round(255 * min(max(value, 0.0), 1.0))
