"""Label Studio's run lengths of brush strokes: runs of bytes, packed in bits.

A stream holds the number of bytes (32 bits), the width of a byte less one (5), four widths of run lengths less
one (4 each), and then runs: whether one value repeats (1 bit), which width its length has (2), the length
less one, and the value, or so many values. Pictures are RGBA with all four channels alike.
"""

from __future__ import annotations

import numpy as np

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import MAX_MASK_PIXELS, RLE

_CHANNELS = 4
_WIDTHS = (3, 4, 8, 16)


def encode_brush(mask: RLE) -> list[int]:
    """The bytes of a mask, each from 0 to 255."""
    # Columns of the transposed mask are rows of the mask.
    runs = rle.runs(rle.encode(np.ascontiguousarray(rle.decode(mask).T)))
    bits = [
        f"{mask.size.num_pixels * _CHANNELS:032b}",
        f"{7:05b}",
        *(f"{width - 1:04b}" for width in _WIDTHS),
    ]
    for place, length in enumerate(runs.tolist()):
        value = f"{255 * (place % 2):08b}"
        left = length * _CHANNELS
        while left:
            part = min(left, 1 << _WIDTHS[-1])
            kind = next(i for i, width in enumerate(_WIDTHS) if part <= 1 << width)
            bits.append(f"1{kind:02b}{part - 1:0{_WIDTHS[kind]}b}{value}")
            left -= part
    text = "".join(bits)
    text += "0" * (-len(text) % 8)
    return [int(text[i : i + 8], 2) for i in range(0, len(text), 8)]


def decode_brush(values: list[int], size: Size) -> RLE:
    """The mask of a stream; a pixel is on when its alpha, the last of four bytes, is above 0.

    Raises:
        FormatError: When the stream is damaged or of another size.
    """
    stream = _Bits(bytes(values))
    num_bytes, width = stream.take(32), stream.take(5) + 1
    widths = [stream.take(4) + 1 for _ in range(4)]
    if num_bytes != size.num_pixels * _CHANNELS or size.num_pixels > MAX_MASK_PIXELS:
        raise FormatError(f"A brush of Label Studio does not fill its image of {size.hw} (h, w).")
    flat = np.zeros(num_bytes, dtype=np.bool_)
    at = 0
    while at < num_bytes:
        is_run = stream.take(1)
        end = min(at + 1 + stream.take(widths[stream.take(2)]), num_bytes)
        if is_run:
            flat[at:end] = stream.take(width) > 0
        else:
            flat[at:end] = [stream.take(width) > 0 for _ in range(end - at)]
        at = end
    return rle.encode(flat[_CHANNELS - 1 :: _CHANNELS].reshape(size.hw))


class _Bits:
    """Whole numbers from a stream of bits, highest bit first."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> int:
        """The next so many bits."""
        end = self._at + count
        if end > 8 * len(self._content):
            raise FormatError("A brush of Label Studio ends too early; the file is damaged.")
        first, last = self._at // 8, -(-end // 8)
        chunk = int.from_bytes(self._content[first:last], "big")
        self._at = end
        return (chunk >> (8 * last - end)) & ((1 << count) - 1)
