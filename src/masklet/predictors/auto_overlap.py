"""Masks found by an automatic search, before they are drawn at image size, and which of them say the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.predictors.auto_grid import Crop


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Proposal:
    """One mask that passed the thresholds.

    Attributes:
        logits: Mask logits (h4, w4) over its crop, tidied, half precision, on the CPU.
        packed: The mask over the whole image at the decoder's size, eight pixels to a byte.
        predicted_iou: How good the model thinks it is, in [0, 1].
        stability: IoU of the mask with itself under a shifted threshold, in [0, 1].
        point_xy: The click, in image pixels.
        crop: Where it was found.
    """

    logits: Tensor
    packed: np.ndarray
    predicted_iou: float
    stability: float
    point_xy: tuple[float, float]
    crop: Crop

    @property
    def quality(self) -> float:
        """What masks are ranked by."""
        return self.predicted_iou * self.stability


def draw_on_canvas(is_on: Tensor, crop: Crop) -> np.ndarray:
    """Masks (n, h4, w4) of a crop over the whole image at the same resolution, packed (n, bytes)."""
    if crop.is_whole:
        return np.packbits(is_on.flatten(1).cpu().numpy(), axis=1)
    side = is_on.shape[-1]
    scale_x, scale_y = side / crop.image.width, side / crop.image.height
    x0, y0 = round(crop.box.x0 * scale_x), round(crop.box.y0 * scale_y)
    x1, y1 = max(x0 + 1, round(crop.box.x1 * scale_x)), max(y0 + 1, round(crop.box.y1 * scale_y))
    canvas = torch.zeros(len(is_on), side, side, dtype=torch.bool)
    small = F.interpolate(is_on[:, None].float(), size=(y1 - y0, x1 - x0), mode="area")[:, 0]
    canvas[:, y0:y1, x0:x1] = (small >= 0.5).cpu()
    return np.packbits(canvas.flatten(1).numpy(), axis=1)


def touches_inner_edge(is_on: Tensor, crop: Crop) -> Tensor:
    """Which masks (n, h4, w4) reach an edge of their crop that cuts through the image: they are cut off there."""
    edges = (is_on[:, :, 0], is_on[:, 0, :], is_on[:, :, -1], is_on[:, -1, :])
    touching = torch.zeros(len(is_on), dtype=torch.bool, device=is_on.device)
    for edge, is_inner in zip(edges, crop.inner_edges, strict=True):
        if is_inner:
            touching |= edge.any(dim=1)
    return touching


def overlaps(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """IoU (n, m) of packed masks (n, bytes) and (m, bytes); 0 where both are empty."""
    ours, theirs = _words(first), _words(second)
    their_areas = _num_bits(theirs)
    found = np.zeros((len(ours), len(theirs)))
    for row, (mask, area) in enumerate(zip(ours, _num_bits(ours), strict=True)):
        shared = _num_bits(theirs & mask)
        joined = area + their_areas - shared
        np.divide(shared, joined, out=found[row], where=joined > 0)
    return found


def _words(packed: np.ndarray) -> np.ndarray:
    """Eight bytes to a word, padded with zeros."""
    padding = -packed.shape[1] % 8
    return np.ascontiguousarray(np.pad(packed, ((0, 0), (0, padding)))).view(np.uint64)


def _num_bits(words: np.ndarray) -> np.ndarray:
    """Ones in each row."""
    return np.bitwise_count(words).sum(axis=1, dtype=np.int64)


def keep_best(proposals: list[Proposal], max_overlap: float) -> list[Proposal]:
    """Best first, without those that overlap a better one by more than the limit."""
    ranked = sorted(proposals, key=lambda one: -one.quality)
    if not ranked:
        return []
    words = _words(np.stack([one.packed for one in ranked]))
    areas = _num_bits(words)
    kept: list[int] = []
    for index, mask in enumerate(words):
        shared = _num_bits(words[kept] & mask)
        joined = areas[kept] + areas[index] - shared
        if (shared <= max_overlap * joined).all():
            kept.append(index)
    return [ranked[index] for index in kept]
