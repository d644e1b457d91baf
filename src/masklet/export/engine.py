"""What a runtime other than torch must be able to do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor


class Compiled(Protocol):
    """A graph that is ready to run."""

    def __call__(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, ...]:
        """Compute it.

        Args:
            inputs: A tensor on the CPU for each input of the graph; those that it has no use for are left out.

        Returns:
            One tensor per output, owned by the caller.
        """
        ...


class Engine(Protocol):
    """A runtime that compiles ONNX files."""

    @property
    def name(self) -> str:
        """Runtime and version, for messages."""
        ...

    def compile(self, content: bytes) -> Compiled:
        """Make an ONNX file ready to run."""
        ...
