"""Losses are zero for right answers, ordered for wrong ones, and train only what they should."""

from __future__ import annotations

import pytest
import torch

from masklet.models.mask_decoder import DecodedMasks
from masklet.training.config import LossWeights
from masklet.training.losses import (
    Judged,
    dice_loss,
    focal_loss,
    judge,
    mask_iou,
    normalised_focal_loss,
    soften,
)


@pytest.fixture
def target() -> torch.Tensor:
    mask = torch.zeros(2, 16, 16)
    mask[:, 4:12, 4:12] = 1
    return mask


def decoded_from(target: torch.Tensor, gain: float) -> DecodedMasks:
    logits = (gain * (2 * target - 1))[:, None].repeat(1, 4, 1, 1).requires_grad_(True)
    return DecodedMasks(logits, torch.full((2, 4), 0.9), torch.full((2,), 4.0), torch.zeros(2, 4, 8))


@pytest.mark.parametrize("loss", [focal_loss, normalised_focal_loss, dice_loss])
def test_right_masks_cost_less_than_wrong_ones(loss, target: torch.Tensor) -> None:
    right, unsure, wrong = (
        loss(gain * (2 * target - 1)[:, None], target[:, None]) for gain in (8.0, 0.0, -8.0)
    )
    assert (right < unsure).all()
    assert (unsure < wrong).all()
    assert (right < 0.05).all()


def test_iou_counts_thresholded_pixels(target: torch.Tensor) -> None:
    shifted = torch.roll(target, 4, dims=2)
    assert mask_iou((2 * shifted - 1)[:, None], target[:, None]).tolist() == [[pytest.approx(32 / 96)]] * 2
    empty = torch.zeros(1, 1, 4, 4)
    assert mask_iou(empty - 1, empty).item() == 1.0


def test_only_the_best_ambiguous_mask_is_trained(target: torch.Tensor) -> None:
    decoded = decoded_from(target, 1.0)
    with torch.no_grad():
        decoded.logits[:, 2] *= 4
    judged = Judged(
        decoded=decoded,
        target=target,
        is_present=torch.tensor([True, True]),
        is_ambiguous=True,
        kind="click 1",
    )
    loss, _ = judge(judged, LossWeights())
    loss.sum().backward()
    grads = decoded.logits.grad
    assert grads is not None
    assert grads[:, 2].abs().sum() > 0
    assert grads[:, [1, 3]].abs().sum() == 0


def test_absent_objects_train_presence_alone(target: torch.Tensor) -> None:
    decoded = decoded_from(target, 1.0)
    judged = Judged(
        decoded=decoded,
        target=0 * target,
        is_present=torch.tensor([False, False]),
        is_ambiguous=False,
        kind="tracked",
    )
    loss, _ = judge(judged, LossWeights())
    assert loss.tolist() == [pytest.approx(torch.nn.functional.softplus(torch.tensor(4.0)).item())] * 2


def test_soft_targets_are_shares_of_cells() -> None:
    mask = torch.zeros(1, 8, 8, dtype=torch.bool)
    mask[:, :2, :3] = True
    assert soften(mask, 4)[0, 0].tolist() == [1.0, 0.5, 0.0, 0.0]
