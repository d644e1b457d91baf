"""Coordinate conventions.

A pixel is a unit square: pixel (column 0, row 0) covers x in [0, 1), y in [0, 1). A click on the pixel in
column c and row r is the point (c, r) in the public interface, as in the field; half a pixel is added once, in
the prompt encoder. Sizes are (height, width); points are (x, y); boxes are (x0, y0, x1, y1) with x1, y1 exclusive.
"""

from __future__ import annotations

from dataclasses import dataclass

from masklet.errors import PromptError


@dataclass(frozen=True, slots=True)
class Size:
    """Height and width in pixels, both at least 1."""

    height: int
    width: int

    def __post_init__(self) -> None:
        """Refuse empty sizes."""
        if self.height < 1 or self.width < 1:
            raise PromptError(
                f"A size must be at least 1 by 1 pixel, got {self.height} by {self.width} (h, w)."
            )

    @property
    def hw(self) -> tuple[int, int]:
        """(height, width)."""
        return self.height, self.width

    @property
    def num_pixels(self) -> int:
        """Height times width."""
        return self.height * self.width


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in pixels; ``x1`` and ``y1`` are exclusive."""

    x0: float
    y0: float
    x1: float
    y1: float

    def __post_init__(self) -> None:
        """Refuse boxes without area."""
        if not (self.x1 > self.x0 and self.y1 > self.y0):
            raise PromptError(
                f"A box needs x1 > x0 and y1 > y0, got ({self.x0}, {self.y0}, {self.x1}, {self.y1}); "
                "give the left, top, right and bottom edge in pixels."
            )

    @property
    def xyxy(self) -> tuple[float, float, float, float]:
        """(x0, y0, x1, y1)."""
        return self.x0, self.y0, self.x1, self.y1

    @property
    def area(self) -> float:
        """Area in square pixels."""
        return (self.x1 - self.x0) * (self.y1 - self.y0)

    @property
    def centre_xy(self) -> tuple[float, float]:
        """Centre point (x, y)."""
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2

    def clipped(self, size: Size) -> Box | None:
        """The part inside an image of the given size, or None when nothing is left."""
        x0, y0 = max(self.x0, 0.0), max(self.y0, 0.0)
        x1, y1 = min(self.x1, float(size.width)), min(self.y1, float(size.height))
        return Box(x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None

    def iou(self, other: Box) -> float:
        """Intersection over union with another box, in [0, 1]."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        if width <= 0 or height <= 0:
            return 0.0
        intersection = width * height
        return intersection / (self.area + other.area - intersection)


@dataclass(frozen=True, slots=True)
class SquareResize:
    """The non-aspect-preserving resize of an image to the model's square, and its inverse."""

    original: Size
    side: int

    @property
    def scale_xy(self) -> tuple[float, float]:
        """Model pixels per original pixel, (x, y)."""
        return self.side / self.original.width, self.side / self.original.height

    def to_model(self, x: float, y: float) -> tuple[float, float]:
        """A point in original pixels, in model pixels."""
        scale_x, scale_y = self.scale_xy
        return x * scale_x, y * scale_y

    def to_original(self, x: float, y: float) -> tuple[float, float]:
        """A point in model pixels, in original pixels."""
        scale_x, scale_y = self.scale_xy
        return x / scale_x, y / scale_y
