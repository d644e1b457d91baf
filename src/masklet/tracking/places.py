"""Where objects that hide each other should be: whole boxes, also of what is seen in part or not at all.

A filter of a few boxes of the past, nothing learned: an end beside a rival says nothing of where an object ends, its
other end and its size do; what is hidden moves on, ever more slowly. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from masklet.geometry import Box
from masklet.tracking.bank import MemoryBank

WINDOW = 16
"""Frames that are looked back upon."""
_MOST_GROWTH = 1.05  # of the size, a frame
_MOVES = 0.02  # of its size a frame: so fast does an object move at least
_VELOCITY_GAIN, _PARTIAL_GAIN = 0.8, 0.8  # after a look at all of it, and at a part
_DAMPING = 0.85  # of the velocity, a frame without a look
_BESIDE = 0.02  # of the image's side: so near does a rival hide an end
_LEVEL = 0.3  # of the shorter one: so much do rivals share of an axis to stand side by side along the other
_IS_WHOLE = 0.93  # of its size: so much of an object is all of it
_IS_PART = 0.3  # of its size: less than that is a part, though no rival hides the rest
_NEAR = 0.1  # of its size: so near to where it should be lies an end of a part
_FADES = 0.99  # of its size, a frame on which a part is all that is seen
_LEAST_OF_FIRST = 0.8
_MOST_SLIDE = 0.5

Ends: TypeAlias = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Span:
    """An object along one axis, in shares of the image's side.

    Attributes:
        centre: Middle of the whole object.
        size: Length of the whole object.
        velocity: Of the middle, a frame.
    """

    centre: float
    size: float
    velocity: float = 0.0

    def moved(self) -> Span:
        """One frame on, seen or not."""
        return replace(self, centre=self.centre + self.velocity, velocity=_DAMPING * self.velocity)

    def seen(self, visible: Ends, rivals: Sequence[Ends]) -> Span:
        """After a look at the visible part, whose ends are the object's own unless a rival lies over them."""
        low, high = visible
        length, size = high - low, self.size
        is_whole = _IS_WHOLE <= length / size <= 1 / _IS_WHOLE
        is_low_end, is_high_end = (
            is_whole or not any(_covers(one, end) for one in rivals) for end in visible
        )
        if is_low_end and is_high_end and length < _IS_PART * size:
            # something that nobody follows hides an end, or both: the object's own is where it should be
            errors = abs(low - self.centre + size / 2), abs(high - self.centre - size / 2)
            is_low_end, is_high_end = (error == min(errors) and error < _NEAR * size for error in errors)
            size *= _FADES
        elif is_low_end and is_high_end:
            size *= min(max(length / size, 1 / _MOST_GROWTH), _MOST_GROWTH)
        half, is_moving = size / 2, abs(self.velocity) > _MOVES * size
        if is_moving and length > size / _IS_WHOLE:
            # more than itself: what it leaves behind, a neighbour perhaps, says less than where it goes
            is_low_end, is_high_end = is_low_end and self.velocity < 0, is_high_end and self.velocity > 0
        if is_low_end and is_high_end:
            centre = (low + high) / 2
        elif is_low_end:
            centre = low + half
        elif is_high_end:
            centre = high - half
        else:  # it covers what is seen, or lies within it
            least, most = sorted((high - half, low + half))
            centre = min(max(self.centre, least), most)
        gain = _VELOCITY_GAIN if is_whole else _PARTIAL_GAIN
        return Span(centre, size, self.velocity + gain * (centre - self.centre))

    def slid_to(self, looked: Span) -> Span:
        """Moved to where a look puts it, by half its size at most."""
        most = _MOST_SLIDE * self.size
        return replace(self, centre=min(max(looked.centre, self.centre - most), self.centre + most))

    def at_least(self, size: float) -> Span:
        """Not smaller than a size."""
        return replace(self, size=max(self.size, size))


