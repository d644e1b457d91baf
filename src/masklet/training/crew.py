"""Several processes that train one model together, each on its share of every batch.

Small networks gain little from a second thread; a second process with a thread of its own takes half of the samples, and
the gradients of all are averaged after every step, so that all hold the same weights.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from masklet.errors import TrainingError


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """One process among those of a run.

    Attributes:
        rank: Which one; 0 writes the checkpoints and the log.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    def share(self, samples: Iterable[int]) -> list[int]:
        """The samples of a batch that this process takes."""
        return [sample for at, sample in enumerate(samples) if at % self.size == self.rank]

    def average(self, parameters: list[nn.Parameter]) -> None:
        """Replace gradients by their mean over all processes; what has none anywhere gets zeros.

        Raises:
            TrainingError: When another process has stopped.
        """
        if self.size == 1:
            return
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        self._sum(flat)
        flat /= self.size
        parts = flat.split([gradient.numel() for gradient in gradients])
        for parameter, gradient, part in zip(parameters, gradients, parts, strict=True):
            parameter.grad = part.view_as(gradient)

    def is_any(self, *, flag: bool) -> bool:
        """Whether the flag is up in any process, so that all leave together."""
        if self.size == 1:
            return flag
        told = torch.tensor([float(flag)])
        self._sum(told)
        return bool(told.item() > 0)

    @staticmethod
    def _sum(values: Tensor) -> None:
        try:
            dist.all_reduce(values)
        except RuntimeError as error:
            raise TrainingError(
                "Another process of the run has stopped; add --resume to go on from the last checkpoint."
            ) from error
