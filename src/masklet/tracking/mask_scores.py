"""Facts read off mask logits, for whole batches, on any device."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from masklet.geometry import Box

SHOWN_STABILITY_OFFSET = 1.0


def stability_of(
    logits: Float[Tensor, "b h w"], offset: float = SHOWN_STABILITY_OFFSET
) -> Float[Tensor, " b"]:
    """IoU of each mask with itself when the threshold moves by the offset; 1 when nothing is above either.

    Source: SAM (Kirillov et al. 2023), stability score.
    """
    inner = (logits > offset).flatten(1).sum(dim=1).float()
    outer = (logits > -offset).flatten(1).sum(dim=1).float()
    return torch.where(outer > 0, inner / outer.clamp(min=1), 1.0)


def boxes_of(logits: Float[Tensor, "b h w"]) -> list[Box | None]:
    """Box of each mask in units of the image's sides; None where nothing is on."""
    height, width = logits.shape[-2:]
    is_on = logits > 0
    rows, columns = is_on.any(dim=2).cpu(), is_on.any(dim=1).cpu()
    boxes: list[Box | None] = []
    for row, column in zip(rows, columns, strict=True):
        ys, xs = row.nonzero()[:, 0], column.nonzero()[:, 0]
        if len(ys) == 0:
            boxes.append(None)
            continue
        boxes.append(
            Box(
                int(xs[0]) / width, int(ys[0]) / height, (int(xs[-1]) + 1) / width, (int(ys[-1]) + 1) / height
            )
        )
    return boxes
