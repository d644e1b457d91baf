"""Names for the arrays of this package, and the view that compiled code wants."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

BoolArray: TypeAlias = NDArray[np.bool_]
"""A mask, bool (h, w), or a stack of them."""

ByteArray: TypeAlias = NDArray[np.uint8]
"""Images, RGB (h, w, 3), and masks of 0 and 1."""

FloatArray: TypeAlias = NDArray[np.floating[Any]]
"""Logits, scores and coordinates."""

IntArray: TypeAlias = NDArray[np.int64]
"""Run lengths and indices."""


def as_bytes(mask: BoolArray) -> ByteArray:
    """The mask as compiled code wants it, uint8 of 0 and 1, contiguous; shares memory where it can."""
    return np.ascontiguousarray(mask, dtype=np.bool_).view(np.uint8)
