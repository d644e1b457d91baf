"""Checkpoints of a run: whole, atomic, and enough to go on as if nothing had happened."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from masklet.errors import TrainingError
from masklet.models.config import ModelConfig
from masklet.models.model import SegmentationModel
from masklet.training.config import TrainingConfig
from masklet.training.optim import RunningMean
from masklet.weights.config_json import decode_config, encode_config

CHECKPOINT = "checkpoint.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """What changes in a run."""

    model: SegmentationModel
    optimiser: torch.optim.Optimizer
    mean: RunningMean


def save_checkpoint(folder: Path, state: RunState, config: TrainingConfig, *, step: int) -> Path:
    """Write the state after ``step`` finished steps, replacing the last checkpoint only when whole.

    Raises:
        TrainingError: When the folder cannot be written.
    """
    content = {
        "step": step,
        "model": state.model.state_dict(),
        "mean": state.mean.weights,
        "optimiser": state.optimiser.state_dict(),
        "generator": torch.get_rng_state(),
        "config": json.dumps(config.facts(), sort_keys=True),
        "built": encode_config(state.model.config),
    }
    path = folder / CHECKPOINT
    partial = path.with_suffix(".part")
    try:
        with partial.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise TrainingError(
            f"The checkpoint {path.name} could not be written: {error}; free space and resume."
        ) from error
    return path


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code in it.

    Raises:
        TrainingError: When it is missing or damaged.
    """
    if not path.exists():
        raise TrainingError(f"There is no checkpoint at {path}; start the run without --resume.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, KeyError, OSError) as error:
        raise TrainingError(
            f"The checkpoint {path.name} is damaged ({type(error).__name__}); start again."
        ) from error


def built_as(content: dict[str, Any]) -> ModelConfig | None:
    """How the model of a checkpoint was built; None in older ones, whose models are those of their recipes."""
    built = content.get("built")
    return None if built is None else decode_config(str(built), source=CHECKPOINT)


def restore(content: dict[str, Any], state: RunState) -> int:
    """Put a checkpoint back; returns the number of finished steps."""
    state.model.load_state_dict(content["model"])
    state.mean.weights = content["mean"]
    state.optimiser.load_state_dict(content["optimiser"])
    torch.set_rng_state(content["generator"])
    return int(content["step"])
