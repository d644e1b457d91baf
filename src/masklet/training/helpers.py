"""The other processes of a run: started with it, ended with it, and told what to train as one value."""

from __future__ import annotations

import os
import signal
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from pathlib import Path

import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from masklet.errors import ConfigError
from masklet.training.config import TrainingConfig
from masklet.training.crew import Crew
from masklet.training.loop import TrainingRun
from masklet.training.sources import open_data
from masklet.training.start import start_weights

_PATIENCE = timedelta(minutes=30)
"""How long one process waits for another before it gives up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPlan:
    """All that a process needs to take part in a run.

    Attributes:
        config: What to do.
        data: Folder of what to learn from.
        folder: Where checkpoints and the log go.
        init: Weights to start from; None for random ones. Not read when resumed.
        is_resumed: Go on from the folder's checkpoint, with the model that it holds.
        num_workers: Processes that make batches, for each process that trains.
    """

    config: TrainingConfig
    data: Path
    folder: Path
    init: Path | None = None
    is_resumed: bool = False
    num_workers: int = 1

    def open(self, crew: Crew) -> TrainingRun:
        """The run as one process of the crew sees it."""
        return TrainingRun(
            self.config,
            open_data(self.data),
            self.folder,
            model=None if self.is_resumed else start_weights(self.config, self.init),
            is_resumed=self.is_resumed,
            num_workers=self.num_workers,
            crew=crew,
        )


@dataclass(slots=True)
class Helpers:
    """The processes beside the first, and the first one's place among them."""

    crew: Crew
    processes: list[SpawnProcess] = field(default_factory=list)

    def close(self) -> None:
        """Wait for them a moment, then end them."""
        for process in self.processes:
            process.join(timeout=10)
            if process.is_alive():
                process.terminate()
                process.join()
        if self.crew.size > 1:
            dist.destroy_process_group()


def gather(plan: RunPlan, size: int) -> Helpers:
    """Start the other processes of a run and join them as the first.

    Raises:
        ConfigError: When a process would have no sample to train on.
    """
    config = plan.config
    least = min(config.still_batch, config.clip_batch) if config.clip_share > 0 else config.still_batch
    if size > least:
        raise ConfigError(f"The recipe's smallest batch has {least} samples; use at most so many processes.")
    if size == 1:
        return Helpers(Crew())
    threads = max(1, torch.get_num_threads() // size)
    handle, meeting = tempfile.mkstemp(prefix="masklet-crew-")
    os.close(handle)
    context = mp.get_context("spawn")
    processes = [
        context.Process(target=_help, args=(plan, Crew(rank=rank, size=size), meeting, threads), daemon=False)
        for rank in range(1, size)
    ]
    for process in processes:
        process.start()
    first = Crew(rank=0, size=size)
    _join(first, meeting, threads)
    return Helpers(first, processes)


def _join(crew: Crew, meeting: str, threads: int) -> None:
    torch.set_num_threads(threads)
    dist.init_process_group(
        "gloo", init_method=f"file://{meeting}", rank=crew.rank, world_size=crew.size, timeout=_PATIENCE
    )


def _help(plan: RunPlan, crew: Crew, meeting: str, threads: int) -> None:
    """What another process does: the same steps on its own share, without writing anything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process decides when to stop
    _join(crew, meeting, threads)
    for _ in plan.open(crew):
        if crew.is_any(flag=False):
            break
    dist.destroy_process_group()
