"""Who stands where on which frame: the shuffle as plain numbers, without a renderer.

Lengths are in decimetres: a cup is about one unit high. The table is the plane z = 0, the camera looks along +y,
x grows to the right. Cups are numbered 1, 2, 3 from left to right as first seen; the ball is object 4.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FPS = 24
BALL = 4
CUPS = (1, 2, 3)
HIDING_CUP = 2
NUM_STORY_FRAMES = 144
SLOT_X = (-1.42, 0.0, 1.42)
BALL_RADIUS = 0.21
RIM_RADIUS = 0.493
LENS_MM, SENSOR_MM = 42.0, 36.0
LIFT_HEIGHT = 0.92
LIFT_TILT = math.radians(24.0)
BALL_START_XY = (0.66, -1.15)

# Outer and inner wall of an upside-down cup as (radius, height), from the rim up to the axis.
OUTER_PROFILE = (
    (0.437, 0.028), (0.445, 0.009), (0.463, 0.0), (0.482, 0.008), (0.493, 0.028), (0.484, 0.048), (0.458, 0.060),
    (0.452, 0.075), (0.436, 0.200), (0.4325, 0.215), (0.4355, 0.232), (0.4305, 0.249), (0.4240, 0.262),
    (0.390, 0.560), (0.358, 0.840), (0.352, 0.905), (0.344, 0.948), (0.328, 0.982), (0.304, 1.004), (0.286, 1.012),
    (0.270, 1.014), (0.256, 1.008), (0.246, 0.994), (0.228, 0.988), (0.120, 0.986), (0.0, 0.986),
)  # fmt: skip
INNER_PROFILE = (
    (0.437, 0.028), (0.432, 0.060), (0.410, 0.250), (0.368, 0.560), (0.334, 0.840), (0.322, 0.920), (0.290, 0.958),
    (0.200, 0.964), (0.0, 0.964),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Place of one object.

    Attributes:
        position: Centre of a cup's rim circle, or centre of the ball, (x, y, z).
        tilt: Rotation of a cup about the x axis, radians; positive turns its mouth towards the camera.
        spin: Rotation of a cup about its own axis, radians.
        roll_xy: Way the ball has rolled along x and y, which gives its rotation.
    """

    position: tuple[float, float, float]
    tilt: float = 0.0
    spin: float = 0.0
    roll_xy: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Two slots exchange their cups along half ellipses.

    Attributes:
        start: Story frame on which the cups begin to move.
        stop: Story frame on which they stand again.
        front_slot: Slot (0, 1, 2) whose cup passes in front, nearer to the camera.
        back_slot: Slot whose cup passes behind.
        depth: Half the distance between the two cups when they pass each other.
    """

    start: float
    stop: float
    front_slot: int
    back_slot: int
    depth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A named part of the story, in story frames (both ends included)."""

    name: str
    start: int
    stop: int


SWAPS = (
    Swap(start=36, stop=51, front_slot=1, back_slot=0, depth=0.60),
    Swap(start=52, stop=67, front_slot=2, back_slot=1, depth=0.60),
    Swap(start=68, stop=88, front_slot=0, back_slot=2, depth=1.16),
    Swap(start=89, stop=102, front_slot=0, back_slot=1, depth=0.60),
    Swap(start=103, stop=120, front_slot=0, back_slot=2, depth=1.16),
)
RAISE = Event(name="the cup in the middle goes up", start=3, stop=14)
ROLL = Event(name="the ball rolls under it", start=5, stop=22)
LOWER = Event(name="the cup is lowered over the ball", start=22, stop=33)
REVEAL = Event(name="the cup with the ball is lifted", start=122, stop=135)


def ease(value: float, start: float, stop: float) -> float:
    """Smooth way from 0 at ``start`` to 1 at ``stop``, with no jerk at either end."""
    t = min(max((value - start) / (stop - start), 0.0), 1.0)
    return t * t * t * (10.0 + t * (6.0 * t - 15.0))


def slots_after(num_swaps: int) -> tuple[int, int, int]:
    """The cup ids standing in the left, middle and right slot after the first swaps.

    Args:
        num_swaps: How many swaps are over, 0 to ``len(SWAPS)``.
    """
    order = list(CUPS)
    for swap in SWAPS[:num_swaps]:
        order[swap.front_slot], order[swap.back_slot] = order[swap.back_slot], order[swap.front_slot]
    return order[0], order[1], order[2]


def final_slot(cup: int) -> int:
    """Slot (0 left, 1 middle, 2 right) where a cup ends."""
    return slots_after(len(SWAPS)).index(cup)


