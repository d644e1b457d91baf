"""Stills as training samples: views, mosaics, pasted objects and colour changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from masklet.training.actors import ActorConfig, draw_held
from masklet.training.colour import ColourConfig, change_colours, draw_colour_change
from masklet.training.data import StillRecord, TrainClip
from masklet.training.layers import Layer, compose
from masklet.training.motion import object_path
from masklet.training.sprites import SpritePool
from masklet.training.views import ViewConfig, choose_objects, render_view


@dataclass(frozen=True, slots=True, kw_only=True)
class AugmentConfig:
    """How stills are changed.

    Attributes:
        view: Which window of a still is seen.
        mosaic: Probability of four images in one, in [0, 1].
        small_mosaic: The same for images much smaller than the square, in [0, 1].
        paste: Probability of pasted objects, in [0, 1].
        held: Probability that a pasted object lies on another one, in [0, 1].
        colour: Changes of colour.
    """

    view: ViewConfig = field(default_factory=ViewConfig)
    mosaic: float = 0.06
    small_mosaic: float = 0.3
    paste: float = 0.2
    held: float = 0.0
    colour: ColourConfig = field(default_factory=ColourConfig)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StillSampler:
    """Turns still records into samples of one frame.

    Attributes:
        config: Probabilities.
        side: Side of the square output in pixels.
        max_objects: Most objects per sample, at least 1.
        pool: Gives objects to paste.
        neighbour: Draws another still for mosaics.
    """

    config: AugmentConfig
    side: int
    max_objects: int
    pool: SpritePool
    neighbour: Callable[[np.random.Generator], StillRecord]

    def sample(self, rng: np.random.Generator, record: StillRecord) -> TrainClip | None:
        """A sample of one frame, or None when no object is left large enough."""
        config = self.config
        is_small = max(record.size_hw) < 0.75 * self.side
        if rng.random() < (config.small_mosaic if is_small else config.mosaic):
            image, masks = self._mosaic(rng, record)
        else:
            image, masks = render_view(
                rng, record, (self.side, self.side), config=config.view, limit=2 * self.max_objects
            )
        frames, visible = image[None], masks[None]
        if rng.random() < config.paste:
            frames, visible = compose(frames, visible, self._pasted_layers(rng, visible))
        chosen = choose_objects(rng, visible[0], self.max_objects, exponent=config.view.area_exponent)
        if len(chosen) == 0:
            return None
        change = draw_colour_change(rng, config.colour, num_frames=1)
        return TrainClip(
            frames=change_colours(frames, change), masks=visible[:, chosen], source=record.source
        )

    def _mosaic(self, rng: np.random.Generator, record: StillRecord) -> tuple[np.ndarray, np.ndarray]:
        """Four stills around a random point, the given one in a random corner."""
        side = self.side
        split_x, split_y = (int(value) for value in rng.integers(int(0.35 * side), int(0.65 * side), 2))
        records = [record, *(self.neighbour(rng) for _ in range(3))]
        image, masks = np.zeros((side, side, 3), np.uint8), []
        for corner, place in zip(records, rng.permutation(4), strict=True):
            columns = slice(0, split_x) if place % 2 == 0 else slice(split_x, side)
            rows = slice(0, split_y) if place < 2 else slice(split_y, side)
            size_wh = columns.stop - columns.start, rows.stop - rows.start
            part, part_masks = render_view(
                rng, corner, size_wh, config=self.config.view, limit=self.max_objects
            )
            image[rows, columns] = part
            spread = np.zeros((len(part_masks), side, side), bool)
            spread[:, rows, columns] = part_masks
            masks.append(spread)
        return image, np.concatenate(masks)

    def _pasted_layers(self, rng: np.random.Generator, masks: np.ndarray) -> list[Layer]:
        """One to three objects at random sizes and angles, at random places or on objects (1, n, side, side)."""
        layers = []
        for _ in range(rng.integers(1, 4)):
            if masks.shape[1] and self.config.held and rng.random() < self.config.held:
                layers += draw_held(rng, self.pool, masks, config=ActorConfig())
                continue
            target_side = self.side * np.exp(rng.uniform(np.log(0.06), np.log(0.45)))
            sprite = self.pool.sprite(rng, target_side=target_side)
            positions = rng.uniform(0.05, 0.95, (1, 2)) * self.side
            path = object_path(rng, positions, size_hw=sprite.shape[:2], liveliness=0.5)
            layers.append(Layer(sprite=sprite, matrices=path[:, :2]))
        return layers
