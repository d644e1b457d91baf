"""What a person says about an object: clicks, a box, a mask or words. Frozen values, validated when made."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from masklet.errors import PromptError
from masklet.geometry import Box, Size

MAX_CLICKS = 1024


@dataclass(frozen=True, slots=True)
class Click:
    """A point on the object (positive) or off it (negative), in original-image pixels."""

    x: float
    y: float
    positive: bool = True

    def __post_init__(self) -> None:
        """Refuse points that are not finite numbers."""
        if not (math.isfinite(self.x) and math.isfinite(self.y)):
            raise PromptError(f"A click needs finite pixel coordinates, got ({self.x}, {self.y}).")


BoxPrompt = Box


class MaskPrompt:
    """A mask of the object at the image's size; immutable."""

    __slots__ = ("_mask",)

    def __init__(self, mask: np.ndarray) -> None:
        """Copy and freeze a mask.

        Args:
            mask: (h, w) array, bool or 0/non-zero numbers.

        Raises:
            PromptError: When the array is not two-dimensional or has no pixel.
        """
        array = np.asarray(mask)
        if array.ndim != 2 or array.size == 0:
            raise PromptError(
                f"A mask prompt must be an (h, w) array, got shape {array.shape}; pass one object's mask."
            )
        frozen = array.astype(bool, copy=True)
        frozen.setflags(write=False)
        self._mask = frozen

    @property
    def mask(self) -> np.ndarray:
        """The mask, bool (h, w), read-only."""
        return self._mask

    @property
    def size(self) -> Size:
        """Its size."""
        return Size(*self._mask.shape)

    def __eq__(self, other: object) -> bool:
        """Equal pixels."""
        return isinstance(other, MaskPrompt) and np.array_equal(self._mask, other._mask)

    def __hash__(self) -> int:
        """Hash of shape and pixels."""
        return hash((self._mask.shape, self._mask.tobytes()))

    def __repr__(self) -> str:
        """Size and number of pixels on."""
        return f"MaskPrompt(size={self._mask.shape}, on={int(self._mask.sum())})"


@dataclass(frozen=True, slots=True)
class TextPrompt:
    """Words that name what to find."""

    text: str

    def __post_init__(self) -> None:
        """Refuse empty text."""
        if not self.text.strip():
            raise PromptError("A text prompt needs at least one word.")


@dataclass(frozen=True, slots=True)
class PromptSet:
    """Everything said about one object on one frame: clicks, at most one box, at most one mask."""

    clicks: tuple[Click, ...] = ()
    box: Box | None = None
    mask: MaskPrompt | None = None

    def __init__(
        self,
        clicks: Iterable[Click] = (),
        box: Box | tuple[float, float, float, float] | None = None,
        mask: MaskPrompt | np.ndarray | None = None,
    ) -> None:
        """Gather prompts.

        Args:
            clicks: Points in original-image pixels, in the order they were given.
            box: A Box or (x0, y0, x1, y1) in original-image pixels.
            mask: A MaskPrompt or an (h, w) array at the image's size.

        Raises:
            PromptError: When nothing is given, or a part is malformed.
        """
        object.__setattr__(self, "clicks", tuple(clicks))
        object.__setattr__(self, "box", box if box is None or isinstance(box, Box) else Box(*box))
        object.__setattr__(
            self, "mask", mask if mask is None or isinstance(mask, MaskPrompt) else MaskPrompt(mask)
        )
        if not self.clicks and self.box is None and self.mask is None:
            raise PromptError("A prompt set is empty; give at least one click, a box or a mask.")
        if len(self.clicks) > MAX_CLICKS:
            raise PromptError(
                f"A prompt set holds {len(self.clicks)} clicks, the most is {MAX_CLICKS}; give fewer."
            )

    @property
    def is_mask_only(self) -> bool:
        """Whether the mask is the whole prompt, so that it is the answer too."""
        return self.mask is not None and not self.clicks and self.box is None

    def with_click(self, click: Click) -> PromptSet:
        """The same prompts and one more click."""
        return PromptSet((*self.clicks, click), self.box, self.mask)

    def check_inside(self, size: Size) -> None:
        """Check that the prompts fit an image.

        Args:
            size: Size of the image the prompts speak of.

        Raises:
            PromptError: When a click lies outside, the box does not touch the image, or the mask has another size.
        """
        for click in self.clicks:
            if not (0 <= click.x < size.width and 0 <= click.y < size.height):
                raise PromptError(
                    f"The click ({click.x:g}, {click.y:g}) lies outside the image of {size.width} x {size.height} "
                    "pixels (w x h); give pixel coordinates inside it."
                )
        if self.box is not None and self.box.clipped(size) is None:
            raise PromptError(
                f"The box {self.box.xyxy} does not touch the image of {size.width} x {size.height} pixels (w x h)."
            )
        if self.mask is not None and self.mask.size != size:
            raise PromptError(
                f"The mask prompt is {self.mask.size.width} x {self.mask.size.height} pixels but the image is "
                f"{size.width} x {size.height} (w x h); resize the mask to the image."
            )
