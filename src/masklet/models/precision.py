"""Where and in what precision the network runs: the one place that decides it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch

from masklet.errors import ConfigError

DeviceName = Literal["auto", "cpu", "cuda", "mps"]
PrecisionName = Literal["auto", "float32", "bfloat16", "float16"]
_TYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def choose_device(name: str = "auto") -> torch.device:
    """The device of a name; "auto" takes CUDA, then MPS, then the CPU.

    Raises:
        ConfigError: When the named device is not there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise ConfigError(
            f"The device {name!r} was asked for but no CUDA device is there; use 'auto' or 'cpu'."
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise ConfigError("The device 'mps' was asked for but is not there; use 'auto' or 'cpu'.")
    if name.split(":")[0] not in ("cpu", "cuda", "mps"):
        raise ConfigError(f"The device {name!r} is unknown; the devices are auto, cpu, cuda, cuda:N and mps.")
    return torch.device(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionPolicy:
    """Autocast for one device: bfloat16 where it is fast, float32 elsewhere."""

    device: torch.device
    dtype: torch.dtype

    @classmethod
    def choose(cls, device: torch.device, name: PrecisionName = "auto") -> PrecisionPolicy:
        """The policy for a device; "auto" is bfloat16 on recent CUDA, float16 on older, float32 elsewhere."""
        if name != "auto":
            return cls(device=device, dtype=_TYPES[name])
        if device.type == "cuda":
            return cls(
                device=device, dtype=torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
            )
        return cls(device=device, dtype=torch.float32)

    def autocast(self) -> AbstractContextManager[object]:
        """A context in which the network's heavy operations run in this precision."""
        if self.dtype == torch.float32:
            return nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


@contextmanager
def deterministic() -> Iterator[None]:
    """Inside it, the same input on the same device gives the same masks on every run, perhaps more slowly.

    On the CPU that also asks for the same number of threads. On CUDA, set CUBLAS_WORKSPACE_CONFIG=:4096:8 before torch is
    loaded; torch says so if it is missing.
    """
    cudnn: Any = torch.backends.cudnn  # a module whose settings are properties
    was_strict = torch.are_deterministic_algorithms_enabled()
    was_searching, was_deterministic = cudnn.benchmark, cudnn.deterministic
    torch.use_deterministic_algorithms(True)
    cudnn.benchmark, cudnn.deterministic = False, True
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(was_strict)
        cudnn.benchmark, cudnn.deterministic = was_searching, was_deterministic
