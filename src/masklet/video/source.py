"""What every source of frames is: an index, a time and an image, read in order or by index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt

from masklet.errors import MediaError
from masklet.geometry import Size

Image = npt.NDArray[np.uint8]

_Source = TypeVar("_Source", bound="ClosingSource")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frame:
    """One picture of a source.

    Attributes:
        index: Place in the source, from 0.
        pts_s: When the picture is shown, in seconds on the source's own clock (the first picture need
            not be at
            0), or None for sources without a clock.
        image: RGB uint8 (h, w, 3); the caller may keep and change it.
    """

    index: int
    pts_s: float | None
    image: Image


class FrameSource(Protocol):
    """A finite video or an endless stream of frames of one size. Closing twice is allowed."""

    @property
    def name(self) -> str:
        """A name for messages and exports."""
        ...

    @property
    def size(self) -> Size:
        """Size of every image, as shown (rotation applied)."""
        ...

    @property
    def num_frames(self) -> int | None:
        """Exact number of frames, or None for a stream."""
        ...

    @property
    def fps(self) -> float | None:
        """Average frames per second, or None when the source has no clock."""
        ...

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        ...

    def read(self, index: int) -> Frame:
        """One frame by index, equal to the one that iteration gives."""
        ...

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown, as its ``Frame.pts_s`` says it, without reading the picture."""
        ...

    def close(self) -> None:
        """Give back files, devices and threads."""
        ...

    def __enter__(self) -> FrameSource:
        """Self."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close."""
        ...


class ClosingSource:
    """What most sources share: no clock unless they say otherwise, and leaving a ``with`` block closes them."""

    def pts_s(self, index: int) -> float | None:  # noqa: ARG002 - the times of sources with a clock differ
        """None: a source with a clock says its own times."""
        return None

    def close(self) -> None:
        """Nothing to give back unless a source says otherwise."""

    def __enter__(self: _Source) -> _Source:
        """Self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close, also after an error."""
        self.close()


_MEMBERS = (
    "name",
    "size",
    "num_frames",
    "fps",
    "read",
    "pts_s",
    "close",
    "__iter__",
    "__enter__",
    "__exit__",
)


def is_source(value: object) -> TypeGuard[FrameSource]:
    """Whether a value has every member of FrameSource; asks its class, so that no camera starts."""
    return not missing_members(value)


def missing_members(value: object) -> tuple[str, ...]:
    """What a value lacks to be a FrameSource."""
    return tuple(member for member in _MEMBERS if not hasattr(type(value), member))


def check_index(index: int, num_frames: int, name: str) -> None:
    """Refuse an index outside a finite source.

    Args:
        index: The frame asked for.
        num_frames: Number of frames that exist.
        name: Name of the source, for the message.

    Raises:
        MediaError: When the index is negative or not below ``num_frames``.
    """
    if not 0 <= index < num_frames:
        raise MediaError(f"{name} has no frame {index}; ask for 0 to {num_frames - 1}.")


def check_image(image: np.ndarray, name: str) -> Image:
    """The array itself when it is an RGB image.

    Args:
        image: Anything that should be RGB uint8 (h, w, 3).
        name: What the message calls it.

    Raises:
        MediaError: When dtype or shape differ.
    """
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise MediaError(
            f"{name} must be RGB uint8 of shape (h, w, 3), got {image.dtype} of shape {image.shape}; "
            "convert it first."
        )
    return image
