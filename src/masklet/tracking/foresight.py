"""Comparing a coming frame with what will be remembered then, while the frame before it is still at work.

Memory read by affinity is compared by keys that come from the frames alone, so which frames are alike is known before the
mask of the newest one is. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from masklet.models.bounded_softmax import Compared
from masklet.models.model import ImageFeatures
from masklet.models.network import Network
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.policy import Attended, MemoryPolicy, Moment
from masklet.tracking.reading import own_channels
from masklet.tracking.writing import STORAGE, Beside

Read = tuple[tuple[int, int], ...]
"""Remembered frames and their age rows, in the order in which they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Coming:
    """The frame that is tracked next.

    Attributes:
        image: Its features.
        moment: Where tracking will stand.
    """

    image: ImageFeatures
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreseen:
    """What was compared before its frame came.

    Attributes:
        frame: That frame.
        read: What it was compared with.
        compared: Waits for the comparison.
    """

    frame: int
    read: Read
    compared: Callable[[], Compared | None]

    def fitting(self, attended: Sequence[Attended], moment: Moment) -> Compared | None:
        """The comparison, where objects on this frame read just that; else None."""
        is_so = self.frame == moment.frame and all(read_by(one) == self.read for one in attended)
        return self.compared() if is_so else None


def read_by(attended: Attended) -> Read:
    """What an object reads."""
    return tuple((entry.frame, row) for entry, row in attended.spatial)


def foresee(
    network: Network,
    policy: MemoryPolicy,
    image: ImageFeatures,
    banks: Sequence[MemoryBank],
    moment: Moment,
    coming: Coming,
    beside: Beside,
) -> Foreseen | None:
    """Begin to compare the frame that comes next with what will be remembered if this one is kept.

    Args:
        network: Compares.
        policy: Says what is read.
        image: Features of the frame at work.
        banks: Memory of each object before it.
        moment: Where tracking stands.
        coming: The next frame.
        beside: Compares in another thread.

    Returns:
        None where objects will read different frames, or the model compares frames and masks together.
    """
    channels, looks = own_channels(network.config), network.looks_of(image)
    if channels is None or looks is None:
        return None
    num_looks = channels[0].start
    newest = looks[0].to(STORAGE[network.config.memory_precision])
    attended = [policy.attend(_with_frame(bank, moment.frame, newest), coming.moment) for bank in banks]
    read = read_by(attended[0])
    if any(read_by(one) != read for one in attended):
        return None
    entries = [entry for entry, _ in attended[0].spatial]
    features = coming.image.features

    def compare() -> Compared | None:
        known = torch.stack([entry.features[:num_looks].to(features) for entry in entries])
        rows = torch.tensor([row for _, row in read], device=features.device)
        return network.compare(features, known[None], rows[None])

    return Foreseen(frame=coming.moment.frame, read=read, compared=beside(compare))


def _with_frame(bank: MemoryBank, frame: int, looks: torch.Tensor) -> MemoryBank:
    """A bank as it will be if the object is on a frame as it was on the last one; of its memory there are only looks."""
    known: tuple[MemoryEntry, ...] = (*bank.conditioning.values(), *bank.recent)
    return bank.with_tracked(replace(known[-1], frame=frame, written=looks, is_kept=True))
