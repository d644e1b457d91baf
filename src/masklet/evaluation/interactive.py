"""Interactive video segmentation: a few clicks on the first frame, then on the worst frame, round after round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.vos import ObjectScore, VosReport, frame_scores, object_score
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet
from masklet.simulate import correction_click


class InteractiveSession(Protocol):
    """What is evaluated, opened on one clip: it is corrected, and follows all its objects again."""

    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> BoolArray:
        """Say where an object is on a frame, in place of what was said there before.

        Returns:
            The object on this frame, bool (h, w).
        """
        ...

    def follow(self) -> Iterable[Mapping[int, BoolArray]]:
        """For each frame of the clip in order the mask of each object, bool (h, w), with all prompts so far.

        An object that is left out of a frame counts as an empty mask. Frames before an object's first
        prompt are told too.
        """
        ...


OpenSession: TypeAlias = Callable[[Clip], AbstractContextManager[InteractiveSession]]
"""Opens a session on a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveProtocol:
    """How much a simulated person says.

    Args:
        num_rounds: Frames that are clicked on, the first included; the clip is followed after each.
        max_clicks: Most clicks on each of these frames.
        is_end_left_out: Whether the first frame of each object and its last annotated one do not count.
    """

    num_rounds: int = 4
    max_clicks: int = 3
    is_end_left_out: bool = True

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if self.num_rounds < 1 or self.max_clicks < 1:
            raise PromptError(
                f"There must be at least one round and one click, got {self.num_rounds} and {self.max_clicks}."
            )


DEFAULT_PROTOCOL = InteractiveProtocol()


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveReport:
    """Scores after each round.

    Args:
        protocol: How much was said.
        rounds: One report per round in order, each with the same objects.
    """

    protocol: InteractiveProtocol
    rounds: tuple[VosReport, ...]


def evaluate_interactive(
    open_session: OpenSession,
    clips: Iterable[Clip],
    *,
    protocol: InteractiveProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
    on_clip: Callable[[Sequence[Sequence[ObjectScore]]], None] | None = None,
) -> InteractiveReport:
    """Correct every object of every clip where it is worst, as a careful person would, and score each round.

    In the first round each object is clicked on the first frame that shows it: at its centre, then at the
    centre of the largest error. In each further round it is clicked on the frame with the lowest J that
    has not been clicked, starting from the mask tracked there. After each round the clip is followed with all
    clicks so far. All objects of a clip share one session.

    Every annotated frame counts but those that ``is_end_left_out`` names. Frames before an object's first
    one count too, as the tracker tells of them: nothing should be shown there.

    Args:
        open_session: What is evaluated.
        clips: Clips with truth.
        protocol: How much is said.
        on_frame: Called after each frame that was followed, once per frame and round.
        on_clip: Called with the scores of each clip, by round and object, as soon as they are known.

    Raises:
        PromptError: When the session gives too few or too many frames, or a mask of another size.

    Source: Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, interactive offline
    evaluation: the worst frame is the one with the lowest IoU. Their figures use 8 frames.
    """
    rounds: list[list[ObjectScore]] = [[] for _ in range(protocol.num_rounds)]
    for clip in clips:
        scores = evaluate_interactive_clip(open_session, clip, protocol=protocol, on_frame=on_frame)
        for every, found in zip(rounds, scores, strict=True):
            every.extend(found)
        if on_clip is not None:
            on_clip(scores)
    reports = (
        VosReport(prompt=_prompt_name(number, protocol), objects=tuple(scores))
        for number, scores in enumerate(rounds, start=1)
    )
    return InteractiveReport(protocol=protocol, rounds=tuple(reports))


def evaluate_interactive_clip(
    open_session: OpenSession,
    clip: Clip,
    *,
    protocol: InteractiveProtocol = DEFAULT_PROTOCOL,
    on_frame: Callable[[], None] | None = None,
) -> tuple[tuple[ObjectScore, ...], ...]:
    """Scores of one clip by round and object; see evaluate_interactive. Objects without a frame to score are left out."""
    objects = _objects_to_follow(clip, is_end_left_out=protocol.is_end_left_out)
    if not objects:
        return ((),) * protocol.num_rounds
    with open_session(clip) as session:
        return tuple(
            _round(session, clip, objects, protocol.max_clicks, on_frame) for _ in range(protocol.num_rounds)
        )


