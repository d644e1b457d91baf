"""Scores written predictions of any method: J, F and J&F per object and clip, in several processes, resumable."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from masklet.errors import MaskletError, PromptError
from masklet.evaluation.counting import Counting
from masklet.evaluation.datasets import Clip
from masklet.evaluation.items import Item, Step, Work, do_items
from masklet.evaluation.journal import Journal, journal_key
from masklet.evaluation.layouts import ClipPlace
from masklet.evaluation.predictions import Predictions, read_predictions, require_folder
from masklet.evaluation.vos import ObjectScore, VosReport, object_score
from masklet.masks import rle
from masklet.masks.agreement import region_and_contour


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectSeries:
    """J and F of one object on each frame that counts.

    Args:
        clip: Name of the clip.
        object_id: Its id there.
        frames: Indices of the frames, in order, at least one.
        region: J of each, in [0, 1].
        contour: F of each, in [0, 1].
    """

    clip: str
    object_id: int
    frames: tuple[int, ...]
    region: tuple[float, ...]
    contour: tuple[float, ...]

    @property
    def score(self) -> ObjectScore:
        """Mean, recall and decay of both."""
        return object_score(self.clip, self.object_id, list(zip(self.region, self.contour, strict=True)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipScore:
    """What came of one clip.

    Args:
        name: Name of the clip.
        objects: The objects that could be scored.
        problems: One sentence per file that is missing or odd.
        is_scored: Whether there was truth and a prediction to compare.
    """

    name: str
    objects: tuple[ObjectSeries, ...]
    problems: tuple[str, ...]
    is_scored: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPredictions:
    """Scores of a set of predictions.

    Args:
        counting: Which frames count.
        layout: Layout of the data set.
        clips: What came of each clip, in the order of their names.
    """

    counting: Counting
    layout: str
    clips: tuple[ClipScore, ...]

    @property
    def objects(self) -> tuple[ObjectSeries, ...]:
        """All objects that were scored."""
        return tuple(one for clip in self.clips for one in clip.objects)

    @property
    def problems(self) -> tuple[str, ...]:
        """Everything that was missing or odd."""
        return tuple(problem for clip in self.clips for problem in clip.problems)

    @property
    def report(self) -> VosReport:
        """Scores of every object, each weighing the same, as the public scorers average."""
        return VosReport(prompt="given masks", objects=tuple(one.score for one in self.objects))

    @property
    def j_and_f_by_clip(self) -> dict[str, float]:
        """Mean J&F over the objects of each clip that has any."""
        return {
            clip.name: float(np.mean([one.score.j_and_f for one in clip.objects]))
            for clip in self.clips
            if clip.objects
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoringJob:
    """What to score.

    Args:
        places: The clips.
        layout: Layout of the data set.
        predictions: Folder of the predictions.
        counting: Which frames count.
    """

    places: Sequence[ClipPlace]
    layout: str
    predictions: Path
    counting: Counting


def score_predictions(
    job: ScoringJob,
    *,
    num_processes: int = 1,
    journal: Path | None = None,
    on_clip: Callable[[ClipScore], None] | None = None,
) -> ScoredPredictions:
    """Score every clip; what is wrong with one does not touch the others.

    Args:
        job: What to score.
        num_processes: Processes that score clips side by side, at least 1.
        journal: A file that keeps each finished clip, so that a run that was stopped goes on from there; the
            caller deletes it when the result is safe.
        on_clip: Called with each clip as soon as it is done, also with those from the journal.

    Raises:
        FormatError: When there is no folder of predictions.
        PromptError: When there is no clip.
    """
    require_folder(job.predictions)
    if not job.places:
        raise PromptError("The data set has no clip to score; check its folder and the list of names.")
    kept = _journal(journal, job)
    for facts in kept.read().values():
        if on_clip is not None:
            on_clip(_clip_from_json(facts))
    done = do_items(
        [Item(name=place.name, content=place) for place in job.places],
        partial(_scoring, job.predictions, job.counting),
        num_workers=num_processes,
        journal=kept,
        on_item=None if on_clip is None else lambda _, facts: on_clip(_clip_from_json(facts)),
    )
    clips = tuple(_clip_from_json(facts) for facts in done.values.values())
    return ScoredPredictions(counting=job.counting, layout=job.layout, clips=clips)


def score_place(place: ClipPlace, predictions: Path, counting: Counting) -> ClipScore:
    """Read and score one clip; whatever cannot be read is told among the problems."""
    try:
        read = place.read()
        candidates = {i: counting.candidates(read.clip, i) for i in read.clip.object_ids}
        given = read_predictions(predictions, read.clip, candidates)
    except (MaskletError, OSError) as error:
        return ClipScore(name=place.name, objects=(), problems=(f"{place.name}: {error}",), is_scored=False)
    if given is None:
        problems = (*read.problems, f"{place.name}: no predictions; the clip is left out.")
        return ClipScore(name=place.name, objects=(), problems=problems, is_scored=False)
    objects = score_masks(read.clip, given, counting)
    problems = (*read.problems, *given.problems)
    return ClipScore(name=place.name, objects=objects, problems=problems, is_scored=True)


def score_masks(clip: Clip, given: Predictions, counting: Counting) -> tuple[ObjectSeries, ...]:
    """J and F of every object on the frames that count; objects without such a frame are left out."""
    nothing = rle.empty(clip.size)
    scored: list[ObjectSeries] = []
    for object_id in clip.object_ids:
        predicted = given.masks[object_id]
        frames = counting.counted(clip, object_id, predicted)
        if not frames:
            continue
        values = [
            region_and_contour(predicted[at] or nothing, clip.truth[object_id][at] or nothing)
            for at in frames
        ]
        scored.append(
            ObjectSeries(
                clip=clip.name,
                object_id=object_id,
                frames=frames,
                region=tuple(region for region, _ in values),
                contour=tuple(contour for _, contour in values),
            )
        )
    return tuple(scored)


def _scoring(predictions: Path, counting: Counting) -> Work[ClipPlace]:
    """Scores a clip; each process keeps to its core."""
    import cv2

    cv2.setNumThreads(1)
    return partial(_score_item, predictions, counting)


def _score_item(predictions: Path, counting: Counting, place: ClipPlace, _step: Step) -> Mapping[str, object]:
    return asdict(score_place(place, predictions, counting))


def _journal(path: Path | None, job: ScoringJob) -> Journal:
    """Finished clips of the same predictions, counted the same way on the same data."""
    facts = [str(job.predictions.resolve()), asdict(job.counting), job.layout]
    facts += [str(place.annotations.parent.resolve()) for place in job.places[:1]]
    return Journal(path, journal_key(facts))


def _clip_from_json(facts: Mapping[str, Any]) -> ClipScore:
    objects = tuple(
        ObjectSeries(
            clip=one["clip"],
            object_id=one["object_id"],
            frames=tuple(one["frames"]),
            region=tuple(one["region"]),
            contour=tuple(one["contour"]),
        )
        for one in facts["objects"]
    )
    clip = ClipScore(
        name=facts["name"], objects=(), problems=tuple(facts["problems"]), is_scored=facts["is_scored"]
    )
    return replace(clip, objects=objects)
