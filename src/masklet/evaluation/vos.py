"""Semi-supervised video object segmentation: J, F and J&F as DAVIS defines them, for any tracker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.masks.arrays import BoolArray
from masklet.masks.metrics import boundary_f, iou
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, tight_box

PromptKind: TypeAlias = Literal["mask", "box", "click", "3-clicks", "5-clicks"]
"""What is told on the first frame that shows an object. The clicks after the first depend on the answers before, so
a start prompt holds only the first; a tracker that is to be given more asks for their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPrompt:
    """What a tracker is told about an object: prompts on the first frame that shows it."""

    frame: int
    prompts: PromptSet


Track: TypeAlias = Callable[[Clip, Mapping[int, StartPrompt]], Iterable[Mapping[int, BoolArray]]]
"""A tracker: takes a clip and the start prompt of each object id, gives for each frame in order the mask of
each object id, bool (h, w). An object that is left out of a frame counts as an empty mask."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """A measure over the frames of one object.

    Args:
        mean: Mean over frames, in [0, 1].
        recall: Part of the frames above 0.5, in [0, 1].
        decay: Mean of the first quarter of the frames minus mean of the last, in [-1, 1]; lower is better.
    """

    mean: float
    recall: float
    decay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectScore:
    """Region similarity and contour accuracy of one object of one clip."""

    clip: str
    object_id: int
    num_frames: int
    region: Statistics
    contour: Statistics

    @property
    def j_and_f(self) -> float:
        """Mean of J and F, in [0, 1]."""
        return (self.region.mean + self.contour.mean) / 2


@dataclass(frozen=True, slots=True, kw_only=True)
class VosReport:
    """Scores of every object; averages weigh each object the same, as in DAVIS 2017."""

    prompt: str
    objects: tuple[ObjectScore, ...]

    @property
    def region(self) -> Statistics:
        """J: mean, recall and decay averaged over objects."""
        return _average([score.region for score in self.objects])

    @property
    def contour(self) -> Statistics:
        """F: mean, recall and decay averaged over objects."""
        return _average([score.contour for score in self.objects])

    @property
    def j_and_f(self) -> float:
        """Mean of J and F over all objects, in [0, 1]."""
        return (self.region.mean + self.contour.mean) / 2


def evaluate_vos(
    track: Track,
    clips: Iterable[Clip],
    *,
    prompt: PromptKind = "mask",
    is_end_left_out: bool = True,
    on_clip: Callable[[Sequence[ObjectScore]], None] | None = None,
) -> VosReport:
    """Track every object of every clip from one prompt and score what comes back.

    Args:
        track: The tracker.
        clips: Clips with truth.
        prompt: What is given on the first frame that shows the object: its mask, its box or a click at its
            centre; the tracker itself makes further clicks, see num_start_clicks.
        is_end_left_out: Whether the first scored frame of each object and the last of the clip do not
            count, as in DAVIS and SA-V. A frame before the prompt never counts.
        on_clip: Called with the scores of each clip as soon as they are known.

    Raises:
        PromptError: When the tracker gives too few or too many frames, or a mask of another size.
    """
    objects: list[ObjectScore] = []
    for clip in clips:
        scores = evaluate_clip(track, clip, prompt=prompt, is_end_left_out=is_end_left_out)
        objects.extend(scores)
        if on_clip is not None:
            on_clip(scores)
    return VosReport(prompt=prompt, objects=tuple(objects))


def evaluate_clip(
    track: Track, clip: Clip, *, prompt: PromptKind = "mask", is_end_left_out: bool = True
) -> tuple[ObjectScore, ...]:
    """Track and score one clip; see evaluate_vos. Objects without a frame to score are left out."""
    starts = start_prompts(clip, prompt)
    scored = {
        i: scored_frames(clip, i, start.frame, is_end_left_out=is_end_left_out) for i, start in starts.items()
    }
    values: dict[int, list[tuple[float, float]]] = {object_id: [] for object_id in starts}
    num_given = 0
    for index, masks in enumerate(track(clip, starts)):
        num_given += 1
        for object_id in starts:
            true = clip.mask(object_id, index) if index in scored[object_id] else None
            if true is not None:
                values[object_id].append(frame_scores(masks.get(object_id), true))
    if starts and num_given != clip.num_frames:
        raise PromptError(
            f"The tracker gave {num_given} frames for {clip.name}, which has {clip.num_frames}."
        )
    return tuple(object_score(clip.name, i, found) for i, found in values.items() if found)


def start_prompts(clip: Clip, kind: PromptKind) -> dict[int, StartPrompt]:
    """The prompt of each object that is ever seen, on the first frame that shows it."""
    starts: dict[int, StartPrompt] = {}
    for object_id in clip.object_ids:
        frame = clip.first_frame(object_id)
        mask = None if frame is None else clip.mask(object_id, frame)
        if frame is not None and mask is not None:
            starts[object_id] = StartPrompt(frame=frame, prompts=_prompt_set(mask, kind))
    return starts


def num_start_clicks(kind: PromptKind) -> int:
    """How many clicks a kind of prompt makes on the first frame; 0 for masks and boxes."""
    return {"mask": 0, "box": 0, "click": 1, "3-clicks": 3, "5-clicks": 5}[kind]


def scored_frames(clip: Clip, object_id: int, start: int, *, is_end_left_out: bool) -> frozenset[int]:
    """Annotated frames that count for an object prompted on the frame ``start``."""
    annotated = [
        index for index, found in enumerate(clip.truth[object_id]) if found is not None and index >= start
    ]
    return frozenset(annotated[1:-1] if is_end_left_out else annotated)


def statistics(values: Sequence[float]) -> Statistics:
    """Mean, recall and decay of a measure over frames.

    Args:
        values: One value per frame in order, each in [0, 1], at least one.

    Source: Perazzi et al., CVPR 2016, section 5; the quarters overlap in one frame, as in the public toolkit.
    """
    array = np.asarray(values, dtype=np.float64)
    edges = np.round(np.linspace(1, array.size, 5) + 1e-10).astype(int) - 1
    first, last = array[edges[0] : edges[1] + 1], array[edges[3] : edges[4] + 1]
    return Statistics(
        mean=float(array.mean()), recall=float((array > 0.5).mean()), decay=float(first.mean() - last.mean())
    )


def frame_scores(predicted: BoolArray | None, true: BoolArray) -> tuple[float, float]:
    """J and F of one object on one frame.

    Args:
        predicted: bool (h, w), or None when the object was left out, which counts as an empty mask.
        true: bool (h, w).

    Returns:
        Region similarity and contour accuracy, each in [0, 1].

    Raises:
        PromptError: When the shapes differ.
    """
    given = np.zeros_like(true) if predicted is None else predicted
    return iou(given, true), boundary_f(given, true)


def object_score(clip: str, object_id: int, values: Sequence[tuple[float, float]]) -> ObjectScore:
    """Statistics of the J and F of an object on its frames in order, at least one."""
    return ObjectScore(
        clip=clip,
        object_id=object_id,
        num_frames=len(values),
        region=statistics([region for region, _ in values]),
        contour=statistics([contour for _, contour in values]),
    )


def _prompt_set(mask: BoolArray, kind: PromptKind) -> PromptSet:
    """The prompt of a kind for a mask that is not empty."""
    if kind == "mask":
        return PromptSet(mask=mask)
    if kind == "box":
        return PromptSet(box=tight_box(mask))
    click = centre_click(mask)
    return PromptSet(clicks=() if click is None else (click,))


def _average(parts: Sequence[Statistics]) -> Statistics:
    if not parts:
        raise PromptError("No object could be scored; give clips with at least three annotated frames.")
    return Statistics(
        mean=float(np.mean([part.mean for part in parts])),
        recall=float(np.mean([part.recall for part in parts])),
        decay=float(np.mean([part.decay for part in parts])),
    )
