"""A trained model with fewer hidden units that says the same: what remains takes over what was removed.

Of the hidden units of a block, those are removed one by one without which a least-squares fit of its output from the rest is
best, on what the block saw of real videos; the fit has a closed form, so nothing is trained. Units of the stem that never
change are removed without any difference.

Source: the optimal brain surgeon (Hassibi and Stork 1993), with whole units in place of single weights.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from masklet.errors import ConfigError
from masklet.models.compact import CompactEncoder, InvertedResidual
from masklet.models.config import AffinityMemoryConfig, CompactEncoderConfig
from masklet.models.layers import ConvNextBlock
from masklet.models.memory_affinity import AffinityMemory
from masklet.models.model import SegmentationModel, build

_RIDGE = 1e-6
"""Of the mean square of a unit: units that say the same have no unique fit."""
_STILL = 1e-9
"""Variance below which a unit counts as never changing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Which units stay, and how their outputs are weighed.

    Attributes:
        units: The units that stay, ascending.
        weight: Their weights in the output.
        bias: What is added to the output, beyond what was before.
        error: Root of the mean squared change of the output over its variance.
    """

    units: Int[Tensor, " k"]
    weight: Float[Tensor, "k o"]
    bias: Float[Tensor, " o"]
    error: float


class Moments:
    """Products of all pairs of hidden units, and 1, over the places a block has seen."""

    def __init__(self) -> None:
        self.total: Tensor | None = None

    def add(self, hidden: Float[Tensor, "*n u"]) -> None:
        """Count places."""
        rows = F.pad(hidden.flatten(0, -2).double(), (0, 1), value=1.0)
        products = rows.T @ rows
        self.total = products if self.total is None else self.total + products

    def mean(self) -> Float[Tensor, "u1 u1"]:
        """Per place; the last row and column are means.

        Raises:
            ConfigError: When nothing was seen.
        """
        if self.total is None:
            raise ConfigError("The block has seen nothing; give videos in which an object is tracked.")
        return self.total / self.total[-1, -1]


def fewest_losses(
    moments: Float[Tensor, "u1 u1"],
    weight: Float[Tensor, "u o"],
    num_units: int,
    *,
    scale: Float[Tensor, " o"] | None = None,
) -> Fit:
    """Remove units until so many are left.

    Args:
        moments: ``Moments.mean`` of the units.
        weight: Weights of the units in the output.
        num_units: Units that stay, from 1 to all.
        scale: What each channel of the output is multiplied with after it; None for 1.

    Raises:
        ConfigError: When there are fewer.
    """
    size = len(weight)
    if not 1 <= num_units <= size:
        raise ConfigError(f"Of {size} hidden units from 1 to {size} can stay, got {num_units}.")
    outputs = F.pad(weight.double(), (0, 0, 0, 1))
    scales = outputs.new_ones(outputs.shape[1]) if scale is None else scale.double()
    variance = _variance(moments, outputs * scales)
    ridge = _RIDGE * moments.diagonal()[:-1].mean()
    inverse = torch.linalg.inv(moments + ridge * torch.eye(size + 1, dtype=moments.dtype))
    is_there = torch.ones(size + 1, dtype=torch.bool)
    lost = 0.0
    for _ in range(size - num_units):
        losses = (outputs * scales).square().sum(dim=1) / torch.where(is_there, inverse.diagonal(), 1.0)
        losses[~is_there] = torch.inf
        losses[-1] = torch.inf  # the constant stays
        unit = int(losses.argmin())
        lost += float(losses[unit])
        column = inverse[:, unit : unit + 1] / inverse[unit, unit]
        outputs = outputs - column * outputs[unit]
        inverse = inverse - column * inverse[unit]
        is_there[unit] = False
        outputs[unit] = 0
    units = is_there[:-1].nonzero()[:, 0]
    return Fit(
        units=units,
        weight=outputs[units].float(),
        bias=outputs[-1].float(),
        error=(lost / max(variance, 1e-30)) ** 0.5,
    )


def still_units(moments: Float[Tensor, "u1 u1"]) -> Int[Tensor, " s"]:
    """Units that never changed."""
    means = moments[-1, :-1]
    return (moments.diagonal()[:-1] - means.square() < _STILL).nonzero()[:, 0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What the parts of a model that can be slimmed have seen.

    Attributes:
        blocks: By the name of a fusion block.
        stem: The outputs of the first depthwise convolution.
    """

    blocks: Mapping[str, Moments]
    stem: Moments


