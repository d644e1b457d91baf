"""Batches by step number: the same step gives the same batch, in any process, so that a run resumes exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from masklet.training.config import TrainingConfig
from masklet.training.crew import Crew
from masklet.training.data import Shards, TrainClip
from masklet.training.sampling import TrainingData


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainBatch:
    """Samples of one length, objects flattened.

    Attributes:
        frames: RGB uint8 (b, t, side, side, 3).
        masks: bool (o, t, side, side), the objects of all samples one after another.
        owner: Sample of each object (o,).
        sources: Data source of each sample.
    """

    frames: Tensor
    masks: Tensor
    owner: Tensor
    sources: tuple[str, ...]

    @property
    def num_frames(self) -> int:
        """Frames per sample."""
        return self.frames.shape[1]


def collate(samples: list[TrainClip]) -> TrainBatch:
    """Stack samples of one length."""
    owner = np.concatenate([np.full(sample.masks.shape[1], index) for index, sample in enumerate(samples)])
    masks = np.concatenate([sample.masks.transpose(1, 0, 2, 3) for sample in samples])
    return TrainBatch(
        frames=torch.from_numpy(np.stack([sample.frames for sample in samples])),
        masks=torch.from_numpy(np.ascontiguousarray(masks)),
        owner=torch.from_numpy(owner),
        sources=tuple(sample.source for sample in samples),
    )


def is_clip_step(step: int, clip_share: float) -> bool:
    """Whether a step trains on clips; clip steps are spread evenly."""
    return int((step + 1) * clip_share) > int(step * clip_share)


class BatchData(Dataset[TrainBatch]):
    """Batch number k of a run, or one process's share of it."""

    def __init__(self, config: TrainingConfig, shards: Shards, crew: Crew = Crew()) -> None:  # noqa: B008 - frozen
        self._crew = crew
        self._config = config
        self._stills = TrainingData(config.still_data(), shards)
        self._clips = TrainingData(config.clip_data(), shards) if config.clip_share > 0 else None

    def __len__(self) -> int:
        """Steps of the run."""
        return self._config.steps

    def __getitem__(self, step: int) -> TrainBatch:
        """The batch of a step."""
        config = self._config
        if self._clips is not None and is_clip_step(step, config.clip_share):
            data, size = self._clips, config.clip_batch
        else:
            data, size = self._stills, config.still_batch
        return collate([data[step * size + index] for index in self._crew.share(range(size))])


def stream(data: BatchData, *, first_step: int, num_workers: int) -> DataLoader[TrainBatch]:
    """Batches from a step on, made ahead by worker processes."""
    return DataLoader(
        data,
        batch_size=None,
        sampler=range(first_step, len(data)),
        num_workers=num_workers,
        prefetch_factor=4 if num_workers else None,
        worker_init_fn=_quiet_worker,
    )


def _quiet_worker(_index: int) -> None:
    import cv2

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
