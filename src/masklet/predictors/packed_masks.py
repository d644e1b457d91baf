"""Masks at image size as bits, eight pixels a byte: packed on the device, brought to the host, unpacked there."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.geometry import Size


def packed(masks: Tensor) -> Tensor:
    """Masks, bool (b, h, w), as bytes, uint8 (b, ceil(h * w / 8)); the first pixel is the highest bit."""
    flat = masks.flatten(1).to(torch.uint8)
    bits = F.pad(flat, (0, -flat.shape[1] % 8)).unflatten(1, (-1, 8))
    # shifted and added one after the other: a table of weights would be made on the host, and sums are widened
    byte = bits[..., 0]
    for place in range(1, 8):
        byte = (byte << 1) | bits[..., place]
    return byte


def unpacked(packed_bytes: np.ndarray, size: Size) -> np.ndarray:
    """One mask, bool (h, w), of its bytes (n)."""
    bits = np.unpackbits(packed_bytes, count=size.num_pixels)
    return bits.view(np.bool_).reshape(size.hw)
