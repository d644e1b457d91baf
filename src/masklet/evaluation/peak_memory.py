"""The most memory a process held since it was last asked."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from masklet.models.allocator import give_back

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


class PeakMemory:
    """Peak of the main memory of this process, and of the graphics card where one is used.

    Args:
        device: Where the model runs, such as "cpu" or "cuda:0".
    """

    def __init__(self, device: str) -> None:
        self._card = device if device.startswith("cuda") else None

    def start(self) -> None:
        """Begin anew, as far as the system allows; elsewhere than on Linux the peak of the whole process stays."""
        gc.collect()
        give_back()  # it would count as held otherwise
        if self._card is not None:
            import torch

            torch.cuda.reset_peak_memory_stats(self._card)
        try:
            _CLEAR.write_text("5", encoding="ascii")  # resets the high-water mark alone
        except OSError:
            return

    def main_bytes(self) -> int:
        """Peak of the main memory in bytes."""
        try:
            lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
        except OSError:
            return _whole_life_bytes()
        found = next((line for line in lines if line.startswith("VmHWM:")), None)
        return _whole_life_bytes() if found is None else int(found.split()[1]) * 1024

    def card_bytes(self) -> int | None:
        """Peak of the memory taken on the graphics card in bytes, or None without one."""
        if self._card is None:
            return None
        import torch

        return torch.cuda.max_memory_allocated(self._card)


def _whole_life_bytes() -> int:
    """Peak since the process began; 0 where the system does not tell."""
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
