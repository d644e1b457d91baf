"""From a class's map to the boxes of its objects: cells that point at the same box belong together. Source: ours."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
_LEAST_SUREST = 3  # cells


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionOptions:
    """How cells become objects.

    Attributes:
        least_probability: Of the class, for a cell to count; low, so that an object is whole, since the surest part
            of it decides whether it is one.
        surest_part: Part of an object's cells whose mean is its score.
        same_object: IoU of two cells' boxes from which they belong to one object.
        least_cells: Smaller groups are dropped.
        least_filled: Least part of its box that an object's cells fill.
    """

    least_probability: float = 0.25
    surest_part: float = 0.25
    same_object: float = 0.45
    least_cells: int = 6
    least_filled: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Region:
    """One object on a map.

    Attributes:
        box_xyxy: Edges as parts of the image's width and height, float32 (4,).
        score: Mean probability of the class over the surest of its cells.
        is_on: Its cells, bool (h, w).
    """

    box_xyxy: Floats
    score: float
    is_on: npt.NDArray[np.bool_]


def find_regions(probability: Floats, reach: Floats, options: RegionOptions | None = None) -> list[Region]:
    """Objects of one class, best first.

    The cell that lies most in the middle of its own box founds an object, cells whose boxes agree with it join, and so
    on with the cells that are left; then every cell goes to the object whose box is most like its own. Touching objects
    are told apart by this, and an object cut in two by another stays one.

    Args:
        probability: Of the class, float32 (h, w).
        reach: Distances to the left, top, right and bottom edge, as parts of the image, float32 (4, h, w).
        options: How cells become objects.
    """
    options = options or RegionOptions()
    rows, columns = np.nonzero(probability >= options.least_probability)
    if len(rows) < options.least_cells:
        return []
    weights = probability[rows, columns]
    boxes, middles = _cell_boxes(reach, rows, columns)
    founders = _founders(boxes, middles * weights, options)
    owner = _overlaps(boxes, boxes[founders]).argmax(axis=1)
    found = [
        region
        for number in range(len(founders))
        if (region := _region(probability, rows[owner == number], columns[owner == number], options))
        is not None
    ]
    return sorted(found, key=lambda one: -one.score)


def find_components(probability: Floats, options: RegionOptions | None = None) -> list[Region]:
    """Connected cells of one class, best first: for heads whose reach is not trained; touching objects stay one.

    Args:
        probability: Of the class, float32 (h, w).
        options: How cells become objects; agreement of boxes is not asked.
    """
    options = options or RegionOptions()
    is_on = (probability >= options.least_probability).astype(np.uint8)
    number, owners = cv2.connectedComponents(is_on, connectivity=4)
    found: list[Region] = []
    for one in range(1, number):
        rows, columns = np.nonzero(owners == one)
        region = _region(probability, rows, columns, options)
        if region is not None:
            found.append(region)
    return sorted(found, key=lambda one: -one.score)


def _cell_boxes(
    reach: Floats, rows: npt.NDArray[np.intp], columns: npt.NDArray[np.intp]
) -> tuple[Floats, Floats]:
    """Boxes (n, 4) that cells point at, and how much each cell lies in the middle of its own (n,)."""
    height, width = reach.shape[1:]
    x, y = (columns + 0.5) / width, (rows + 0.5) / height
    left, top, right, bottom = reach[:, rows, columns]
    boxes = np.stack((x - left, y - top, x + right, y + bottom), axis=1).astype(np.float32)
    across = np.minimum(left, right) / np.maximum(np.maximum(left, right), 1e-6)
    down = np.minimum(top, bottom) / np.maximum(np.maximum(top, bottom), 1e-6)
    return boxes, np.sqrt(across * down).astype(np.float32)


def _founders(boxes: Floats, rank: Floats, options: RegionOptions) -> list[int]:
    """Cells that found objects, best first; there is always one."""
    founders: list[int] = []
    order = np.argsort(-rank, kind="stable")
    is_left = np.ones(len(boxes), bool)
    for index in order:
        if not is_left[index]:
            continue
        alike = _overlaps(boxes, boxes[index : index + 1])[:, 0] >= options.same_object
        if (alike & is_left).sum() >= options.least_cells or not founders:
            founders.append(int(index))
        is_left &= ~alike
        is_left[index] = False
    return founders


def _region(
    probability: Floats,
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    options: RegionOptions,
) -> Region | None:
    if len(rows) < options.least_cells:
        return None
    height, width = probability.shape
    x0, x1 = columns.min(), columns.max() + 1
    y0, y1 = rows.min(), rows.max() + 1
    if len(rows) / ((x1 - x0) * (y1 - y0)) < options.least_filled:
        return None
    is_on = np.zeros(probability.shape, bool)
    is_on[rows, columns] = True
    box = np.asarray((x0 / width, y0 / height, x1 / width, y1 / height), np.float32)
    surest = max(_LEAST_SUREST, round(options.surest_part * len(rows)))
    score = float(np.sort(probability[rows, columns])[-surest:].mean())
    return Region(box_xyxy=box, score=score, is_on=is_on)


def _overlaps(first: Floats, second: Floats) -> Floats:
    """IoU (n, m) of boxes (n, 4) and (m, 4)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(one[:, 2:] - one[:, :2], 0, None).prod(axis=1) for one in (first, second)]
    joined = areas[0][:, None] + areas[1][None] - shared
    return np.divide(shared, joined, out=np.zeros_like(shared), where=joined > 0)
