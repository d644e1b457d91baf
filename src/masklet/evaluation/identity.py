"""Does each object still have its own id at the end, or has it been taken for another?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from masklet.errors import PromptError
from masklet.masks.arrays import BoolArray
from masklet.masks.metrics import iou


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which object is under an id.

    Args:
        object_id: The id.
        overlaps: Mean IoU with the truth of each object id, itself included, each in [0, 1].
        min_overlap: IoU that an id must reach with an object to be said to lie on it.
    """

    object_id: int
    overlaps: Mapping[int, float]
    min_overlap: float

    @property
    def shows(self) -> int | None:
        """Id of the object that it overlaps most, or None when it lies on none; its own wins a tie."""
        best = max(self.overlaps, key=lambda other: (self.overlaps[other], other == self.object_id))
        return best if self.overlaps[best] >= self.min_overlap else None

    @property
    def is_kept(self) -> bool:
        """Whether it lies on its own object."""
        return self.shows == self.object_id


def identities_at_end(
    predicted: Sequence[Mapping[int, BoolArray]],
    truth: Mapping[int, Sequence[BoolArray]],
    *,
    num_frames: int = 5,
    min_overlap: float = 0.1,
) -> dict[int, Identity]:
    """Compare each object with its own truth and with that of the others on the last frames of a clip.

    Args:
        predicted: For each frame the mask of each object id, bool (h, w); one left out is empty.
        truth: For each object id its true mask on each frame, bool (h, w).
        num_frames: How many frames from the end are compared, at least 1.
        min_overlap: Mean IoU that an id must reach with an object to be said to lie on it, in [0, 1].

    Returns:
        One entry per object id, in ascending order. A pair counts on those frames on which the true object is seen; an
        object never seen there overlaps nothing.

    Raises:
        PromptError: When a track is shorter than the frames compared, or lengths differ.

    Source: ours.
    """
    if num_frames < 1 or any(len(masks) != len(predicted) for masks in truth.values()):
        raise PromptError(
            "Identities need at least one frame, and as many true masks of each object as frames."
        )
    if len(predicted) < num_frames:
        raise PromptError(f"The clip has {len(predicted)} frames; compare at most so many, not {num_frames}.")
    last = range(len(predicted) - num_frames, len(predicted))
    return {
        object_id: Identity(
            object_id=object_id,
            overlaps={
                other: _mean_overlap(
                    [predicted[at].get(object_id) for at in last], [truth[other][at] for at in last]
                )
                for other in sorted(truth)
            },
            min_overlap=min_overlap,
        )
        for object_id in sorted(truth)
    }


def _mean_overlap(predicted: Sequence[BoolArray | None], true: Sequence[BoolArray]) -> float:
    """Mean IoU over the frames on which the true object is seen; 0 when it never is."""
    ious = [
        0.0 if given is None else iou(given, wanted)
        for given, wanted in zip(predicted, true, strict=True)
        if wanted.any()
    ]
    return float(np.mean(ious)) if ious else 0.0
