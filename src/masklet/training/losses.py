"""The losses of promptable segmentation. Source: SAM (Kirillov et al. 2023) and SAM 2 (Ravi et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from masklet.models.mask_decoder import DecodedMasks
from masklet.training.config import LossWeights

_ALPHA, _GAMMA = 0.25, 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One decoding and what it should have been.

    Attributes:
        decoded: What the decoder said.
        target: Share of each stride-4 cell the object covers, (o, h, w) in [0, 1].
        is_present: Whether the object is visible (o,).
        is_ambiguous: Whether the three ambiguous masks answer, not the single one.
        kind: Name under which its IoU is reported.
        carried: The carried masks the decoder was shown (o, 2, h, w), or None.
    """

    decoded: DecodedMasks
    target: Tensor
    is_present: Tensor
    is_ambiguous: bool
    kind: str
    carried: Tensor | None = None


def focal_loss(logits: Float[Tensor, "o k h w"], target: Float[Tensor, "o 1 h w"]) -> Float[Tensor, "o k"]:
    """Focal loss, mean over pixels, for soft targets. Source: Lin et al. 2017."""
    target = target.expand_as(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    probability = logits.sigmoid()
    miss = (probability - target).abs()
    weight = _ALPHA * target + (1 - _ALPHA) * (1 - target)
    return (weight * miss.pow(_GAMMA) * entropy).mean(dim=(2, 3))


def normalised_focal_loss(
    logits: Float[Tensor, "o k h w"], target: Float[Tensor, "o 1 h w"]
) -> Float[Tensor, "o k"]:
    """Cross-entropy averaged by how wrong each pixel is. Source: Sofiiuk et al. 2019, without class balance."""
    target = target.expand_as(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    weight = (logits.detach().sigmoid() - target).abs().pow(_GAMMA)
    return (weight * entropy).sum(dim=(2, 3)) / (weight.sum(dim=(2, 3)) + 1)


def dice_loss(logits: Float[Tensor, "o k h w"], target: Float[Tensor, "o 1 h w"]) -> Float[Tensor, "o k"]:
    """One minus the soft Dice overlap, smoothed by one pixel."""
    probability = logits.sigmoid()
    overlap = 2 * (probability * target).sum(dim=(2, 3))
    total = probability.sum(dim=(2, 3)) + target.sum(dim=(2, 3))
    return 1 - (overlap + 1) / (total + 1)


def mask_iou(logits: Float[Tensor, "o k h w"], target: Float[Tensor, "o 1 h w"]) -> Float[Tensor, "o k"]:
    """IoU of thresholded masks, 1 when both are empty."""
    predicted, true = logits > 0, target > 0.5
    both = (predicted & true).sum(dim=(2, 3)).float()
    either = (predicted | true).sum(dim=(2, 3)).float()
    return torch.where(either > 0, both / either.clamp(min=1), 1.0)


def carried_loss(carried: Float[Tensor, "o 2 h w"], target: Float[Tensor, "o 1 h w"]) -> Float[Tensor, " o"]:
    """Dice loss of a carried mask against the mask itself; 0 where none was carried."""
    share = (carried[:, :1] + 1) / 2
    overlap = 2 * (share * target).sum(dim=(1, 2, 3))
    total = share.sum(dim=(1, 2, 3)) + target.sum(dim=(1, 2, 3))
    return carried[:, 1, 0, 0] * (1 - (overlap + 1) / (total + 1))


def judge(judged: Judged, weights: LossWeights) -> tuple[Tensor, Float[Tensor, " o"]]:
    """Loss per object of one decoding, and the IoU of the mask that would be shown.

    Only the best of the ambiguous masks is trained, all IoU predictions are; masks count only where the object is.
    """
    decoded, target = judged.decoded, judged.target[:, None]
    logits = decoded.logits.float()
    mask_losses = weights.dice * dice_loss(logits, target)
    if weights.focal:
        mask_losses = mask_losses + weights.focal * focal_loss(logits, target)
    if weights.normalised_focal:
        mask_losses = mask_losses + weights.normalised_focal * normalised_focal_loss(logits, target)
    true_iou = mask_iou(logits.detach(), target)
    iou_losses = (decoded.iou.float() - true_iou).abs()
    if judged.is_ambiguous:
        shown = decoded.iou[:, 1:].argmax(dim=1) + 1
        several = mask_losses[:, 1:]
        mask_loss = several.min(dim=1).values + weights.others * several.mean(dim=1)
        mask_loss = mask_loss + weights.single_share * mask_losses[:, 0]
        iou_loss = iou_losses.mean(dim=1)
    else:
        shown = torch.zeros_like(judged.is_present, dtype=torch.long)
        mask_loss, iou_loss = mask_losses[:, 0], iou_losses[:, 0]
    presence = F.binary_cross_entropy_with_logits(
        decoded.presence.float(), judged.is_present.float(), reduction="none"
    )
    there = judged.is_present.float()
    if judged.carried is not None and weights.carried:
        mask_loss = mask_loss + weights.carried * carried_loss(judged.carried, target)
    loss = there * (mask_loss + weights.iou * iou_loss) + weights.presence * presence
    return loss, true_iou.gather(1, shown[:, None])[:, 0]


def soften(masks: Bool[Tensor, "o s s"], side: int) -> Float[Tensor, "o side side"]:
    """Share of each coarse cell that a mask covers."""
    return F.adaptive_avg_pool2d(masks[:, None].float(), side)[:, 0]
