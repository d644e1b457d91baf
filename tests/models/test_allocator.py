"""Freed memory stays with the process, unless the user chose otherwise."""

from __future__ import annotations

import resource
import subprocess
import sys

import pytest

from masklet.models.allocator import keep_freed_memory

FAULTS = """
import resource, torch
from masklet.models.allocator import keep_freed_memory
{call}
for _ in range(3):
    torch.ones(4_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(50):
    torch.ones(4_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(call: str) -> int:
    """Page faults of fifty large tensors that come and go."""
    run = subprocess.run(
        [sys.executable, "-c", FAULTS.format(call=call)], capture_output=True, text=True, check=True
    )
    return int(run.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_pages_are_not_taken_from_the_kernel_again() -> None:
    pages = 50 * 16_000_000 // resource.getpagesize()
    assert faults("assert keep_freed_memory()") < pages / 5


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES", "LD_PRELOAD"])
def test_the_setting_of_a_user_is_left_alone(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "")
    assert not keep_freed_memory()


ARENAS = """
import ctypes, threading
from masklet.models.allocator import keep_freed_memory
{call}
def work():
    held = bytearray(1)  # the thread's own pool is made with its first piece of memory
    blocks = [ctypes.create_string_buffer(100_000) for _ in range(20)]
    gate.wait()
gate = threading.Barrier(9)
threads = [threading.Thread(target=work) for _ in range(8)]
for one in threads: one.start()
libc = ctypes.CDLL(None)
import os, tempfile
with tempfile.TemporaryFile() as file:
    libc.fdopen.restype = ctypes.c_void_p
    stream = libc.fdopen(os.dup(file.fileno()), b"w")
    libc.malloc_info(0, ctypes.c_void_p(stream))
    libc.fclose(ctypes.c_void_p(stream))
    file.seek(0)
    print(file.read().count(b"<heap nr="))
gate.wait()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_threads_share_one_pool() -> None:
    def heaps(call: str) -> int:
        run = subprocess.run(
            [sys.executable, "-c", ARENAS.format(call=call)], capture_output=True, text=True, check=True
        )
        return int(run.stdout)

    assert heaps("assert keep_freed_memory()") == 1
    assert heaps("") > 1
