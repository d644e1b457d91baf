"""Synthetic clips with exact masks: moving views of stills, and sprites that move, hide and come back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from masklet.training.actors import ActorConfig, draw_actor, draw_held, draw_occluder
from masklet.training.data import StillRecord
from masklet.training.inpaint import fill_hole
from masklet.training.layers import Layer, compose, masked_sprite
from masklet.training.motion import camera_path, damped_path, drawn_bends, translation
from masklet.training.sprites import SpritePool
from masklet.training.views import (
    ViewConfig,
    draw_crop,
    draw_view_matrix,
    mask_groups,
    objects_in_view,
    shrunk,
)

Crop = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticConfig:
    """What happens in synthetic clips.

    Attributes:
        actor: What single sprites do.
        bend: Probability that a moving still bends, in [0, 1].
        still_camera: Probability that the camera does not move behind sprites, in [0, 1].
        extra_sprites: Probability that sprites are added to clips and moving stills, in [0, 1].
        lifted: Share of composites in which an object is lifted out of its own still and moves before it, in
            [0, 1].
    """

    actor: ActorConfig = field(default_factory=ActorConfig)
    bend: float = 0.4
    still_camera: float = 0.2
    extra_sprites: float = 0.4
    lifted: float = 0.45


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClipRenderer:
    """Renders synthetic clips of fixed length and size.

    Every method returns frames, uint8 (t, side, side, 3), and visible masks, bool (t, n, side, side).

    Attributes:
        config: Probabilities.
        view: How views of stills are drawn.
        side: Side of the frames in pixels.
        num_frames: Frames per clip, at least 1.
        max_objects: Most masks of a still that are rendered.
        pool: Gives sprites and backgrounds.
    """

    config: SyntheticConfig
    view: ViewConfig
    side: int
    num_frames: int
    max_objects: int
    pool: SpritePool

    def moving_still(self, rng: np.random.Generator, record: StillRecord) -> tuple[np.ndarray, np.ndarray]:
        """A still under smooth affine and elastic motion with its masks; perhaps with sprites on top."""
        size_wh = (self.side, self.side)
        crop_xyxy = _inset_crop(rng, draw_crop(rng, record, size_wh, self.view))
        view = draw_view_matrix(rng, crop_xyxy, size_wh, config=self.view, is_turnable=False)
        indices = objects_in_view(
            rng, record, crop_xyxy, size_wh, limit=self.max_objects, exponent=self.view.area_exponent
        )
        camera = camera_path(rng, self.num_frames, self.side, strength=rng.uniform(0.2, 1.2))
        camera = damped_path(camera, view, record.size_hw, self.side)
        bends = None
        if self.num_frames > 1 and rng.random() < self.config.bend:
            bends = drawn_bends(rng, self.num_frames, size_hw=size_wh, reach=0.06 * self.side)
        frames = self._moved(record.image(), camera, view, bends)
        masks = self._moved_masks([record.mask(int(index)) for index in indices], camera, view, bends)
        return self.with_sprites(rng, frames, masks, camera)

    def with_sprites(
        self, rng: np.random.Generator, frames: np.ndarray, masks: np.ndarray, camera: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Perhaps lay one or two moving sprites over a clip that already has masks."""
        if rng.random() >= self.config.extra_sprites:
            return frames, masks
        layers = []
        for _ in range(int(rng.integers(1, 3))):
            if masks.shape[1] and self.config.actor.held and rng.random() < self.config.actor.held:
                layers += draw_held(rng, self.pool, masks, config=self.config.actor)
            else:
                layers += self._actors(rng, camera, count=1)
        return compose(frames, masks, layers)

    def composite(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """One to three sprites with occluders and look-alikes over a moving background."""
        picture = self.pool.background(rng)
        height, width = picture.shape[:2]
        camera, view = self._background_motion(rng, _window(rng, picture.shape[:2]), (height, width))
        frames = self._moved(picture, camera, view, None)
        masks = np.zeros((self.num_frames, 0, self.side, self.side), bool)
        return compose(frames, masks, self._actors(rng, camera, count=int(rng.integers(1, 4))))

    def lifted_object(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """An object of a still that moves by itself before its own filled background, perhaps hidden."""
        drawn = self.pool.object(rng)
        if drawn is None:
            return self.composite(rng)
        record, index = drawn
        picture, mask = record.image(), record.mask(index)
        x, y, box_width, box_height = record.boxes_xywh[index]
        crop_xyxy = draw_crop(rng, record, (self.side, self.side), self.view)
        camera, view = self._background_motion(rng, crop_xyxy, record.size_hw)
        frames = self._moved(fill_hole(picture, mask), camera, view, None)
        centre = view @ (x + box_width / 2, y + box_height / 2, 1.0)
        strength = rng.uniform(0.3, 1.5)
        own = camera_path(
            rng, self.num_frames, self.side, strength=strength, centre_xy=(float(centre[0]), float(centre[1]))
        )
        sprite, corner_xy = masked_sprite(picture, mask)
        sprite, place = shrunk(sprite, view @ translation(*corner_xy))
        layers = [Layer(sprite=sprite, matrices=(camera @ own @ place)[:, :2])]
        if self.num_frames > 2 and rng.random() < self.config.actor.occluder:
            extent = float(np.sqrt(abs(np.linalg.det(view[:2, :2])) * box_width * box_height))
            positions = (own @ centre)[:, :2]
            extent, actor = min(extent, 0.6 * self.side), self.config.actor
            layers.append(
                draw_occluder(rng, self.pool, camera, positions=positions, extent=extent, config=actor)
            )
        masks = np.zeros((self.num_frames, 0, self.side, self.side), bool)
        frames, masks = compose(frames, masks, layers)
        return self.with_sprites(rng, frames, masks, camera)

    def _background_motion(
        self, rng: np.random.Generator, crop_xyxy: Crop, picture_hw: tuple[int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """A camera path (t, 3, 3) and the first view (3, 3) of a background."""
        view = draw_view_matrix(
            rng, _inset_crop(rng, crop_xyxy), (self.side, self.side), config=self.view, is_turnable=False
        )
        strength = 0.0 if rng.random() < self.config.still_camera else rng.uniform(0.1, 1.0)
        camera = camera_path(rng, self.num_frames, self.side, strength=strength)
        return damped_path(camera, view, picture_hw, self.side), view

    def _actors(self, rng: np.random.Generator, camera: np.ndarray, *, count: int) -> list[Layer]:
        return [
            layer
            for _ in range(count)
            for layer in draw_actor(rng, self.pool, camera, side=self.side, config=self.config.actor)
        ]

    def _moved(
        self, picture: np.ndarray, camera: np.ndarray, view: np.ndarray, bends: np.ndarray | None
    ) -> np.ndarray:
        """Render a picture through a view and a camera path, perhaps bent, uint8 (t, side, side, c)."""
        picture, view = shrunk(picture, view)
        return np.stack(
            [
                _warped(picture, pose @ view, self.side, None if bends is None else bends[time])
                for time, pose in enumerate(camera)
            ]
        )

    def _moved_masks(
        self, masks: Sequence[np.ndarray], camera: np.ndarray, view: np.ndarray, bends: np.ndarray | None
    ) -> np.ndarray:
        """Render masks, uint8 0 or 1 (h, w), as ``_moved`` renders pictures, bool (t, n, side, side)."""
        groups = [np.atleast_3d(self._moved(group, camera, view, bends)) for group in mask_groups(masks)]
        shaped = [group.reshape(self.num_frames, self.side, self.side, -1) for group in groups]
        if not shaped:
            return np.zeros((self.num_frames, 0, self.side, self.side), bool)
        return np.ascontiguousarray(np.moveaxis(np.concatenate(shaped, -1) > 127, -1, 1))


def _window(rng: np.random.Generator, size_hw: tuple[int, ...]) -> Crop:
    """A random window of a picture without masks, half its size at least."""
    height, width = size_hw
    share = rng.uniform(0.5, 1.0)
    x0, y0 = rng.uniform(0, (1 - share) * width), rng.uniform(0, (1 - share) * height)
    return float(x0), float(y0), float(x0 + share * width), float(y0 + share * height)


def _inset_crop(rng: np.random.Generator, crop_xyxy: Crop) -> Crop:
    """A somewhat smaller window, which leaves room for the camera to move."""
    x0, y0, x1, y1 = crop_xyxy
    inset_x, inset_y = rng.uniform(0.02, 0.12, 2) * (x1 - x0, y1 - y0)
    return float(x0 + inset_x), float(y0 + inset_y), float(x1 - inset_x), float(y1 - inset_y)


def _warped(picture: np.ndarray, matrix: np.ndarray, side: int, bend: np.ndarray | None) -> np.ndarray:
    """Render a picture through a matrix (3, 3) and a bend of the output, in one resampling."""
    if bend is None:
        return cv2.warpAffine(
            picture, matrix[:2], (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
        )
    inverse = np.linalg.inv(matrix).astype(np.float32)
    axis = np.arange(side, dtype=np.float32)
    x, y = bend[..., 0] + axis, bend[..., 1] + axis[:, None]
    map_x = inverse[0, 0] * x + inverse[0, 1] * y + inverse[0, 2]
    map_y = inverse[1, 0] * x + inverse[1, 1] * y + inverse[1, 2]
    return cv2.remap(picture, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
