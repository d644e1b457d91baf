"""Work that goes on side by side on one device: CUDA streams, and nothing at all on devices that do one thing at a time."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a lane: what was given to it before is done once the mark is passed."""

    event: torch.cuda.Event | None = None

    def wait_here(self) -> None:
        """Let the calling thread wait until the mark is passed; other threads go on."""
        if self.event is not None:
            self.event.synchronize()


class Lane:
    """Work that a device does in order, beside other lanes."""

    def __init__(self, device: torch.device, *, is_own: bool) -> None:
        """Open a lane.

        Args:
            device: Where work is done.
            is_own: Whether it is a lane of its own; else it is the one in which everything is done anyway.
        """
        self._device, self._is_cuda = device, device.type == "cuda"
        self._stream = torch.cuda.Stream(device) if self._is_cuda and is_own else None

    def work(self) -> AbstractContextManager[object]:
        """Inside it, the calling thread gives its work to this lane."""
        return nullcontext() if self._stream is None else torch.cuda.stream(self._stream)

    def mark(self) -> Mark:
        """A mark after everything given to this lane so far."""
        if not self._is_cuda:
            return Mark()
        event = torch.cuda.Event(blocking=True)  # who waits sleeps, and leaves the processor to others
        event.record(self._stream or torch.cuda.current_stream(self._device))
        return Mark(event)

    def wait_for(self, mark: Mark) -> None:
        """Let what is given to this lane from now on wait for a mark of another; the host does not wait."""
        if mark.event is not None:
            mark.event.wait(self._stream or torch.cuda.current_stream(self._device))

    def hold(self, tensors: Iterable[Tensor]) -> None:
        """Say that this lane reads tensors made in another: their memory is not used anew before it has."""
        if not self._is_cuda:
            return
        for tensor in tensors:
            tensor.record_stream(self._stream or torch.cuda.current_stream(self._device))


def uploaded(values: Tensor, device: torch.device) -> Tensor:
    """A tensor of the host on a device; on CUDA by way of pinned memory, so that the host need not wait."""
    if device.type != "cuda":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)


def downloaded(values: Tensor) -> Tensor:
    """A tensor of a device on the host, from CUDA in pinned memory and perhaps not there yet: wait for a mark."""
    return values.to("cpu", non_blocking=True)
