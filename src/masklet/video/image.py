"""Still images in, and masks as indexed PNG in and out.

How every kind of picture becomes RGB with 8 bits: turned upright by its EXIF orientation; palette,
grey, 1-bit, CMYK
and YCbCr by Pillow's conversion; alpha laid over white; 16 bits divided by 257; floating point and
32-bit integers
stretched from their smallest to their largest value; the first picture of an animation or of many pages.
"""

from __future__ import annotations

import io
import os
import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageOps

from masklet.errors import DamagedMediaError, MediaError, MediaLimitError, UnsupportedMediaError
from masklet.geometry import Size
from masklet.video.boundary import checked_file, media_errors, replacing
from masklet.video.pixels import MAX_PIXELS, over_white
from masklet.video.source import Image

IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
_ALPHA_MODES = frozenset(("RGBA", "LA", "PA", "RGBa", "La"))
_TURNED_ORIENTATIONS = frozenset((5, 6, 7, 8))
_ORIENTATION_TAG = 0x0112


def read_image(
    source: str | os.PathLike[str] | bytes | PillowImage.Image, *, max_pixels: int = MAX_PIXELS
) -> Image:
    """A still image as RGB uint8 (h, w, 3), upright.

    Args:
        source: A path, the bytes of a file, or an open Pillow image (which is left as it is).
        max_pixels: Largest allowed height times width, checked before pixels are allocated.

    Raises:
        MediaError: No such file.
        UnsupportedMediaError: Not PNG, JPEG, WebP, BMP, TIFF or GIF, or a colour space that has no rule.
        DamagedMediaError: Empty, cut or corrupt.
        MediaLimitError: More than ``max_pixels`` pixels.
    """
    if isinstance(source, PillowImage.Image):
        with media_errors("image"):
            _check_pixels(source, "image", max_pixels)
            return _to_rgb(source, "image")
    name, stream = _open_bytes(source)
    with stream, _open_image(stream, name, max_pixels) as image, media_errors(name):
        return _to_rgb(image, name)


