"""What a process that opens other people's files may take: memory, time, little or no writing, no network."""

from __future__ import annotations

import ctypes
import platform
import struct
import sys
from contextlib import suppress

# audit architecture and number of the call socket(2)
_SOCKET_CALLS = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _FILTER = 38, 22, 2
_REFUSED, _ALLOWED = 0x00050000 | 13, 0x7FFF0000
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06


def confine(memory_bytes: int, seconds: int | None, *, file_bytes: int = 0) -> None:
    """Limit this process for good, where the system can.

    Args:
        memory_bytes: Address space.
        seconds: Processor time, or None where each request has a limit of its own.
        file_bytes: Largest file it may write; 0 lets it write none.
    """
    with suppress(ImportError):
        import resource

        limits = [
            (resource.RLIMIT_AS, memory_bytes),
            (resource.RLIMIT_FSIZE, file_bytes),
            (resource.RLIMIT_CORE, 0),
        ]
        if seconds is not None:
            limits.append((resource.RLIMIT_CPU, seconds))
        for kind, most in limits:
            with suppress(ValueError, OSError):  # a system may not know a limit, or already hold a lower one
                resource.setrlimit(kind, (most, most))
    refuse_network()


def refuse_network() -> bool:
    """Refuse this process every socket from now on; False where the system has no means for that.

    On Linux the kernel refuses, so that libraries which are not written in Python are held too.
    """
    known = _SOCKET_CALLS.get(platform.machine())
    if sys.platform != "linux" or known is None:
        return False
    architecture, socket_call = known
    steps = [
        (_LOAD, 0, 0, 4),
        (_JUMP_IF_EQUAL, 0, 3, architecture),
        (_LOAD, 0, 0, 0),
        (_JUMP_IF_EQUAL, 0, 1, socket_call),
        (_RETURN, 0, 0, _REFUSED),
        (_RETURN, 0, 0, _ALLOWED),
    ]
    program = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    listed = ctypes.create_string_buffer(struct.pack("@HP", len(steps), ctypes.addressof(program)))
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return False
    return library.prctl(_SET_SECCOMP, _FILTER, ctypes.c_void_p(ctypes.addressof(listed)), 0, 0) == 0
