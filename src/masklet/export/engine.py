"""What a runtime other than torch must be able to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeAlias

from torch import Tensor

Compiled: TypeAlias = Callable[[Tensor], tuple[Tensor, ...]]
"""From the pixels of one image (1, 3, s, s) to its maps, which are the caller's own; may be called by any thread."""


class Engine(Protocol):
    """A runtime that compiles ONNX files."""

    @property
    def name(self) -> str:
        """Runtime and version, for messages."""
        ...

    def compile(self, content: bytes) -> Compiled:
        """Make an ONNX file ready to run."""
        ...
