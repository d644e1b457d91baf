"""What work a document tells of: clicks and seconds of each object."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

from masklet.annotations import Project

LONGEST_PAUSE_S = 60
"""A longer pause between two edits was spent on something else, and counts as nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedEffort:
    """Work on one object.

    Attributes:
        object_id: The object.
        num_clicks: Clicks that stand.
        num_boxes: Boxes that stand.
        num_masks: Masks drawn by hand that stand.
        num_prompted: Frames on which something was said.
        num_visible: Frames on which it is seen.
        seconds: Time between edits up to those of this object, or None when the document holds no times.
    """

    object_id: int
    num_clicks: int
    num_boxes: int
    num_masks: int
    num_prompted: int
    num_visible: int
    seconds: int | None

    @property
    def clicks_per_frame(self) -> float | None:
        """Clicks for each frame on which it is seen, or None when it never is."""
        return self.num_clicks / self.num_visible if self.num_visible else None


def recorded_effort(project: Project) -> list[RecordedEffort]:
    """Work on every object of a document, by id.

    What was said and taken back again does not count as clicks; its time does.
    """
    seconds = _seconds(project)
    found: list[RecordedEffort] = []
    for object_id, track in project.tracks.items():
        said = project.prompts.get(object_id, {})
        found.append(
            RecordedEffort(
                object_id=object_id,
                num_clicks=sum(len(one.clicks) for one in said.values()),
                num_boxes=sum(one.box is not None for one in said.values()),
                num_masks=sum(one.mask is not None for one in said.values()),
                num_prompted=len(said),
                num_visible=sum(not one.is_absent for one in track.frames.values()),
                seconds=None if seconds is None else seconds.get(object_id, 0),
            )
        )
    return found


def _seconds(project: Project) -> dict[int, int] | None:
    """Time between edits by the object of the later one, or None when no edit has a time."""
    timed = [(one.time_s, one.object_id) for one in project.edits if one.time_s is not None]
    if not timed:
        return None
    found: dict[int, int] = {}
    for (before, _), (after, object_id) in itertools.pairwise(timed):
        pause = after - before
        if object_id is not None and 0 <= pause <= LONGEST_PAUSE_S:
            found[object_id] = found.get(object_id, 0) + pause
    return found
