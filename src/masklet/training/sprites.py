"""Where sprites, backgrounds and plain shapes for composites come from."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from masklet.training.colour import ColourConfig, change_colours, draw_colour_change
from masklet.training.data import Shards, StillRecord, decode_rgb
from masklet.training.layers import cutout_sprite, premultiplied, resized_sprite, still_sprite

_OBJECT_KINDS = ("instances", "foreground")
_MIN_OBJECT_SIDE = 40  # pixels; smaller objects of stills are too blurred to be pasted
_MAX_ENLARGEMENT = 1.4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpritePool:
    """Draws sprites and backgrounds from what a data folder holds.

    Attributes:
        shards: Where records come from.
        objects: Objects of stills fit for pasting, one entry per source: pairs of record and mask index.
        weights: Probability of each source of objects, (n,).
    """

    shards: Shards
    objects: tuple[tuple[tuple[StillRecord, int], ...], ...]
    weights: np.ndarray

    def sprite(self, rng: np.random.Generator, *, target_side: float) -> np.ndarray:
        """A sprite whose root area is about ``target_side`` pixels, never enlarged until it blurs."""
        if self.shards.cutouts and (not self.objects or rng.random() < 0.35):
            sprite = cutout_sprite(self.shards.cutouts[rng.integers(len(self.shards.cutouts))])
        elif (drawn := self.object(rng)) is not None:
            sprite = still_sprite(*drawn)
        else:
            sprite = shape_sprite(rng, self.background(rng), side=int(max(target_side, 8)))
        height, width = sprite.shape[:2]
        return resized_sprite(sprite, min(target_side / np.sqrt(height * width), _MAX_ENLARGEMENT))

    def object(self, rng: np.random.Generator) -> tuple[StillRecord, int] | None:
        """A still and the index of an object in it that is fit for pasting, or None when there is none."""
        if not self.objects:
            return None
        pairs = self.objects[rng.choice(len(self.objects), p=self.weights)]
        return pairs[rng.integers(len(pairs))]

    def background(self, rng: np.random.Generator) -> np.ndarray:
        """A photograph, RGB uint8 (h, w, 3)."""
        if self.shards.backgrounds:
            return decode_rgb(self.shards.backgrounds[rng.integers(len(self.shards.backgrounds))])
        sources = list(self.shards.stills)
        if sources:
            records = self.shards.stills[sources[rng.integers(len(sources))]]
            return records[rng.integers(len(records))].image()
        coarse = rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)
        return cv2.resize(coarse, (320, 320), interpolation=cv2.INTER_CUBIC)


def build_pool(shards: Shards) -> SpritePool:
    """Find the objects of stills that are fit for pasting."""
    objects = []
    for source in sorted(shards.stills):
        pairs = tuple(
            (record, int(index)) for record in shards.stills[source] for index in _fit_objects(record)
        )
        if pairs:
            objects.append(pairs)
    weights = np.sqrt([len(pairs) for pairs in objects])
    return SpritePool(
        shards=shards, objects=tuple(objects), weights=weights / max(float(weights.sum()), 1e-9)
    )


def _fit_objects(record: StillRecord) -> np.ndarray:
    """Indices of objects large enough to paste and not most of the image."""
    if record.kind not in _OBJECT_KINDS:
        return np.zeros(0, int)
    share = record.areas / (record.size_hw[0] * record.size_hw[1])
    return np.flatnonzero((record.areas >= _MIN_OBJECT_SIDE**2) & (share < 0.6))


def shape_sprite(rng: np.random.Generator, picture: np.ndarray, *, side: int) -> np.ndarray:
    """A blob, ellipse, box or pole filled with a piece of a picture."""
    height, width = picture.shape[:2]
    crop = min(height, width, max(16, int(side * rng.uniform(0.6, 1.5))))
    y, x = rng.integers(height - crop + 1), rng.integers(width - crop + 1)
    size_wh = (
        max(4, int(side * np.exp(rng.uniform(-0.5, 0.5)))),
        max(4, int(side * np.exp(rng.uniform(-0.5, 0.5)))),
    )
    texture = cv2.resize(picture[y : y + crop, x : x + crop], size_wh, interpolation=cv2.INTER_LINEAR)
    return premultiplied(texture, _shape_alpha(rng, size_wh))


def _shape_alpha(rng: np.random.Generator, size_wh: tuple[int, int]) -> np.ndarray:
    """The alpha of a random shape that fills its frame, uint8 (h, w)."""
    width, height = size_wh
    alpha = np.zeros((height, width), np.uint8)
    kind = rng.integers(3)
    if kind == 0:
        alpha[:] = 255
        return alpha
    angles = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    radius = np.ones(48)
    if kind == 2:
        for frequency in (2, 3, 5):
            radius -= rng.uniform(0, 0.12) * (1 + np.sin(frequency * angles + rng.uniform(0, 2 * np.pi)))
    half = np.array([width / 2, height / 2])
    points = half * (1 + radius[:, None] * np.stack([np.cos(angles), np.sin(angles)], 1))
    cv2.fillPoly(alpha, [np.rint(points * 16).astype(np.int32)], 255, lineType=cv2.LINE_AA, shift=4)
    return alpha


def recoloured(rng: np.random.Generator, sprite: np.ndarray) -> np.ndarray:
    """The same sprite in somewhat other colours: a look-alike."""
    change = draw_colour_change(
        rng, ColourConfig(jitter=1, gray=0, blur=0, noise=0, jpeg=0, drift=0), num_frames=1
    )
    colours = change_colours(np.ascontiguousarray(sprite[None, ..., :3]), change)[0]
    alpha = np.ascontiguousarray(sprite[..., 3])
    return cv2.merge([*cv2.split(cv2.min(colours, cv2.merge([alpha] * 3))), alpha])
