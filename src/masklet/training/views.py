"""Views of stills: which window is seen, how it is turned and stretched, and which objects show in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from masklet.training.data import StillRecord

MIN_AREA = 16  # pixels of the square image that an object must show
_TURNABLE = frozenset({"nuclei", "leaves", "crops", "mri", "cigarette"})  # no side of these pictures is up
_MASKS_PER_WARP = 4  # channels that are resampled together


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewConfig:
    """How a window of a still is drawn.

    Attributes:
        whole: Probability of the whole image stretched to the square, as at inference, in [0, 1].
        focus: Probability of a window around one object, in [0, 1]; other windows are placed at random.
        flip: Probability of a mirror image, in [0, 1].
        tilt: Probability of a small turn, in [0, 1].
        area_exponent: Objects are drawn with weight area ** exponent: 0 is uniform, 1 favours the largest.
        min_crop: Shortest side of a window, as a share of the output side; a small one is blurred.
    """

    whole: float = 0.45
    focus: float = 0.25
    flip: float = 0.5
    tilt: float = 0.12
    area_exponent: float = 0.3
    min_crop: float = 0.45


def render_view(
    rng: np.random.Generator, record: StillRecord, size_wh: tuple[int, int], *, config: ViewConfig, limit: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a view of a still and render it.

    Returns:
        The image, uint8 (h, w, 3), and masks of at most ``limit`` objects drawn by size, bool (n, h, w); some
        of them may show little.
    """
    crop_xyxy = draw_crop(rng, record, size_wh, config)
    matrix = draw_view_matrix(rng, crop_xyxy, size_wh, config=config, is_turnable=record.source in _TURNABLE)
    indices = objects_in_view(rng, record, crop_xyxy, size_wh, limit=limit, exponent=config.area_exponent)
    image = warp_image(record.image(), matrix, size_wh)
    return image, warp_masks([record.mask(int(index)) for index in indices], matrix, size_wh)


def draw_crop(
    rng: np.random.Generator, record: StillRecord, size_wh: tuple[int, int], config: ViewConfig
) -> tuple[float, float, float, float]:
    """A window (x0, y0, x1, y1) of the still, in its pixels, that shows at least part of one object."""
    height, width = record.size_hw
    choice = rng.random()
    if choice < config.whole:
        return 0.0, 0.0, float(width), float(height)
    weights = record.areas**config.area_exponent
    x, y, box_width, box_height = record.boxes_xywh[rng.choice(len(weights), p=weights / weights.sum())]
    if choice < config.whole + config.focus:
        reach = max(np.sqrt(box_width * box_height) * np.exp(rng.uniform(np.log(1.2), np.log(6))), 1.0)
        crop_width = crop_height = max(float(reach), config.min_crop * max(size_wh))
    else:
        share = np.sqrt(rng.uniform(0.25, 1.0))
        crop_width, crop_height = width * share, height * share
    aspect = np.exp(rng.uniform(-0.2, 0.2))
    crop_width = min(max(crop_width * aspect, config.min_crop * size_wh[0]), width)
    crop_height = min(max(crop_height / aspect, config.min_crop * size_wh[1]), height)
    centre_x = x + box_width / 2 + rng.uniform(-0.4, 0.4) * crop_width
    centre_y = y + box_height / 2 + rng.uniform(-0.4, 0.4) * crop_height
    x0 = float(np.clip(centre_x - crop_width / 2, 0, width - crop_width))
    y0 = float(np.clip(centre_y - crop_height / 2, 0, height - crop_height))
    return x0, y0, x0 + float(crop_width), y0 + float(crop_height)


def draw_view_matrix(
    rng: np.random.Generator,
    crop_xyxy: tuple[float, float, float, float],
    size_wh: tuple[int, int],
    *,
    config: ViewConfig,
    is_turnable: bool,
) -> np.ndarray:
    """Maps still pixels to output, (3, 3): a window stretched, perhaps mirrored, turned or tilted."""
    angle = rng.uniform(-0.2, 0.2) if rng.random() < config.tilt else 0.0
    if is_turnable:
        angle += np.pi / 2 * rng.integers(4)
    flip = -1.0 if rng.random() < config.flip else 1.0
    x0, y0, x1, y1 = crop_xyxy
    cos, sin = np.cos(angle), np.sin(angle)
    zoom = 1.0 + 0.4 * abs(np.sin(2 * angle))  # hides most of the corners that a tilt brings in
    to_unit = np.array(
        [[2 / (x1 - x0), 0, -(x0 + x1) / (x1 - x0)], [0, 2 / (y1 - y0), -(y0 + y1) / (y1 - y0)], [0, 0, 1]]
    )
    turn = np.array([[flip * zoom * cos, -flip * zoom * sin, 0], [zoom * sin, zoom * cos, 0], [0, 0, 1]])
    width, height = size_wh
    to_output = np.array([[width / 2, 0, width / 2], [0, height / 2, height / 2], [0, 0, 1]])
    half = np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])  # pixel centres lie half a pixel inside
    return np.linalg.inv(half) @ to_output @ turn @ to_unit @ half


