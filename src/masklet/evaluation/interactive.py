"""Interactive video segmentation: a few clicks on one frame after the other, offline or online, and what each is worth.

Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, interactive offline and online evaluation:
3 clicks on each of up to 8 frames; offline the next frame is the one with the lowest IoU, online the first with an
IoU below 0.75.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol, TypeAlias

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.interactive_object import (
    FollowedObject,
    ObjectRounds,
    Prompted,
    frame_to_pause_on,
    objects_to_follow,
    worst_frame,
)
from masklet.evaluation.vos import ObjectScore, VosReport
from masklet.masks import rle
from masklet.masks.arrays import BoolArray

InteractiveMode: TypeAlias = Literal["offline", "online"]


class InteractiveSession(Prompted, Protocol):
    """What is evaluated, opened on one clip: it is corrected, and follows all its objects again."""

    def follow(self) -> Iterable[Mapping[int, BoolArray]]:
        """For each frame of the clip in order the mask of each object, bool (h, w), with all prompts so far.

        An object that is left out of a frame counts as an empty mask. Frames before an object's first
        prompt are told too.
        """
        ...

    def follow_from(self, frame: int) -> Iterable[Mapping[int, BoolArray]]:
        """The same forward from a frame on, from what was known there; asked for online only."""
        ...

    def remove(self, object_id: int) -> None:
        """Forget an object that is finished; asked for online only."""
        ...


OpenSession: TypeAlias = Callable[[Clip], AbstractContextManager[InteractiveSession]]
"""Opens a session on a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveProtocol:
    """How much a simulated person says.

    Args:
        mode: "offline" to watch the whole clip before each correction, "online" to watch it once and stop where
            it goes wrong.
        num_rounds: Most frames that are clicked on, the first included.
        max_clicks: Most clicks on each of these frames.
        pause_below: J below which a person stops online, in (0, 1].
        is_end_left_out: Whether the first frame of each object and its last annotated one do not count.
    """

    mode: InteractiveMode = "offline"
    num_rounds: int = 4
    max_clicks: int = 3
    pause_below: float = 0.75
    is_end_left_out: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.num_rounds < 1 or self.max_clicks < 1:
            raise PromptError(
                f"There must be at least one round and one click, got {self.num_rounds} and {self.max_clicks}."
            )
        if not 0 < self.pause_below <= 1:
            raise PromptError(f"The J to pause below must lie in (0, 1], got {self.pause_below}.")


DEFAULT_PROTOCOL = InteractiveProtocol()


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveReport:
    """Scores after each round.

    Args:
        protocol: How much was said.
        objects: Every object with all its rounds.
    """

    protocol: InteractiveProtocol
    objects: tuple[ObjectRounds, ...]

    @property
    def rounds(self) -> tuple[VosReport, ...]:
        """One report per round in order, each with the same objects."""
        scores = [one.scores for one in self.objects]
        return tuple(
            VosReport(
                prompt=round_name(number + 1, self.protocol), objects=tuple(one[number] for one in scores)
            )
            for number in range(self.protocol.num_rounds)
        )

    @property
    def curve(self) -> tuple[float, ...]:
        """J&F after each round, mean over objects."""
        return tuple(one.j_and_f for one in self.rounds)

    @property
    def area(self) -> float:
        """Area under the curve over the number of frames, divided by its width; in [0, 1]."""
        return area_under(self.curve)

    @property
    def mean_frames(self) -> float:
        """Frames that were clicked on, mean over objects."""
        return float(
            np.mean([sum(one.frame is not None for one in found.rounds) for found in self.objects] or [0])
        )

    @property
    def mean_clicks(self) -> float:
        """Clicks that were made, mean over objects."""
        return float(np.mean([one.num_clicks for one in self.objects] or [0]))


def area_under(curve: Sequence[float]) -> float:
    """Area under a curve of evenly spaced values, by trapezoids, divided by its width; a single value is itself.

    Raises:
        PromptError: When the curve has no value.
    """
    if not curve:
        raise PromptError("A curve without a value has no area; score at least one round.")
    if len(curve) == 1:
        return float(curve[0])
    return float(np.mean([(a + b) / 2 for a, b in pairwise(curve)]))


