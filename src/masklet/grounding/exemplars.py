"""Where an image looks like an example: prototypes of the encoder's features, and peaks of their likeness.

Source: prototype matching as in few-shot segmentation (PANet, Wang et al. 2019; PerSAM, Zhang et al. 2023); the levels,
the background prototypes and the peaks are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.errors import PromptError
from masklet.models.model import ImageFeatures

Floats = npt.NDArray[np.float32]

NUM_BACKGROUND = 8
"""Prototypes of what the example is not."""
UNLIKE = -2.0
"""Less than any likeness."""
_ROUNDS = 8
_LEAST_OWN = 0.2
"""An example that is hardly told from its background is not made a measure of."""
_LEVEL_WEIGHTS = (1.0, 0.7, 0.5)  # of features at strides 16, 8 and 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prototypes:
    """What an example looks like.

    Attributes:
        objects: Unit descriptors of the examples, one each, (n, c).
        background: Unit descriptors of the rest of their images, (m, c).
        area: Mean part of the image that an example covers.
        own: How much more an example looks like itself than like the background, mean; what others are measured by.
        sides: Mean width and height of an example as parts of the image's.
    """

    objects: Tensor
    background: Tensor
    area: float
    own: float = 1.0
    sides: tuple[float, float] = (1.0, 1.0)

    def joined(self, other: Prototypes) -> Prototypes:
        """Examples of two images as one set."""
        first, second = len(self.objects), len(other.objects)
        return Prototypes(
            objects=torch.cat((self.objects, other.objects)),
            background=torch.cat((self.background, other.background)),
            area=(self.area * first + other.area * second) / (first + second),
            own=(self.own * first + other.own * second) / (first + second),
            sides=(
                (self.sides[0] * first + other.sides[0] * second) / (first + second),
                (self.sides[1] * first + other.sides[1] * second) / (first + second),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Peak:
    """A place that looks like the example: (x, y) as parts of the image, and how much more than like the background."""

    x: float
    y: float
    likeness: float


def descriptors_of(features: ImageFeatures) -> Tensor:
    """Unit descriptors of every cell at stride 4, (h, w, c), on the CPU: three levels, each centred on the image's mean.

    Args:
        features: Of one image.
    """
    return join_descriptors([features], [(0.0, 0.0, 1.0, 1.0)])


def join_descriptors(
    features: Sequence[ImageFeatures], places: Sequence[tuple[float, float, float, float]]
) -> Tensor:
    """Unit descriptors of an image that was encoded in tiles, (h, w, c), as ``descriptors_of`` gives them of a whole one.

    Args:
        features: Of each tile.
        places: Its edges x0, y0, x1, y1 as parts of the image; where tiles overlap, that counts more in whose middle a
            cell lies.
    """
    widest = max(x1 - x0 for x0, _, x1, _ in places)
    side = round(features[0].skip4.shape[-1] / widest)
    parts = [
        F.normalize(_joined_level(levels, places, side), dim=0) * weight
        for levels, weight in zip(
            zip(*((one.features, one.skip8, one.skip4) for one in features), strict=True),
            _LEVEL_WEIGHTS,
            strict=True,
        )
    ]
    return F.normalize(torch.cat(parts), dim=0).permute(1, 2, 0)


def _joined_level(
    levels: Sequence[Tensor], places: Sequence[tuple[float, float, float, float]], side: int
) -> Tensor:
    """One level of all tiles as one map (c, side, side), centred on its mean."""
    total = torch.zeros(levels[0].shape[1], side, side)
    counts = torch.zeros(side, side)
    for level, place in zip(levels, places, strict=True):
        x0, y0, x1, y1 = (round(edge * side) for edge in place)
        part = level[:1].float().cpu()
        if part.shape[2:] != (y1 - y0, x1 - x0):
            part = F.interpolate(part, size=(y1 - y0, x1 - x0), mode="bilinear", align_corners=False)
        weights = torch.minimum(_towards_edges(y1 - y0)[:, None], _towards_edges(x1 - x0)[None])
        total[:, y0:y1, x0:x1] += part[0] * weights
        counts[y0:y1, x0:x1] += weights
    joined = total / counts
    return joined - joined.mean(dim=(1, 2), keepdim=True)


def _towards_edges(length: int) -> Tensor:
    """1 at both ends, more towards the middle."""
    steps = torch.arange(1.0, length + 1)
    return torch.minimum(steps, steps.flip(0))


def make_prototypes(descriptors: Tensor, masks: npt.NDArray[np.bool_], *, seed: int = 0) -> Prototypes:
    """Learn what examples look like.

    Args:
        descriptors: Of their image, (h, w, c).
        masks: One per example, bool (n, h2, w2), over the same image.
        seed: Of the search for background prototypes.

    Raises:
        PromptError: When an example has no pixel.
    """
    height, width = descriptors.shape[:2]
    covers = [_cells(mask, (height, width)) for mask in masks]
    if not covers or any(not cover.any() for cover in covers):
        raise PromptError("An example is empty; give a box or a mask around something.")
    objects = [
        F.normalize((descriptors * torch.from_numpy(cover)[..., None]).sum(dim=(0, 1)), dim=0)
        for cover in covers
    ]
    known = torch.stack(objects)
    background = _unlike(descriptors, known, torch.from_numpy(np.max(covers, axis=0)))
    centres = _centres(background, NUM_BACKGROUND, seed)
    own = [_likeness(one, known, centres) for one in known]
    return Prototypes(
        objects=known,
        background=centres,
        area=float(np.mean([cover.mean() for cover in covers])),
        own=max(_LEAST_OWN, float(np.mean(own))),
        sides=mean_sides(masks),
    )


def mean_sides(masks: Iterable[npt.NDArray[np.bool_]]) -> tuple[float, float]:
    """Mean width and height of the boxes around masks (h, w), none of them empty, as parts of the image's."""
    sides = [
        (np.ptp(np.flatnonzero(mask.any(axis=0))) + 1, np.ptp(np.flatnonzero(mask.any(axis=1))) + 1)
        / np.asarray(mask.shape[::-1])
        for mask in masks
    ]
    width, height = np.mean(sides, axis=0)
    return float(width), float(height)


