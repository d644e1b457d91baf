"""One object that a simulated person corrects: where it is clicked, what is known of it, how it scores."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from masklet.evaluation.datasets import Clip
from masklet.evaluation.vos import ObjectScore, frame_scores, object_score
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet
from masklet.simulate import correction_click


class Prompted(Protocol):
    """What can be told where an object is."""

    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> BoolArray:
        """Say where an object is on a frame, in place of what was said there before.

        Returns:
            The object on this frame, bool (h, w).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundResult:
    """What one round did to an object.

    Args:
        frame: The frame that was clicked, or None when nothing was left to correct.
        num_clicks: Clicks made there.
        region: J on each frame that counts, in [0, 1].
        contour: F on each, in [0, 1].
    """

    frame: int | None
    num_clicks: int
    region: tuple[float, ...]
    contour: tuple[float, ...]

    @property
    def j_and_f(self) -> float:
        """Mean of J and F over the frames."""
        return float(np.mean(self.region) + np.mean(self.contour)) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRounds:
    """An object of a clip, round after round.

    Args:
        clip: Name of the clip.
        object_id: Its id there.
        frames: Indices of the frames that count, in order, at least one.
        rounds: What each round did, at least one.
        masks: The mask on each of the frames after the last round.
    """

    clip: str
    object_id: int
    frames: tuple[int, ...]
    rounds: tuple[RoundResult, ...]
    masks: Mapping[int, RLE]

    @property
    def scores(self) -> tuple[ObjectScore, ...]:
        """Mean, recall and decay of J and F after each round."""
        return tuple(
            object_score(self.clip, self.object_id, list(zip(one.region, one.contour, strict=True)))
            for one in self.rounds
        )

    @property
    def num_clicks(self) -> int:
        """All clicks made on it."""
        return sum(one.num_clicks for one in self.rounds)


@dataclass(slots=True, kw_only=True)
class FollowedObject:
    """An object under correction: the frames that count, and what is known of them now."""

    object_id: int
    first: int
    scored: tuple[int, ...]
    clicked: list[int] = field(default_factory=list)
    masks: dict[int, RLE] = field(default_factory=dict)
    scores: dict[int, tuple[float, float]] = field(default_factory=dict)
    rounds: list[RoundResult] = field(default_factory=list)

    @property
    def region(self) -> dict[int, float]:
        """J on each frame that counts."""
        return {frame: region for frame, (region, _) in self.scores.items()}

    def take(self, clip: Clip, frame: int, mask: BoolArray | None) -> None:
        """Score a mask; one that has not changed keeps its score, and None counts as empty."""
        true = clip.mask(self.object_id, frame) if frame in self.scored else None
        if true is None:
            return
        given = np.zeros_like(true) if mask is None else mask
        encoded = rle.encode(given)
        if self.masks.get(frame) != encoded:
            self.scores[frame] = frame_scores(given, true)
            self.masks[frame] = encoded

    def click(
        self, session: Prompted, clip: Clip, frame: int, *, start: BoolArray | None, max_clicks: int
    ) -> int:
        """Click on the largest error of a frame until the mask is right; without a start all of it is an error.

        Args:
            session: Takes the clicks.
            clip: The clip with its truth.
            frame: The frame to correct.
            start: The mask that is there, bool (h, w), or None.
            max_clicks: Most clicks.

        Returns:
            Clicks made.
        """
        self.clicked.append(frame)
        true = clip.mask(self.object_id, frame)
        if true is None:
            return 0
        mask = np.zeros_like(true) if start is None else start
        prompts: PromptSet | None = None
        for num_clicks in range(max_clicks):
            click = correction_click(mask, true)
            if click is None:
                return num_clicks
            prompts = PromptSet(clicks=[click]) if prompts is None else prompts.with_click(click)
            mask = session.prompt(self.object_id, frame, prompts)
        return max_clicks

    def end_round(self, frame: int | None, num_clicks: int) -> None:
        """Note how it scores now."""
        values = [self.scores[at] for at in self.scored]
        self.rounds.append(
            RoundResult(
                frame=frame,
                num_clicks=num_clicks,
                region=tuple(region for region, _ in values),
                contour=tuple(contour for _, contour in values),
            )
        )

    def done(self, clip: Clip) -> ObjectRounds:
        """All rounds."""
        return ObjectRounds(
            clip=clip.name,
            object_id=self.object_id,
            frames=self.scored,
            rounds=tuple(self.rounds),
            masks={at: self.masks[at] for at in self.scored},
        )


def objects_to_follow(clip: Clip, *, is_end_left_out: bool) -> tuple[FollowedObject, ...]:
    """Objects that are ever seen and have a frame that counts."""
    objects: list[FollowedObject] = []
    for object_id in clip.object_ids:
        first = clip.first_frame(object_id)
        if first is None:
            continue
        annotated = [index for index, found in enumerate(clip.truth[object_id]) if found is not None]
        left_out = {first, annotated[-1]} if is_end_left_out else set[int]()
        scored = tuple(index for index in annotated if index not in left_out)
        if scored:
            objects.append(FollowedObject(object_id=object_id, first=first, scored=scored))
    return tuple(objects)


def worst_frame(region: Mapping[int, float], clicked: Iterable[int]) -> int | None:
    """The frame to correct next when the whole clip is known.

    Args:
        region: J of each frame, in [0, 1].
        clicked: Frames that have been corrected.

    Returns:
        The frame with the lowest J that has not been clicked, the earliest of equals, or None when no other
        frame has an error.
    """
    done = frozenset(clicked)
    left = [(value, frame) for frame, value in region.items() if frame not in done and value < 1]
    return min(left)[1] if left else None


def frame_to_pause_on(region: Mapping[int, float], after: int, pause_below: float) -> int | None:
    """The frame to correct next while the clip is followed.

    Args:
        region: J of each frame, in [0, 1].
        after: The last frame that has been corrected.
        pause_below: J below which a person stops.

    Returns:
        The first later frame whose J is lower, or None when there is none.
    """
    return min((frame for frame, j in region.items() if frame > after and j < pause_below), default=None)
