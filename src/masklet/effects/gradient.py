"""Gradient: one colour running into another, over the light and shade of the picture."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import dimmed, luma, mix, percent, tinted
from masklet.effects.base import (
    BackgroundEffect,
    Color,
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Scene,
    Values,
    Variant,
    color_of,
    option_of,
    whole_of,
)
from masklet.effects.edges import region_of, soft_alpha

_NUM_STEPS = 1024
_DIRECTIONS = ("down", "right", "diagonal", "radial")


def _parameters(strength: int, depth: int) -> tuple[Parameter, ...]:
    return (
        Parameter(id="from", label="From", kind="color", default="#ff7a18"),
        Parameter(id="to", label="To", kind="color", default="#6a1b9a"),
        Parameter(id="direction", label="Direction", kind="option", default="down", options=_DIRECTIONS),
        Parameter(id="strength", label="Strength", kind="whole", default=strength, least=0, most=100),
        Parameter(id="depth", label="Light and shade kept", kind="whole", default=depth, least=0, most=100),
    )


def _background(ground: Image, scene: Scene, values: Values) -> Image:  # noqa: ARG001 - every effect is called alike
    return mix(ground, _painted(ground, values), percent(whole_of(values, "strength")))


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    region = region_of(layer.mask, 2)
    if region is None:
        return canvas
    drawn = canvas.copy()
    alpha = dimmed(soft_alpha(layer.mask)[region], percent(whole_of(values, "strength")))
    drawn[region] = mix(canvas[region], _painted(canvas[region], values), alpha)
    return drawn


def _painted(image: Image, values: Values) -> Image:
    """The gradient over a whole image, darker where the image is dark."""
    colors = _ramp(color_of(values, "from"), color_of(values, "to"))
    steps = _steps(image.shape, option_of(values, "direction"))
    depth = percent(whole_of(values, "depth"))
    levels = (255 - depth + (depth * luma(image).astype(np.int32) + 127) // 255).astype(np.uint8)
    return tinted(levels, colors[steps])


def _ramp(start: Color, stop: Color) -> Image:
    """The gradient's colours, uint8 (n, 3)."""
    places = np.arange(_NUM_STEPS + 1, dtype=np.int32)[:, None]
    first, last = np.array(start, dtype=np.int32), np.array(stop, dtype=np.int32)
    half = _NUM_STEPS // 2
    return ((first * (_NUM_STEPS - places) + last * places + half) // _NUM_STEPS).astype(np.uint8)


def _steps(shape: tuple[int, ...], direction: str) -> npt.NDArray[np.int32]:
    """Where each pixel is along the gradient, 0 to ``_NUM_STEPS``."""
    height, width = shape[:2]
    down = (np.arange(height, dtype=np.int32) * _NUM_STEPS // max(1, height - 1))[:, None]
    right = (np.arange(width, dtype=np.int32) * _NUM_STEPS // max(1, width - 1))[None, :]
    if direction == "down":
        return np.broadcast_to(down, (height, width))
    if direction == "right":
        return np.broadcast_to(right, (height, width))
    if direction == "diagonal":
        return (down + right) >> 1
    ys = (2 * np.arange(height, dtype=np.float64) - (height - 1))[:, None]
    xs = (2 * np.arange(width, dtype=np.float64) - (width - 1))[None, :]
    reach = np.sqrt(float(height * height + width * width))
    away = np.floor(np.sqrt(xs * xs + ys * ys) * _NUM_STEPS / reach)
    return np.minimum(away, _NUM_STEPS).astype(np.int32)


GRADIENT_BACKGROUND = BackgroundEffect(
    id="gradient",
    label="Gradient",
    variants=(
        Variant(id="sunset", label="Sunset", values={}),
        Variant(id="ocean", label="Ocean", values={"from": "#28d7c4", "to": "#123a8c"}),
        Variant(id="forest", label="Forest", values={"from": "#d4e157", "to": "#0b5345", "direction": "diagonal"}),
        Variant(id="poster", label="Poster", values={"from": "#fff3d6", "to": "#ff5c7a", "direction": "radial", "depth": 0, "strength": 100}),
    ),
    parameters=_parameters(strength=88, depth=65),
    render=_background,
)  # fmt: skip
GRADIENT_OBJECT = ObjectEffect(
    id="gradient",
    label="Gradient",
    variants=(
        Variant(id="flame", label="Flame", values={"from": "#ffe259", "to": "#e01e5a"}),
        Variant(id="ice", label="Ice", values={"from": "#f2fcff", "to": "#1e78d6"}),
        Variant(
            id="neon", label="Neon", values={"from": "#ff2fd0", "to": "#21e6ff", "direction": "diagonal"}
        ),
        Variant(
            id="gold", label="Gold", values={"from": "#fff2b0", "to": "#c98a1a", "depth": 50, "strength": 94}
        ),
    ),
    parameters=_parameters(strength=85, depth=60),
    render=_object,
)
