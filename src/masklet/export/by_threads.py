"""A compiled encoder for each number of threads that torch has when it is called.

A session encodes frames ahead on some of torch's threads while it tracks on the others; an engine has its number from the
start, so there is one engine for each.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock

import torch
from torch import Tensor

from masklet.export.engine import Compiled


class CompiledByThreads:
    """Calls the encoder that was compiled for the threads there are now, and compiles it when there is none yet."""

    def __init__(self, compile_for: Callable[[int], Compiled]) -> None:
        """Prepare.

        Args:
            compile_for: Compiles for a number of threads.
        """
        self._compile_for, self._lock = compile_for, Lock()
        self._compiled: dict[int, Compiled] = {}

    def __call__(self, pixels: Tensor) -> tuple[Tensor, ...]:
        """See ``Compiled``."""
        count = torch.get_num_threads()
        with self._lock:
            if count not in self._compiled:
                self._compiled[count] = self._compile_for(count)
        return self._compiled[count](pixels)
