"""Sprites laid over frames in depth order, with the exact visible mask of everything beneath them.

A sprite is a picture with alpha; a layer is a sprite with one affine matrix per frame. Colours are
premultiplied by alpha, so that a resampled edge carries no fringe of the old background.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from masklet.training.data import StillRecord, decode_rgba

_EDGE_SIGMA = 0.9
_EDGE_INSET = (
    150  # level of the blurred mask that becomes the edge: a little inside, where no background shines
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Layer:
    """A sprite and where it lies on each frame.

    Attributes:
        sprite: Premultiplied RGBA, uint8 (h, w, 4).
        matrices: Maps sprite pixels to frame pixels, (t, 2, 3).
        is_tracked: Whether its mask is one of the objects to follow.
        blur_xy: Motion blur per frame in pixels, (t, 2), or None for sharp frames.
        bends: Displacements in sprite pixels per frame, float32 (t, h, w, 2), or None for a rigid sprite.
    """

    sprite: np.ndarray
    matrices: np.ndarray
    is_tracked: bool = True
    blur_xy: np.ndarray | None = None
    bends: np.ndarray | None = None


def premultiplied(image_rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """RGBA with colours scaled by alpha, cropped to what is visible, uint8 (h, w, 4)."""
    return _cropped_sprite(image_rgb, alpha)[0]


def _cropped_sprite(image_rgb: np.ndarray, alpha: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """A sprite cropped to what is visible, and the (x, y) of its corner in the image."""
    x, y, width, height = cv2.boundingRect(alpha)
    window = np.s_[y : y + max(height, 1), x : x + max(width, 1)]
    alpha = np.ascontiguousarray(alpha[window])
    colours = cv2.multiply(np.ascontiguousarray(image_rgb[window]), cv2.merge([alpha] * 3), scale=1 / 255)
    return cv2.merge([*cv2.split(colours), alpha]), (x, y)


def cutout_sprite(encoded: bytes | Path) -> np.ndarray:
    """The sprite of a compressed cut-out with exact alpha."""
    image = decode_rgba(encoded)
    return premultiplied(np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]))


def still_sprite(record: StillRecord, index: int) -> np.ndarray:
    """The sprite of one object of a still, with a soft edge a little inside its mask."""
    return masked_sprite(record.image(), record.mask(index))[0]


def masked_sprite(image_rgb: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """The pixels under a mask (uint8 0 or 1) with a soft edge a little inside it.

    Returns:
        The sprite, and the (x, y) of its corner in the image.
    """
    blurred = cv2.GaussianBlur(mask * np.uint8(255), (0, 0), _EDGE_SIGMA)
    ramp = np.clip((np.arange(256) - _EDGE_INSET) * 2.2 + 128, 0, 255).astype(np.uint8)
    return _cropped_sprite(image_rgb, cv2.LUT(blurred, ramp))


def resized_sprite(sprite: np.ndarray, scale: float) -> np.ndarray:
    """The sprite scaled by a factor, averaged when it shrinks."""
    height, width = sprite.shape[:2]
    size_wh = max(2, round(width * scale)), max(2, round(height * scale))
    return cv2.resize(sprite, size_wh, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)


def compose(frames: np.ndarray, masks: np.ndarray, layers: Sequence[Layer]) -> tuple[np.ndarray, np.ndarray]:
    """Lay layers over frames, the last one in front.

    Args:
        frames: RGB uint8 (t, side, side, 3); left as they are.
        masks: Visible masks of objects in the frames, bool (t, n, side, side).
        layers: Sprites from back to front.

    Returns:
        New frames, and the visible masks of the n objects followed by those of the tracked layers.
    """
    frames = frames.copy()
    num_base = masks.shape[1]
    num_tracked = sum(layer.is_tracked for layer in layers)
    visible = np.zeros((len(frames), num_base + num_tracked, *frames.shape[1:3]), bool)
    visible[:, :num_base] = masks
    for time in range(len(frames)):
        slot = num_base
        for layer in layers:
            _draw(
                frames[time],
                visible[time, :slot],
                visible[time, slot] if layer.is_tracked else None,
                layer,
                time,
            )
            slot += layer.is_tracked
    return frames, visible


def _draw(frame: np.ndarray, beneath: np.ndarray, own: np.ndarray | None, layer: Layer, time: int) -> None:
    """Draw one layer into a frame and update the masks beneath it and its own, in place."""
    placed = _placed_sprite(layer, time, frame.shape[0])
    if placed is None:
        return
    window, patch = placed
    alpha = np.ascontiguousarray(patch[..., 3])
    rest = cv2.merge([cv2.bitwise_not(alpha)] * 3)
    shaded = cv2.multiply(np.ascontiguousarray(frame[window]), rest, scale=1 / 255)
    frame[window] = cv2.add(shaded, np.ascontiguousarray(patch[..., :3]))
    covered = alpha > 127
    beneath[(slice(None), *window)] &= ~covered
    if own is not None:
        own[window] = covered


def _placed_sprite(layer: Layer, time: int, side: int) -> tuple[tuple[slice, slice], np.ndarray] | None:
    """The part of the frame that a layer touches and the warped sprite there, or None when it is outside."""
    sprite, matrix = layer.sprite, layer.matrices[time]
    height, width = sprite.shape[:2]
    corners = np.array([[0, width, 0, width], [0, 0, height, height], [1, 1, 1, 1]])
    spread = matrix @ corners
    motion_xy = layer.blur_xy[time] if layer.blur_xy is not None else np.zeros(2)
    blur = np.abs(motion_xy)
    x0, y0 = np.maximum(np.floor(spread.min(1) - blur - 1), 0).astype(int)
    x1, y1 = np.minimum(np.ceil(spread.max(1) + blur + 1), side).astype(int)
    if x1 <= x0 or y1 <= y0:
        return None
    if layer.bends is not None:
        sprite = bent(sprite, layer.bends[time])
    shifted = matrix.copy()
    shifted[:, 2] -= (x0, y0)
    patch = cv2.warpAffine(sprite, shifted, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_LINEAR)
    if blur.max() >= 1:
        patch = cv2.filter2D(patch, -1, line_kernel(motion_xy), borderType=cv2.BORDER_CONSTANT)
    return (slice(y0, y1), slice(x0, x1)), patch


def bent(picture: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Displace the pixels of a picture by ``bend`` pixels, float32 (h, w, 2)."""
    height, width = picture.shape[:2]
    grid_x, grid_y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, grid_x + bend[..., 0], grid_y + bend[..., 1], cv2.INTER_LINEAR)


def line_kernel(blur_xy: np.ndarray) -> np.ndarray:
    """The kernel of a straight motion blur of ``blur_xy`` pixels, float32, odd side, sum 1."""
    reach = int(np.ceil(np.abs(blur_xy).max() / 2))
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.float32)
    for step in np.linspace(-0.5, 0.5, 4 * reach + 1):
        x, y = np.rint(blur_xy * step).astype(int) + reach
        kernel[y, x] += 1
    return kernel / kernel.sum()
