"""Trains the detector whole: every layer of its encoder and the linear layer, on square parts of photos at many sizes.

The teacher, whose weights it starts from, stays as it was and says what people did not outline. Batch norm is folded into those weights,
so that tensors differ a lot in size: each is moved at a rate that is a share of its own size, or a few would move and the rest stay.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.grounding.network import STRIDE, GrounderNetwork
from masklet.grounding.network_file import in_whole_numbers
from masklet.training.grounder_loop import class_loss
from masklet.training.grounder_photos import NamedPhoto
from masklet.training.grounder_targets import GRID

_SIDE = 8 * GRID
_CELL = 8
_RISES = 0.1  # of the steps
_SMALLEST = 1e-4
"""Root mean square that a tensor of nothing counts with."""
_KEEP_EVERY = 50
_SAY_EVERY = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """How the whole detector is trained.

    Attributes:
        epochs: Times that every part is seen.
        batch_size: Parts per step, all at one size.
        least_side: Pixels of the smallest size; the largest is 384.
        rate: Of Adam for each tensor of the encoder, as a share of its root mean square, at its highest; it rises for a
            tenth of the steps, then falls as a cosine.
        head_scale: Rate of the linear layer, as a multiple of that.
        object_weight: How much more a cell counts that shows an object.
        ema: How much of the mean of the weights each step keeps.
        jitter: How far brightness, contrast and saturation may move, as a share.
        seed: Of order, sizes and colours.
    """

    epochs: int = 2
    batch_size: int = 8
    least_side: int = 224
    rate: float = 5e-4
    head_scale: float = 2.0
    object_weight: float = 2.0
    ema: float = 0.995
    jitter: float = 0.25
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningReport:
    """Where training stands: steps done and in all, the mean loss of the last steps, seconds left."""

    step: int
    num_steps: int
    loss: float
    seconds_left: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class TuningData:
    """Parts of photos and what the detector should say of them, in memory.

    Attributes:
        pixels: RGB uint8 (n, 3, 384, 384).
        probabilities: float16 (n, 21, 48, 48).
    """

    pixels: Tensor
    probabilities: Tensor

    @classmethod
    def gather(cls, photos: Sequence[NamedPhoto], probabilities: Tensor) -> TuningData:
        """Decode the parts whose targets are known."""
        pixels = np.empty((len(photos), _SIDE, _SIDE, 3), np.uint8)
        for place, photo in enumerate(photos):
            image = photo.image()
            way = cv2.INTER_AREA if len(image) > _SIDE else cv2.INTER_LINEAR
            pixels[place] = cv2.resize(image, (_SIDE, _SIDE), interpolation=way)
        return cls(pixels=torch.from_numpy(pixels).permute(0, 3, 1, 2), probabilities=probabilities)

    def batch(self, rows: np.ndarray, side: int, generator: np.random.Generator, jitter: float) -> Batch:
        """Some parts at a size, half of them mirrored, their colours moved.

        Args:
            rows: Which.
            side: Pixels, a multiple of 16.
            generator: Of chance.
            jitter: See ``Tuning``.
        """
        index = torch.from_numpy(rows)
        pixels = self.pixels[index].float()
        wanted = self.probabilities[index].float()
        if side != _SIDE:
            pixels = F.interpolate(pixels, size=(side, side), mode="bilinear", antialias=True)
            cells = (side // _CELL, side // _CELL)
            wanted = F.interpolate(wanted, size=cells, mode="bilinear", antialias=True)
        is_mirrored = torch.from_numpy(generator.random(len(rows)) < 0.5)
        pixels[is_mirrored] = pixels[is_mirrored].flip(3)
        wanted[is_mirrored] = wanted[is_mirrored].flip(3)
        light, contrast, colour = (
            torch.from_numpy(generator.uniform(1 - jitter, 1 + jitter, len(rows))).float()[
                :, None, None, None
            ]
            for _ in range(3)
        )
        pixels = pixels * light
        middle = pixels.mean(dim=(1, 2, 3), keepdim=True)
        pixels = middle + contrast * (pixels - middle)
        grey = pixels.mean(dim=1, keepdim=True)
        pixels = (grey + colour * (pixels - grey)).clamp(0, 255)
        return Batch(pixels=pixels, probabilities=wanted / wanted.sum(dim=1, keepdim=True))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Batch:
    """Pixels 0 to 255 (b, 3, s, s) and probabilities (b, 21, s / 8, s / 8), both float32."""

    pixels: Tensor
    probabilities: Tensor


def tune(
    network: GrounderNetwork, data: TuningData, recipe: Tuning, state_file: Path
) -> Iterator[TuningReport]:
    """Train in place, and leave the mean of the last weights; goes on from the state file when it holds the same run.

    Args:
        network: With the teacher's encoder and a linear layer that was fitted to it.
        data: What it learns from.
        recipe: How.
        state_file: Written now and then.
    """
    network.train()
    encoder, layer = list(network.encoder.parameters()), list(network.head.direct.parameters())
    optimiser = torch.optim.Adam(
        [
            {
                "params": [one],
                "scale": scale * float(one.detach().square().mean().sqrt().clamp(min=_SMALLEST)),
            }
            for part, scale in ((encoder, 1.0), (layer, recipe.head_scale))
            for one in part
        ],
        lr=recipe.rate,
    )
    mean = deepcopy(network)
    run = f"{recipe!r} on {len(data.pixels)} parts"
    first = _restore(network, mean, optimiser, state_file, run)
    per_epoch = len(data.pixels) // recipe.batch_size
    num_steps = recipe.epochs * per_epoch
    began_s, losses = time.monotonic(), list[float]()
    for step in range(first, num_steps):
        generator = np.random.default_rng((recipe.seed, step))
        epoch, place = divmod(step, per_epoch)
        order = np.random.default_rng((recipe.seed, epoch, 1)).permutation(len(data.pixels))
        rows = order[place * recipe.batch_size : (place + 1) * recipe.batch_size]
        side = STRIDE * int(generator.integers(recipe.least_side // STRIDE, _SIDE // STRIDE + 1))
        _set_rate(optimiser, recipe, step / num_steps)
        batch = data.batch(rows, side, generator, recipe.jitter)
        logits = network.head.uncorrected(network.encode(batch.pixels).context)
        loss = class_loss(logits, batch.probabilities, recipe.object_weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*encoder, *layer], 1.0)
        optimiser.step()
        _take_into(mean, network, recipe.ema)
        losses.append(float(loss.detach()))
        done = step + 1
        if done % _KEEP_EVERY == 0 or done == num_steps:
            _keep(network, mean, optimiser, state_file, run, done)
        if done % _SAY_EVERY == 0 or done == num_steps:
            left_s = (time.monotonic() - began_s) / (done - first) * (num_steps - done)
            yield TuningReport(
                step=done, num_steps=num_steps, loss=float(np.mean(losses)), seconds_left=left_s
            )
            losses.clear()
    network.load_state_dict(mean.state_dict())
    network.eval()


def share_of_new_numbers(network: GrounderNetwork, start: GrounderNetwork) -> float:
    """Of the encoder's 8-bit numbers, how many are others than where it started."""
    before = dict(start.encoder.named_parameters())
    pairs = [
        (in_whole_numbers(now.detach())[0], in_whole_numbers(before[name].detach())[0])
        for name, now in network.encoder.named_parameters()
        if now.ndim > 1
    ]
    return sum(int((one != other).sum()) for one, other in pairs) / sum(one.numel() for one, _ in pairs)


