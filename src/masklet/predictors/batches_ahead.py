"""The next frames are read and encoded in small batches, by a thread and in a lane of their own, while others are tracked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from masklet.errors import MaskletError
from masklet.models.config import ModelConfig
from masklet.models.model import ImageFeatures
from masklet.predictors.frame_step import FrameStep
from masklet.predictors.lanes import Lane, Mark
from masklet.predictors.preprocess import to_pixels
from masklet.predictors.recorded import Played, Recorder

BATCHES_AHEAD = 2


@dataclass(frozen=True, slots=True)
class _Batch:
    """Encoded frames by index, and when they are there."""

    frames: dict[int, ImageFeatures]
    mark: Mark


class BatchEncoder:
    """Encodes pictures as batches of one size, in a lane of its own."""

    def __init__(
        self, step: FrameStep, device: torch.device, num_pictures: int, recorder: Recorder | None
    ) -> None:
        """Prepare.

        Args:
            step: Encodes pixels.
            device: Where.
            num_pictures: Pictures of a batch; smaller ones are filled up with their last picture.
            recorder: Records the encoder, with memory of its own; None to run it every time.
        """
        self._step, self._device, self._num_pictures = step, device, num_pictures
        self._played = Played(step.encode, recorder)
        self.lane = Lane(device, is_own=True)

    @property
    def _config(self) -> ModelConfig:
        return self._step.model.config

    def encode(self, pictures: Sequence[np.ndarray]) -> tuple[list[ImageFeatures], Mark]:
        """Features of pictures, RGB uint8 (h, w, 3), and the mark after which they are there."""
        with self.lane.work():
            pixels = [to_pixels(picture, self._config, self._device) for picture in pictures]
            pixels += [pixels[-1]] * (self._num_pictures - len(pixels))
            found = self._played("encode", (torch.cat(pixels),))
            # one frame at a time leaves the cache; what a recorded batch gives is overwritten by the next
            frames = [
                ImageFeatures(*(one[row : row + 1].clone() for one in found)) for row in range(len(pictures))
            ]
            return frames, self.lane.mark()


class BatchesAhead:
    """Encoded frames to come. Only one thread may ask for them."""

    def __init__(self, read: Callable[[int], np.ndarray], encoder: BatchEncoder, batch: int) -> None:
        """Prepare.

        Args:
            read: Reads a picture; called in another thread, one frame at a time.
            encoder: Encodes pictures there.
            batch: How many at once.
        """
        self._read, self._encoder, self._batch = read, encoder, batch
        self._coming: dict[int, Future[_Batch]] = {}
        self._pool: ThreadPoolExecutor | None = None

    @property
    def span(self) -> int:
        """So many frames after the next one are worth expecting."""
        return BATCHES_AHEAD * self._batch

    def __contains__(self, index: int) -> bool:
        """Whether a frame is expected."""
        return index in self._coming

    def expect(self, indices: Sequence[int], *, at_once: int, is_end: bool) -> None:
        """Begin with frames that come next; a batch that is not full waits for more, unless a frame of it is needed at once.

        Args:
            indices: Frames in the order in which they come.
            at_once: The frame that comes first of all.
            is_end: Whether no more come.
        """
        new = [index for index in indices if index not in self._coming]
        for start in range(0, len(new), self._batch):
            batch = new[start : start + self._batch]
            if len(batch) == self._batch or at_once in batch or is_end:
                if self._pool is None:
                    self._pool = ThreadPoolExecutor(1, "encode-batches")
                coming = self._pool.submit(self._work, batch)
                self._coming.update(dict.fromkeys(batch, coming))

    def take(self, index: int, lane: Lane) -> ImageFeatures | None:
        """A frame that was expected, for use in a lane; None where it was not, or could not be read.

        The host waits until the frame's batch was given to the device, not until it is encoded.
        """
        coming = self._coming.pop(index, None)
        if coming is None:
            return None
        batch = coming.result()
        found = batch.frames.pop(index, None)
        if found is not None:
            lane.wait_for(batch.mark)
            lane.hold(_maps(found))
        return found

    def close(self) -> None:
        """Give up what was expected, and wait for the batch in work."""
        self._coming.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None

    def _work(self, indices: Sequence[int]) -> _Batch:
        with torch.inference_mode():
            pictures: list[np.ndarray] = []
            for index in indices:
                try:
                    pictures.append(self._read(index))
                except MaskletError:  # whoever comes to this frame reads it again, and is told
                    break
            if not pictures:
                return _Batch({}, Mark())
            frames, mark = self._encoder.encode(pictures)
        return _Batch(dict(zip(indices, frames, strict=False)), mark)


def _maps(image: ImageFeatures) -> tuple[Tensor, Tensor, Tensor]:
    return image.features, image.skip4, image.skip8
