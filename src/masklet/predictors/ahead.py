"""The next frames are read and encoded while the last one is tracked, by threads of their own.

One thread reads, in order, and mostly waits for a decoder; another encodes what was read. A small network's many small operations gain little from a second core; two frames in work at once do. The threads torch
was allowed are shared out once and for all, so that every frame is computed in the same way however it is reached: sums
in another order differ in their last digits. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch

from masklet.models.config import CompactEncoderConfig
from masklet.models.model import ImageFeatures
from masklet.models.threads import on_threads
from masklet.video.source import Frame
from masklet.weights.load import LoadedModel

FRAMES_AHEAD = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """How many threads of torch encode frames, and how many do the rest.

    Attributes:
        encoding: For the image encoder.
        tracking: For everything else.
    """

    encoding: int
    tracking: int

    @classmethod
    def of(cls, model: LoadedModel, num_threads: int) -> Shares | None:
        """Shares of some threads; None where one thing after the other is faster, or other devices do the work."""
        is_small = isinstance(model.config.encoder, CompactEncoderConfig)
        if not is_small or model.device.type != "cpu" or num_threads < 2:
            return None
        return cls(encoding=num_threads // 2, tracking=num_threads - num_threads // 2)


class FramesAhead:
    """Encoded frames to come. Only one thread may ask for them."""

    def __init__(
        self, read: Callable[[int], Frame], encode: Callable[[Frame], ImageFeatures], num_threads: int
    ) -> None:
        """Prepare.

        Args:
            read: Reads a frame; called in a thread of its own, one frame at a time.
            encode: Encodes a frame; called in another one, one frame at a time.
            num_threads: How many threads torch may use for it.
        """
        self._read, self._encode, self._num_threads = read, encode, num_threads
        self._coming: dict[int, Future[ImageFeatures]] = {}
        self._pools: tuple[ThreadPoolExecutor, ThreadPoolExecutor] | None = None

    def expect(self, index: int) -> None:
        """Begin with a frame, once those expected before it are done."""
        if index in self._coming:
            return
        if self._pools is None:
            self._pools = ThreadPoolExecutor(1, "read-ahead"), ThreadPoolExecutor(1, "encode-ahead")
        reading, encoding = self._pools
        self._coming[index] = encoding.submit(self._work, reading.submit(self._read, index))

    @property
    def is_idle(self) -> bool:
        """Whether nothing that was expected is still being read or encoded."""
        return all(coming.done() for coming in self._coming.values())

    def take(self, index: int) -> ImageFeatures | None:
        """Wait for a frame that was expected; None where it was not.

        Raises:
            MaskletError: What reading or encoding this frame raised.
        """
        coming = self._coming.pop(index, None)
        return None if coming is None else coming.result()

    def close(self) -> None:
        """Give up what was expected, and wait for those in work."""
        self._coming.clear()
        if self._pools is not None:
            reading, encoding = self._pools
            encoding.shutdown(wait=False, cancel_futures=True)
            reading.shutdown(wait=True, cancel_futures=True)
            encoding.shutdown(wait=True)
            self._pools = None

    def _work(self, frame: Future[Frame]) -> ImageFeatures:
        # the number is that of this thread, inference mode too
        with on_threads(self._num_threads), torch.inference_mode():
            return self._encode(frame.result())
