"""How much work masks over a whole clip are: clicking every frame anew, against tracking and correcting.

Both simulated people want the same: every frame at the target, or as many clicks spent on it as they have patience
for; or they stop as soon as the clip as a whole is good enough. So they end at about the same quality, which is told, and
differ in clicks and seconds.

Source: the comparison of the phases of SA-V's data engine (Ravi et al., "SAM 2", 2024, table 1: 37.8 s a frame with SAM on
every frame, 4.5 s with SAM 2 in the loop), with simulated clicks in place of people and stated seconds in place of clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, TypeVar

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.clicks import ImageModel
from masklet.evaluation.datasets import Clip
from masklet.evaluation.interactive import InteractiveSession, OpenSession
from masklet.evaluation.vos import frame_scores
from masklet.masks.arrays import BoolArray
from masklet.masks.metrics import iou
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, correction_click

Embedding = TypeVar("Embedding")
State = TypeVar("State")


Measure: TypeAlias = Literal["iou", "j_and_f"]
Goal: TypeAlias = Literal["every frame", "masklet"]
_MEASURES: Mapping[Measure, Callable[[BoolArray, BoolArray], float]] = {
    "iou": iou,
    "j_and_f": lambda mask, true: float(np.mean(frame_scores(mask, true))),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortProtocol:
    """What the simulated people want and what their time costs.

    Attributes:
        target: Score at which a frame is good, in (0, 1].
        measure: What the score is: IoU, or the mean of J and F.
        goal: When they are done: with every frame worked on or good, or as soon as the mean over the frames of the
            masklet reaches the target; frames without a mask count 0.
        max_clicks: Most clicks on one frame, at least 1.
        click_s: Seconds of a click, with finding the place for it. Our own assumption.
        open_s: Seconds to turn to a frame and judge its mask. Our own assumption.
        watch_s: Seconds a frame takes when a tracked clip is played to find mistakes. Our own assumption.
    """

    target: float = 0.8
    measure: Measure = "iou"
    goal: Goal = "every frame"
    max_clicks: int = 5
    click_s: float = 1.5
    open_s: float = 1.0
    watch_s: float = 0.2

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not 0 < self.target <= 1 or self.max_clicks < 1:
            raise PromptError(
                f"The target must lie in (0, 1] and there must be a click, got {self.target} and {self.max_clicks}."
            )

    def score(self, mask: BoolArray, true: BoolArray) -> float:
        """How good a mask of a frame is, in [0, 1]."""
        return _MEASURES[self.measure](mask, true)

    def seconds(self, num_clicks: int, num_opened: int, num_watched: int) -> float:
        """What clicks, frames worked on and frames watched cost."""
        spent = num_clicks * self.click_s + num_opened * self.open_s + num_watched * self.watch_s
        return round(spent, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortPoint:
    """How far a masklet had come.

    Attributes:
        num_clicks: Clicks made so far.
        seconds: Time spent so far, by the stated costs.
        quality: Mean score over its frames, in [0, 1].
    """

    num_clicks: int
    seconds: float
    quality: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """What one object of one clip cost, and how good it got.

    Attributes:
        clip: Name of the clip.
        object_id: The object.
        num_frames: Frames with truth that show the object.
        num_clicks: Clicks made.
        num_opened: Frames that were worked on.
        num_watched: Frames that were only watched.
        mean_iou: Mean score over those frames, in [0, 1]: IoU, or what the protocol measures.
        share_good: Share of them at the target.
        seconds: By the stated costs.
        path: How it came there: after each frame that was worked on.
    """

    clip: str
    object_id: int
    num_frames: int
    num_clicks: int
    num_opened: int
    num_watched: int
    mean_iou: float
    share_good: float
    seconds: float
    path: tuple[EffortPoint, ...] = ()

    def is_reached(self, target: float) -> bool:
        """Whether the masklet as a whole got so good."""
        return bool(self.path) and self.path[-1].quality >= target

    @property
    def seconds_per_frame(self) -> float:
        """Seconds for a frame."""
        return self.seconds / self.num_frames


def frame_by_frame(
    model: ImageModel[Embedding, State], clip: Clip, object_id: int, protocol: EffortProtocol
) -> Effort | None:
    """Click on every frame as if it were a photo.

    Args:
        model: Segments images from clicks.
        clip: A clip with truth.
        object_id: One of its objects.
        protocol: What is wanted.

    Returns:
        What it cost, or None when the object is never seen.
    """
    frames = _frames_of(clip, object_id)
    if not frames:
        return None
    work = _Work(protocol=protocol, num_frames=len(frames))
    scores = dict.fromkeys((index for index, _ in frames), 0.0)
    for index, true in frames:
        embedding = model.embed(clip.frame(index))
        state: list[State | None] = [None]

        def answer(
            prompts: PromptSet, embedding: Embedding = embedding, state: list[State | None] = state
        ) -> BoolArray:
            masks, state[0] = model.predict(embedding, [prompts], state[0])
            return masks[0]

        scores[index], clicks = _click_until_good(answer, true, None, protocol)
        work.add(clicks, 0, list(scores.values()))
        if work.is_enough(list(scores.values())):
            break
    return work.effort(clip, object_id, list(scores.values()))


def track_and_correct(
    open_session: OpenSession, clip: Clip, object_id: int, protocol: EffortProtocol
) -> Effort | None:
    """Click on the first frame, track, watch until something is wrong, click there, track again, to the end.

    Args:
        open_session: Opens a session that can be corrected.
        clip: A clip with truth.
        object_id: One of its objects.
        protocol: What is wanted.

    Returns:
        What it cost, or None when the object is never seen.
    """
    frames = _frames_of(clip, object_id)
    if not frames:
        return None
    with open_session(clip) as session:
        return _corrected(session, clip, object_id, frames, protocol)


def _corrected(
    session: InteractiveSession,
    clip: Clip,
    object_id: int,
    frames: Sequence[tuple[int, BoolArray]],
    protocol: EffortProtocol,
) -> Effort:
    truth = dict(frames)
    masks: dict[int, BoolArray] = {}
    worked_on: set[int] = set()
    work = _Work(protocol=protocol, num_frames=len(frames))
    place: int | None = frames[0][0]
    scores: dict[int, float] = {}
    while place is not None:
        before = masks.get(place)

        def answer(prompts: PromptSet, place: int = place) -> BoolArray:
            return session.prompt(object_id, place, prompts)

        _, clicks = _click_until_good(answer, truth[place], before, protocol)
        worked_on.add(place)
        for index, found in enumerate(session.follow()):
            if index in truth:
                masks[index] = found.get(object_id, np.zeros(clip.size.hw, dtype=np.bool_))
        scores = {i: protocol.score(masks[i], true) for i, true in frames}
        bad = [i for i, score in scores.items() if i not in worked_on and score < protocol.target]
        following = None if not bad or work.is_enough(list(scores.values())) else bad[0]
        # what lies between two corrections is watched; after the last, the rest
        ends = frames[-1][0] if following is None else following
        work.add(clicks, sum(place < i <= ends for i in truth), list(scores.values()))
        place = following
    return work.effort(clip, object_id, list(scores.values()))


@dataclass(slots=True, kw_only=True)
class _Work:
    """What has been done on a masklet."""

    protocol: EffortProtocol
    num_frames: int
    num_clicks: int = 0
    num_opened: int = 0
    num_watched: int = 0
    path: list[EffortPoint] = field(default_factory=list)

    def is_enough(self, scores: Sequence[float]) -> bool:
        """Whether the masklet is good enough as it is."""
        return self.protocol.goal == "masklet" and float(np.mean(scores)) >= self.protocol.target

    def add(self, num_clicks: int, num_watched: int, scores: Sequence[float]) -> None:
        """Note a frame that was worked on and what was watched after it."""
        self.num_clicks += num_clicks
        self.num_opened += 1
        self.num_watched += num_watched
        spent = self.protocol.seconds(self.num_clicks, self.num_opened, self.num_watched)
        quality = float(np.mean(scores))
        self.path.append(EffortPoint(num_clicks=self.num_clicks, seconds=spent, quality=quality))

    def effort(self, clip: Clip, object_id: int, scores: Sequence[float]) -> Effort:
        """All of it."""
        return Effort(
            clip=clip.name,
            object_id=object_id,
            num_frames=self.num_frames,
            num_clicks=self.num_clicks,
            num_opened=self.num_opened,
            num_watched=self.num_watched,
            mean_iou=float(np.mean(scores)),
            share_good=float(np.mean([score >= self.protocol.target for score in scores])),
            seconds=self.protocol.seconds(self.num_clicks, self.num_opened, self.num_watched),
            path=tuple(self.path),
        )


def _frames_of(clip: Clip, object_id: int) -> list[tuple[int, BoolArray]]:
    """Frames that show the object, with its true mask."""
    found: list[tuple[int, BoolArray]] = []
    for index in range(clip.num_frames):
        true = clip.mask(object_id, index)
        if true is not None and true.any():
            found.append((index, true))
    return found


def _click_until_good(
    answer: Callable[[PromptSet], BoolArray],
    true: BoolArray,
    before: BoolArray | None,
    protocol: EffortProtocol,
) -> tuple[float, int]:
    """Click until the mask is good or patience ends.

    Args:
        answer: Gives the mask for all clicks so far.
        true: The true mask, not empty.
        before: The mask that is there already, or None.
        protocol: What is wanted.

    Returns:
        Score of the last mask, and the number of clicks.
    """
    mask, prompts = before, None
    score = 0.0 if before is None else protocol.score(before, true)
    for num_clicks in range(protocol.max_clicks):
        if score >= protocol.target:
            return score, num_clicks
        click = centre_click(true) if mask is None else correction_click(mask, true)
        if click is None:
            return score, num_clicks
        prompts = PromptSet(clicks=[click]) if prompts is None else prompts.with_click(click)
        mask = answer(prompts)
        score = protocol.score(mask, true)
    return score, protocol.max_clicks
