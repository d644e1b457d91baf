"""The training loop: steps, checkpoints, a log that a person and a program can read."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from masklet.errors import TrainingError
from masklet.models.config import ModelConfig, preset, with_widths_of
from masklet.models.model import SegmentationModel, build
from masklet.training.batches import BatchData, TrainBatch, stream
from masklet.training.checkpoint import (
    CHECKPOINT,
    RunState,
    built_as,
    read_checkpoint,
    restore,
    save_checkpoint,
)
from masklet.training.config import TrainingConfig
from masklet.training.crew import Crew
from masklet.training.data import Shards
from masklet.training.losses import Judged, judge
from masklet.training.optim import (
    RunningMean,
    build_optimiser,
    freeze_first_blocks,
    freeze_parts,
    rate_at,
    set_rate,
)
from masklet.training.unroll import Unroll
from masklet.weights.save import save_weights

LOG = "log.jsonl"
_LOG_EVERY = 20
ALONE = Crew()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepReport:
    """What one step did.

    Attributes:
        step: Finished steps.
        steps: Steps in all.
        loss: Mean loss per object and decoding.
        iou: Mean IoU by kind of decoding.
        seconds: Wall time of the step.
    """

    step: int
    steps: int
    loss: float
    iou: dict[str, float]
    seconds: float


def build_for(config: TrainingConfig, *, widths: ModelConfig | None = None) -> SegmentationModel:
    """The model of a run, at the run's resolution, with seeded random weights.

    Args:
        config: The run.
        widths: A compact model that may have been slimmed (``slim``), whose numbers of hidden units it takes.
    """
    made = preset(config.model).resized(config.side)
    return build(made if widths is None else with_widths_of(widths, made), seed=config.seed)


def train_step(
    state: RunState, batch: TrainBatch, config: TrainingConfig, step: int, crew: Crew = ALONE
) -> tuple[float, dict[str, float]]:
    """One optimiser step; returns the loss and the mean IoU by kind, of this process's share of the batch.

    Raises:
        TrainingError: When the loss is not a number; the last checkpoint stays good.
    """
    set_rate(state.optimiser, rate_at(step, config.steps, config.optim), config.optim)
    rng = np.random.default_rng(
        [config.seed, step, 7] if crew.rank == 0 else [config.seed, step, 7, crew.rank]
    )
    judged = Unroll(state.model, batch, config.prompts, rng).run()
    loss, ious = total_loss(judged, config)
    if not math.isfinite(loss.item()):
        raise TrainingError(
            f"The loss became {loss.item()} at step {step}; resume with a lower learning rate."
        )
    state.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    trained = [p for group in state.optimiser.param_groups for p in group["params"]]
    crew.average(trained)
    torch.nn.utils.clip_grad_norm_(trained, config.optim.max_norm)
    state.optimiser.step()
    state.mean.update(state.model, step)
    return loss.item(), ious


def total_loss(judged: list[Judged], config: TrainingConfig) -> tuple[torch.Tensor, dict[str, float]]:
    """Mean over decodings and objects, and the mean IoU of visible objects by kind."""
    losses: list[torch.Tensor] = []
    ious: dict[str, list[float]] = {}
    for item in judged:
        loss, iou = judge(item, config.losses)
        losses.append(loss.mean())
        ious.setdefault(item.kind, []).extend(iou[item.is_present].tolist())
    return torch.stack(losses).mean(), {
        kind: float(np.mean(values)) for kind, values in ious.items() if values
    }


@contextmanager
def denormals_flushed() -> Iterator[None]:
    """Count numbers too small to be normal as zero for a while, and as what they are afterwards.

    Sharp affinities leave many such weights, on which a CPU is many times slower. The setting belongs to the
    process, whose other work may rely on them.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


class TrainingRun:
    """A run in a folder: iterate to train, stop at any time, make it again to resume."""

    def __init__(
        self,
        config: TrainingConfig,
        shards: Shards,
        folder: Path,
        *,
        model: SegmentationModel | None = None,
        is_resumed: bool = False,
        num_workers: int = 1,
        crew: Crew = ALONE,
    ) -> None:
        """Prepare a run.

        Args:
            config: What to do.
            shards: What to learn from.
            folder: Where checkpoints and the log go.
            model: Weights to start from; None for random ones.
            is_resumed: Go on from the folder's checkpoint.
            num_workers: Processes that make batches.
            crew: Which of several processes this one is.

        Raises:
            TrainingError: When the folder holds another run, or there is nothing to resume.
        """
        self.config, self.folder = config, folder
        folder.mkdir(parents=True, exist_ok=True)
        if not is_resumed and crew.rank == 0 and (folder / CHECKPOINT).exists():
            raise TrainingError(
                f"{folder} holds a run already; add --resume to go on, or choose another folder."
            )
        known = read_checkpoint(folder / CHECKPOINT) if is_resumed else None
        if model is None:
            model = build_for(config, widths=None if known is None else built_as(known))
        model.train()
        # convolutions on a CPU train twice as fast in this layout
        model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        freeze_first_blocks(model, config.optim.frozen_blocks)
        freeze_parts(model, config.optim.frozen_parts)
        optimiser = build_optimiser(model, config.optim)
        self.state = RunState(
            model=model, optimiser=optimiser, mean=RunningMean(model, config.optim.ema_decay)
        )
        self.step = 0 if known is None else restore(known, self.state)
        self.crew = crew
        self._data = BatchData(config, shards, crew)
        self._num_workers = num_workers

    def __iter__(self) -> Iterator[StepReport]:
        """Train step by step; checkpoints are written on the way and at the end."""
        saved = time.monotonic()
        batches = stream(self._data, first_step=self.step, num_workers=self._num_workers)
        started = time.monotonic()
        for batch in batches:
            with denormals_flushed():
                loss, ious = train_step(self.state, batch, self.config, self.step, self.crew)
            self.step += 1
            now = time.monotonic()
            report = StepReport(
                step=self.step, steps=self.config.steps, loss=loss, iou=ious, seconds=now - started
            )
            started = now
            is_first = self.crew.rank == 0
            if is_first and (self.step % _LOG_EVERY == 0 or self.step == self.config.steps):
                self._log(report)
            if is_first and now - saved > 60 * self.config.checkpoint_minutes:
                self.save()
                saved = now
            yield report
        if self.crew.rank == 0:
            self.save()

    def save(self) -> Path:
        """Write a checkpoint now."""
        return save_checkpoint(self.folder, self.state, self.config, step=self.step)

    def export(self, path: Path) -> Path:
        """Write the running mean of the weights as a model file, at the recipe's resolution."""
        model = build(self.state.model.config)
        model.load_state_dict(self.state.mean.weights)
        save_weights(path, model, metadata={"recipe": self.config.name, "steps": str(self.step)})
        return path

    def _log(self, report: StepReport) -> None:
        entry = {
            "step": report.step,
            "loss": round(report.loss, 5),
            "iou": {kind: round(value, 4) for kind, value in sorted(report.iou.items())},
            "seconds": round(report.seconds, 3),
        }
        with (self.folder / LOG).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
