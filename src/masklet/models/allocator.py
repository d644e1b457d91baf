"""Memory that the network frees stays with the process while it works, and goes back when it is done."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress

_MMAP_THRESHOLD, _TRIM_THRESHOLD, _MOST_ARENAS = -3, -1, -8  # numbers of glibc's mallopt
_NUM_ARENAS = 1
_LARGEST_KEPT = 256 << 20
_MOST_KEPT = 512 << 20
_ARENAS_CHOSEN_BY_USER = "MALLOC_ARENA_MAX"
_CHOSEN_BY_USER = ("MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES", "LD_PRELOAD")


def keep_freed_memory() -> bool:
    """Let the C library keep what is freed instead of handing it back to the kernel; True when it will.

    Activations of a few megabytes come and go with every layer. glibc takes each afresh from the kernel, which clears
    every page again: a sixth of the time of a tracked frame, more in a virtual machine. Threads share one pool of such
    memory instead of keeping one each: the peak of tracking falls by a quarter. Nothing is changed where another
    allocator or the user's own setting is in force.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _CHOSEN_BY_USER):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    if _ARENAS_CHOSEN_BY_USER not in os.environ:
        mallopt(_MOST_ARENAS, _NUM_ARENAS)
    return bool(mallopt(_MMAP_THRESHOLD, _LARGEST_KEPT)) and bool(mallopt(_TRIM_THRESHOLD, _MOST_KEPT))


def give_back() -> None:
    """Give free memory back to the system, some milliseconds; where the C library is not glibc nothing happens.

    What one tracked video leaves behind is in pieces that the next one does not fit into: without it, a process that tracks
    five objects in one video after another takes a tenth of a gigabyte more each time.
    """
    if sys.platform.startswith("linux"):
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
