"""What the head should say of a photo: the teacher's classes, corrected by people's masks, and how far objects reach."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.training.grounder_photos import ALL_LABELLED, NamedPhoto

GRID = 48
"""Side of the square at stride 8 of 384 pixels."""

_VOC_NAME: Mapping[str, str] = MappingProxyType(
    {
        **{name: name for name in VOC_CLASSES},
        "airplane": "aeroplane",
        "motorcycle": "motorbike",
        "couch": "sofa",
        "tv": "tv monitor",
    }
)
"""Names in our shards (those of COCO among them) to ours."""
_PERSON = 1 + VOC_CLASSES.index("person")
_CAR = 1 + VOC_CLASSES.index("car")
_PETS = (1 + VOC_CLASSES.index("cat"), 1 + VOC_CLASSES.index("dog"))
_WHOLE_IN_PARTS = "ccp"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Instance:
    """One object outlined by a person.

    Attributes:
        channel: Class channel, or 0 where it is none of ours.
        covers: Part of each cell that it covers, float32 (48, 48).
    """

    channel: int
    covers: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Target:
    """What the head should say.

    Attributes:
        probabilities: Of background and classes, (21, 48, 48).
        reach: Distances to the edges as parts of the image, (4, 48, 48).
        has_reach: Where they are known, bool (48, 48).
    """

    probabilities: Tensor
    reach: Tensor
    has_reach: Tensor


def make_target(photo: NamedPhoto, answer: np.ndarray | None) -> Target:
    """Bring teacher and people together.

    Args:
        photo: The photo with its masks.
        answer: The teacher's logits (21, 24, 24); None where people outlined everything.
    """
    size = (GRID, GRID)
    if answer is None:
        probabilities = np.zeros((1 + len(VOC_CLASSES), *size), np.float32)
        probabilities[0] = 1
    else:
        probabilities = taught_probabilities(answer)
    found = list(instances(photo, probabilities))
    if photo.source == "pets" and found:
        _clear_outside(probabilities, found[0])
    reach = np.zeros((4, *size), np.float32)
    has_reach = np.zeros(size, bool)
    for one in sorted(found, key=lambda each: -each.covers.sum()):  # small ones lie on large ones
        is_on = one.covers >= 0.5
        if not is_on.any():
            continue
        if one.channel:
            probabilities *= 1 - one.covers
            probabilities[one.channel] += one.covers
        reach[:, is_on] = _reach_of(one.covers)[:, is_on]
        has_reach |= is_on
    return Target(
        probabilities=torch.from_numpy(probabilities / probabilities.sum(axis=0)),
        reach=torch.from_numpy(reach),
        has_reach=torch.from_numpy(has_reach),
    )


def taught_probabilities(answer: np.ndarray) -> np.ndarray:
    """The teacher's logits (21, 24, 24) as probabilities, float32 (21, 48, 48)."""
    logits = torch.from_numpy(answer.astype(np.float32))[None]
    enlarged = F.interpolate(logits, size=(GRID, GRID), mode="bilinear", align_corners=False)
    return enlarged[0].softmax(dim=0).numpy().copy()


def instances(photo: NamedPhoto, probabilities: np.ndarray) -> Iterator[Instance]:
    """Whole objects that people outlined.

    Args:
        photo: The photo.
        probabilities: What the teacher says, which tells cats from dogs where the masks carry no name.
    """
    if photo.source in (ALL_LABELLED, "coco-person"):
        for index, name in enumerate(photo.names):
            channel = 1 + VOC_CLASSES.index(_VOC_NAME[name]) if name in _VOC_NAME else 0
            yield Instance(channel=channel, covers=_covers(photo.mask(index)))
    elif photo.source == _WHOLE_IN_PARTS:
        for index, name in enumerate(photo.names):
            if name == "person":
                yield Instance(channel=_PERSON, covers=_covers(photo.mask(index)))
    elif photo.source == "human":
        for index in range(len(photo.counts)):
            yield Instance(channel=_PERSON, covers=_covers(photo.mask(index)))
    elif photo.source == "car-parts" and photo.counts:
        joined = np.max([photo.mask(index) for index in range(len(photo.counts))], axis=0)
        yield Instance(channel=_CAR, covers=_covers(joined))
    elif photo.source == "pets" and photo.counts:
        covers = _covers(photo.mask(0))
        channel = max(_PETS, key=lambda one: float((probabilities[one] * covers).sum()))
        yield Instance(channel=channel, covers=covers)


def _clear_outside(probabilities: np.ndarray, pet: Instance) -> None:
    """Outside of the outlined animal there is none."""
    outside = 1 - pet.covers
    for channel in _PETS:
        moved = probabilities[channel] * outside
        probabilities[channel] -= moved
        probabilities[0] += moved


def _covers(mask: np.ndarray) -> np.ndarray:
    return np.asarray(cv2.resize(mask.astype(np.float32), (GRID, GRID), interpolation=cv2.INTER_AREA))


def _reach_of(covers: np.ndarray) -> np.ndarray:
    """Distances from every cell's centre to the edges of the object's box."""
    rows, columns = np.nonzero(covers >= 0.25)
    x0, x1, y0, y1 = (edge / GRID for edge in (columns.min(), columns.max() + 1, rows.min(), rows.max() + 1))
    centres = (np.arange(GRID) + 0.5) / GRID
    x, y = np.meshgrid(centres, centres)
    return np.clip(np.stack((x - x0, y - y0, x1 - x, y1 - y)), 0, 1).astype(np.float32)
