"""From the masks of a frame to one label image: every pixel belongs to one object or to none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from masklet.geometry import Size
from masklet.pipeline.job import Labels


def label_image(masks: Mapping[int, npt.NDArray[np.bool_]], logits: Mapping[int, Any], size: Size) -> Labels:
    """Paint masks into one image; where several claim a pixel, the highest logit wins, then the lowest id.

    Args:
        masks: bool (h, w) by object id from 1 to 255.
        logits: (h', w') of any one resolution by the same ids, read only where masks overlap.
        size: Height and width of the masks.

    Returns:
        uint8 (h, w), object ids, 0 where there is none.
    """
    labels = np.zeros(size.hw, dtype=np.uint8)
    num_claims = np.zeros(size.hw, dtype=np.uint8)
    for object_id, mask in sorted(masks.items()):
        labels[mask] = object_id
        num_claims += mask
    is_contested = num_claims > 1
    if not is_contested.any():
        return labels
    best = np.full(int(is_contested.sum()), -np.inf, dtype=np.float32)
    winners = labels[is_contested]
    for object_id, mask in sorted(masks.items()):
        claimed = np.where(mask[is_contested], _resized(logits[object_id], size)[is_contested], -np.inf)
        winners = np.where(claimed > best, np.uint8(object_id), winners)
        best = np.maximum(claimed, best)
    labels[is_contested] = winners
    return labels


def add_behind(labels: Labels, added: Labels, object_ids: tuple[int, ...]) -> Labels:
    """Put objects into a label image where no other object is; doing it twice changes nothing.

    Args:
        labels: uint8 (h, w).
        added: uint8 (h, w), labels of the new objects alone.
        object_ids: Ids of the new objects; what the image holds of them is replaced.

    Returns:
        uint8 (h, w), a new image.
    """
    others = np.where(np.isin(labels, object_ids), np.uint8(0), labels)
    return np.where(others > 0, others, added)


def _resized(logits: Any, size: Size) -> npt.NDArray[np.float32]:  # noqa: ANN401 - a tensor or an array
    plain = np.asarray(logits, dtype=np.float32)
    if plain.shape == size.hw:
        return plain
    return np.asarray(
        cv2.resize(plain, (size.width, size.height), interpolation=cv2.INTER_LINEAR), dtype=np.float32
    )
