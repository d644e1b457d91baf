"""Automatic masks against all regions of an image: average recall by number of proposals and size, and coverage."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from masklet.errors import FormatError, PromptError
from masklet.evaluation.datasets import Still
from masklet.masks import rle
from masklet.masks.arrays import ByteArray, FloatArray
from masklet.masks.rle import RLE

THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""IoU at which a region counts as found; recall is averaged over them."""

SIZES: Mapping[str, tuple[int, int]] = {
    "all": (0, 1 << 40),
    "small": (0, 32**2),
    "medium": (32**2, 96**2),
    "large": (96**2, 1 << 40),
}
"""Areas in pixels of the image, both ends included, as COCO draws the lines."""

Propose: TypeAlias = Callable[[ByteArray], Sequence[RLE]]
"""What is evaluated: takes an RGB uint8 image (h, w, 3) and gives masks of its size, best first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalProtocol:
    """How many proposals are looked at.

    Args:
        most: Numbers of proposals, each at least 1, in ascending order.
    """

    most: tuple[int, ...] = (10, 100, 1000)

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.most or min(self.most) < 1 or list(self.most) != sorted(set(self.most)):
            raise PromptError(
                f"Numbers of proposals must be at least 1 and in ascending order, got {self.most}."
            )


DEFAULT_PROTOCOL = ProposalProtocol()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRecall:
    """What was found in one image.

    Args:
        source: Collection of the image.
        image: Its name.
        num_proposals: Masks that were proposed.
        areas: Area of each true region in pixels.
        best_ious: The IoU of each with the best proposal, in [0, 1].
        num_regions: By size, how many true regions there are.
        num_found: By size and number of proposals, how many regions are found at each of THRESHOLDS.
        covered: Part of the pixels of true regions that lie in any proposal, in [0, 1].
    """

    source: str
    image: str
    num_proposals: int
    areas: tuple[int, ...]
    best_ious: tuple[float, ...]
    num_regions: Mapping[str, int]
    num_found: Mapping[str, Mapping[int, tuple[int, ...]]]
    covered: float

    def recall(self, most: int, size: str = "all") -> float | None:
        """Average recall with so many proposals, or None where there is no region of the size."""
        return recall_of([self], most, size)

    @property
    def covering(self) -> float:
        """Mean IoU with the best proposal, regions weighted by their area."""
        return float(np.average(self.best_ious, weights=self.areas))


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalSummary:
    """Averages over the images of a source, or over sources.

    Args:
        num_images: How many images.
        num_regions: True regions in them.
        mean_proposals: Proposals in an image.
        recall: Average recall by number of proposals, over all regions.
        recall_by_size: The same by size, with the most proposals; sizes without a region are left out.
        covering: Mean IoU of a region with its best proposal, weighted by area, mean over images.
        best_iou: The same without weights, over all regions.
        covered: Part of the pixels of true regions that lie in any proposal, mean over images.
    """

    num_images: int
    num_regions: int
    mean_proposals: float
    recall: Mapping[int, float]
    recall_by_size: Mapping[str, float]
    covering: float
    best_iou: float
    covered: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProposalReport:
    """What was found in every image under one protocol."""

    protocol: ProposalProtocol
    images: tuple[ImageRecall, ...]

    def by_source(self) -> dict[str, ProposalSummary]:
        """Averages of each source, in order of their names."""
        sources: dict[str, list[ImageRecall]] = {}
        for one in sorted(self.images, key=lambda found: found.source):
            sources.setdefault(one.source, []).append(one)
        return {source: _summary(found, self.protocol) for source, found in sources.items()}

    def overall(self) -> ProposalSummary:
        """All regions of all images together, as COCO counts.

        Raises:
            PromptError: When no image was scored.
        """
        if not self.images:
            raise PromptError("No image was scored; give images with masks that are not empty.")
        return _summary(self.images, self.protocol)

    def recall_curve(self, most: int) -> list[tuple[float, float]]:
        """(IoU, recall) over all regions with so many proposals."""
        total = sum(one.num_regions["all"] for one in self.images)
        found = np.sum([one.num_found["all"][most] for one in self.images], axis=0)
        return [(threshold, float(n) / total) for threshold, n in zip(THRESHOLDS, found, strict=True)]


def evaluate_proposals(
    propose: Propose,
    stills: Iterable[Still],
    problems: list[str],
    *,
    protocol: ProposalProtocol = DEFAULT_PROTOCOL,
    on_still: Callable[[ImageRecall | None], None] | None = None,
) -> ProposalReport:
    """Propose masks for every image, and see which true regions they find.

    Args:
        propose: What is evaluated.
        stills: Images with truth; empty masks do not count.
        problems: Gets one sentence per image that could not be used.
        protocol: How many proposals are looked at.
        on_still: Called after each image with what was found, or None when there was nothing to find.

    Raises:
        PromptError: When masks of another size are proposed.

    Source: Hosang et al., "What makes for effective detection proposals?", 2015 (average recall, one proposal per
    region); sizes and pooling over images as in COCO's evaluation, without classes; Arbelaez et al., "Contour
    Detection and Hierarchical Image Segmentation", 2011 (covering).
    """
    images: list[ImageRecall] = []
    for still in stills:
        found = None
        try:
            found = evaluate_still(propose, still, protocol=protocol)
        except FormatError as error:
            problems.append(f"{still.source}/{still.name}: {error}")
        if found is not None:
            images.append(found)
        if on_still is not None:
            on_still(found)
    return ProposalReport(protocol=protocol, images=tuple(images))


def evaluate_still(
    propose: Propose, still: Still, *, protocol: ProposalProtocol = DEFAULT_PROTOCOL
) -> ImageRecall | None:
    """What is found in one image; None when it has no region."""
    regions = [mask for mask in still.masks if rle.area(mask) > 0]
    if not regions:
        return None
    proposals = list(propose(still.image()))
    if any(mask.size != still.size for mask in proposals):
        raise PromptError(
            f"Masks proposed for {still.name} must be {still.size.hw} (h, w) as its truth; propose at image size."
        )
    areas = np.array([rle.area(mask) for mask in regions])
    ious = rle.iou(proposals, regions) if proposals else np.zeros((0, len(regions)))
    num_regions: dict[str, int] = {}
    num_found: dict[str, dict[int, tuple[int, ...]]] = {}
    for size, (least, greatest) in SIZES.items():
        chosen = (areas >= least) & (areas <= greatest)
        num_regions[size] = int(chosen.sum())
        num_found[size] = {k: found_regions(ious[:k, chosen]) for k in protocol.most}
    best = ious.max(axis=0) if proposals else np.zeros(len(regions))
    return ImageRecall(
        source=still.source,
        image=still.name,
        num_proposals=len(proposals),
        areas=tuple(int(area) for area in areas),
        best_ious=tuple(float(value) for value in best),
        num_regions=num_regions,
        num_found=num_found,
        covered=_covered(proposals, regions),
    )


def found_regions(ious: FloatArray) -> tuple[int, ...]:
    """How many regions are found at each of THRESHOLDS.

    Args:
        ious: (proposals, regions), proposals best first. Each proposal in turn takes the region with which its IoU is
            highest among those that are left and reach the threshold.
    """
    counts: list[int] = []
    for threshold in THRESHOLDS:
        left = ious.copy()
        num_found = 0
        for row in np.flatnonzero((ious >= threshold).any(axis=1)):
            region = int(np.argmax(left[row]))
            if left[row, region] >= threshold:
                left[:, region] = -1
                num_found += 1
        counts.append(num_found)
    return tuple(counts)


def recall_of(images: Sequence[ImageRecall], most: int, size: str = "all") -> float | None:
    """Average recall over the regions of several images, or None where there is no region of the size."""
    total = sum(one.num_regions[size] for one in images)
    found = sum(sum(one.num_found[size][most]) for one in images)
    return found / (total * len(THRESHOLDS)) if total else None


def _covered(proposals: Sequence[RLE], regions: Sequence[RLE]) -> float:
    true = rle.union(regions)
    if not proposals:
        return 0.0
    return rle.area(rle.intersection([true, rle.union(proposals)])) / rle.area(true)


def _summary(images: Sequence[ImageRecall], protocol: ProposalProtocol) -> ProposalSummary:
    by_size = {size: recall_of(images, protocol.most[-1], size) for size in SIZES if size != "all"}
    return ProposalSummary(
        num_images=len(images),
        num_regions=sum(one.num_regions["all"] for one in images),
        mean_proposals=float(np.mean([one.num_proposals for one in images])),
        recall={k: recall_of(images, k) or 0.0 for k in protocol.most},
        recall_by_size={size: value for size, value in by_size.items() if value is not None},
        covering=float(np.mean([one.covering for one in images])),
        best_iou=float(np.mean([value for one in images for value in one.best_ious])),
        covered=float(np.mean([one.covered for one in images])),
    )