def read_image_size(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> Size:
    """Size of an image file as shown, from its header alone.

    Raises:
        MediaError: As ``read_image``.
    """
    name, stream = _open_bytes(path)
    with stream, _open_image(stream, name, max_pixels) as image, media_errors(name):
        # Pillow decodes a whole PNG to look for EXIF behind its pixels; what comes before is already here.
        exif = image.getexif() if image.format != "PNG" or "exif" in image.info else {}
        is_turned = exif.get(_ORIENTATION_TAG) in _TURNED_ORIENTATIONS
        return Size(image.width, image.height) if is_turned else Size(image.height, image.width)


def _open_bytes(source: str | os.PathLike[str] | bytes) -> tuple[str, BinaryIO]:
    """A name for messages and an open binary stream."""
    if not isinstance(source, bytes):
        file = checked_file(source)
        try:
            return repr(file.name), file.open("rb")
        except OSError as error:
            raise MediaError(
                f"{file.name!r} cannot be opened ({error.strerror}); check its permissions."
            ) from error
    if not source:
        raise DamagedMediaError("The image is empty (0 bytes); send the whole file.")
    return "the image", io.BytesIO(source)


def _open_image(stream: BinaryIO, name: str, max_pixels: int) -> PillowImage.Image:
    """Read the header of an allowed format and refuse bombs before any pixel is decoded."""
    try:
        with warnings.catch_warnings(), media_errors(name):
            # Pillow only warns at half its own limit; the limit that counts is checked below.
            warnings.simplefilter("ignore")
            image = PillowImage.open(stream, formats=IMAGE_FORMATS)
    except DamagedMediaError as error:
        if isinstance(error.__cause__, PillowImage.DecompressionBombError):
            raise MediaLimitError(
                f"{name} has more pixels than any picture that is opened here; make it smaller."
            ) from error
        if isinstance(error.__cause__, PillowImage.UnidentifiedImageError):
            raise UnsupportedMediaError(
                f"{name} is not an image that is opened here; give {', '.join(IMAGE_FORMATS)}."
            ) from error
        raise
    _check_pixels(image, name, max_pixels)
    return image


def _check_pixels(image: PillowImage.Image, name: str, max_pixels: int) -> None:
    """Refuse images above the limit."""
    if image.width * image.height > max_pixels:
        raise MediaLimitError(
            f"{name} has {image.width} x {image.height} pixels, more than the limit of {max_pixels}; "
            "make it smaller or "
            "raise max_pixels if you trust the file."
        )


def _to_rgb(image: PillowImage.Image, name: str) -> Image:
    """Decode, turn upright and convert, as the head of this file says."""
    upright = ImageOps.exif_transpose(image)
    mode = upright.mode
    if mode.startswith("I;16"):
        return _grey_to_rgb((np.asarray(upright).astype(np.uint32) + 128) // 257)
    if mode in ("I", "F"):
        return _grey_to_rgb(_stretched(np.asarray(upright, dtype=np.float64)))
    if mode in _ALPHA_MODES or "transparency" in upright.info:
        return over_white(np.asarray(upright.convert("RGBA")))
    if mode == "LAB":
        raise UnsupportedMediaError(f"{name} is in the LAB colour space; convert it to RGB.")
    return np.array(upright.convert("RGB"))


def _stretched(values: np.ndarray) -> np.ndarray:
    """Numbers of any range to 0..255; 16-bit integers that Pillow opens as 32-bit ones keep their scale."""
    finite = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(finite.min()), float(finite.max())
    if low >= 0 and 255 < high <= 65535:
        return np.floor(finite / 257.0 + 0.5)
    return np.floor((finite - low) * (255.0 / (high - low)) + 0.5) if high > low else np.zeros_like(finite)


def _grey_to_rgb(grey: np.ndarray) -> Image:
    """One channel of 0..255 three times."""
    return np.repeat(grey.astype(np.uint8)[..., None], 3, axis=2)


def mask_palette() -> np.ndarray:
    """The 256 colours of PASCAL VOC and DAVIS masks, uint8 (256, 3).

    Bits 0, 1, 2 of an id become the highest bits of red, green and blue, bits 3, 4, 5 the next, and so on.
    """
    palette = np.zeros((256, 3), dtype=np.uint8)
    for identity in range(256):
        for level in range(8):
            bits = identity >> (3 * level)
            for channel in range(3):
                palette[identity, channel] |= ((bits >> channel) & 1) << (7 - level)
    return palette


def write_indexed_png(path: str | os.PathLike[str], labels: np.ndarray) -> None:
    """Write object ids as a palette PNG, whole or not at all; equal labels give equal bytes.

    Args:
        path: The file to write; its folder must exist.
        labels: Integers (h, w), 0 for background, ids up to 255.

    Raises:
        MediaLimitError: An id below 0 or above 255.
        MediaError: Not an (h, w) array of integers, or the file cannot be written.
    """
    if (
        labels.ndim != 2
        or labels.size == 0
        or not (np.issubdtype(labels.dtype, np.integer) or labels.dtype == bool)
    ):
        raise MediaError(
            f"Labels must be an (h, w) array of integers, got {labels.dtype} of shape {labels.shape}."
        )
    if labels.min() < 0 or labels.max() > 255:
        raise MediaLimitError(
            f"An indexed PNG holds ids 0 to 255, got {labels.min()} to {labels.max()}; number the "
            "objects anew."
        )
    image = PillowImage.fromarray(np.ascontiguousarray(labels, dtype=np.uint8))
    image.putpalette(mask_palette().tobytes())
    with replacing(Path(path)) as temporary:
        image.save(temporary, format="PNG", compress_level=6, optimize=False)


def read_indexed_png(path: str | os.PathLike[str], *, max_pixels: int = MAX_PIXELS) -> np.ndarray:
    """Object ids of a palette or 8-bit grey PNG, uint8 (h, w).

    Args:
        path: A PNG whose stored numbers are the ids; colours are not looked at.
        max_pixels: Largest allowed height times width.

    Raises:
        UnsupportedMediaError: A PNG of another kind, such as RGB.
        MediaError: Or one of its kinds, as ``read_image``.
    """
    name, stream = _open_bytes(path)
    with stream, _open_image(stream, name, max_pixels) as image, media_errors(name):
        if image.mode not in ("P", "L"):
            raise UnsupportedMediaError(
                f"{name} has mode {image.mode}, but ids need a palette or 8-bit grey PNG; save it as indexed."
            )
        return np.array(image, dtype=np.uint8)
