"""Takes the grain of few light samples out of a picture, guided by what is known without noise.

Light is divided by surface colour, so that texture stays sharp, and then smoothed by an edge-stopping wavelet
filter: neighbours count as long as colour, normal, depth and brightness say that they belong together.
Source: Dammertz et al., "Edge-avoiding À-Trous wavelet transform", HPG 2010; the variance-scaled brightness term
follows Schied et al., "Spatiotemporal variance-guided filtering", HPG 2017, section 4.3.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
KERNEL = (0.25, 0.5, 0.25)
ALBEDO_FLOOR = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Guides:
    """What the renderer knows exactly about each pixel.

    Attributes:
        albedo: Surface colour, (h, w, 3), 0 to 1.
        normal: Unit normal in the world, (h, w, 3).
        depth: Distance along the view axis, (h, w).
    """

    albedo: Array
    normal: Array
    depth: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """How much may differ between two pixels that are averaged.

    Attributes:
        levels: Passes; pass ``n`` looks ``2 ** n`` pixels away.
        albedo: Difference of colour.
        normal: Difference of normals (length of the difference vector).
        depth: Difference of distance per pixel of way, in scene units.
        brightness: Difference of light, in standard deviations of its noise.
    """

    levels: int = 5
    albedo: float = 0.25
    normal: float = 0.28
    depth: float = 0.09
    brightness: float = 2.5


def _shifted(array: Array, down: int, right: int) -> Array:
    """The array moved by whole pixels, edges repeated."""
    height, width = array.shape[:2]
    margin = max(abs(down), abs(right))
    bordered = cv2.copyMakeBorder(array, margin, margin, margin, margin, cv2.BORDER_REPLICATE)
    padded = np.asarray(bordered, np.float32)
    return padded[margin + down : margin + down + height, margin + right : margin + right + width]


def _taps(step: int) -> list[tuple[float, int, int]]:
    """Weight and offset of the nine neighbours of a pass."""
    offsets = (-step, 0, step)
    return [(KERNEL[i] * KERNEL[j], offsets[i], offsets[j]) for i in range(3) for j in range(3)]


def _brightness(light: Array) -> Array:
    """Luma of linear light, (h, w)."""
    return light @ np.array([0.2126, 0.7152, 0.0722], np.float32)


def _length2(vectors: Array) -> Array:
    """Squared length of each pixel's vector, (h, w)."""
    return np.einsum("hwc,hwc->hw", vectors, vectors)


def _guide_distance(guides: Guides, settings: Filter, offset: tuple[int, int]) -> Array:
    """How little a neighbour belongs to the pixel, judged by the guides; 0 for the same surface."""
    way = max(abs(offset[0]), abs(offset[1]), 1)
    colour = guides.albedo - _shifted(guides.albedo, *offset)
    normal = guides.normal - _shifted(guides.normal, *offset)
    depth = np.abs(guides.depth - _shifted(guides.depth, *offset)) / (settings.depth * way)
    far = _length2(colour) / settings.albedo**2 + _length2(normal) / settings.normal**2 + depth**2
    return far.astype(np.float32, copy=False)


def _noise_level(light: Array, guides: Guides, settings: Filter) -> Array:
    """Variance of the brightness among neighbours of the same surface, (h, w)."""
    total = np.zeros(light.shape[:2], np.float32)
    first, second = total.copy(), total.copy()
    bright = _brightness(light)
    for down in range(-2, 3):
        for right in range(-2, 3):
            weight = np.exp(-_guide_distance(guides, settings, (down, right)))
            there = _shifted(bright, down, right)
            total += weight
            first += weight * there
            second += weight * there**2
    return np.maximum(second / total - (first / total) ** 2, 1e-8)


def denoise(light: Array, guides: Guides, settings: Filter | None = None) -> Array:
    """Smooth a picture's light and take the surface colour out of it; ``colour_in`` puts it back.

    Args:
        light: Linear light, (h, w, 3).
        guides: Noise-free knowledge of the same picture.
        settings: How far to go.

    Returns:
        Linear light on a white surface, (h, w, 3).
    """
    settings = settings or Filter()
    current = (light / (guides.albedo + ALBEDO_FLOOR)).astype(np.float32)
    variance = _noise_level(current, guides, settings)
    for level in range(settings.levels):
        bright, tolerance = _brightness(current), settings.brightness * np.sqrt(variance) + 1e-4
        total = np.zeros(light.shape[:2], np.float32)
        summed, summed_variance = np.zeros_like(current), total.copy()
        for kernel, down, right in _taps(2**level):
            distance = _guide_distance(guides, settings, (down, right))
            distance += np.abs(bright - _shifted(bright, down, right)) / tolerance
            weight = (kernel * np.exp(-distance)).astype(np.float32)
            total += weight
            summed += weight[..., None] * _shifted(current, down, right)
            summed_variance += weight**2 * _shifted(variance, down, right)
        current, variance = summed / total[..., None], summed_variance / total**2
    return current.astype(np.float32, copy=False)


def colour_in(light: Array, guides: Guides) -> Array:
    """Give light on a white surface the surface's colour."""
    return (light * (guides.albedo + ALBEDO_FLOOR)).astype(np.float32, copy=False)