def _covers(rival: Ends, end: float) -> bool:
    return rival[0] - _BESIDE < end < rival[1] + _BESIDE


@dataclass(frozen=True, slots=True)
class Place:
    """An object along both axes."""

    x: Span
    y: Span

    @classmethod
    def at(cls, box: Box) -> Place:
        """An object that is seen whole and at rest."""
        x, y = box.centre_xy
        return cls(Span(x, box.x1 - box.x0), Span(y, box.y1 - box.y0))

    @property
    def box(self) -> Box:
        """The whole object."""
        return self.enlarged(0.0)

    def enlarged(self, share: float) -> Box:
        """The whole object and a share of its size around it."""
        (x, across), (y, down) = ((span.centre, (0.5 + share) * span.size) for span in (self.x, self.y))
        return Box(x - across, y - down, x + across, y + down)

    def is_exceeded_by(self, box: Box, ratio: float) -> bool:
        """Whether a box is wider or higher than the object by a ratio."""
        return box.x1 - box.x0 > ratio * self.x.size or box.y1 - box.y0 > ratio * self.y.size

    def moved(self) -> Place:
        """One frame on."""
        return Place(self.x.moved(), self.y.moved())

    def seen(self, box: Box, rivals: Sequence[Box]) -> Place:
        """After a look at the box of its visible part and the boxes of its rivals."""
        x, y = (box.x0, box.x1), (box.y0, box.y1)
        beside = [(one.x0, one.x1) for one in rivals if _common(y, (one.y0, one.y1)) > _LEVEL]
        above = [(one.y0, one.y1) for one in rivals if _common(x, (one.x0, one.x1)) > _LEVEL]
        return Place(self.x.seen(x, beside), self.y.seen(y, above))


def _common(one: Ends, other: Ends) -> float:
    """What two spans have in common, as a share of the shorter; negative when they lie apart."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared / min(one[1] - one[0], other[1] - other[0])


def fitted(place: Place, claimed: Box, rivals: Sequence[Box]) -> Place:
    """A place slid onto what the object claims now, its size kept.

    Args:
        place: Where the object should be.
        claimed: Box of what it claims.
        rivals: Where others should be.
    """
    looked = place.seen(claimed, rivals)
    return Place(place.x.slid_to(looked.x), place.y.slid_to(looked.y))


def expected_places(banks: Sequence[MemoryBank], age_of: Callable[[int], int]) -> list[Place | None]:
    """Where each object should be now, from what is remembered of all; None for those never seen.

    Args:
        banks: Memory of each object.
        age_of: Frames since a frame, in the direction of tracking; not positive for frames to come.
    """
    seen = [_boxes_by_age(bank, age_of) for bank in banks]
    return [_follow(boxes, seen[:index] + seen[index + 1 :]) for index, boxes in enumerate(seen)]


def _boxes_by_age(bank: MemoryBank, age_of: Callable[[int], int]) -> dict[int, Box]:
    entries = (*bank.conditioning.values(), *bank.recent)
    return {age_of(entry.frame): entry.box for entry in entries if entry.box and age_of(entry.frame) >= 1}


def _follow(boxes: Mapping[int, Box], others: Sequence[Mapping[int, Box]]) -> Place | None:
    if not boxes:
        return None
    first = boxes[max(boxes)]
    oldest = max((age for age in boxes if age <= WINDOW), default=min(boxes))
    start = Place.at(boxes[oldest])
    place = Place(
        start.x.at_least(_LEAST_OF_FIRST * (first.x1 - first.x0)),
        start.y.at_least(_LEAST_OF_FIRST * (first.y1 - first.y0)),
    )
    for age in range(oldest - 1, 0, -1):
        place = place.moved()
        if age in boxes:
            # only what stands before an object, its foot lower in the image, hides where it ends
            nearer = [other[age] for other in others if age in other and other[age].y1 > boxes[age].y1]
            place = place.seen(boxes[age], nearer)
    return place.moved()