@contextmanager
def watching(model: SegmentationModel) -> Iterator[Watched]:
    """Let a model note what its parts see, while it encodes and tracks.

    Raises:
        ConfigError: When it is no compact model.
    """
    first = _first_block(model)
    blocks = dict(_fusion_blocks(model))
    found = Watched(blocks={name: Moments() for name in blocks}, stem=Moments())

    def note_stem(_module: nn.Module, _given: object, out: Tensor) -> None:
        found.stem.add(out.permute(0, 2, 3, 1))

    hooks = [first.depthwise.register_forward_hook(note_stem)]
    for name, block in blocks.items():

        def note(module: nn.Module, given: tuple[Tensor], name: str = name) -> None:
            found.blocks[name].add(_hidden(module, given[0]))

        hooks.append(block.register_forward_pre_hook(note))
    try:
        yield found
    finally:
        for hook in hooks:
            hook.remove()


def slimmed(
    model: SegmentationModel, watched: Watched, *, expansion: int = 1
) -> tuple[SegmentationModel, dict[str, float]]:
    """The model with fewer hidden units in its fusion blocks and without still units in its stem.

    Args:
        model: A compact model.
        watched: What its parts have seen.
        expansion: Hidden channels of a fusion block that stay, in its channels.

    Returns:
        The slim model, and the error of each block (see ``Fit``).

    Raises:
        ConfigError: When it is no compact model, or nothing was watched.
    """
    state, errors = dict(model.state_dict()), dict[str, float]()
    with torch.inference_mode():
        for name, block in _fusion_blocks(model):
            moments = watched.blocks[name].mean()
            num_units = expansion * block.contract.out_features
            fit = fewest_losses(moments, block.contract.weight.T, num_units, scale=block.scale)
            errors[name] = round(fit.error, 6)
            state[f"{name}.expand.weight"] = block.expand.weight[fit.units]
            state[f"{name}.expand.bias"] = block.expand.bias[fit.units]
            state[f"{name}.contract.weight"] = fit.weight.T
            state[f"{name}.contract.bias"] = block.contract.bias + fit.bias
        num_stem = _slim_stem(state, watched.stem.mean(), is_needed=_first_block(model).is_residual)
    config = model.config
    memory, encoder = config.memory, config.encoder
    if not isinstance(memory, AffinityMemoryConfig) or not isinstance(encoder, CompactEncoderConfig):
        raise ConfigError(f"The model {config.name!r} is no compact one and cannot be slimmed.")
    slim = build(
        replace(
            config,
            encoder=replace(encoder, stem_channels=num_stem),
            memory=replace(memory, expansion=expansion),
            memory_encoder=replace(config.memory_encoder, expansion=expansion),
        )
    )
    slim.load_state_dict(state)
    return slim, errors


def _slim_stem(state: dict[str, Tensor], moments: Tensor, *, is_needed: bool) -> int:
    """Take still units out of stem and first block; what they always said goes into the bias. Returns how many stay.

    Args:
        state: The weights; changed.
        moments: Of the first depthwise convolution's outputs.
        is_needed: Whether the first block adds what comes from the stem to its output: then all stay.
    """
    if is_needed:
        return len(moments) - 1
    stem, first = "encoder.stem.conv", "encoder.blocks.0"
    still, project = still_units(moments), state[f"{first}.project.conv.weight"]
    if len(moments) - 1 - len(still) == len(project):
        still = still[1:]  # with as many units as outputs the first block would add the one to the other
    moving = [unit for unit in range(len(moments) - 1) if unit not in set(still.tolist())]
    said = project[:, still, 0, 0] @ moments[-1, still].float()
    state[f"{first}.project.conv.bias"] = state[f"{first}.project.conv.bias"] + said
    state[f"{first}.project.conv.weight"] = project[:, moving]
    for layer in (stem, f"{first}.depthwise.conv"):
        for part in ("weight", "bias"):
            state[f"{layer}.{part}"] = state[f"{layer}.{part}"][moving]
    return len(moving)


def _first_block(model: SegmentationModel) -> InvertedResidual:
    first = model.encoder.blocks[0] if isinstance(model.encoder, CompactEncoder) else None
    if not isinstance(first, InvertedResidual) or not isinstance(model.memory, AffinityMemory):
        raise ConfigError(f"The model {model.config.name!r} is no compact one and cannot be slimmed.")
    return first


def _fusion_blocks(model: SegmentationModel) -> Sequence[tuple[str, ConvNextBlock]]:
    """Blocks that run for every object, by name."""
    return [
        (name, module)
        for name, module in model.named_modules()
        if isinstance(module, ConvNextBlock) and not name.startswith("neck.")
    ]


def _hidden(block: nn.Module, features: Tensor) -> Tensor:
    if not isinstance(block, ConvNextBlock):
        raise TypeError(f"{type(block).__name__} has no hidden units.")
    return F.gelu(block.expand(block.norm(block.depthwise(features)).permute(0, 2, 3, 1)))


def _variance(moments: Tensor, outputs: Tensor) -> float:
    """Of the output, summed over its channels."""
    mean = moments[-1] @ outputs
    return float(((outputs.T @ moments) * outputs.T).sum() - mean.square().sum())
