"""Burst: rays around the object, over everything that is no object."""

from __future__ import annotations

import functools
import math

import numpy as np
import numpy.typing as npt

from masklet.effects.arithmetic import as_alpha, covered, dimmed, hashed, mix, percent
from masklet.effects.base import (
    Alpha,
    Image,
    Layer,
    ObjectEffect,
    Parameter,
    Values,
    Variant,
    color_of,
    option_of,
    whole_of,
)
from masklet.effects.edges import region_of, soft_alpha

TURN = 65536
"""Units of a whole turn."""
_TABLE_STEPS = 4096
_FRAMES_PER_DRAWING = 3
_Whole = npt.NDArray[np.int32]
_Real = npt.NDArray[np.float64]


def _object(canvas: Image, layer: Layer, values: Values) -> Image:
    region = region_of(layer.mask, 0)
    if region is None:
        return canvas
    rows, columns = region
    center = ((columns.start + columns.stop) // 2, (rows.start + rows.stop) // 2)
    size = max(rows.stop - rows.start, columns.stop - columns.start) / 2
    angle, reach = polar(canvas.shape, center)
    style = option_of(values, "style")
    if style == "lines":
        alpha = _lines(angle, reach, size, layer, values)
    else:
        turned = (
            angle * whole_of(values, "rays") + layer.scene.index * whole_of(values, "spin") * 128
        ) % TURN
        alpha = as_alpha(0.5 + _edge_px(np.abs(turned - TURN // 2) - TURN // 4, reach, values))
    strength = percent(whole_of(values, "strength"))
    if style == "shine":
        far = max(canvas.shape[0], canvas.shape[1]) * whole_of(values, "reach") / 100
        alpha = dimmed(alpha, as_alpha(1.0 - (reach - size) / far))
    painted = canvas
    if style == "sunburst":
        outside = covered(np.full(alpha.shape, 255, np.uint8), soft_alpha(layer.scene.shown | layer.mask))
        painted = mix(canvas, color_of(values, "paper"), dimmed(outside, strength))
    alpha = covered(alpha, soft_alpha(layer.scene.shown | layer.mask))
    return mix(painted, color_of(values, "color"), dimmed(alpha, strength))


def _lines(angle: _Whole, reach: _Real, size: float, layer: Layer, values: Values) -> Alpha:
    """Spikes from the rim towards the object, drawn anew every few frames as by hand."""
    num_rays = whole_of(values, "rays")
    drawing = layer.scene.index // _FRAMES_PER_DRAWING
    chances = np.array([hashed(layer.scene.seed, drawing, ray) for ray in range(num_rays)], dtype=np.int64)
    starts = size * (1.1 + (chances & 255) / 255.0 * 0.9)
    widths = 3000.0 + (chances >> 8 & 255) * 50.0
    turned = angle * num_rays
    ray, place = turned // TURN, np.abs(turned % TURN - TURN // 2)
    start = starts[ray]
    half = widths[ray] * np.clip((reach - start) / start, 0.0, 1.0)
    return as_alpha(0.5 + _edge_px(half - place, reach, values)) * (reach > start)


def _edge_px(units: _Whole | _Real, reach: _Real, values: Values) -> _Real:
    """From units of a ray's own turn to pixels at a distance from the centre."""
    return units * reach * (2 * math.pi / TURN / whole_of(values, "rays"))


def polar(shape: tuple[int, ...], center_xy: tuple[int, int]) -> tuple[_Whole, _Real]:
    """Angle in units of a turn, clockwise from the right, and distance of every pixel from a centre."""
    right = np.arange(shape[1], dtype=np.int32)[None, :] - center_xy[0]
    down = np.arange(shape[0], dtype=np.int32)[:, None] - center_xy[1]
    wide, tall = np.abs(right), np.abs(down)
    longer, shorter = np.maximum(wide, tall), np.minimum(wide, tall)
    eighth = angle_table()[shorter * _TABLE_STEPS // np.maximum(longer, 1)]
    angle = np.where(tall > wide, TURN // 4 - eighth, eighth)
    angle = np.where(right < 0, TURN // 2 - angle, angle)
    angle = np.where(down < 0, (TURN - angle) % TURN, angle)
    return angle.astype(np.int32), np.sqrt((right * right + down * down).astype(np.float64))


@functools.cache
def angle_table() -> _Whole:
    """Angles of slopes from 0 to 1; a table, because arc tangents are not rounded alike everywhere."""
    turns = [math.atan(step / _TABLE_STEPS) * TURN / (2 * math.pi) for step in range(_TABLE_STEPS + 1)]
    return np.array([math.floor(turn + 0.5) for turn in turns], dtype=np.int32)


BURST_OBJECT = ObjectEffect(
    id="burst",
    label="Burst",
    variants=(
        Variant(id="sunburst", label="Sunburst", values={}),
        Variant(id="shine", label="Shine", values={"style": "shine", "color": "#fff1b8", "rays": 18, "strength": 78}),
        Variant(id="lines", label="Speed lines", values={"style": "lines", "rays": 72, "color": "#ffffff", "strength": 92}),
        Variant(id="comic", label="Comic", values={"color": "#e53935", "paper": "#fdd835", "rays": 12, "strength": 94}),
    ),
    parameters=(
        Parameter(id="style", label="Style", kind="option", default="sunburst", options=("sunburst", "shine", "lines")),
        Parameter(id="rays", label="Rays", kind="whole", default=16, least=3, most=200),
        Parameter(id="color", label="Rays' colour", kind="color", default="#ffffff"),
        Parameter(id="paper", label="Colour between", kind="color", default="#2f6fed"),
        Parameter(id="strength", label="Strength", kind="whole", default=70, least=0, most=100),
        Parameter(id="reach", label="Reach of a shine", kind="whole", default=45, least=5, most=200),
        Parameter(id="spin", label="Turning", kind="whole", default=4, least=0, most=64),
    ),
    render=_object,
    is_around=True,
)  # fmt: skip
