"""Masks on their way through SAM 2's automatic search: what is kept, and how they are told.

Source: the arguments documented for SAM's automatic mask generation (Kirillov et al. 2023).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from masklet.errors import ConfigError
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.masks.morphology import clean
from masklet.predictors.auto_grid import Crop

OutputMode = Literal["binary_mask", "uncompressed_rle", "coco_rle"]
OUTPUT_MODES: tuple[OutputMode, ...] = ("binary_mask", "uncompressed_rle", "coco_rle")
_EDGE_TOLERANCE = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMask:
    """One mask that passed, at image size.

    Attributes:
        mask: The mask.
        box: The smallest box around it.
        predicted_iou: How good the model thinks it is.
        stability: IoU of the mask with itself under a shifted threshold.
        point_xy: The click, in image pixels.
        crop: Where it was found.
    """

    mask: rle.RLE
    box: Box
    predicted_iou: float
    stability: float
    point_xy: tuple[float, float]
    crop: Crop


def crops_with_overlap(size: Size, num_layers: int, overlap_share: float) -> list[tuple[int, Crop]]:
    """The whole image, then 2^n by 2^n crops for each layer n, each with its layer.

    Args:
        size: Size of the image.
        num_layers: Layers of crops.
        overlap_share: Share of the image's shorter side by which crops of the first layer overlap; it is halved with
            every further layer.
    """
    found = [(0, Crop(left=0, top=0, size=size, image=size, points_per_side=1))]
    for layer in range(1, num_layers + 1):
        count = 2**layer
        overlap = int(overlap_share * min(size.hw) * 2 / count)
        height, width = (math.ceil((overlap * (count - 1) + side) / count) for side in size.hw)
        for left in ((width - overlap) * index for index in range(count)):
            for top in ((height - overlap) * index for index in range(count)):
                part = Size(min(height, size.height - top), min(width, size.width - left))
                crop = Crop(left=left, top=top, size=part, image=size, points_per_side=1)
                found.append((layer, crop))
    return found


def is_cut_off(box: Box, crop: Crop) -> bool:
    """Whether a mask lies near an edge of its crop that is not near an edge of the image."""
    at_crop = [abs(a - b) <= _EDGE_TOLERANCE for a, b in zip(box.xyxy, crop.box.xyxy, strict=True)]
    whole = (0.0, 0.0, float(crop.image.width), float(crop.image.height))
    at_image = [abs(a - b) <= _EDGE_TOLERANCE for a, b in zip(box.xyxy, whole, strict=True)]
    return any(near and not edge for near, edge in zip(at_crop, at_image, strict=True))


def without_duplicates(boxes: np.ndarray, ranks: np.ndarray, most_iou: float) -> list[int]:
    """Indices of the boxes (n, 4) to keep, by falling rank: none overlaps a better one by more than the limit."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.argsort(-ranks, kind="stable")
    kept: list[int] = []
    while len(left):
        best, left = int(left[0]), left[1:]
        kept.append(best)
        corner0 = np.maximum(boxes[best, :2], boxes[left, :2])
        corner1 = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = (corner1 - corner0).clip(min=0).prod(axis=1)
        left = left[shared <= most_iou * (areas[best] + areas[left] - shared)]
    return kept


def keep_unlike(found: list[FoundMask], ranks: list[float], most_iou: float) -> list[FoundMask]:
    """``without_duplicates`` for masks, by their boxes."""
    if not found:
        return []
    boxes = np.array([one.box.xyxy for one in found])
    return [found[index] for index in without_duplicates(boxes, np.array(ranks), most_iou)]


def without_small_regions(found: list[FoundMask], least_area: int, most_iou: float) -> list[FoundMask]:
    """Masks without holes and parts smaller than an area; of those that now agree the unchanged one stays."""
    cleaned: list[FoundMask] = []
    ranks: list[float] = []
    for one in found:
        before = rle.decode(one.mask)
        # regions smaller than the area go, those of just the area stay
        mask = rle.encode(clean(before, least_area - 1, least_area - 1))
        box = rle.bounding_box(mask)
        if box is None:
            continue
        ranks.append(float(mask == one.mask))
        cleaned.append(
            FoundMask(
                mask=mask,
                box=box,
                predicted_iou=one.predicted_iou,
                stability=one.stability,
                point_xy=one.point_xy,
                crop=one.crop,
            )
        )
    return keep_unlike(cleaned, ranks, most_iou)


def record_of(found: FoundMask, mode: OutputMode) -> dict[str, object]:
    """A mask as SAM 2's callers expect it; boxes are [x, y, width, height]."""
    return {
        "segmentation": _segmentation(found.mask, mode),
        "area": rle.area(found.mask),
        "bbox": _xywh(found.box),
        "predicted_iou": found.predicted_iou,
        "point_coords": [list(found.point_xy)],
        "stability_score": found.stability,
        "crop_box": _xywh(found.crop.box),
    }


def check_mode(mode: str) -> OutputMode:
    """One of the three ways to give a mask.

    Raises:
        ConfigError: When it is none of them.
    """
    for known in OUTPUT_MODES:
        if mode == known:
            return known
    raise ConfigError(f"There is no output_mode {mode!r}; the modes are {', '.join(OUTPUT_MODES)}.")


def _segmentation(mask: rle.RLE, mode: OutputMode) -> object:
    if mode == "binary_mask":
        return rle.decode(mask)
    if mode == "coco_rle":
        return rle.to_json(mask)
    return {"size": list(mask.size.hw), "counts": rle.runs(mask).tolist()}


def _xywh(box: Box) -> list[float]:
    return [box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0]
