"""Memory of a server that works for hours: free memory goes back to the system, where glibc would keep it.

Arrays of a megabyte come and go on many threads. Each thread of glibc keeps what it freed in an arena of its own, so the
process grows although it holds nothing more. Other allocators need no help; there nothing happens.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_ARENA_MAX = -8
_NUM_ARENAS = 2


def limit_arenas() -> None:
    """Let all threads share two arenas; call it before they start."""
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).mallopt(_ARENA_MAX, _NUM_ARENAS)
