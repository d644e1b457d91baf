"""Images and index maps of data sets, decoded by Pillow; whatever is wrong with a file is a FormatError."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from masklet.errors import FormatError
from masklet.masks.arrays import ByteArray

IMAGE_SUFFIXES = (".webp", ".jpg", ".jpeg", ".png")
"""Endings of the files that count as frames, in lower case."""

# What Pillow raises on bytes that are no image or a damaged one; its decoders agree on no common type.
_DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    TypeError,
    IndexError,
    NotImplementedError,
    RuntimeError,
    Image.DecompressionBombError,
)


def decode_rgb(content: bytes, name: str) -> ByteArray:
    """Decode an image.

    Args:
        content: A WebP, JPEG or PNG file.
        name: What to call it in an error.

    Returns:
        RGB uint8 (h, w, 3).

    Raises:
        FormatError: When it is another format or damaged.
    """
    try:
        with Image.open(io.BytesIO(content), formats=("WEBP", "JPEG", "PNG")) as image:
            return np.array(image.convert("RGB"))
    except _DECODE_ERRORS as error:
        raise FormatError(f"The image {name} cannot be decoded: {error}.") from error


def read_ids(path: Path) -> ByteArray:
    """Read a PNG of object ids, whatever kind of PNG its writer chose.

    Args:
        path: An indexed or grey PNG whose values are ids. Where 255 is the only value beside 0, it is object 1;
            beside other ids it is void and becomes 0.

    Returns:
        uint8 (h, w).

    Raises:
        FormatError: When it is in colours, deeper than 8 bits, another format or damaged.
    """
    try:
        with Image.open(path, formats=("PNG",)) as image:
            mode = image.mode
            values = np.array(image, dtype=np.uint8) if mode in ("P", "L", "1") else None
    except _DECODE_ERRORS as error:
        raise FormatError("it is damaged or no PNG.") from error
    if values is None:
        raise FormatError(f"it is a PNG of kind {mode}; object ids need an indexed or grey one.")
    is_void = values == 255
    if is_void.any():
        values[is_void] = 0 if values[~is_void].any() else 1
    return values
