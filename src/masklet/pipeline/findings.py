"""What may be found in one picture, and the finder that takes everything that looks like an object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from masklet.predictors.auto import AutoMasks
    from masklet.weights.load import LoadedModel

Picture = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Finding:
    """One object of one picture.

    Attributes:
        mask: bool (h, w) at the picture's size.
        score: How good the mask is by the model, in [0, 1].
        stability: IoU of the mask with itself under a shifted threshold, in [0, 1].
        label: Name of its class, or None.
        confidence: How sure the class is, in [0, 1]; 1 without a class.
    """

    mask: Mask
    score: float
    stability: float = 1.0
    label: str | None = None
    confidence: float = 1.0

    @property
    def quality(self) -> float:
        """What findings are ranked by, in [0, 1]."""
        return self.score * self.stability * self.confidence


class Finder(Protocol):
    """Finds objects in a picture."""

    def identity(self) -> Mapping[str, str]:
        """What decides about the findings, in words, by topic."""
        ...

    def find(self, picture: Picture) -> Sequence[Finding]:
        """Objects of a picture, RGB uint8 (h, w, 3), in any order; they may overlap."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingLimits:
    """Which findings are worth a track.

    Attributes:
        min_score: Least predicted IoU, in [0, 1].
        min_area_share: Least share of the picture, in [0, 1].
        max_area_share: Largest share of the picture; more is background.
        max_covered: Largest share of a finding that others may cover already, in [0, 1].
        max_objects: Most objects at one time.
    """

    min_score: float = 0.4
    min_area_share: float = 0.0005
    max_area_share: float = 0.6
    max_covered: float = 0.3
    max_objects: int = 32


class AutoFinder:
    """Everything that looks like an object, without a class; the model is loaded at the first picture."""

    def __init__(self, model: LoadedModel | str = "compact", *, preset: str = "fast") -> None:
        """Remember what to search with.

        Args:
            model: A loaded model or what ``load_model`` takes.
            preset: Name of a preset of AutoMasks.
        """
        self._model = model
        self._preset = preset

    @cached_property
    def _auto(self) -> AutoMasks:
        from masklet.predictors.auto import AutoMasks

        return AutoMasks(self._model, preset=self._preset)

    def identity(self) -> Mapping[str, str]:
        """The preset; the model is told by the tracker."""
        return {"finder": f"everything, preset {self._preset}"}

    def find(self, picture: Picture) -> Sequence[Finding]:
        """Every mask of an automatic search."""
        return [
            Finding(mask=one.mask, score=one.predicted_iou, stability=one.stability)
            for one in self._auto.generate(picture)
        ]


def choose_findings(
    findings: Sequence[Finding],
    limits: FindingLimits,
    covered: Mask | None = None,
    *,
    room: int | None = None,
) -> list[Finding]:
    """The findings that say something new, best first, made free of overlap.

    A finding is taken when no more than ``max_covered`` of it is covered by what is known and by better findings; the
    pixels it shares with them are cut off.

    Args:
        findings: In any order.
        limits: Which are worth it.
        covered: bool (h, w), pixels that are explained already, or None.
        room: How many may be taken; None for the limit's own number.
    """
    room = limits.max_objects if room is None else room
    chosen: list[Finding] = []
    taken = None if covered is None else covered.copy()
    for one in sorted(findings, key=lambda found: -found.quality):
        if len(chosen) >= room:
            break
        area = int(np.count_nonzero(one.mask))
        if not _is_worth(one, area, limits):
            continue
        free = one.mask if taken is None else one.mask & ~taken
        if int(np.count_nonzero(free)) < (1 - limits.max_covered) * area:
            continue
        kept = one.mask if taken is None else largest_parts(free)
        taken = kept.copy() if taken is None else taken | kept
        chosen.append(one if kept is one.mask else replace(one, mask=kept))
    return chosen


def _is_worth(one: Finding, area: int, limits: FindingLimits) -> bool:
    share = area / one.mask.size
    has_size = area > 0 and limits.min_area_share <= share <= limits.max_area_share
    return has_size and one.score >= limits.min_score


def largest_parts(mask: Mask, least: float = 0.05) -> Mask:
    """The mask without parts smaller than a share of its largest part: what cutting leaves over.

    Args:
        mask: bool (h, w).
        least: Share of the largest part's area, in [0, 1].
    """
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count <= 2:
        return mask
    areas = stats[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    keeps = areas >= least * areas.max()
    keeps[0] = False
    return np.asarray(keeps[np.asarray(labels)], dtype=np.bool_)
