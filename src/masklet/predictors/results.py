"""What is told of an image and of a frame of a video."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Masks:
    """Candidate masks of one object, best first.

    Attributes:
        masks: bool (n, h, w) at image size.
        scores: Predicted IoU (n,).
        logits: Mask logits, float32 (n, h, w) at image size; the masks are where they are above 0, tidied.
        presence: Presence probability of the object.
        low_res_logits: Logits at the decoder's size (n, h4, w4), for the next click.
    """

    masks: np.ndarray
    scores: np.ndarray
    logits: np.ndarray
    presence: float
    low_res_logits: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FrameResult:
    """All objects on one frame, by object id. Objects not yet prompted in the direction of tracking are left out.

    Attributes:
        index: Frame index.
        pts_s: When the frame is shown, in seconds, or None.
        masks: bool (h, w) at image size.
        scores: Predicted IoU in [0, 1].
        presence: Probability that the object is visible, in [0, 1].
        stability: IoU of the mask with itself under a shifted threshold, in [0, 1].
        area: Pixels of the mask.
        logits: Mask logits, float32 (h4, w4), at the decoder's resolution.
        prompted: Ids of the objects a person prompted on this frame.
    """

    index: int
    pts_s: float | None = None
    masks: Mapping[int, np.ndarray] = field(default_factory=dict)
    scores: Mapping[int, float] = field(default_factory=dict)
    presence: Mapping[int, float] = field(default_factory=dict)
    stability: Mapping[int, float] = field(default_factory=dict)
    area: Mapping[int, int] = field(default_factory=dict)
    logits: Mapping[int, np.ndarray] = field(default_factory=dict)
    prompted: frozenset[int] = frozenset()

    @property
    def object_ids(self) -> list[int]:
        """Ids of the objects on this frame, in order."""
        return sorted(self.masks)


def without_overlaps(masks: Mapping[int, np.ndarray], prompted: frozenset[int]) -> dict[int, np.ndarray]:
    """Masks of objects that were not segmented together, so changed that they share no pixel.

    A pixel goes to the object that a person prompted on this frame, then to the smaller one: it is likelier to lie on
    top of the other.

    Args:
        masks: bool (h, w) by object id.
        prompted: Ids of prompted objects.
    """
    order = sorted(
        masks, key=lambda object_id: (object_id not in prompted, int(masks[object_id].sum()), object_id)
    )
    found: dict[int, np.ndarray] = {}
    taken: np.ndarray | None = None
    for object_id in order:
        mask = masks[object_id] if taken is None else masks[object_id] & ~taken
        taken = mask if taken is None else taken | mask
        found[object_id] = mask
    return {object_id: found[object_id] for object_id in masks}