def evaluate_interactive(
    open_session: OpenSession,
    clips: Iterable[Clip],
    *,
    protocol: InteractiveProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
    on_clip: Callable[[Sequence[ObjectRounds]], None] | None = None,
) -> InteractiveReport:
    """Correct every object of every clip as a careful person would, and score each round.

    In the first round each object is clicked on the first frame that shows it: at its centre, then at the
    centre of the largest error. Offline, the whole clip is followed after each round, and the next round
    corrects the frame with the lowest J that has not been clicked, starting from the mask tracked there; all
    objects of a clip share one session. Online, each object is followed forward once: at the first frame whose J
    is below ``pause_below`` it is corrected and followed on from there; what was before stays as it was. A
    round of an online run is what would have come out had only so many corrections been allowed.

    Every annotated frame counts but those that ``is_end_left_out`` names. Frames before an object's first
    one count too: nothing should be shown there.

    Args:
        open_session: What is evaluated.
        clips: Clips with truth.
        protocol: How much is said.
        on_frame: Called after each frame that was followed offline, once per frame and round.
        on_clip: Called with the objects of each clip as soon as they are known.

    Raises:
        PromptError: When the session gives too few or too many frames, or a mask of another size.
    """
    objects: list[ObjectRounds] = []
    for clip in clips:
        found = evaluate_interactive_clip(open_session, clip, protocol=protocol, on_frame=on_frame)
        objects.extend(found)
        if on_clip is not None:
            on_clip(found)
    return InteractiveReport(protocol=protocol, objects=tuple(objects))


def evaluate_interactive_clip(
    open_session: OpenSession,
    clip: Clip,
    *,
    protocol: InteractiveProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
) -> tuple[ObjectRounds, ...]:
    """The objects of one clip; see evaluate_interactive. Objects without a frame to score are left out."""
    objects = objects_to_follow(clip, is_end_left_out=protocol.is_end_left_out)
    if not objects:
        return ()
    with open_session(clip) as session:
        if protocol.mode == "offline":
            for _ in range(protocol.num_rounds):
                _offline_round(session, clip, objects, protocol.max_clicks, on_frame)
        else:
            for one in objects:
                _watch_once(session, clip, one, protocol)
                session.remove(one.object_id)
    return tuple(one.done(clip) for one in objects)


def scores_by_round(objects: Sequence[ObjectRounds]) -> tuple[tuple[ObjectScore, ...], ...]:
    """Scores of the same objects, first by round, then by object."""
    return tuple(zip(*(one.scores for one in objects), strict=True))


def round_name(number: int, protocol: InteractiveProtocol) -> str:
    """What has been said after so many rounds."""
    clicks = "1 click" if protocol.max_clicks == 1 else f"up to {protocol.max_clicks} clicks"
    return f"{clicks} on 1 frame" if number == 1 else f"{clicks} on each of up to {number} frames"


def _offline_round(
    session: InteractiveSession,
    clip: Clip,
    objects: Sequence[FollowedObject],
    max_clicks: int,
    on_frame: Callable[[], None] | None,
) -> None:
    """Click on one frame of each object, follow the clip, score."""
    said: list[tuple[int | None, int]] = []
    for one in objects:
        frame = worst_frame(one.region, one.clicked) if one.clicked else one.first
        num_clicks = 0
        if frame is not None:
            start = rle.decode(one.masks[frame]) if frame in one.masks else None
            num_clicks = one.click(session, clip, frame, start=start, max_clicks=max_clicks)
        said.append((frame, num_clicks))
    for index, masks in enumerate(_whole(session.follow(), clip, clip.num_frames)):
        for one in objects:
            one.take(clip, index, masks.get(one.object_id))
        if on_frame is not None:
            on_frame()
    for one, (frame, num_clicks) in zip(objects, said, strict=True):
        one.end_round(frame, num_clicks)


def _watch_once(
    session: InteractiveSession, clip: Clip, one: FollowedObject, protocol: InteractiveProtocol
) -> None:
    """Follow one object forward, and correct it where it goes wrong, as often as is allowed."""
    for index in range(one.first):
        one.take(clip, index, None)
    frame: int | None = one.first
    for number in range(protocol.num_rounds):
        num_clicks = 0
        if number > 0:
            frame = frame_to_pause_on(one.region, one.clicked[-1], protocol.pause_below)
        if frame is not None:
            start = rle.decode(one.masks[frame]) if number > 0 else None
            num_clicks = one.click(session, clip, frame, start=start, max_clicks=protocol.max_clicks)
            followed = _whole(session.follow_from(frame), clip, clip.num_frames - frame)
            for index, masks in enumerate(followed, start=frame):
                one.take(clip, index, masks.get(one.object_id))
        one.end_round(frame, num_clicks)


def _whole(
    followed: Iterable[Mapping[int, BoolArray]], clip: Clip, num_wanted: int
) -> Iterator[Mapping[int, BoolArray]]:
    """What the session tells, checked to be as long as it must."""
    num_given = 0
    for masks in followed:
        num_given += 1
        yield masks
    if num_given != num_wanted:
        raise PromptError(
            f"The session gave {num_given} frames for {clip.name}, of which {num_wanted} were to be followed."
        )
