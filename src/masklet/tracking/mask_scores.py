"""Facts read off mask logits, for whole batches, on any device."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from masklet.geometry import Box

STABILITY_OFFSET = 1.0
STABILITY_SHARE = 0.25


def usual_offset(
    logits: Float[Tensor, "b h w"], most: float = STABILITY_OFFSET, share: float = STABILITY_SHARE
) -> Float[Tensor, " b"]:
    """How far the threshold of each mask moves to see whether it is stable: less where logits are small.

    Args:
        logits: The masks.
        most: In logits, as SAM has it.
        share: Of the mean logit inside the mask.
    """
    positive = logits.clamp(min=0).flatten(1)
    height = positive.sum(dim=1) / (positive > 0).sum(dim=1).clamp(min=1)
    return (share * height).clamp(max=most)


def stability_of(
    logits: Float[Tensor, "b h w"], offset: float | Float[Tensor, " b"] | None = None
) -> Float[Tensor, " b"]:
    """IoU of each mask with itself when the threshold moves by the offset; 1 when nothing is above either.

    Args:
        logits: The masks.
        offset: In logits, one for all or one for each mask; None for the usual one.

    Source: SAM (Kirillov et al. 2023), stability score.
    """
    offset = usual_offset(logits) if offset is None else offset
    offset = offset[:, None, None] if isinstance(offset, Tensor) else offset
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


def trimmed_boxes_of(logits: Float[Tensor, "b h w"], share: float) -> list[Box | None]:
    """Box of each mask as in ``boxes_of``, without the outermost share of its cells on every side.

    Args:
        logits: The masks.
        share: Of the mask's cells, left out on each side, so that a few stray ones do not count.
    """
    is_on = logits > 0
    boxes: list[Box | None] = []
    for spans in zip(_ends(is_on.sum(dim=1), share), _ends(is_on.sum(dim=2), share), strict=True):
        (x0, x1), (y0, y1) = spans
        boxes.append(Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None)
    return boxes


def _ends(counts: Float[Tensor, "b n"], share: float) -> list[tuple[float, float]]:
    """Where the sum of each row has passed the share, from either side, in units of its length."""
    passed = counts.cumsum(dim=1).cpu()
    total = passed[:, -1:]
    first = ((passed > share * total) & (total > 0)).int().argmax(dim=1)
    last = ((passed >= (1 - share) * total) & (total > 0)).int().argmax(dim=1)
    length = counts.shape[1]
    return [
        (low / length, (high + 1) / length) if all_ else (0.0, 0.0)
        for low, high, all_ in zip(first.tolist(), last.tolist(), total[:, 0].tolist(), strict=True)
    ]