def _cup_xy_spin(cup: int, frame: float) -> tuple[float, float, float]:
    """Where a cup stands on the table and how far it has turned."""
    slot, y, spin = cup - 1, 0.0, 0.9 * cup
    x = SLOT_X[slot]
    for number, swap in enumerate(SWAPS):
        slot = slots_after(number).index(cup)
        if frame < swap.start:
            break
        x = SLOT_X[slot]
        if slot not in (swap.front_slot, swap.back_slot):
            continue
        in_front = slot == swap.front_slot
        other = SLOT_X[swap.back_slot if in_front else swap.front_slot]
        angle = math.pi * ease(frame, swap.start, swap.stop)
        x = (x + other) / 2 + (x - other) / 2 * math.cos(angle)
        y = swap.depth * math.sin(angle) * (-1.0 if in_front else 1.0)
        spin += 0.35 * angle * (1.0 if in_front else -1.0)
    return x, y, spin


def cup_pose(cup: int, frame: float) -> Pose:
    """Pose of a cup.

    Args:
        cup: 1, 2 or 3.
        frame: Story frame, 0 to ``NUM_STORY_FRAMES - 1``, fractions allowed.
    """
    x, y, spin = _cup_xy_spin(cup, frame)
    lift = 0.0
    if cup == HIDING_CUP:
        lift = ease(frame, RAISE.start, RAISE.stop) - ease(frame, LOWER.start, LOWER.stop)
        lift += ease(frame, REVEAL.start, REVEAL.stop)
    tilt = LIFT_TILT * ease(lift, 0.45, 1.0)
    back = 0.34 * ease(lift, 0.45, 1.0)
    return Pose(position=(x, y + back, LIFT_HEIGHT * lift), tilt=tilt, spin=spin)


def ball_pose(frame: float) -> Pose:
    """Pose of the ball: it rolls under its cup and then goes where the cup goes.

    Args:
        frame: Story frame, 0 to ``NUM_STORY_FRAMES - 1``, fractions allowed.
    """
    if frame >= LOWER.start:
        x, y, _ = _cup_xy_spin(HIDING_CUP, frame)
        return Pose(position=(x, y, BALL_RADIUS), roll_xy=(x - BALL_START_XY[0], y - BALL_START_XY[1]))
    way = ease(frame, ROLL.start, ROLL.stop)
    roll_xy = (-BALL_START_XY[0] * way, -BALL_START_XY[1] * way)
    return Pose(
        position=(BALL_START_XY[0] + roll_xy[0], BALL_START_XY[1] + roll_xy[1], BALL_RADIUS), roll_xy=roll_xy
    )


def camera_pose(frame: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place of the camera and the point it looks at: a slow drift with a breath of a hand in it.

    Args:
        frame: Story frame.
    """
    time_s = frame / FPS
    drift = ease(frame, -40, NUM_STORY_FRAMES + 40) - 0.5
    place = np.array([0.55 * drift + 0.12, -6.7 + 0.30 * drift, 1.26 - 0.06 * drift])
    place += [0.012 * math.sin(2.3 * time_s + 0.4), 0.0, 0.010 * math.sin(3.1 * time_s)]
    target = np.array([0.02 + 0.10 * drift, 0.0, 0.66 + 0.006 * math.sin(2.7 * time_s + 1.0)])
    return place, target


def story_frame(index: int, num_frames: int) -> float:
    """Story frame shown by picture ``index`` of a clip of ``num_frames`` pictures."""
    return index * (NUM_STORY_FRAMES - 1) / max(num_frames - 1, 1)


def _ball_wall_gap(frame: float) -> float:
    """Smallest distance between the ball's surface and the walls of the cup that hides it."""
    cup, ball = cup_pose(HIDING_CUP, frame), ball_pose(frame)
    offset = np.subtract(ball.position, cup.position)
    cos, sin = math.cos(cup.tilt), math.sin(cup.tilt)
    # The cup turns its mouth to -y, that is by -tilt about x; the inverse turn brings the ball into its frame.
    local_y = cos * offset[1] - sin * offset[2]
    local_z = sin * offset[1] + cos * offset[2]
    centre = np.array([math.hypot(offset[0], local_y), local_z])
    gaps: list[float] = []
    for profile in (np.array(OUTER_PROFILE), np.array(INNER_PROFILE)):
        start, step = profile[:-1], np.diff(profile, axis=0)
        along = np.clip(((centre - start) * step).sum(1) / (step * step).sum(1), 0.0, 1.0)
        gaps.append(float(np.linalg.norm(start + along[:, None] * step - centre, axis=1).min()))
    return min(gaps) - BALL_RADIUS


def smallest_gap(frame: float) -> float:
    """Smallest free distance between any two moving things; negative where they would pass into each other.

    Cups on the table are compared as their rim circles, the ball with the true walls of its own cup and with the
    rim circles of the others.

    Args:
        frame: Story frame.
    """
    places = {cup: cup_pose(cup, frame).position for cup in CUPS}
    ball = ball_pose(frame).position
    gaps = [
        math.dist(places[a][:2], places[b][:2]) - 2 * RIM_RADIUS
        for a in CUPS
        for b in CUPS
        if a < b and abs(places[a][2] - places[b][2]) < 1.0
    ]
    gaps += [math.dist(places[c][:2], ball[:2]) - RIM_RADIUS - BALL_RADIUS for c in CUPS if c != HIDING_CUP]
    return min([*gaps, _ball_wall_gap(frame)])
