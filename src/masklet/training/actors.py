"""Sprites with a part to play in a clip: they wander, leave, come back, have look-alikes and hide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from masklet.training.layers import Layer
from masklet.training.motion import drawn_bends, drawn_curve, object_path
from masklet.training.sprites import SpritePool, recoloured, shape_sprite


@dataclass(frozen=True, slots=True, kw_only=True)
class ActorConfig:
    """What sprites do in clips.

    Attributes:
        leave: Probability that a sprite leaves the frame, for a while or for good, in [0, 1].
        occluder: Probability that something passes in front of a sprite, in [0, 1].
        occluder_extent: Least and largest side of what passes, in sides of the sprite.
        occluder_speed: Least and largest speed of what passes, in sides of the sprite per frame.
        lookalike: Probability that a sprite has a look-alike, in [0, 1].
        crossing: Probability that the paths of a sprite and its look-alike cross, in [0, 1].
        same: Probability that a look-alike has the very colours of its sprite, in [0, 1].
        held: Probability that a sprite laid over objects with masks lies on one of them and moves with it, as a ball in
            a hand does, in [0, 1].
        bend: Probability of elastic bends, in [0, 1].
        motion_blur: Probability of motion blur, in [0, 1].
    """

    leave: float = 0.2
    occluder: float = 0.35
    occluder_extent: tuple[float, float] = (1.0, 2.0)
    occluder_speed: tuple[float, float] = (0.5, 1.6)
    lookalike: float = 0.3
    crossing: float = 0.0
    same: float = 0.0
    held: float = 0.0
    bend: float = 0.3
    motion_blur: float = 0.2


def draw_actor(
    rng: np.random.Generator, pool: SpritePool, camera: np.ndarray, *, side: int, config: ActorConfig
) -> list[Layer]:
    """A moving sprite with its look-alike and what passes in front of it, from back to front.

    Args:
        rng: Source of randomness.
        pool: Gives sprites.
        camera: Maps first-frame pixels to pixels of each frame, (t, 3, 3).
        side: Side of the frame in pixels.
        config: Probabilities.
    """
    num_frames = len(camera)
    extent = side * float(np.exp(rng.uniform(np.log(0.08), np.log(0.5))))
    sprite = pool.sprite(rng, target_side=extent)
    positions = draw_positions(rng, num_frames, side=side, config=config)
    layers = [_layer(rng, sprite, positions, camera, config=config)]
    if rng.random() < config.lookalike:
        if num_frames > 2 and rng.random() < config.crossing:
            elsewhere = crossing_positions(rng, positions, extent=extent)
        else:
            elsewhere = draw_positions(rng, num_frames, side=side, config=config)
        likeness = sprite if rng.random() < config.same else recoloured(rng, sprite)
        twin = _layer(rng, likeness, elsewhere, camera, config=config)
        layers.insert(int(rng.integers(2)), twin)
    if num_frames > 2 and rng.random() < config.occluder:
        layers.append(draw_occluder(rng, pool, camera, positions=positions, extent=extent, config=config))
    return layers


def draw_held(
    rng: np.random.Generator, pool: SpritePool, masks: np.ndarray, *, config: ActorConfig
) -> list[Layer]:
    """A sprite that lies on an object, or over its edge, and moves with it; none where no object is seen.

    What is held and what holds it touch on every frame, so that only looks tell them apart: a click on one of them means
    that one.

    Args:
        rng: Source of randomness.
        pool: Gives sprites.
        masks: Visible masks of the objects on each frame, bool (t, n, side, side).
        config: Probabilities.
    """
    seen = np.flatnonzero(masks[0].any(axis=(1, 2)))
    if len(seen) == 0:
        return []
    holder = masks[:, rng.choice(seen)]
    rows, columns = np.nonzero(holder[0])
    at = int(rng.integers(len(rows)))
    extent = float(np.sqrt(len(rows))) * float(np.exp(rng.uniform(np.log(0.2), np.log(0.9))))
    side = masks.shape[-1]
    sprite = pool.sprite(rng, target_side=float(np.clip(extent, 0.04 * side, 0.4 * side)))
    centres = _centres(holder)
    positions = np.array([columns[at], rows[at]], float) + (centres - centres[0])
    return [_layer(rng, sprite, positions, np.repeat(np.eye(3)[None], len(masks), 0), config=config)]


def _centres(masks: np.ndarray) -> np.ndarray:
    """Centres of a mask (t, side, side) on each frame, (x, y); where it is hidden, the one before."""
    centres = np.zeros((len(masks), 2))
    for time, mask in enumerate(masks):
        rows, columns = np.nonzero(mask)
        if len(rows):
            centres[time] = columns.mean(), rows.mean()
        elif time:
            centres[time] = centres[time - 1]
    return centres


def draw_positions(
    rng: np.random.Generator, num_frames: int, *, side: int, config: ActorConfig
) -> np.ndarray:
    """Centres of a sprite in first-frame pixels, (t, 2); it may leave the frame for a while or for good."""
    reach = side * float(np.exp(rng.uniform(np.log(0.03), np.log(0.8))))
    start = rng.uniform(0.15, 0.85, 2) * side
    positions = start + np.stack([drawn_curve(rng, num_frames, reach) for _ in range(2)], 1)
    if num_frames > 2 and rng.random() < config.leave:
        first = int(rng.integers(1, num_frames - 1))
        last = int(rng.integers(first, num_frames))
        outside = rng.choice([[1, 0], [-1, 0], [0, 1], [0, -1]]) * 1.6 * side
        positions[first : last + 1] += outside
    return positions


def crossing_positions(rng: np.random.Generator, positions: np.ndarray, *, extent: float) -> np.ndarray:
    """Centres of a look-alike that passes a sprite closely, (t, 2): apart before, on top of each other, apart after.

    Args:
        rng: Source of randomness.
        positions: Centres of the sprite in first-frame pixels, (t, 2).
        extent: Root of the area of the sprite in pixels.
    """
    num_frames = len(positions)
    meeting = rng.uniform(1.5, num_frames - 1)
    direction = rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(direction), np.sin(direction)])
    speed = extent * rng.uniform(0.35, 0.9)
    aside = extent * rng.normal(0, 0.2) * np.array([-along[1], along[0]])
    return positions + aside + (np.arange(num_frames)[:, None] - meeting) * speed * along


def draw_occluder(
    rng: np.random.Generator,
    pool: SpritePool,
    camera: np.ndarray,
    *,
    positions: np.ndarray,
    extent: float,
    config: ActorConfig,
) -> Layer:
    """Something that passes in front of a sprite and lies over its centre on one frame after the first.

    Args:
        rng: Source of randomness.
        pool: Gives sprites and textures.
        camera: Maps first-frame pixels to pixels of each frame, (t, 3, 3).
        positions: Centres of the hidden sprite in first-frame pixels, (t, 2).
        extent: Root of the area of the hidden sprite in pixels.
        config: How large and fast it is.
    """
    num_frames = len(positions)
    target = extent * rng.uniform(*config.occluder_extent)
    if rng.random() < 0.5:
        sprite = shape_sprite(rng, pool.background(rng), side=int(max(target, 8)))
    else:
        sprite = pool.sprite(rng, target_side=target)
    hidden = int(rng.integers(1, num_frames))
    direction = rng.uniform(0, 2 * np.pi)
    speed = extent * rng.uniform(*config.occluder_speed) * np.array([np.cos(direction), np.sin(direction)])
    path = positions[hidden] + (np.arange(num_frames)[:, None] - hidden) * speed
    return _layer(rng, sprite, path, camera, config=ActorConfig(bend=0.0))


def _layer(
    rng: np.random.Generator,
    sprite: np.ndarray,
    positions: np.ndarray,
    camera: np.ndarray,
    *,
    config: ActorConfig,
) -> Layer:
    """A layer whose sprite follows positions under a camera, perhaps blurred and bent."""
    size_hw, num_frames = (sprite.shape[0], sprite.shape[1]), len(positions)
    path = camera @ object_path(rng, positions, size_hw=size_hw, liveliness=rng.uniform(0, 1))
    blur, bends = None, None
    if num_frames > 1 and rng.random() < config.motion_blur:
        limit = 0.3 * min(size_hw)  # a longer blur would wash a small sprite out
        blur = np.clip(np.gradient(positions, axis=0) * 0.4, -limit, limit)
    if num_frames > 1 and rng.random() < config.bend:
        bends = drawn_bends(rng, num_frames, size_hw=size_hw, reach=0.15 * min(size_hw))
    return Layer(sprite=sprite, matrices=path[:, :2], blur_xy=blur, bends=bends)
