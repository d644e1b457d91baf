"""Which results a change on a prompted frame can alter: one rule for a session, its database and its page."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Affected:
    """Tracked frames that a change alters, by the direction in which they were tracked.

    Attributes:
        after: Frames tracked in time's direction are altered if they come after this one.
        before: Frames tracked against time are altered if they come before this one.
    """

    after: int
    before: float

    def holds(self, frame: int, *, is_backward: bool) -> bool:
        """Whether the result of a tracked frame is altered."""
        return frame < self.before if is_backward else frame > self.after


def affected_by(prompted: Iterable[int], frame: int, look_ahead: int | None = None) -> Affected:
    """What a change on a frame alters: all that was tracked past it, and what was tracked towards it.

    A tracked frame also reads the next prompted frame ahead of it, if it is not far. So a change reaches back to the
    prompted frame before, or so far.

    Args:
        prompted: The prompted frames of the object; whether the changed one is among them does not matter.
        frame: The frame on which something is said, said anew or taken back.
        look_ahead: As in ``Moment``.
    """
    others = sorted(prompted)
    after = max((at for at in others if at < frame), default=-1)
    before = min((at for at in others if at > frame), default=math.inf)
    if look_ahead is not None:
        after, before = max(after, frame - look_ahead - 1), min(before, frame + look_ahead + 1)
    return Affected(after=after, before=before)
