"""Points, labels and boxes as SAM 2's callers give them, as a prompt set."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from masklet.errors import PromptError
from masklet.geometry import Box, Size
from masklet.prompts import Click, PromptSet

_PADDING, _NEGATIVE, _POSITIVE, _TOP_LEFT, _BOTTOM_RIGHT = -1, 0, 1, 2, 3


def as_numbers(values: Any) -> np.ndarray:  # noqa: ANN401 - arrays, tensors and lists are all given
    """A float64 array of an array, a tensor or nested lists."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().float().numpy()
    return np.asarray(values, dtype=np.float64)


def read_points(
    points: Any,  # noqa: ANN401 - as above
    labels: Any,  # noqa: ANN401 - as above
    size: Size,
    *,
    is_in_pixels: bool,
) -> tuple[list[Click], Box | None]:
    """Clicks, and the box where two points are labelled as its corners.

    Args:
        points: (n, 2) as x, y.
        labels: (n,) 1 on the object, 0 off it, 2 and 3 the corners of a box, -1 nothing.
        size: Size of the image.
        is_in_pixels: Whether the points are pixels; else shares of the sides.

    Raises:
        PromptError: When the numbers do not fit each other or are not known.
    """
    places = as_numbers(points).reshape(-1, 2) * ((1, 1) if is_in_pixels else (size.width, size.height))
    kinds = [int(kind) for kind in as_numbers(labels).reshape(-1)]
    if len(places) != len(kinds):
        raise PromptError(f"Got {len(places)} points and {len(kinds)} labels; give one label for each point.")
    unknown = set(kinds) - {_PADDING, _NEGATIVE, _POSITIVE, _TOP_LEFT, _BOTTOM_RIGHT}
    if unknown:
        raise PromptError(
            f"The label {min(unknown)} is not known; the labels are 1, 0, and 2 with 3 for a box."
        )
    pairs = list(zip(places.tolist(), kinds, strict=True))
    clicks = [
        Click(_within(x, size.width), _within(y, size.height), kind == _POSITIVE)
        for (x, y), kind in pairs
        if kind in (_POSITIVE, _NEGATIVE)
    ]
    corners = {kind: place for place, kind in pairs if kind in (_TOP_LEFT, _BOTTOM_RIGHT)}
    if not corners:
        return clicks, None
    if len(corners) != 2:
        raise PromptError("A box needs both corners: one point with label 2 and one with label 3.")
    return clicks, Box(*corners[_TOP_LEFT], *corners[_BOTTOM_RIGHT])


def read_box(box: Any, size: Size, *, is_in_pixels: bool) -> Box:  # noqa: ANN401 - as above
    """A box of four numbers x0, y0, x1, y1.

    Raises:
        PromptError: When it is not four numbers or has no area.
    """
    numbers = as_numbers(box).reshape(-1)
    if len(numbers) != 4:
        raise PromptError(f"A box is four numbers x0, y0, x1, y1, got {len(numbers)}.")
    if not is_in_pixels:
        numbers = numbers * (size.width, size.height, size.width, size.height)
    return Box(*numbers.tolist())


def read_prompts(
    points: Any,  # noqa: ANN401 - as above
    labels: Any,  # noqa: ANN401 - as above
    box: Any,  # noqa: ANN401 - as above
    size: Size,
    *,
    is_in_pixels: bool,
) -> PromptSet:
    """Everything said about one object.

    Raises:
        PromptError: When nothing is said, or points come without labels or labels without points.
    """
    if (points is None) != (labels is None):
        raise PromptError("Points and their labels must be given together.")
    clicks, corners = (
        ([], None) if points is None else read_points(points, labels, size, is_in_pixels=is_in_pixels)
    )
    if box is not None:
        corners = read_box(box, size, is_in_pixels=is_in_pixels)
    return PromptSet(clicks=clicks, box=corners)


def _within(place: float, length: int) -> float:
    """The nearest place inside the image: existing code clicks on edges too."""
    return min(max(place, 0.0), math.nextafter(float(length), 0.0)) if math.isfinite(place) else place
