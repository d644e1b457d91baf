"""Changes of light, colour and sharpness, drawn once per sample so that they agree through time."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True, slots=True, kw_only=True)
class ColourConfig:
    """How often and how strongly colours are changed.

    Attributes:
        jitter: Probability of a change of brightness, contrast, saturation, hue and gamma, in [0, 1].
        gray: Probability of a gray image, in [0, 1].
        blur: Probability of a Gaussian blur, in [0, 1].
        noise: Probability of sensor noise, in [0, 1].
        jpeg: Probability of JPEG artefacts, in [0, 1].
        drift: Probability that the light changes through a clip, in [0, 1].
    """

    jitter: float = 0.7
    gray: float = 0.05
    blur: float = 0.08
    noise: float = 0.1
    jpeg: float = 0.12
    drift: float = 0.3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ColourChange:
    """One drawn change.

    Attributes:
        matrix: Maps RGB to RGB, (3, 3).
        gamma: Exponent of the tone curve.
        gains: Brightness factor per frame, (t,).
        contrast: Factor around middle gray.
        blur_sigma: Gaussian blur in pixels; 0 for none.
        noise_sigma: Noise in gray levels; 0 for none.
        jpeg_quality: 1 to 100; 0 for none.
        noise_seed: Seed of the noise.
    """

    matrix: np.ndarray
    gamma: float
    gains: np.ndarray
    contrast: float
    blur_sigma: float
    noise_sigma: float
    jpeg_quality: int
    noise_seed: int


def draw_colour_change(rng: np.random.Generator, config: ColourConfig, *, num_frames: int) -> ColourChange:
    """Draw one change for a sample of so many frames."""
    strength = 1.0 if rng.random() < config.jitter else 0.0
    saturation = 0.0 if rng.random() < config.gray else 1.0 + strength * rng.uniform(-0.4, 0.4)
    tint = 1.0 + strength * rng.uniform(-0.08, 0.08, 3)
    gains = np.full(num_frames, 1.0 + strength * rng.uniform(-0.2, 0.12))
    if rng.random() < config.drift:
        gains = gains * np.linspace(1.0, rng.uniform(0.65, 1.25), num_frames)
    return ColourChange(
        matrix=_colour_matrix(saturation, strength * rng.uniform(-0.25, 0.25)) * tint[:, None],
        gamma=float(np.exp(strength * rng.uniform(-0.25, 0.25))),
        gains=gains,
        contrast=1.0 + strength * rng.uniform(-0.2, 0.2),
        blur_sigma=rng.uniform(0.4, 1.6) if rng.random() < config.blur else 0.0,
        noise_sigma=rng.uniform(2, 12) if rng.random() < config.noise else 0.0,
        jpeg_quality=int(rng.integers(25, 85)) if rng.random() < config.jpeg else 0,
        noise_seed=int(rng.integers(2**31)),
    )


def _colour_matrix(saturation: float, hue: float) -> np.ndarray:
    """Saturation and a turn of ``hue`` radians around the gray axis, (3, 3)."""
    axis = np.full(3, 1 / np.sqrt(3))
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    turn = np.cos(hue) * np.eye(3) + np.sin(hue) * cross + (1 - np.cos(hue)) * np.outer(axis, axis)
    gray = np.tile(_LUMA, (3, 1))
    return (saturation * np.eye(3) + (1 - saturation) * gray) @ turn


def change_colours(frames: np.ndarray, change: ColourChange) -> np.ndarray:
    """Apply one drawn change to all frames, uint8 (t, h, w, 3)."""
    rng = np.random.default_rng(change.noise_seed)
    pairs = zip(frames, change.gains, strict=True)
    return np.stack([_change_frame(frame, change, float(gain), rng) for frame, gain in pairs])


def _change_frame(
    frame: np.ndarray, change: ColourChange, gain: float, rng: np.random.Generator
) -> np.ndarray:
    mixed = cv2.transform(frame, change.matrix.astype(np.float32))
    levels = np.linspace(0, 1, 256)
    curve = (np.clip(levels * gain, 0, 1) ** change.gamma - 0.5) * change.contrast + 0.5
    mixed = cv2.LUT(mixed, np.clip(curve * 255 + 0.5, 0, 255).astype(np.uint8))
    if change.blur_sigma > 0:
        mixed = cv2.GaussianBlur(mixed, (0, 0), change.blur_sigma)
    if change.noise_sigma > 0:
        noise = rng.standard_normal(mixed.shape, dtype=np.float32) * np.float32(change.noise_sigma)
        mixed = np.clip(mixed + noise, 0, 255).astype(np.uint8)
    if change.jpeg_quality > 0:
        _, encoded = cv2.imencode(".jpg", mixed, [cv2.IMWRITE_JPEG_QUALITY, change.jpeg_quality])
        mixed = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR))
    return mixed
