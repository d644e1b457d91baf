"""How much work masks over a whole clip are: clicking every frame anew, against tracking and correcting.

Both simulated people want the same: every frame at the target IoU, or as many clicks spent on it as they have patience
for. So they end at about the same quality, which is told, and differ in clicks and seconds.

Source: the comparison of the phases of SA-V's data engine (Ravi et al., "SAM 2", 2024, table 1: 37.8 s a frame with SAM on
every frame, 4.5 s with SAM 2 in the loop), with simulated clicks in place of people and stated seconds in place of clocks.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.clicks import ImageModel
from masklet.evaluation.datasets import Clip
from masklet.evaluation.interactive import InteractiveSession, OpenSession
from masklet.masks.arrays import BoolArray
from masklet.masks.metrics import iou
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, correction_click

Embedding = TypeVar("Embedding")
State = TypeVar("State")


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortProtocol:
    """What the simulated people want and what their time costs.

    Attributes:
        target: IoU at which a frame is good, in (0, 1].
        max_clicks: Most clicks on one frame, at least 1.
        click_s: Seconds of a click, with finding the place for it. Our own assumption.
        open_s: Seconds to turn to a frame and judge its mask. Our own assumption.
        watch_s: Seconds a frame takes when a tracked clip is played to find mistakes. Our own assumption.
    """

    target: float = 0.8
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
        mean_iou: Mean IoU over those frames, in [0, 1].
        share_good: Share of them at the target.
        seconds: By the stated costs.
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
    scores: list[float] = []
    num_clicks = 0
    for index, true in frames:
        embedding = model.embed(clip.frame(index))
        state: list[State | None] = [None]

        def answer(
            prompts: PromptSet, embedding: Embedding = embedding, state: list[State | None] = state
        ) -> BoolArray:
            masks, state[0] = model.predict(embedding, [prompts], state[0])
            return masks[0]

        score, clicks = _click_until_good(answer, true, None, protocol)
        scores.append(score)
        num_clicks += clicks
    return _effort(clip, object_id, scores, (num_clicks, len(frames), 0), protocol) if frames else None


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
    worked_on: dict[int, int] = {}
    num_clicks, num_watched = 0, 0
    place: int | None = frames[0][0]
    while place is not None:
        before = masks.get(place)

        def answer(prompts: PromptSet, place: int = place) -> BoolArray:
            return session.prompt(object_id, place, prompts)

        _, clicks = _click_until_good(answer, truth[place], before, protocol)
        num_clicks += clicks
        worked_on[place] = clicks
        for index, found in enumerate(session.follow()):
            if index in truth:
                masks[index] = found.get(object_id, np.zeros(clip.size.hw, dtype=np.bool_))
        bad = [i for i, true in frames if i not in worked_on and iou(masks[i], true) < protocol.target]
        following = bad[0] if bad else None
        # what lies between two corrections is watched; after the last, the rest
        ends = frames[-1][0] if following is None else following
        num_watched += sum(place < i <= ends for i in truth)
        place = following
    scores = [iou(masks[i], true) for i, true in frames]
    return _effort(clip, object_id, scores, (num_clicks, len(worked_on), num_watched), protocol)


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
        IoU of the last mask, and the number of clicks.
    """
    mask, prompts = before, None
    score = 0.0 if before is None else iou(before, true)
    for num_clicks in range(protocol.max_clicks):
        if score >= protocol.target:
            return score, num_clicks
        click = centre_click(true) if mask is None else correction_click(mask, true)
        if click is None:
            return score, num_clicks
        prompts = PromptSet(clicks=[click]) if prompts is None else prompts.with_click(click)
        mask = answer(prompts)
        score = iou(mask, true)
    return score, protocol.max_clicks


def _effort(
    clip: Clip,
    object_id: int,
    scores: Sequence[float],
    counts: tuple[int, int, int],
    protocol: EffortProtocol,
) -> Effort:
    num_clicks, num_opened, num_watched = counts
    seconds = num_clicks * protocol.click_s + num_opened * protocol.open_s + num_watched * protocol.watch_s
    return Effort(
        clip=clip.name,
        object_id=object_id,
        num_frames=len(scores),
        num_clicks=num_clicks,
        num_opened=num_opened,
        num_watched=num_watched,
        mean_iou=float(np.mean(scores)),
        share_good=float(np.mean([score >= protocol.target for score in scores])),
        seconds=round(seconds, 3),
    )
