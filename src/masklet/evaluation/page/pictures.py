"""Small pictures for the page: masks over frames, and where a prediction differs from the truth."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from html import escape

import cv2
import numpy as np
from PIL import Image

from masklet.masks.arrays import BoolArray, ByteArray, as_bytes

_OBJECT_COLOURS = (
    (18, 165, 148),
    (242, 121, 33),
    (110, 86, 207),
    (214, 51, 108),
    (242, 185, 0),
    (30, 128, 240),
)
HIT, MISSED, FALSE_ALARM = (18, 165, 148), (242, 169, 0), (214, 51, 108)


def objects_over(frame: ByteArray, masks: Mapping[int, BoolArray]) -> ByteArray:
    """Each object in its own colour with an outline.

    Args:
        frame: RGB uint8 (h, w, 3).
        masks: For each object its mask, bool (h, w).

    Returns:
        RGB uint8 (h, w, 3).
    """
    picture = frame.copy()
    for position, object_id in enumerate(sorted(masks)):
        _paint(picture, masks[object_id], _OBJECT_COLOURS[position % len(_OBJECT_COLOURS)])
    return picture


def difference_over(frame: ByteArray, predicted: BoolArray, true: BoolArray) -> ByteArray:
    """What was found, missed and wrongly taken, each in its colour; see HIT, MISSED and FALSE_ALARM."""
    picture = (frame // 2 + np.uint8(64)).astype(np.uint8)
    for region, colour in (
        (predicted & true, HIT),
        (true & ~predicted, MISSED),
        (predicted & ~true, FALSE_ALARM),
    ):
        _paint(picture, region, colour, opacity=0.6, is_outlined=False)
    return picture


def around(picture: ByteArray, region: BoolArray, *, margin: float = 0.6) -> ByteArray:
    """The part of a picture around a region, with some of what lies beside it; all of it for an empty region."""
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if rows.size == 0:
        return picture
    height, width = region.shape
    extent = max(int(rows[-1] - rows[0]), int(columns[-1] - columns[0])) + 1
    half = max(int(extent * (0.5 + margin)), 24)
    middle_y, middle_x = int(rows[0] + rows[-1]) // 2, int(columns[0] + columns[-1]) // 2
    top, bottom = max(middle_y - half, 0), min(middle_y + half, height)
    left, right = max(middle_x - half, 0), min(middle_x + half, width)
    return picture[top:bottom, left:right]


def image_tag(picture: ByteArray, *, alt: str, width: int = 300) -> str:
    """The picture inside the page, as a JPEG of at most this width.

    Args:
        picture: RGB uint8 (h, w, 3).
        alt: What it shows, in words.
        width: In pixels.
    """
    height = max(1, round(picture.shape[0] * width / picture.shape[1]))
    shrunk = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    file = io.BytesIO()
    Image.fromarray(np.asarray(shrunk, dtype=np.uint8)).save(file, "JPEG", quality=82)
    content = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<img src="data:image/jpeg;base64,{content}" alt="{escape(alt)}" width="{width}" height="{height}">'
    )


def _paint(
    picture: ByteArray,
    region: BoolArray,
    colour: tuple[int, int, int],
    *,
    opacity: float = 0.5,
    is_outlined: bool = True,
) -> None:
    """Tint a region in place."""
    if not region.any():
        return
    mixed = picture[region] * (1 - opacity) + np.array(colour) * opacity
    picture[region] = mixed.astype(np.uint8)
    if is_outlined:
        outlines, _ = cv2.findContours(as_bytes(region), cv2.RETR_LIST, cv2.CHAIN_APPROX_NONE)
        thickness = max(1, picture.shape[1] // 320)
        cv2.drawContours(picture, outlines, -1, (255, 255, 255), thickness + 1, cv2.LINE_AA)
        cv2.drawContours(picture, outlines, -1, colour, thickness, cv2.LINE_AA)