def _unlike(descriptors: Tensor, objects: Tensor, cover: Tensor) -> Tensor:
    """Cells (n, c) that are surely background: there may be more of the same on the image, which must not count."""
    alike = (descriptors @ objects.T).amax(dim=-1)
    inside = cover >= 0.5 if bool((cover >= 0.5).any()) else cover > 0
    halfway = (
        0.5 * (alike[inside].mean() + alike[~inside].median()) if bool((~inside).any()) else alike.amax()
    )
    return descriptors[~inside & (alike < halfway)]


def likeness_map(descriptors: Tensor, prototypes: Prototypes) -> Floats:
    """How much more each cell looks like an example than like its background, float32 (h, w), about -1 to 1."""
    alike = (descriptors @ prototypes.objects.T).amax(dim=-1)
    if len(prototypes.background):
        alike = alike - (descriptors @ prototypes.background.T).amax(dim=-1).clamp(min=0)
    return alike.cpu().numpy().astype(np.float32)


def likeness_of(descriptors: Tensor, mask: npt.NDArray[np.bool_], prototypes: Prototypes) -> float:
    """How much more a mask as a whole looks like an example than like its background; examples themselves have about 1."""
    cover = _cells(mask, (descriptors.shape[0], descriptors.shape[1]))
    rows, columns = np.nonzero(cover)
    inside = torch.from_numpy(cover[rows, columns])
    mean = F.normalize(inside @ descriptors[rows, columns], dim=0)
    return _likeness(mean, prototypes.objects, prototypes.background) / prototypes.own


def _likeness(descriptor: Tensor, objects: Tensor, background: Tensor) -> float:
    alike = float((objects @ descriptor).max())
    return alike - max(0.0, float((background @ descriptor).max())) if len(background) else alike


def find_peaks(likeness: Floats, area: float, *, least: float, most: int) -> list[Peak]:
    """Places that look most like an example, best first, no two within half of its width.

    Args:
        likeness: Map (h, w).
        area: Part of the image that an example covers; sets how far peaks lie apart.
        least: Least likeness of a peak.
        most: The most peaks.
    """
    height, width = likeness.shape
    across = np.sqrt(area * height * width)
    smooth = cv2.GaussianBlur(likeness, (0, 0), max(0.5, across / 5))
    reach = 2 * max(1, round(across / 2)) + 1
    highest = cv2.dilate(smooth, np.ones((reach, reach), np.uint8))
    rows, columns = np.nonzero((smooth >= highest) & (smooth >= least))
    order = np.argsort(-smooth[rows, columns], kind="stable")[:most]
    return [
        Peak(
            x=float((columns[one] + 0.5) / width),
            y=float((rows[one] + 0.5) / height),
            likeness=float(smooth[rows[one], columns[one]]),
        )
        for one in order
    ]


def without_places(likeness: Floats, peaks: Sequence[Peak], masks: Sequence[npt.NDArray[np.bool_]]) -> Floats:
    """The map with covered cells, and those at peaks, as unlike as can be.

    Args:
        likeness: Map (h, w).
        peaks: Places that were looked at; a cell to each side goes with them.
        masks: bool (h2, w2), over the same image.
    """
    height, width = likeness.shape
    left = likeness.copy()
    for mask in masks:
        left[_cells(mask, (height, width)) > 0] = UNLIKE
    for one in peaks:
        row, column = int(one.y * height), int(one.x * width)
        left[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = UNLIKE
    return left


def _cells(mask: npt.NDArray[np.bool_], size_hw: tuple[int, int]) -> Floats:
    """Part of each cell that a mask covers, the small parts at its rim left out; a tiny mask keeps its best cell."""
    height, width = size_hw
    cover = np.asarray(
        cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA), np.float32
    )
    least = min(0.5, float(cover.max()))
    return np.where(cover >= least, cover, 0).astype(np.float32) if least > 0 else cover


def _centres(descriptors: Tensor, count: int, seed: int) -> Tensor:
    """Unit centres of so many groups (spherical k-means)."""
    generator = torch.Generator().manual_seed(seed)
    count = min(count, len(descriptors))
    if count == 0:
        return descriptors
    centres = descriptors[torch.randperm(len(descriptors), generator=generator)[:count]]
    for _ in range(_ROUNDS):
        owner = (descriptors @ centres.T).argmax(dim=1)
        sums = torch.zeros_like(centres).index_add_(0, owner, descriptors)
        centres = torch.where(sums.norm(dim=1, keepdim=True) > 1e-6, F.normalize(sums, dim=1), centres)
    return centres
