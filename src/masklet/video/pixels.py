"""What holds for pictures however they are decoded: how large they may be, and what shows through them."""

from __future__ import annotations

import numpy as np

from masklet.video.source import Image

MAX_PIXELS = 64 * 1024 * 1024
"""Largest picture, height times width: a few bytes of a file could otherwise ask for any memory."""


def over_white(rgba: Image) -> Image:
    """RGBA uint8 (h, w, 4) laid over white, rounded to the nearest level, as RGB uint8 (h, w, 3)."""
    alpha = rgba[..., 3:].astype(np.uint16)
    mixed = rgba[..., :3] * alpha + np.uint16(255) * (255 - alpha)
    return ((mixed + 127) // 255).astype(np.uint8)