def objects_in_view(
    rng: np.random.Generator,
    record: StillRecord,
    crop_xyxy: tuple[float, float, float, float],
    size_wh: tuple[int, int],
    *,
    limit: int,
    exponent: float,
) -> np.ndarray:
    """Indices of at most ``limit`` objects likely to show in a window, drawn as ``draw_by_area`` does."""
    x0, y0, x1, y1 = crop_xyxy
    boxes = record.boxes_xywh
    shown_x = np.minimum(boxes[:, 0] + boxes[:, 2], x1) - np.maximum(boxes[:, 0], x0)
    shown_y = np.minimum(boxes[:, 1] + boxes[:, 3], y1) - np.maximum(boxes[:, 1], y0)
    shown = np.clip(shown_x, 0, None) * np.clip(shown_y, 0, None) / np.maximum(boxes[:, 2] * boxes[:, 3], 1)
    area = record.areas * shown * size_wh[0] * size_wh[1] / ((x1 - x0) * (y1 - y0))
    return draw_by_area(rng, area, limit, exponent=exponent)


def draw_by_area(rng: np.random.Generator, areas: np.ndarray, limit: int, *, exponent: float) -> np.ndarray:
    """Draw at most ``limit`` indices with weight area ** exponent, none twice, none below the least area."""
    keys = rng.exponential(size=len(areas)) / np.maximum(areas, 1) ** exponent
    keys[areas < MIN_AREA] = np.inf
    order = np.argsort(keys)[:limit]
    return order[np.isfinite(keys[order])]


def choose_objects(rng: np.random.Generator, masks: np.ndarray, limit: int, *, exponent: float) -> np.ndarray:
    """Indices of at most ``limit`` of the masks, bool (n, h, w), that show enough pixels."""
    return draw_by_area(rng, masks.sum((1, 2)), limit, exponent=exponent)


def warp_image(image: np.ndarray, matrix: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Render an image, uint8 (h, w, c), through a matrix (3, 3) to the output; averaged when it shrinks."""
    image, matrix = shrunk(image, matrix)
    return cv2.warpAffine(
        image, matrix[:2], size_wh, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )


def warp_masks(masks: Sequence[np.ndarray], matrix: np.ndarray, size_wh: tuple[int, int]) -> np.ndarray:
    """Render masks, uint8 0 or 1 (h, w), through a matrix (3, 3) to the output, bool (n, h, w)."""
    planes = [
        plane for group in mask_groups(masks) for plane in cv2.split(warp_image(group, matrix, size_wh))
    ]
    return np.stack(planes) > 127 if planes else np.zeros((0, size_wh[1], size_wh[0]), bool)


def mask_groups(masks: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Masks, uint8 0 or 1 (h, w), as images of a few channels, 0 or 255, to be resampled together."""
    starts = range(0, len(masks), _MASKS_PER_WARP)
    return [cv2.merge(list(masks[start : start + _MASKS_PER_WARP])) * np.uint8(255) for start in starts]


def shrunk(image: np.ndarray, matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Average an image down to the scale of the output first, so that warping does not alias.

    Args:
        image: uint8 (h, w, c).
        matrix: Maps image pixels to output pixels, (3, 3).

    Returns:
        The smaller image and the matrix that maps its pixels to the output.
    """
    scale_x = min(1.0, float(np.hypot(matrix[0, 0], matrix[1, 0])))
    scale_y = min(1.0, float(np.hypot(matrix[0, 1], matrix[1, 1])))
    if min(scale_x, scale_y) > 0.95:
        return image, matrix
    height, width = image.shape[:2]
    small_wh = max(1, round(width * scale_x)), max(1, round(height * scale_y))
    factor_x, factor_y = small_wh[0] / width, small_wh[1] / height
    enlarge = np.array(
        [[1 / factor_x, 0, 0.5 / factor_x - 0.5], [0, 1 / factor_y, 0.5 / factor_y - 0.5], [0, 0, 1]]
    )
    return cv2.resize(image, small_wh, interpolation=cv2.INTER_AREA), matrix @ enlarge
