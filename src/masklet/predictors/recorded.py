"""Work that is recorded once for each shape and then played back: CUDA graphs, in memory of our own.

torch.compile could record graphs itself ("reduce-overhead"), but its graphs share one pool of memory in the order in which
they ran, so that two of them may not run at the same time, and they belong to one thread; here frames are encoded in a
second thread while others are tracked. Whoever records gives the memory: one pool for what never runs at the same time.
Values that come out are overwritten by the next playback, and are copied by those who keep them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

_NUM_WARM = 3
"""Runs before recording: kernels are compiled, chosen and loaded, workspaces made."""
_recording = threading.Lock()

Work = Callable[..., tuple[Tensor, ...]]


@dataclass(frozen=True, slots=True)
class Record:
    """Work that was recorded.

    Attributes:
        play: Does it again, on the tensors it was recorded with.
        found: What comes out, written anew by every playback.
    """

    play: Callable[[], None]
    found: tuple[Tensor, ...]


class Recorder(Protocol):
    """Records work on tensors that stay where they are."""

    def record(self, work: Callable[[], tuple[Tensor, ...]]) -> Record:
        """Do the work and record it."""
        ...


class CudaRecorder:
    """Records CUDA graphs into one pool of memory."""

    def __init__(self, device: torch.device) -> None:
        """Make the pool and the stream that all of its graphs are recorded in."""
        self._device = device
        self._pool = torch.cuda.graph_pool_handle()
        self._stream = torch.cuda.Stream(device)

    def record(self, work: Callable[[], tuple[Tensor, ...]]) -> Record:
        """Do the work a few times and record it; other threads wait with recording, not with their work."""
        with _recording:
            outer = torch.cuda.current_stream(self._device)
            self._stream.wait_stream(outer)
            with torch.cuda.stream(self._stream):
                for _ in range(_NUM_WARM):
                    work()
            outer.wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # other threads may ask the device for memory meanwhile: only what this thread does is held to the rules
            with torch.cuda.graph(
                graph, pool=self._pool, stream=self._stream, capture_error_mode="thread_local"
            ):
                found = work()
        return Record(graph.replay, found)


class Played:
    """Work that is recorded when it is first done for a key, and played back from then on; without a recorder it is just done."""

    def __init__(self, work: Work, recorder: Recorder | None) -> None:
        """Prepare.

        Args:
            work: Takes and gives tensors and changes none; for one key always of the same shapes, at no time waited for by
                the host.
            recorder: Records it; None where nothing can be recorded.
        """
        self._work, self._recorder = work, recorder
        self._records: dict[Hashable, tuple[tuple[Tensor, ...], Record]] = {}

    def __call__(
        self, key: Hashable, given: tuple[Tensor, ...], standing: tuple[Tensor, ...] = ()
    ) -> tuple[Tensor, ...]:
        """Do the work.

        Args:
            key: What the work is recorded under.
            given: Tensors that may lie elsewhere every time; they are copied to where they were recorded.
            standing: More tensors, for one key always the same ones: they are read where they are.

        Returns:
            What the work gives; where it is recorded, valid until the next call.
        """
        if self._recorder is None:
            return self._work(*given, *standing)
        if key not in self._records:
            kept = tuple(one.clone() for one in given)
            self._records[key] = kept, self._recorder.record(lambda: self._work(*kept, *standing))
        kept, record = self._records[key]
        for own, one in zip(kept, given, strict=True):
            own.copy_(one, non_blocking=True)
        record.play()
        return record.found


def recorder_for(device: torch.device, *, is_wanted: bool) -> Recorder | None:
    """A recorder with memory of its own, where a device can record and somebody wants it."""
    return CudaRecorder(device) if is_wanted and device.type == "cuda" else None