def worst_frame(region: Mapping[int, float], clicked: Iterable[int]) -> int | None:
    """The frame to correct next.

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


@dataclass(slots=True, kw_only=True)
class _Followed:
    """One object of a clip: the frames that count, and what is known of them now."""

    object_id: int
    first: int
    scored: frozenset[int]
    clicked: set[int] = field(default_factory=set)
    masks: dict[int, RLE] = field(default_factory=dict)
    scores: dict[int, tuple[float, float]] = field(default_factory=dict)

    def take(self, clip: Clip, frame: int, mask: BoolArray | None) -> None:
        """Score a mask; one that has not changed keeps its score."""
        true = clip.mask(self.object_id, frame) if frame in self.scored else None
        if true is None:
            return
        given = np.zeros_like(true) if mask is None else mask
        encoded = rle.encode(given)
        if self.masks.get(frame) != encoded:
            self.scores[frame] = frame_scores(given, true)
            self.masks[frame] = encoded


def _objects_to_follow(clip: Clip, *, is_end_left_out: bool) -> tuple[_Followed, ...]:
    """Objects that are ever seen and have a frame that counts."""
    objects: list[_Followed] = []
    for object_id in clip.object_ids:
        first = clip.first_frame(object_id)
        if first is None:
            continue
        annotated = [index for index, found in enumerate(clip.truth[object_id]) if found is not None]
        left_out = {first, annotated[-1]} if is_end_left_out else set[int]()
        scored = frozenset(annotated) - left_out
        if scored:
            objects.append(_Followed(object_id=object_id, first=first, scored=scored))
    return tuple(objects)


def _round(
    session: InteractiveSession,
    clip: Clip,
    objects: Sequence[_Followed],
    max_clicks: int,
    on_frame: Callable[[], None] | None,
) -> tuple[ObjectScore, ...]:
    """Click on one frame of each object, follow the clip, score."""
    for one in objects:
        frame = (
            worst_frame({at: j for at, (j, _) in one.scores.items()}, one.clicked)
            if one.clicked
            else one.first
        )
        if frame is not None:
            _click(session, clip, one, frame, max_clicks)
    for index, masks in enumerate(_all_frames(session, clip)):
        for one in objects:
            one.take(clip, index, masks.get(one.object_id))
        if on_frame is not None:
            on_frame()
    return tuple(
        object_score(clip.name, one.object_id, [one.scores[at] for at in sorted(one.scored)])
        for one in objects
    )


def _click(session: InteractiveSession, clip: Clip, one: _Followed, frame: int, max_clicks: int) -> None:
    """Clicks on the largest error until the mask is right; on the first frame all of the object is an error."""
    one.clicked.add(frame)
    true = clip.mask(one.object_id, frame)
    if true is None:
        return
    mask = rle.decode(one.masks[frame]) if frame in one.masks else np.zeros_like(true)
    prompts: PromptSet | None = None
    for _ in range(max_clicks):
        click = correction_click(mask, true)
        if click is None:
            return
        prompts = PromptSet(clicks=[click]) if prompts is None else prompts.with_click(click)
        mask = session.prompt(one.object_id, frame, prompts)


def _all_frames(session: InteractiveSession, clip: Clip) -> Iterator[Mapping[int, BoolArray]]:
    """What the session tells, checked to be as long as the clip."""
    num_given = 0
    for masks in session.follow():
        num_given += 1
        yield masks
    if num_given != clip.num_frames:
        raise PromptError(
            f"The session gave {num_given} frames for {clip.name}, which has {clip.num_frames}."
        )


def _prompt_name(number: int, protocol: InteractiveProtocol) -> str:
    clicks = "1 click" if protocol.max_clicks == 1 else f"up to {protocol.max_clicks} clicks"
    return f"{clicks} on 1 frame" if number == 1 else f"{clicks} on each of up to {number} frames"
