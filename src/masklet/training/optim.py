"""Optimiser groups, the learning-rate schedule and the running mean of the weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor, nn

from masklet.errors import ConfigError
from masklet.models.compact import CompactEncoder
from masklet.models.model import SegmentationModel
from masklet.training.config import OptimConfig


def freeze_first_blocks(model: SegmentationModel, num_blocks: int) -> None:
    """Keep the stem and the first encoder blocks as they are; they cost most to train and differ least."""
    if not isinstance(model.encoder, CompactEncoder) or num_blocks == 0:
        return
    for part in (model.encoder.stem, *model.encoder.blocks[:num_blocks]):
        part.requires_grad_(requires_grad=False)


def freeze_parts(model: SegmentationModel, parts: Sequence[str]) -> None:
    """Keep parts of the model as they are.

    Raises:
        ConfigError: When the model has no such part.
    """
    children = dict(model.named_children())
    for name in parts:
        if name not in children:
            raise ConfigError(f"The model has no part {name!r}; its parts are {', '.join(children)}.")
        children[name].requires_grad_(requires_grad=False)


def parameter_groups(model: SegmentationModel, config: OptimConfig) -> list[dict[str, object]]:
    """Four groups: encoder or not, decayed or not."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            is_decayed = parameter.ndim > 1 and name.endswith("weight")
            groups.setdefault((name.startswith("encoder."), is_decayed), []).append(parameter)
    return [
        {
            "params": parameters,
            "rate_scale": config.encoder_scale if is_encoder else 1.0,
            "weight_decay": config.weight_decay if is_decayed else 0.0,
        }
        for (is_encoder, is_decayed), parameters in groups.items()
    ]


def build_optimiser(model: SegmentationModel, config: OptimConfig) -> torch.optim.AdamW:
    """AdamW over the groups."""
    return torch.optim.AdamW(parameter_groups(model, config), lr=config.learning_rate, betas=(0.9, 0.99))


def rate_at(step: int, steps: int, config: OptimConfig) -> float:
    """Share of the plateau rate at a step: warm-up, plateau, linear decay."""
    warm = min(1.0, (step + 1) / max(config.warmup_steps, 1))
    decay_from = steps * (1 - config.decay_share)
    if step < decay_from:
        return warm
    progress = (step - decay_from) / max(steps - decay_from, 1)
    return warm * (1 - (1 - config.final_scale) * progress)


def set_rate(optimiser: torch.optim.Optimizer, share: float, config: OptimConfig) -> None:
    """Set the rate of every group."""
    for group in optimiser.param_groups:
        group["lr"] = config.learning_rate * share * group["rate_scale"]


class RunningMean:
    """Exponential running mean of the weights, warmed up so that early steps are forgotten."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: value.detach().clone() for name, value in _floating(model)}

    def update(self, model: nn.Module, step: int) -> None:
        """Take in the weights after a step."""
        decay = min(self.decay, (step + 1) / (step + 10))
        with torch.no_grad():
            for name, value in _floating(model):
                self.weights[name].lerp_(value, 1 - decay)


def _floating(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    return ((name, value) for name, value in model.state_dict().items() if value.is_floating_point())
