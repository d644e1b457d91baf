"""Prompts for a batch of objects, drawn from their true masks."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from masklet.models.prompt_encoder import PointLabel
from masklet.prompts import Click
from masklet.simulate import centre_click, correction_click, jittered_box, random_click
from masklet.training.config import PromptSimulation

Points = tuple[Tensor, Tensor]
"""Points (o, n, 2) in model pixels and their labels (o, n), without the closing padding point."""


def first_clicks(masks: np.ndarray, rng: np.random.Generator, config: PromptSimulation) -> Points:
    """One positive click per object; objects out of sight get a padding point."""
    clicks = [
        centre_click(mask) if rng.random() < config.centre_share else random_click(mask, rng)
        for mask in masks
    ]
    return _as_points(clicks)


def first_boxes(masks: np.ndarray, rng: np.random.Generator) -> Points:
    """One noisy box per object, as two corner points."""
    points = np.zeros((len(masks), 2, 2), np.float32)
    labels = np.full((len(masks), 2), int(PointLabel.PADDING))
    for index, mask in enumerate(masks):
        box = jittered_box(mask, rng) if mask.any() else None
        if box is not None:
            points[index] = ((box.x0, box.y0), (box.x1, box.y1))
            labels[index] = (PointLabel.BOX_TOP_LEFT, PointLabel.BOX_BOTTOM_RIGHT)
    return torch.from_numpy(points), torch.from_numpy(labels)


def corrections(
    predicted: np.ndarray, masks: np.ndarray, rng: np.random.Generator, config: PromptSimulation
) -> Points:
    """One click per object in its error region, or now and then on the true mask."""
    clicks: list[Click | None] = []
    for guess, mask in zip(predicted, masks, strict=True):
        if rng.random() < config.truth_share:
            clicks.append(random_click(mask, rng))
            continue
        generator = None if rng.random() < config.centre_share else rng
        clicks.append(correction_click(guess, mask, generator))
    return _as_points(clicks)


def joined(first: Points | None, second: Points) -> Points:
    """More points for the same objects."""
    if first is None:
        return second
    return torch.cat((first[0], second[0]), dim=1), torch.cat((first[1], second[1]), dim=1)


def no_points(num_objects: int) -> Points:
    """What stands for no prompt at all: one padding point, before the one that closes the list."""
    return torch.zeros(num_objects, 1, 2), torch.full((num_objects, 1), int(PointLabel.PADDING))


def closed(points: Points | None, num_objects: int) -> Points:
    """Append the padding point that ends every list."""
    end = (torch.zeros(num_objects, 1, 2), torch.full((num_objects, 1), int(PointLabel.PADDING)))
    return joined(points, end)


def _as_points(clicks: list[Click | None]) -> Points:
    points = np.zeros((len(clicks), 1, 2), np.float32)
    labels = np.full((len(clicks), 1), int(PointLabel.PADDING))
    for index, click in enumerate(clicks):
        if click is not None:
            points[index, 0] = (click.x, click.y)
            labels[index, 0] = PointLabel.POSITIVE if click.positive else PointLabel.NEGATIVE
    return torch.from_numpy(points), torch.from_numpy(labels)
