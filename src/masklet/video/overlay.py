"""Masks drawn over an image: translucent fill, contour, tags and clicks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image as PillowImage
from PIL import ImageDraw, ImageFont

from masklet.errors import MediaError
from masklet.prompts import Click
from masklet.video.source import Image, check_image

# Colours that people with the common kinds of colour blindness can tell apart. Source: Okabe and Ito,
# "Color Universal
# Design" (2008), without black, in an order that keeps the first few far apart on photographs; then
# darker and lighter.
_BASE_COLORS = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (213, 94, 0),
    (0, 114, 178),
)
_SHADES = (1.0, 0.62, 1.45)


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlayStyle:
    """How masks are drawn.

    Attributes:
        fill_alpha: Opacity of the fill, 0 to 1.
        contour_px: Width of the contour in pixels, inside the mask, 0 for none.
        has_tags: Whether each object's label (its id without labels) is written beside it.
        tag_height_px: Height of the letters, or None for 1/36 of the image's shorter side, at least 11.
    """

    fill_alpha: float = 0.45
    contour_px: int = 2
    has_tags: bool = False
    tag_height_px: int | None = None

    def __post_init__(self) -> None:
        """Refuse numbers outside their range."""
        if (
            not 0 <= self.fill_alpha <= 1
            or self.contour_px < 0
            or (self.tag_height_px is not None and self.tag_height_px < 1)
        ):
            raise MediaError(
                f"An overlay needs fill_alpha in 0..1, contour_px >= 0 and tag_height_px >= 1, got "
                f"{self.fill_alpha}, "
                f"{self.contour_px} and {self.tag_height_px}."
            )


_DEFAULT_STYLE = OverlayStyle()


def object_color(object_id: int) -> tuple[int, int, int]:
    """RGB colour of an object, the same in every frame and run; 21 different ones, then again from the first.

    Args:
        object_id: Any integer; ids usually start at 1.
    """
    place = (object_id - 1) % (len(_BASE_COLORS) * len(_SHADES))
    shade = _SHADES[place // len(_BASE_COLORS)]
    red, green, blue = (min(255, round(level * shade)) for level in _BASE_COLORS[place % len(_BASE_COLORS)])
    return red, green, blue


def draw_overlay(
    image: Image,
    masks: Mapping[int, np.ndarray],
    *,
    style: OverlayStyle = _DEFAULT_STYLE,
    labels: Mapping[int, str] | None = None,
    clicks: Mapping[int, Sequence[Click]] | None = None,
) -> Image:
    """A copy of an image with masks drawn over it, in order of rising id.

    Args:
        image: RGB uint8 (h, w, 3).
        masks: Object id to bool (h, w) mask; empty masks draw nothing.
        style: How to draw.
        labels: Words for the tags of some objects.
        clicks: Clicks of some objects: a plus where positive, a minus where negative.

    Raises:
        MediaError: An image that is not RGB uint8, or a mask of another size or type.
    """
    drawn = check_image(image, "The image").copy()
    for object_id in sorted(masks):
        _check_mask(masks[object_id], object_id, drawn)
        _draw_mask(drawn, masks[object_id], object_color(object_id), style)
    if style.has_tags or labels or clicks:
        canvas = PillowImage.fromarray(drawn)
        if style.has_tags or labels:
            _draw_tags(canvas, masks, labels or {}, style)
        for object_id, points in sorted((clicks or {}).items()):
            _draw_clicks(canvas, points, object_color(object_id))
        drawn = np.array(canvas)
    return drawn


def _check_mask(mask: np.ndarray, object_id: int, image: Image) -> None:
    """Refuse masks that do not fit the image."""
    if mask.dtype != np.bool_ or mask.shape != image.shape[:2]:
        raise MediaError(
            f"The mask of object {object_id} must be bool {image.shape[:2]}, got {mask.dtype} "
            f"{mask.shape}; resize it first."
        )


def _draw_mask(image: Image, mask: np.ndarray, color: tuple[int, int, int], style: OverlayStyle) -> None:
    """Blend the fill and set the contour, in place, inside the mask's box only."""
    box = _mask_box(mask)
    if box is None:
        return
    region, inside = image[box], mask[box]
    alpha = round(style.fill_alpha * 256)
    paint = np.array(color, dtype=np.uint16)
    blended = (region[inside].astype(np.uint16) * (256 - alpha) + paint * alpha) >> 8
    region[inside] = blended.astype(np.uint8)
    region[inside & ~_eroded(inside, style.contour_px)] = color


