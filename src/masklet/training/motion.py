"""Smooth random motion: affine paths of cameras and objects, and elastic bends."""

from __future__ import annotations

import cv2
import numpy as np

_MAX_OVERFLOW = 0.04  # share of the picture that may be mirrored at its border


def drawn_curve(rng: np.random.Generator, num_frames: int, reach: float) -> np.ndarray:
    """A smooth curve through time that starts at 0 and strays about ``reach``, (t,)."""
    time = np.linspace(0, 1, num_frames) if num_frames > 1 else np.zeros(1)
    wave = np.zeros(num_frames)
    for frequency in (0.6, 1.3):
        phase = rng.uniform(0, 2 * np.pi)
        wave += (np.sin(2 * np.pi * frequency * time + phase) - np.sin(phase)) / (1 + frequency)
    return reach * (rng.uniform(-1, 1) * time + rng.uniform(-0.5, 0.5) * wave)


def translation(x: float, y: float) -> np.ndarray:
    """A shift, (3, 3)."""
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def similarity(*, angle: float, scale_x: float, scale_y: float, shear: float = 0.0) -> np.ndarray:
    """A turn by ``angle`` radians after a shear and a scale, around the origin, (3, 3)."""
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])
    stretch = np.array([[scale_x, shear * scale_y, 0.0], [0.0, scale_y, 0.0], [0.0, 0.0, 1.0]])
    return turn @ stretch


def camera_path(
    rng: np.random.Generator,
    num_frames: int,
    side: int,
    *,
    strength: float,
    centre_xy: tuple[float, float] | None = None,
) -> np.ndarray:
    """Pan, zoom, turn and shake; the first frame is left as it is.

    Args:
        rng: Source of randomness.
        num_frames: Frames of the clip.
        side: Side of the frame in pixels.
        strength: 0 for a still camera; 1 pans over about a third of the frame.
        centre_xy: Point in pixels that zoom and turn are about; the middle of the frame when left out.

    Returns:
        Maps first-frame pixels to pixels of each frame, (t, 3, 3).
    """
    shift_x = drawn_curve(rng, num_frames, 0.3 * strength * side)
    shift_y = drawn_curve(rng, num_frames, 0.3 * strength * side)
    zoom = np.exp(drawn_curve(rng, num_frames, 0.25 * strength))
    angle = drawn_curve(rng, num_frames, 0.25 * strength)
    if rng.random() < 0.3:
        shake = rng.normal(0, 0.012 * strength * side, (num_frames, 2))
        shift_x[1:] += shake[1:, 0]
        shift_y[1:] += shake[1:, 1]
    centre_x, centre_y = centre_xy or (side / 2, side / 2)
    back = translation(-centre_x, -centre_y)
    return np.stack(
        [
            translation(centre_x + shift_x[time], centre_y + shift_y[time])
            @ similarity(angle=angle[time], scale_x=zoom[time], scale_y=zoom[time])
            @ back
            for time in range(num_frames)
        ]
    )


def damped_path(camera: np.ndarray, view: np.ndarray, picture_hw: tuple[int, int], side: int) -> np.ndarray:
    """Weaken a camera path until hardly anything outside the picture comes into the frame.

    Args:
        camera: Maps first-frame pixels to pixels of each frame, (t, 3, 3).
        view: Maps picture pixels to first-frame pixels, (3, 3).
        picture_hw: Size of the picture in pixels.
        side: Side of the frame in pixels.

    Returns:
        A path as ``camera``, as strong as fits.
    """
    height, width = picture_hw
    corners = np.array([[0.0, side, 0.0, side], [0.0, 0.0, side, side], [1.0, 1.0, 1.0, 1.0]])
    size = np.array([[width], [height]])
    rest = np.eye(3)
    for share in (1.0, 0.7, 0.5, 0.35, 0.2, 0.1):
        weakened = rest + share * (camera - rest)
        seen = (np.linalg.inv(weakened @ view) @ corners)[:, :2]
        overflow = np.maximum(-seen, seen - size) / size
        if overflow.max() <= _MAX_OVERFLOW:
            break
    return weakened


def drawn_bends(
    rng: np.random.Generator, num_frames: int, *, size_hw: tuple[int, int], reach: float
) -> np.ndarray:
    """Elastic bends that grow and swing smoothly from none on the first frame.

    Args:
        rng: Source of randomness.
        num_frames: Frames of the clip.
        size_hw: Size of the bent picture in pixels.
        reach: Largest displacement in pixels, about.

    Returns:
        Displacements in pixels, float32 (t, h, w, 2).
    """
    height, width = size_hw
    bends = np.zeros((num_frames, height, width, 2), np.float32)
    for _ in range(2):
        coarse = rng.uniform(-1, 1, (4, 4, 2)).astype(np.float32)
        smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
        swing = drawn_curve(rng, num_frames, reach).astype(np.float32)
        for time in range(1, num_frames):
            bends[time] += swing[time] * smooth
    return bends


def object_path(
    rng: np.random.Generator, positions_xy: np.ndarray, *, size_hw: tuple[int, int], liveliness: float
) -> np.ndarray:
    """Turn, scale, shear and lean of a sprite whose centre follows the given positions.

    Args:
        rng: Source of randomness.
        positions_xy: Centre of the sprite on each frame in pixels, (t, 2).
        size_hw: Size of the sprite in pixels.
        liveliness: 0 for a shift only; 1 turns about 40 degrees and halves or doubles.

    Returns:
        Maps sprite pixels to frame pixels, (t, 3, 3).
    """
    num_frames = len(positions_xy)
    start = rng.normal(0, 0.25 * min(liveliness * 2, 1))
    angle = start + drawn_curve(rng, num_frames, 0.8 * liveliness)
    scale = np.exp(drawn_curve(rng, num_frames, 0.6 * liveliness))
    lean = np.cos(drawn_curve(rng, num_frames, 1.2 * liveliness))  # a flat picture that turns away and back
    shear = drawn_curve(rng, num_frames, 0.35 * liveliness)
    flip = rng.choice([-1.0, 1.0])
    height, width = size_hw
    back = translation(-(width - 1) / 2, -(height - 1) / 2)
    return np.stack(
        [
            translation(*positions_xy[time])
            @ similarity(
                angle=angle[time],
                scale_x=flip * scale[time] * max(float(lean[time]), 0.25),
                scale_y=scale[time],
                shear=shear[time],
            )
            @ back
            for time in range(num_frames)
        ]
    )
