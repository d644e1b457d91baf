"""Trains the embedded grounder's head on a frozen encoder."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from masklet.grounding.head import EncoderMaps, GrounderHead, HeadMaps
from masklet.training.grounder_cache import PhotoCache
from masklet.training.grounder_photos import ALL_LABELLED, NamedPhoto
from masklet.training.grounder_targets import Target, make_target

_NAMES = ("context", "coarse", "fine")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadTraining:
    """How the head is trained.

    Attributes:
        epochs: Times that every photo is seen.
        batch_size: Photos per step.
        learning_rate: At its highest; it rises for a twentieth of the steps, then falls as a cosine.
        direct_scale: Rate of the linear layer that the teacher's own starts, as a part of it.
        weight_decay: Of AdamW.
        object_weight: How much more a cell counts that shows an object.
        reach_weight: Weight of the reach in the loss.
        seed: Of order and starting weights.
    """

    epochs: int = 10
    batch_size: int = 16
    learning_rate: float = 2e-3
    direct_scale: float = 0.2
    weight_decay: float = 0.05
    object_weight: float = 2.0
    reach_weight: float = 0.5
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochReport:
    """Means over one epoch: loss of classes, and IoU of boxes where they are known."""

    epoch: int
    class_loss: float
    box_iou: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HeadData:
    """Everything the head is trained on, in memory: maps in float16, targets in float16.

    Attributes:
        maps: Encoder maps of all photos.
        probabilities: (n, 21, 48, 48).
        reach: (n, 4, 48, 48).
        has_reach: bool (n, 48, 48).
    """

    maps: EncoderMaps
    probabilities: Tensor
    reach: Tensor
    has_reach: Tensor

    @classmethod
    def gather(cls, photos: Sequence[NamedPhoto], cache: PhotoCache, teacher: PhotoCache) -> HeadData:
        """Read what the caches hold, and compute what they lack.

        Args:
            photos: What is learned from.
            cache: Of the encoder that is trained on.
            teacher: Of the teacher's own, which may be the same.
        """
        maps = [cache.maps(photo) for photo in photos]
        targets: list[Target] = [
            make_target(photo, None if photo.source == ALL_LABELLED else teacher.answer(photo))
            for photo in photos
        ]
        return cls(
            maps=EncoderMaps(*(torch.cat([getattr(one, name) for one in maps]) for name in _NAMES)),
            probabilities=torch.stack([one.probabilities.half() for one in targets]),
            reach=torch.stack([one.reach.half() for one in targets]),
            has_reach=torch.stack([one.has_reach for one in targets]),
        )

    def __len__(self) -> int:
        """Number of photos."""
        return len(self.probabilities)

    def batch(self, rows: Tensor) -> tuple[EncoderMaps, Target]:
        """Some photos, in float32."""
        maps = EncoderMaps(*(getattr(self.maps, name)[rows].float() for name in _NAMES))
        target = Target(
            probabilities=self.probabilities[rows].float(),
            reach=self.reach[rows].float(),
            has_reach=self.has_reach[rows],
        )
        return maps, target


def train_head(
    head: GrounderHead, data: HeadData, recipe: HeadTraining, state_file: Path
) -> Iterator[EpochReport]:
    """Train a head in place; goes on from the state file when it holds the same run.

    Args:
        head: With its direct path set from the teacher's.
        data: Maps and targets.
        recipe: How.
        state_file: Written after every epoch.
    """
    optimiser = _optimiser(head, recipe)
    steps = max(1, -(-len(data) // recipe.batch_size))
    first = _restore(head, optimiser, state_file, recipe)
    for epoch in range(first, recipe.epochs):
        order = torch.from_numpy(np.random.default_rng((recipe.seed, epoch)).permutation(len(data)))
        losses: list[tuple[float, float]] = []
        for step, rows in enumerate(order.split(recipe.batch_size)):
            _set_rate(optimiser, recipe, (epoch * steps + step) / (recipe.epochs * steps))
            maps, target = data.batch(rows)
            said = head(maps)
            of_classes = class_loss(said.logits, target.probabilities, recipe.object_weight)
            iou = _reach_iou(said, target)
            loss = of_classes - recipe.reach_weight * iou.clamp(min=1e-3).log().mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
            losses.append((float(of_classes.detach()), float(iou.mean().detach())))
        _keep(head, optimiser, state_file, recipe, epoch + 1)
        mean = np.mean(losses, axis=0)
        yield EpochReport(epoch=epoch + 1, class_loss=float(mean[0]), box_iou=float(mean[1]))


def _optimiser(head: GrounderHead, recipe: HeadTraining) -> torch.optim.AdamW:
    direct = list(head.direct.parameters())
    others = [value for name, value in head.named_parameters() if not name.startswith("direct.")]
    return torch.optim.AdamW(
        [
            {"params": others, "scale": 1.0, "weight_decay": recipe.weight_decay},
            {"params": direct, "scale": recipe.direct_scale, "weight_decay": 0.0},
        ],
        lr=recipe.learning_rate,
    )


def _set_rate(optimiser: torch.optim.Optimizer, recipe: HeadTraining, progress: float) -> None:
    rising = min(1.0, progress / 0.05 + 0.02)
    rate = recipe.learning_rate * rising * 0.5 * (1 + math.cos(math.pi * progress))
    for group in optimiser.param_groups:
        group["lr"] = rate * group["scale"]


def class_loss(logits: Tensor, probabilities: Tensor, object_weight: float) -> Tensor:
    """Cross entropy of classes (b, c, h, w); cells that show an object count so much more."""
    each = -(probabilities * logits.log_softmax(dim=1)).sum(dim=1)
    weights = 1 + object_weight * (1 - probabilities[:, 0])
    return (each * weights).sum() / weights.sum()


def _reach_iou(said: HeadMaps, target: Target) -> Tensor:
    """IoU of the boxes that cells point at with those they should, where these are known."""
    where = target.has_reach
    if not bool(where.any()):
        return said.reach.new_ones(1)
    ours = said.reach.permute(0, 2, 3, 1)[where]
    theirs = target.reach.permute(0, 2, 3, 1)[where]
    least = torch.minimum(ours, theirs)
    shared = (least[:, 0] + least[:, 2]) * (least[:, 1] + least[:, 3])
    joined = _areas(ours) + _areas(theirs) - shared
    return shared / joined.clamp(min=1e-6)


def _areas(reach: Tensor) -> Tensor:
    return (reach[:, 0] + reach[:, 2]) * (reach[:, 1] + reach[:, 3])


def _keep(
    head: GrounderHead, optimiser: torch.optim.Optimizer, path: Path, recipe: HeadTraining, epoch: int
) -> None:
    state = {
        "head": head.state_dict(),
        "optimiser": optimiser.state_dict(),
        "epoch": epoch,
        "recipe": repr(recipe),
    }
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    torch.save(state, part)
    part.replace(path)


def _restore(head: GrounderHead, optimiser: torch.optim.Optimizer, path: Path, recipe: HeadTraining) -> int:
    """How many epochs are done."""
    if not path.is_file():
        return 0
    state = torch.load(path, weights_only=True)
    if state["recipe"] != repr(recipe):
        return 0
    head.load_state_dict(state["head"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["epoch"])


def start_direct(head: GrounderHead, logits: torch.nn.Conv2d) -> None:
    """Let the direct path begin as the teacher's own linear layer."""
    with torch.no_grad():
        head.direct.weight.copy_(logits.weight)
        if head.direct.bias is not None and logits.bias is not None:
            head.direct.bias.copy_(logits.bias)
