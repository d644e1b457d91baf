"""Synthetic clips in which an object leaves the frame, or hides behind something, and comes back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, TypeAlias

import numpy as np

from masklet.errors import FormatError, PromptError
from masklet.evaluation.cutouts import (
    Cutout,
    CutoutSource,
    cut_out,
    cutout_sources,
    lay_over,
    photo_window,
    seen_part,
    slab,
    twin_of,
)
from masklet.evaluation.datasets import Clip, Still
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray, FloatArray

Way: TypeAlias = Literal["exit", "occluder"]

_MIN_BACKGROUND_SIDE = 300
_COVER = 1.25  # side of the background in sides of the frame: the camera stays within it
_MIN_START = 0.01  # part of the first frame that the object fills at least
_MIN_HIDDEN = 4
_MIN_RETURNED = 4
_MAX_TRIES = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingConfig:
    """How many clips of which size.

    Args:
        num_clips: Number of clips, at least 1; the first n of a longer series are the series of n.
        num_frames: Frames of each, at least 20.
        side: Height and width in pixels, at least 96.
        seed: Another seed gives other clips.
    """

    num_clips: int = 40
    num_frames: int = 24
    side: int = 384
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse clips that are too short or small for anything to happen."""
        if self.num_clips < 1 or self.num_frames < 20 or self.side < 96:
            raise PromptError(
                "Clips in which an object leaves and returns need at least 20 frames of 96 pixels, got "
                f"{self.num_clips} clips of {self.num_frames} frames of {self.side} pixels."
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class LeavingClip:
    """A clip whose object 1 leaves and returns.

    Args:
        clip: Frames and true masks of what is visible; object 1 is seen on frame 0.
        way: Whether it leaves the frame or passes behind an occluder.
        has_twin: Whether a look-alike stays in view all the time.
    """

    clip: Clip
    way: Way
    has_twin: bool

    @property
    def kind(self) -> str:
        """What happens, in a few words."""
        return f"{self.way}, twin" if self.has_twin else self.way


def leaving_clips(stills: Sequence[Still], config: LeavingConfig) -> Iterator[LeavingClip]:
    """Clips from photos that no training has seen.

    An object of one photo moves over another photo under a camera that drifts and jitters. In turn it leaves
    the frame and comes back, or passes behind a slab with the texture of a third photo; in the second half
    of every four clips a mirrored, slightly brighter or darker twin moves beside it and stays in view.

    Args:
        stills: Photos with masks, of at least three names; objects are drawn evenly from their sources.
        config: How many clips of which size.

    Yields:
        The same clips for the same photos and configuration.

    Raises:
        FormatError: When the photos have no object or no background to make clips of.

    Source: ours.
    """
    draw = leaving_clip_maker(stills, config)
    for number in range(config.num_clips):
        yield draw(number)


def leaving_clip_maker(stills: Sequence[Still], config: LeavingConfig) -> Callable[[int], LeavingClip]:
    """A function that gives one clip of those of leaving_clips by its number, from 0.

    Raises:
        FormatError: When the photos have no object or no background to make clips of.
    """
    return partial(_drawn_clip, _Pool.of(stills), config)


def clip_number(name: str) -> int:
    """The number of a clip, with which its name begins."""
    return int(name.partition(" ")[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pool:
    """What clips are made of."""

    objects: tuple[tuple[CutoutSource, ...], ...]
    backgrounds: tuple[Still, ...]

    @staticmethod
    def of(stills: Sequence[Still]) -> _Pool:
        """Objects by source, and photos that are large enough."""
        sources: dict[str, list[CutoutSource]] = {}
        for one in cutout_sources(stills):
            sources.setdefault(one.still.source, []).append(one)
        backgrounds = tuple(still for still in stills if min(still.size.hw) >= _MIN_BACKGROUND_SIDE)
        if not sources or len(backgrounds) < 3:
            raise FormatError(
                f"Clips need photos with whole objects, and three photos of at least {_MIN_BACKGROUND_SIDE} "
                f"pixels as backgrounds; there are {len(sources)} sources of objects and {len(backgrounds)} "
                "backgrounds."
            )
        return _Pool(objects=tuple(tuple(sources[name]) for name in sorted(sources)), backgrounds=backgrounds)

    def an_object(self, rng: np.random.Generator) -> CutoutSource:
        """Every source is equally likely, and so is every object of it."""
        source = self.objects[int(rng.integers(len(self.objects)))]
        return source[int(rng.integers(len(source)))]

    def two_photos(self, rng: np.random.Generator, other_than: Still) -> tuple[Still, Still]:
        """Two photos, neither of them the given one."""
        others = [
            one for one in self.backgrounds if (one.source, one.name) != (other_than.source, other_than.name)
        ]
        first, second = rng.choice(len(others), size=2, replace=False).tolist()
        return others[first], others[second]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """When and where things are; lengths in sides of the frame, axis 0 is x."""

    way: Way
    has_twin: bool
    axis: int
    length: float
    offset: float
    hides_at: int
    returns_at: int
    start: float
    away: tuple[float, float]
    end: float


def _drawn_clip(pool: _Pool, config: LeavingConfig, number: int) -> LeavingClip:
    """A clip in which the object is well visible, gone, and visible again; poor drawings are drawn anew."""
    for attempt in range(_MAX_TRIES):
        rng = np.random.default_rng([config.seed, number, attempt])
        plan = _drawn_plan(rng, config, number)
        scene = _drawn_scene(rng, pool, plan, config)
        if scene.thing.cutout.alpha.sum() < _MIN_START * config.side**2:
            continue
        frames, masks = _rendered(scene, config)
        if _is_telling(masks):
            size = Size(config.side, config.side)
            clip = Clip(
                name=f"{number:03d} {plan.way}{' twin' if plan.has_twin else ''}",
                size=size,
                num_frames=config.num_frames,
                truth={1: tuple(rle.encode(mask) for mask in masks)},
                read_frame=frames.__getitem__,
            )
            return LeavingClip(clip=clip, way=plan.way, has_twin=plan.has_twin)
    raise FormatError(
        f"No object of the photos is large enough for a clip of {config.side} pixels; give others."
    )


def _is_telling(masks: BoolArray) -> bool:
    """Whether the object fills enough of the first frame, is gone for some frames on end, and comes back."""
    areas = masks.reshape(len(masks), -1).mean(axis=1)
    gone = np.flatnonzero(areas == 0)
    if gone.size < _MIN_HIDDEN or areas[0] < _MIN_START:
        return False
    is_one_stretch = gone[-1] - gone[0] + 1 == gone.size
    return bool(is_one_stretch and (areas[gone[-1] + 1 :] >= _MIN_START / 2).sum() >= _MIN_RETURNED)


def _drawn_plan(rng: np.random.Generator, config: LeavingConfig, number: int) -> _Plan:
    """What happens in the clip of a number."""
    way: Way = "exit" if number % 2 == 0 else "occluder"
    has_twin = number % 4 >= 2
    length = float(rng.uniform(0.2, 0.27))
    hides_at = int(rng.integers(6, 9))
    returns_at = hides_at + int(rng.integers(5, max(6, config.num_frames - hides_at - 9)))
    leaves_to, returns_from = rng.choice([-1.0, 1.0], size=2).tolist()
    outside = 0.5 + 0.75 * length + 0.1
    if way == "exit":
        away = (leaves_to * outside, returns_from * outside)
        start, end = float(rng.uniform(-0.15, 0.15)), float(rng.uniform(-0.15, 0.15))
    else:
        spot = float(rng.uniform(-0.03, 0.03))
        away, start, end = (spot, spot), 0.34 * leaves_to, 0.34 * returns_from
    offset = float(rng.choice([-1.0, 1.0])) * 0.23 if has_twin else float(rng.uniform(-0.15, 0.15))
    return _Plan(
        way=way,
        has_twin=has_twin,
        axis=int(rng.integers(2)),
        length=length,
        offset=offset,
        hides_at=hides_at,
        returns_at=returns_at,
        start=start,
        away=away,
        end=end,
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Layer:
    """A cut-out and where it lies on each frame, (t, 3, 3)."""

    cutout: Cutout
    poses: FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Scene:
    """What is drawn, from back to front: the ground under a camera, (t, 3, 3), a twin, the object, a screen."""

    ground: ByteArray
    camera: FloatArray
    twin: _Layer | None
    thing: _Layer
    screen: _Layer | None


def _drawn_scene(rng: np.random.Generator, pool: _Pool, plan: _Plan, config: LeavingConfig) -> _Scene:
    side, num_frames = config.side, config.num_frames
    source = pool.an_object(rng)
    behind, texture = pool.two_photos(rng, source.still)
    thing = cut_out(source, longest=plan.length * side)
    cover = round(_COVER * side)
    camera = _camera_path(rng, num_frames, side)
    poses = _thing_poses(rng, plan, thing, side, num_frames)
    twin: _Layer | None = None
    if plan.has_twin:
        look_alike = twin_of(thing, brightness=float(rng.uniform(0.88, 1.12)))
        twin_poses = _twin_poses(rng, plan, look_alike, side, num_frames)
        twin = _Layer(cutout=look_alike, poses=camera @ twin_poses)
    screen: _Layer | None = None
    if plan.way == "occluder":
        hiding = _screen(texture, thing, side)
        place = _centred(hiding, _point(plan.axis, plan.away[0], plan.offset, side))
        screen = _Layer(cutout=hiding, poses=camera @ place)
    y, x = rng.uniform(0, 1, 2).tolist()
    return _Scene(
        ground=photo_window(behind, (cover, cover), (y, x)),
        camera=camera,
        twin=twin,
        thing=_Layer(cutout=thing, poses=camera @ poses),
        screen=screen,
    )


def _rendered(scene: _Scene, config: LeavingConfig) -> tuple[ByteArray, BoolArray]:
    """Frames, uint8 (t, side, side, 3), and visible masks of the object, bool (t, side, side)."""
    side = config.side
    frames = np.empty((config.num_frames, side, side, 3), np.uint8)
    masks = np.empty((config.num_frames, side, side), bool)
    margin = (scene.ground.shape[0] - side) / 2
    for time, camera in enumerate(scene.camera):
        frame = seen_part(scene.ground, camera @ _shift(-margin, -margin), (side, side))
        if scene.twin is not None:
            frame, _ = lay_over(frame, scene.twin.cutout, scene.twin.poses[time])
        frame, masks[time] = lay_over(frame, scene.thing.cutout, scene.thing.poses[time])
        if scene.screen is not None:
            frame, covered = lay_over(frame, scene.screen.cutout, scene.screen.poses[time])
            masks[time] &= ~covered
        frames[time] = frame
    return frames, masks


def _screen(texture: Still, thing: Cutout, side: int) -> Cutout:
    """A slab that hides the object whole, however it turns."""
    height, width = (round(1.3 * length + 0.05 * side) for length in thing.size_hw)
    return slab(photo_window(texture, (height, width), (0.5, 0.5)))


def _camera_path(rng: np.random.Generator, num_frames: int, side: int) -> FloatArray:
    """A slow drift, a slight zoom and turn, and a jitter of about a third of a percent, (t, 3, 3)."""
    time = np.linspace(0, 1, num_frames)
    drift = [
        0.04 * side * rng.uniform(-1, 1) * np.sin(2 * np.pi * rng.uniform(0.3, 0.8) * time) for _ in range(2)
    ]
    jitter = rng.normal(0, 0.0035 * side, (2, num_frames))
    jitter[:, 0] = 0
    zoom = 1 + 0.04 * rng.uniform(-1, 1) * time
    angle = 0.04 * rng.uniform(-1, 1) * np.sin(np.pi * time)
    middle = side / 2
    return np.stack(
        [
            _shift(middle + drift[0][t] + jitter[0, t], middle + drift[1][t] + jitter[1, t])
            @ _turn(float(angle[t]), float(zoom[t]))
            @ _shift(-middle, -middle)
            for t in range(num_frames)
        ]
    )


def _thing_poses(
    rng: np.random.Generator, plan: _Plan, thing: Cutout, side: int, num_frames: int
) -> FloatArray:
    """Where the object is on each frame: it leaves, stays away, comes back and goes on a little, (t, 3, 3)."""
    time = np.arange(num_frames)
    gone = (plan.hides_at + plan.returns_at) / 2
    leaving = plan.start + (plan.away[0] - plan.start) * _eased(time / plan.hides_at)
    returning = plan.away[1] + (plan.end - plan.away[1]) * _eased((time - plan.returns_at) / 5)
    along = np.where(time < gone, leaving, returning)
    swing = rng.uniform(0.5, 1.2) * 2 * np.pi * time / num_frames
    across = plan.offset + 0.015 * np.sin(swing + rng.uniform(0, 2 * np.pi))
    angle = rng.uniform(-0.12, 0.12) * np.sin(swing)
    size = 1 + rng.uniform(-0.06, 0.06) * np.sin(0.7 * swing)
    return np.stack(
        [
            _centred(
                thing,
                _point(plan.axis, float(along[t]), float(across[t]), side),
                angle=float(angle[t]),
                size=float(size[t]),
            )
            for t in range(num_frames)
        ]
    )


def _twin_poses(
    rng: np.random.Generator, plan: _Plan, twin: Cutout, side: int, num_frames: int
) -> FloatArray:
    """A look-alike that goes to and fro on the other half of the frame, (t, 3, 3)."""
    phase, turns = rng.uniform(0, 2 * np.pi), rng.uniform(0.4, 0.9)
    size = float(rng.uniform(0.92, 1.08))
    along = 0.2 * np.sin(phase + 2 * np.pi * turns * np.arange(num_frames) / num_frames)
    return np.stack(
        [_centred(twin, _point(plan.axis, float(where), -plan.offset, side), size=size) for where in along]
    )


def _eased(share: FloatArray) -> FloatArray:
    """From 0 to 1 with a soft start and end; constant outside."""
    held = np.clip(share, 0, 1)
    return held * held * (3 - 2 * held)


def _point(axis: int, along: float, across: float, side: int) -> tuple[float, float]:
    """The (x, y) in pixels of a place given from the middle of the frame, in sides."""
    first, second = (0.5 + along) * side, (0.5 + across) * side
    return (first, second) if axis == 0 else (second, first)


def _centred(
    cutout: Cutout, centre_xy: tuple[float, float], *, angle: float = 0.0, size: float = 1.0
) -> FloatArray:
    """Maps a cut-out so that its middle lies on a point, turned by radians and scaled, (3, 3)."""
    height, width = cutout.size_hw
    return _shift(*centre_xy) @ _turn(angle, size) @ _shift(-(width - 1) / 2, -(height - 1) / 2)


def _shift(x: float, y: float) -> FloatArray:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _turn(angle: float, size: float) -> FloatArray:
    cos, sin = size * np.cos(angle), size * np.sin(angle)
    return np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
