"""Prompts as the network takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from masklet.models.prompt_encoder import PointLabel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ModelPrompt:
    """One object's prompts on one frame, in model space.

    Attributes:
        points_xy: (n, 2) model pixels.
        labels: (n,) PointLabel.
        start_logits: Mask to start from (h4, w4), or None.
        given_mask: The mask itself (s, s) in [0, 1], when it is the whole prompt; then it is the answer.
    """

    points_xy: Tensor
    labels: Tensor
    start_logits: Tensor | None = None
    given_mask: Tensor | None = None


def pad_prompts(prompts: Sequence[ModelPrompt], device: torch.device) -> tuple[Tensor, Tensor]:
    """Points (b, n + 1, 2) and labels, each list closed by a padding point and filled up with ignored ones."""
    longest = max((len(prompt.labels) for prompt in prompts), default=0) + 1
    points = torch.zeros(len(prompts), longest, 2)
    labels = torch.full((len(prompts), longest), int(PointLabel.IGNORED))
    for row, prompt in enumerate(prompts):
        count = len(prompt.labels)
        points[row, :count] = prompt.points_xy
        labels[row, :count] = prompt.labels
        labels[row, count] = PointLabel.PADDING
    return points.to(device), labels.to(device)
