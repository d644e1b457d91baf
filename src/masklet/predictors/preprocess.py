"""Between pictures of any size and the model's square: the only place where coordinates change."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.geometry import Size, SquareResize
from masklet.masks.morphology import clean, resolve_overlaps
from masklet.models.config import ModelConfig
from masklet.models.prompt_encoder import PointLabel
from masklet.predictors.lanes import uploaded
from masklet.prompts import MaskPrompt, PromptSet
from masklet.tracking.clicked_parts import keep_parts_in_image
from masklet.tracking.model_prompt import ModelPrompt


@dataclass(frozen=True, slots=True, kw_only=True)
class PostProcess:
    """How masks are tidied at image size.

    Attributes:
        hole_area: Holes of at most so many pixels of the decoder's mask are filled; 0 leaves them.
        speck_area: Parts of at most so many such pixels are removed; 0 leaves them.
        is_exclusive: Whether every pixel belongs to at most one object.
    """

    hole_area: float = 8.0
    speck_area: float = 0.0
    is_exclusive: bool = False


def to_pixels(image: np.ndarray, config: ModelConfig, device: torch.device) -> Tensor:
    """RGB uint8 (h, w, 3) to normalised (1, 3, s, s), resized without keeping the aspect."""
    tensor = uploaded(torch.from_numpy(np.ascontiguousarray(image)), device).permute(2, 0, 1)[None]
    size = (config.image_size, config.image_size)
    if tensor.shape[-2:] != size:
        source = tensor if device.type == "cpu" else tensor.float()
        tensor = F.interpolate(source, size=size, mode="bilinear", antialias=True)
    mean, std = _channel_values(config.pixel_mean, device), _channel_values(config.pixel_std, device)
    return (tensor.float() / 255 - mean) / std


@lru_cache(maxsize=16)
def _channel_values(values: tuple[float, float, float], device: torch.device) -> Tensor:
    """One value for each channel (3, 1, 1), brought to a device once."""
    with torch.inference_mode(mode=False):
        return torch.tensor(values, device=device)[:, None, None]


def to_model_prompt(prompts: PromptSet, size: Size, config: ModelConfig) -> ModelPrompt:
    """Prompts in image pixels to model space; the box comes before the clicks.

    Raises:
        PromptError: When a prompt does not fit the image.
    """
    prompts.check_inside(size)
    resize = SquareResize(size, config.image_size)
    points: list[tuple[float, float]] = []
    labels: list[int] = []
    if prompts.box is not None:
        box = prompts.box.clipped(size) or prompts.box
        points += [resize.to_model(box.x0, box.y0), resize.to_model(box.x1, box.y1)]
        labels += [PointLabel.BOX_TOP_LEFT, PointLabel.BOX_BOTTOM_RIGHT]
    for click in prompts.clicks:
        points.append(resize.to_model(click.x, click.y))
        labels.append(PointLabel.POSITIVE if click.positive else PointLabel.NEGATIVE)
    given = None if prompts.mask is None else mask_to_square(prompts.mask, config.image_size)
    start = None
    if given is not None and not prompts.is_mask_only:
        start = F.interpolate(
            (20 * given - 10)[None, None],
            size=(config.mask_side, config.mask_side),
            mode="bilinear",
            antialias=True,
        )[0, 0]
    return ModelPrompt(
        points_xy=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        labels=torch.tensor([int(label) for label in labels], dtype=torch.long),
        start_logits=start,
        given_mask=given if prompts.is_mask_only else None,
    )


def mask_to_square(mask: MaskPrompt, side: int) -> Tensor:
    """A mask at image size to 0 and 1 at the model's size, (s, s)."""
    tensor = torch.from_numpy(mask.mask.astype(np.float32))[None, None]
    resized = F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)[0, 0]
    return (resized >= 0.5).float()


def mask_to_logits(mask: np.ndarray, side: int) -> Tensor:
    """A mask at image size to logits (side, side) of plus or minus ten."""
    tensor = torch.from_numpy(mask.astype(np.float32))[None, None]
    return 20 * F.interpolate(tensor, size=(side, side), mode="bilinear", antialias=True)[0, 0] - 10


def to_image_logits(logits: Tensor, size: Size, *, is_smooth: bool = False) -> Tensor:
    """Decoder logits (b, h4, w4) to image size (b, h, w), float32; bicubic when smooth, else bilinear as SAM 2."""
    if is_smooth and logits.device.type == "cpu":
        # the same bicubic kernel as torch's, several times faster
        return torch.from_numpy(_enlarged(logits.float().numpy(), size))
    mode = "bicubic" if is_smooth else "bilinear"
    return F.interpolate(logits[:, None].float(), size=size.hw, mode=mode)[:, 0]


def _enlarged(logits: np.ndarray, size: Size) -> np.ndarray:
    enlarged = np.empty((len(logits), *size.hw), np.float32)
    for one, out in zip(logits, enlarged, strict=True):
        cv2.resize(one, (size.width, size.height), dst=out, interpolation=cv2.INTER_CUBIC)
    return enlarged


def to_image_masks(
    logits: Tensor,
    size: Size,
    post: PostProcess,
    *,
    is_smooth: bool = False,
    clicked: PromptSet | None = None,
) -> np.ndarray:
    """Decoder logits (b, h4, w4) to tidy masks at image size, bool (b, h, w).

    Args:
        logits: The logits.
        size: Size of the image.
        post: How masks are tidied.
        is_smooth: Whether they are enlarged by bicubic interpolation.
        clicked: Prompts whose clicks the parts of a mask have to lie on; None for any parts.
    """
    full = to_image_logits(logits, size, is_smooth=is_smooth)
    if clicked is not None:
        full = torch.stack([keep_parts_in_image(one, clicked) for one in full])
    return tidy_masks(full, size.num_pixels / logits.shape[-1] / logits.shape[-2], post)


def tidy_masks(full: Tensor, pixels_per_cell: float, post: PostProcess) -> np.ndarray:
    """Logits (b, h, w) at image size to tidy masks, bool (b, h, w).

    Args:
        full: The logits.
        pixels_per_cell: Pixels of the image for one of the decoder's mask: holes and specks are measured in these.
        post: How masks are tidied.
    """
    masks = (full > 0).cpu().numpy()
    if len(masks) and (post.hole_area or post.speck_area):
        masks = np.stack([tidied(mask, pixels_per_cell, post) for mask in masks])
    if post.is_exclusive and len(masks) > 1:
        # last, because a small object may fill what was a hole of another; there its own logit is the higher one
        masks = resolve_overlaps(np.where(masks, full.clamp(min=0).cpu().numpy() + 1, 0))
    return masks


def tidied(mask: np.ndarray, pixels_per_cell: float, post: PostProcess) -> np.ndarray:
    """One mask, bool (h, w), without small holes and specks; see ``tidy_masks``."""
    hole_area, speck_area = round(post.hole_area * pixels_per_cell), round(post.speck_area * pixels_per_cell)
    return clean(mask, hole_area, speck_area) if hole_area or speck_area else mask
