"""Arithmetic that NumPy and the studio's page do alike, bit for bit: whole numbers, rounded in one way only."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from masklet.effects.base import Alpha, Color, Image

_WORD = 0xFFFFFFFF


def scaled(permille: int, shape: tuple[int, ...]) -> int:
    """A length in pixels, at least 1, so that an effect looks alike at every size.

    Args:
        permille: Thousandths of the shorter side.
        shape: (h, w, ...).
    """
    return max(1, (permille * min(shape[0], shape[1]) + 500) // 1000)


def percent(amount: int) -> int:
    """An opacity 0 to 255 from 0 to 100."""
    return (amount * 255 + 50) // 100


def dimmed(alpha: Alpha, opacity: Alpha | int) -> Alpha:
    """An alpha multiplied with an opacity from 0 to 255, one for all or one for each pixel."""
    factor = np.uint16(opacity) if isinstance(opacity, int) else opacity
    return divided(alpha.astype(np.uint16) * factor + np.uint16(127))


def covered(alpha: Alpha, cover: Alpha) -> Alpha:
    """An alpha where something else, with an alpha of its own, lies over it."""
    return divided(alpha.astype(np.uint16) * (255 - cover) + np.uint16(127))


def divided(numbers: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Numbers below 65280 divided by 255, rounded down, without a division."""
    return ((numbers + np.uint16(1) + (numbers >> 8)) >> 8).astype(np.uint8)


def mix(under: Image, over: Image | Color, alpha: Alpha | int) -> Image:
    """An image or a colour laid over an image.

    Args:
        under: uint8 (h, w, 3).
        over: uint8 (h, w, 3), or one colour.
        alpha: Opacity of ``over``, uint8 (h, w) or one number.
    """
    opacity = np.uint16(alpha) if isinstance(alpha, int) else alpha[..., None].astype(np.uint16)
    top = np.asarray(over, dtype=np.uint16)
    return divided(under * (np.uint16(255) - opacity) + top * opacity + np.uint16(127))


def luma(image: Image) -> npt.NDArray[np.uint8]:
    """Brightness, uint8 (h, w). Source: ITU-R BT.601, in 256ths."""
    red, green, blue = (image[..., channel].astype(np.uint32) for channel in range(3))
    return ((77 * red + 150 * green + 29 * blue + 128) >> 8).astype(np.uint8)


def tinted(levels: npt.NDArray[np.uint8], color: Color | Image) -> Image:
    """Colours scaled by brightness levels, uint8 (h, w, 3)."""
    shades = np.asarray(color, dtype=np.uint16)
    return divided(levels[..., None].astype(np.uint16) * shades + np.uint16(127))


def box_blurred(image: npt.NDArray[np.uint8], radius: int) -> npt.NDArray[np.uint8]:
    """The mean over a square of ``2 * radius + 1`` pixels, rounded to the nearest; pixels at the rim count again."""
    side = 2 * radius + 1
    return np.asarray(cv2.blur(image, (side, side), borderType=cv2.BORDER_REPLICATE), dtype=np.uint8)


def brightened(image: Image, percents: int) -> Image:
    """Every channel times a percentage."""
    table = [min(255, (level * percents + 50) // 100) for level in range(256)]
    return np.asarray(table, dtype=np.uint8)[image]


def hashed(seed: int, index: int, cell: int) -> int:
    """32 bits that look random and are the same everywhere for the same three whole numbers."""
    word = seed * 0x9E3779B1 ^ index * 0x85EBCA6B ^ cell * 0xC2B2AE35
    word &= _WORD
    word = ((word ^ word >> 16) * 0x7FEB352D) & _WORD
    word = ((word ^ word >> 15) * 0x846CA68B) & _WORD
    return word ^ word >> 16


def hashed_cells(seed: int, index: int, cells: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint32]:
    """``hashed`` for many cells."""
    start = np.uint32((seed * 0x9E3779B1 ^ index * 0x85EBCA6B) & _WORD)
    word = start ^ cells * np.uint32(0xC2B2AE35)
    word = (word ^ word >> np.uint32(16)) * np.uint32(0x7FEB352D)
    word = (word ^ word >> np.uint32(15)) * np.uint32(0x846CA68B)
    return word ^ word >> np.uint32(16)


def as_alpha(opacity: npt.NDArray[np.float64]) -> Alpha:
    """Opacities from 0 to 1, cut to that range, as bytes."""
    return np.floor(np.clip(opacity, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8)
