"""Objects cut out of photos with true masks, and how they are laid over a frame."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from masklet.evaluation.datasets import Still
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray, FloatArray, as_bytes

_WHOLE_KINDS = ("instances", "foreground")
_MIN_SIDE = 40
_MIN_FILL = 0.3
_MIN_CONNECTED = 0.9
_MARGIN = 4
_EDGE_SIGMA = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CutoutSource:
    """An object of a photo that can be cut out."""

    still: Still
    index: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Cutout:
    """A picture with soft edges.

    Args:
        colours: RGB scaled by alpha, float32 (h, w, 3), in [0, 255].
        alpha: float32 (h, w), in [0, 1].
    """

    colours: FloatArray
    alpha: FloatArray

    @property
    def size_hw(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.alpha.shape[0], self.alpha.shape[1]


def cutout_sources(stills: Iterable[Still]) -> tuple[CutoutSource, ...]:
    """Objects that look like things when they are cut out.

    Only masks of whole objects count ("instances" and "foreground") that are at least 40 pixels wide and
    high, fill three tenths of their box, and hang together but for a tenth of their area.
    """
    return tuple(
        CutoutSource(still=still, index=index)
        for still in stills
        if still.kind in _WHOLE_KINDS
        for index in range(len(still.masks))
        if _is_solid(still, index)
    )


def cut_out(source: CutoutSource, *, longest: float) -> Cutout:
    """The object with a soft edge a little inside its mask.

    Args:
        source: The object.
        longest: Length of its longer side in the cut-out, in pixels, at least 8.
    """
    image, mask = source.still.image(), rle.decode(source.still.masks[source.index])
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    window = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    alpha = _soft_edge(mask[window])
    scale = longest / max(alpha.shape)
    return _resized(np.ascontiguousarray(image[window]), alpha, scale)


def slab(texture: ByteArray) -> Cutout:
    """A picture, RGB uint8 (h, w, 3), as an opaque rounded rectangle."""
    height, width = texture.shape[:2]
    radius = min(height, width) // 6
    core = np.zeros((height, width), np.uint8)
    core[radius : height - radius, radius : width - radius] = 1
    distance = cv2.distanceTransform(1 - core, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return _premultiplied(texture, np.clip(radius - np.asarray(distance) + 0.5, 0, 1).astype(np.float32))


def twin_of(cutout: Cutout, *, brightness: float) -> Cutout:
    """The mirrored cut-out, a little brighter or darker."""
    alpha = np.ascontiguousarray(cutout.alpha[:, ::-1])
    ceiling = 255 * alpha[..., None]
    colours = np.minimum(brightness * cutout.colours[:, ::-1], ceiling)
    return Cutout(colours=colours.astype(np.float32), alpha=alpha)


def lay_over(frame: ByteArray, cutout: Cutout, matrix: FloatArray) -> tuple[ByteArray, BoolArray]:
    """A frame with a cut-out over it.

    Args:
        frame: RGB uint8 (h, w, 3); left as it is.
        cutout: What is laid over it.
        matrix: Maps pixels of the cut-out to pixels of the frame, (3, 3), affine.

    Returns:
        The new frame, and the pixels that the cut-out covers by at least half, bool (h, w).
    """
    size_wh = (frame.shape[1], frame.shape[0])
    colours = np.asarray(cv2.warpAffine(cutout.colours, matrix[:2], size_wh, flags=cv2.INTER_LINEAR))
    alpha = np.asarray(cv2.warpAffine(cutout.alpha, matrix[:2], size_wh, flags=cv2.INTER_LINEAR))
    mixed = frame * (1 - alpha[..., None]) + colours
    return np.clip(np.rint(mixed), 0, 255).astype(np.uint8), alpha >= 0.5


def seen_part(image: ByteArray, matrix: FloatArray, size_hw: tuple[int, int]) -> ByteArray:
    """What a camera sees of a picture, which is mirrored where it ends.

    Args:
        image: RGB uint8 (h, w, 3).
        matrix: Maps pixels of the picture to pixels of the frame, (3, 3), affine.
        size_hw: Height and width of the frame in pixels.

    Returns:
        RGB uint8 of that size.
    """
    height, width = size_hw
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101
    seen = cv2.warpAffine(image, matrix[:2], (width, height), flags=flags, borderMode=border)
    return np.asarray(seen, dtype=np.uint8)


def photo_window(still: Still, size_hw: Sequence[int], corner: tuple[float, float]) -> ByteArray:
    """A part of a photo, scaled so that the photo just covers the size.

    Args:
        still: The photo.
        size_hw: Height and width of the part in pixels.
        corner: Where it lies along the height and the width, each in [0, 1] from the first place to the last.

    Returns:
        RGB uint8 (h, w, 3).
    """
    image = still.image()
    height, width = size_hw
    scale = max(height / image.shape[0], width / image.shape[1])
    size_wh = max(width, round(scale * image.shape[1])), max(height, round(scale * image.shape[0]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    scaled = np.asarray(cv2.resize(image, size_wh, interpolation=method))
    top, left = round(corner[0] * (size_wh[1] - height)), round(corner[1] * (size_wh[0] - width))
    return np.ascontiguousarray(scaled[top : top + height, left : left + width], dtype=np.uint8)


def _is_solid(still: Still, index: int) -> bool:
    """Whether a mask is large, filled and connected enough."""
    box = rle.bounding_box(still.masks[index])
    if box is None:
        return False
    width, height = box.x1 - box.x0, box.y1 - box.y0
    area = rle.area(still.masks[index])
    if min(width, height) < _MIN_SIDE or area < _MIN_FILL * width * height:
        return False
    _, _, stats, _ = cv2.connectedComponentsWithStats(
        as_bytes(rle.decode(still.masks[index])), connectivity=8
    )
    return bool(stats[1:, cv2.CC_STAT_AREA].max() >= _MIN_CONNECTED * area)


def _soft_edge(mask: BoolArray) -> FloatArray:
    """Alpha in [0, 1] with a margin around it: inside the mask, where no background shines through."""
    padded = np.pad(mask.astype(np.float32), _MARGIN)
    blurred = np.asarray(cv2.GaussianBlur(padded, (0, 0), _EDGE_SIGMA))
    inside = np.clip(2 * blurred - 0.7, 0, 1)
    return inside[_MARGIN:-_MARGIN, _MARGIN:-_MARGIN].astype(np.float32)


def _resized(image: ByteArray, alpha: FloatArray, scale: float) -> Cutout:
    """A cut-out scaled by a factor."""
    size_wh = max(2, round(scale * alpha.shape[1])), max(2, round(scale * alpha.shape[0]))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    whole = _premultiplied(image, alpha)
    return Cutout(
        colours=np.asarray(cv2.resize(whole.colours, size_wh, interpolation=method), dtype=np.float32),
        alpha=np.asarray(cv2.resize(whole.alpha, size_wh, interpolation=method), dtype=np.float32),
    )


def _premultiplied(image: ByteArray, alpha: FloatArray) -> Cutout:
    return Cutout(colours=(image * alpha[..., None]).astype(np.float32), alpha=alpha)
