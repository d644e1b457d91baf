"""Steadies the light on what does not move: the room is averaged over neighbouring pictures.

Each point of the room is followed through the camera's motion to the pictures before and after. Where the same
surface is seen there and its light has not changed (no shadow came over it), that light counts too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import choreography
import cv2
import numpy as np
from denoise import Guides
from numpy.typing import NDArray

Array = NDArray[np.float32]
ALBEDO_TOLERANCE = 0.08
NORMAL_TOLERANCE = 0.25
DEPTH_TOLERANCE = 0.02
LIGHT_TOLERANCE = 0.10


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """One picture on its way.

    Attributes:
        light: Light without surface colour, (h, w, 3).
        guides: What is known without noise.
        numbers: Object numbers, (h, w), 0 for the room.
        frame: Story frame, which says where the camera was.
    """

    light: Array
    guides: Guides
    numbers: NDArray[np.uint8]
    frame: float


def camera_axes(frame: float) -> tuple[Array, Array]:
    """The camera on a story frame.

    Args:
        frame: Story frame.

    Returns:
        Its place (3) and its axes as rows (right, down, forward), (3, 3), in the world.
    """
    place, target = choreography.camera_pose(frame)
    forward = (target - place) / np.linalg.norm(target - place)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    return place.astype(np.float32), axes.astype(np.float32)


def find_again(depth: Array, frame: float, other_frame: float) -> tuple[Array, Array, Array]:
    """Where the points of one picture lie in another.

    Args:
        depth: Distance of each pixel's point along the view axis, (h, w).
        frame: Story frame of this picture.
        other_frame: Story frame of the other.

    Returns:
        Column, row and distance in the other picture, each (h, w); pixel centres are whole numbers.
    """
    height, width = depth.shape
    focal = choreography.LENS_MM / choreography.SENSOR_MM * width
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    rays = np.stack(
        [(columns + 0.5 - width / 2) / focal, (rows + 0.5 - height / 2) / focal, np.ones_like(rows)], -1
    )
    place, axes = camera_axes(frame)
    other_place, other_axes = camera_axes(other_frame)
    points = (rays * depth[..., None]) @ axes + place
    seen = (points - other_place) @ other_axes.T
    there = np.maximum(seen[..., 2], 1e-3)
    return (
        seen[..., 0] / there * focal + width / 2 - 0.5,
        seen[..., 1] / there * focal + height / 2 - 0.5,
        there,
    )


def _weight(here: Layer, there: Layer, columns: Array, rows: Array, depth: Array) -> tuple[Array, Array]:
    """The other picture's light brought here, and how far it may be trusted, 0 to 1."""

    def bring(values: Array, method: int = cv2.INTER_LINEAR) -> Array:
        outside = (-9.0,) * 4
        moved = cv2.remap(values, columns, rows, method, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)
        return np.asarray(moved, np.float32)

    light = bring(there.light)
    room = cv2.dilate((there.numbers > 0).astype(np.uint8), np.ones((3, 3), np.uint8)).astype(np.float32)
    same = (bring(room) == 0.0) & (here.numbers == 0)
    colour = np.abs(bring(there.guides.albedo) - here.guides.albedo).max(2) / ALBEDO_TOLERANCE
    normal = np.abs(bring(there.guides.normal) - here.guides.normal).max(2) / NORMAL_TOLERANCE
    distance = np.abs(bring(there.guides.depth, cv2.INTER_NEAREST) / depth - 1.0) / DEPTH_TOLERANCE
    smooth = [cv2.GaussianBlur(values, (0, 0), 1.5) for values in (light, here.light)]
    change = np.abs(smooth[0] - smooth[1]).max(2) / (LIGHT_TOLERANCE * (smooth[1].max(2) + 0.05))
    trust = np.exp(-(colour**2) - normal**2 - distance**2 - change**2)
    return light, np.where(same, trust, 0.0).astype(np.float32)


def steady(window: Sequence[Layer], middle: int) -> Array:
    """Average the light of a picture's room over its neighbours.

    Args:
        window: Pictures in order.
        middle: Which of them is wanted.

    Returns:
        Linear light, (h, w, 3).
    """
    here = window[middle]
    total = np.ones(here.numbers.shape, np.float32)
    summed = here.light.copy()
    for index, there in enumerate(window):
        if index != middle:
            columns, rows, depth = find_again(here.guides.depth, here.frame, there.frame)
            light, weight = _weight(here, there, columns, rows, depth)
            total += weight
            summed += weight[..., None] * light
    return summed / total[..., None]