def changes(network: GrounderNetwork, start: GrounderNetwork) -> dict[str, float]:
    """How far each tensor of the encoder has moved from where it started, as a share of its own length."""
    before = dict(start.encoder.named_parameters())
    return {
        name: float((now - before[name]).detach().norm() / before[name].detach().norm().clamp(min=1e-12))
        for name, now in network.encoder.named_parameters()
    }


def _set_rate(optimiser: torch.optim.Optimizer, recipe: Tuning, progress: float) -> None:
    rate = recipe.rate * min(1.0, progress / _RISES + 0.02) * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]


@torch.no_grad()
def _take_into(mean: GrounderNetwork, network: GrounderNetwork, kept: float) -> None:
    for old, new in zip(mean.parameters(), network.parameters(), strict=True):
        old.lerp_(new, 1 - kept)


def _keep(
    network: GrounderNetwork,
    mean: GrounderNetwork,
    optimiser: torch.optim.Optimizer,
    path: Path,
    run: str,
    step: int,
) -> None:
    state = {
        "network": network.state_dict(),
        "mean": mean.state_dict(),
        "optimiser": optimiser.state_dict(),
        "step": step,
        "run": run,
    }
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    torch.save(state, part)
    part.replace(path)


def _restore(
    network: GrounderNetwork,
    mean: GrounderNetwork,
    optimiser: torch.optim.Optimizer,
    path: Path,
    run: str,
) -> int:
    """How many steps are done."""
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["run"] != run:
        return 0
    network.load_state_dict(state["network"])
    mean.load_state_dict(state["mean"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])
