"""Which frames of a video are worth a search for new objects: colours and coarse shapes, no network."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import cv2
import numpy as np
import numpy.typing as npt

from masklet.errors import ConfigError

_SIDE = 32
_BINS = (8, 8, 8)
_CUT_MOTION = 0.09
"""Least mean change of the small picture, in [0, 1], that a cut makes beside its change of colours."""

Vector = npt.NDArray[np.float32]


class FrameKind(Enum):
    """Why a frame is searched, or that it is not."""

    ORDINARY = "ordinary"
    FIRST = "first"
    INTERVAL = "interval"
    CHANGE = "change"
    CUT = "cut"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFrameRule:
    """When a frame is a key frame.

    Attributes:
        longest_gap: Frames after which a search is due at the latest, at least 1.
        shortest_gap: Frames between two searches at least, except at a cut.
        change: Difference from the last key frame's look, in [0, 1], that asks for a search.
        cut: Difference from the frame before, in [0, 1], that is a cut.
    """

    longest_gap: int = 30
    shortest_gap: int = 8
    change: float = 0.35
    cut: float = 0.5

    def __post_init__(self) -> None:
        """Refuse gaps that cannot be kept."""
        if not 1 <= self.shortest_gap <= self.longest_gap:
            raise ConfigError(
                f"The gaps between key frames must satisfy 1 <= shortest <= longest, got {self.shortest_gap} and "
                f"{self.longest_gap}."
            )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Look:
    """How a picture looks from far.

    Attributes:
        colours: Shares of 512 colours, float32 (512), sum 1.
        small: Grey picture of 32 by 32, float32 in [0, 1].
    """

    colours: Vector
    small: Vector

    def difference(self, other: Look) -> float:
        """Distance of the colours (Hellinger), in [0, 1]."""
        shared = float(np.sqrt(self.colours * other.colours).sum())
        return float(np.sqrt(max(0.0, 1.0 - shared)))

    def motion(self, other: Look) -> float:
        """Mean change of the small pictures, in [0, 1]."""
        return float(np.abs(self.small - other.small).mean())


def look_of(picture: npt.NDArray[np.uint8]) -> Look:
    """The look of a picture, RGB uint8 (h, w, 3)."""
    small = cv2.resize(picture, (4 * _SIDE, 4 * _SIDE), interpolation=cv2.INTER_AREA)
    counts = cv2.calcHist([small], [0, 1, 2], None, list(_BINS), [0, 256, 0, 256, 0, 256])
    # a little blur over the bins: a change of light by one level is no new colour
    smooth = cv2.GaussianBlur(counts.reshape(_BINS[0], -1), (3, 3), 0).reshape(-1)
    grey = cv2.resize(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
    return Look(
        colours=np.asarray(smooth / max(float(smooth.sum()), 1.0), dtype=np.float32),
        small=np.asarray(grey, dtype=np.float32) / 255.0,
    )


class KeyFrames:
    """Judges the frames of one video in order."""

    def __init__(self, rule: KeyFrameRule | None = None) -> None:
        """Start before the first frame."""
        self._rule = rule or KeyFrameRule()
        self._before: Look | None = None
        self._key: Look | None = None
        self._since_key = 0

    def judge(self, picture: npt.NDArray[np.uint8]) -> FrameKind:
        """What the next frame is.

        Args:
            picture: RGB uint8 (h, w, 3).
        """
        look = look_of(picture)
        kind = self._kind(look)
        self._before = look
        self._since_key += 1
        if kind is not FrameKind.ORDINARY:
            self._key = look
            self._since_key = 0
        return kind

    def _kind(self, look: Look) -> FrameKind:
        if self._before is None or self._key is None:
            return FrameKind.FIRST
        rule = self._rule
        if look.difference(self._before) >= rule.cut and look.motion(self._before) >= _CUT_MOTION:
            return FrameKind.CUT
        gap = self._since_key + 1
        if gap >= rule.longest_gap:
            return FrameKind.INTERVAL
        has_changed = look.difference(self._key) >= rule.change
        return FrameKind.CHANGE if gap >= rule.shortest_gap and has_changed else FrameKind.ORDINARY