def _mask_box(mask: np.ndarray) -> tuple[slice, slice] | None:
    """Rows and columns that hold the mask, or None when it is empty."""
    rows = np.flatnonzero(mask.any(axis=1))
    if rows.size == 0:
        return None
    columns = np.flatnonzero(mask[rows[0] : rows[-1] + 1].any(axis=0))
    return slice(int(rows[0]), int(rows[-1]) + 1), slice(int(columns[0]), int(columns[-1]) + 1)


def _eroded(mask: np.ndarray, distance_px: int) -> np.ndarray:
    """Pixels that stay when a rim is taken off; outside the array counts as off the mask."""
    padded = np.pad(mask, 1)
    for step in range(distance_px):
        core = (
            padded[1:-1, 1:-1] & padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        )
        if step % 2:
            # Every second step also looks at the diagonals, which keeps the rim evenly wide on slopes.
            core &= padded[:-2, :-2] & padded[:-2, 2:] & padded[2:, :-2] & padded[2:, 2:]
        padded = np.pad(core, 1)
    return padded[1:-1, 1:-1]


def _draw_tags(
    canvas: PillowImage.Image, masks: Mapping[int, np.ndarray], labels: Mapping[int, str], style: OverlayStyle
) -> None:
    """Write each object's tag above its top left, or inside when there is no room."""
    height = style.tag_height_px or max(11, min(canvas.size) // 36)
    font, draw, pad = ImageFont.load_default(size=height), ImageDraw.Draw(canvas), max(2, height // 4)
    for object_id in sorted(masks):
        box = _mask_box(masks[object_id])
        if box is None or not (style.has_tags or object_id in labels):
            continue
        text = labels.get(object_id, str(object_id))[:80].replace("\n", " ")
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        width, tall = right - left + 2 * pad, bottom - top + 2 * pad
        x = max(0, min(box[1].start, canvas.width - int(width)))
        y = max(0, box[0].start - int(tall) - 1)
        color = object_color(object_id)
        draw.rounded_rectangle((x, y, x + width, y + tall), radius=pad, fill=color)
        draw.text((x + pad - left, y + pad - top), text, font=font, fill=_ink_on(color))


def _ink_on(color: tuple[int, int, int]) -> tuple[int, int, int]:
    """Black or white, whichever reads better on a colour (ITU-R BT.601 luma)."""
    return (0, 0, 0) if 299 * color[0] + 587 * color[1] + 114 * color[2] > 128_000 else (255, 255, 255)


def _draw_clicks(canvas: PillowImage.Image, clicks: Sequence[Click], color: tuple[int, int, int]) -> None:
    """A white-rimmed disc in the object's colour with a plus or a minus."""
    radius = max(5, min(canvas.size) // 90)
    draw = ImageDraw.Draw(canvas)
    for click in clicks:
        x, y = click.x, click.y
        draw.ellipse((x - radius - 2, y - radius - 2, x + radius + 2, y + radius + 2), fill=(0, 0, 0))
        draw.ellipse((x - radius - 1, y - radius - 1, x + radius + 1, y + radius + 1), fill=(255, 255, 255))
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
        arm, width = radius * 0.6, max(2, radius // 4)
        draw.line((x - arm, y, x + arm, y), fill=_ink_on(color), width=width)
        if click.positive:
            draw.line((x, y - arm, x, y + arm), fill=_ink_on(color), width=width)
