"""Free memory goes back to the system."""

import sys
from pathlib import Path

import pytest

from masklet.models.allocator import give_back


def resident_bytes() -> int:
    return 4096 * int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc keeps what is free")
def test_free_memory_goes_back_though_something_above_it_is_still_held():
    pieces = [bytearray(b"x" * 60_000) for _ in range(2000)]  # too small for mappings of their own
    kept = pieces[-1]
    held = resident_bytes()
    del pieces
    give_back()
    assert resident_bytes() < held - 50 * 2**20
    assert len(kept) == 60_000
