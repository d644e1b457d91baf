"""From words to prompts with class labels: a box around every object that a detector finds.

found = find_in_video(Path("v.mp4"), "dog . person", grounder)
job = TrackJob(source=Path("v.mp4"), prompts=found.prompts, labels=found.labels, out=Path("result"))
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import numpy as np

from masklet.errors import PromptError
from masklet.grounding.base import FoundBox, Grounder, split_phrases
from masklet.pipeline.job import MAX_OBJECT_ID, ObjectPrompt
from masklet.prompts import PromptSet
from masklet.video.source import FrameSource

_USUAL_STEP = 25  # frames between two looks where the frame rate is not known
MAX_LOOKS = 30
"""Frames of a video that are searched for what the first of them does not show."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TextFinding:
    """What words found.

    Attributes:
        prompts: A box for each object, by frame, then from the surest down.
        labels: The phrase that found each object, by object id.
        scores: How sure the detector was, by object id.
        missing: Phrases that found nothing.
    """

    prompts: tuple[ObjectPrompt, ...]
    labels: Mapping[int, str] = field(default_factory=lambda: MappingProxyType({}))
    scores: Mapping[int, float] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()


def find_in_image(
    image: np.ndarray,
    text: str,
    grounder: Grounder,
    *,
    threshold: float | None = None,
    first_id: int = 1,
    name: str = "the image",
) -> TextFinding:
    """Objects in an image that the text names.

    Args:
        image: RGB uint8 (h, w, 3).
        text: Phrases with full stops between, as in "dog . potted plant".
        grounder: The detector.
        threshold: Least score; None for the detector's own.
        first_id: Object id of the surest one; the others follow.
        name: Of the image, for messages.

    Raises:
        PromptError: When a phrase cannot be asked of the detector, or nothing is found.
    """
    phrases = split_phrases(text)
    found = grounder.find(image, phrases, threshold=threshold)
    return _finding([(0, one) for one in found], phrases, first_id, name)


def find_in_video(
    path: Path,
    text: str,
    grounder: Grounder,
    *,
    threshold: float | None = None,
    start: int = 0,
    stop: int | None = None,
    first_id: int = 1,
) -> TextFinding:
    """Objects in a video that the text names, each on the first frame it is looked for and found on.

    Every phrase is looked for on the first frame, and those that find nothing again once a second, on at most 30 frames.
    What is left of a cut or broken video is looked at too; tracking it says what is wrong.

    Args:
        path: A video file or a folder of images.
        text: Phrases with full stops between, as in "dog . potted plant".
        grounder: The detector.
        threshold: Least score; None for the detector's own.
        start: First frame.
        stop: Frame after the last; None for the end.
        first_id: Object id of the first one; the others follow.

    Raises:
        MediaError: When the video cannot be read.
        PromptError: When a phrase cannot be asked of the detector, or nothing is found.
    """
    phrases = split_phrases(text)
    found: list[tuple[int, FoundBox]] = []
    # the decoders of videos are slow to import, and an image needs none
    from masklet.video.frames import open_source

    with open_source(path, allow_damaged=True) as source:
        left = list(phrases)
        for index in _looks(source, start, stop):
            boxes = grounder.find(source.read(index).image, left, threshold=threshold)
            found += [(index, one) for one in boxes]
            left = [phrase for phrase in left if all(one.label != phrase for one in boxes)]
            if not left:
                break
    return _finding(found, phrases, first_id, path.name)


def _looks(source: FrameSource, start: int, stop: int | None) -> range:
    end = source.num_frames if source.num_frames is not None else start + 1
    end = end if stop is None else min(stop, end)
    step = max(1, round(source.fps)) if source.fps else _USUAL_STEP
    return range(start, end, step)[:MAX_LOOKS]


def _finding(
    found: Sequence[tuple[int, FoundBox]], phrases: tuple[str, ...], first_id: int, name: str
) -> TextFinding:
    room = MAX_OBJECT_ID + 1 - first_id
    if not found:
        words = ", ".join(map(repr, phrases))
        raise PromptError(
            f"Nothing in {name} was taken for {words}; lower --threshold, say it in other words, or click on the object."
        )
    if len(found) > room:
        raise PromptError(
            f"The text finds {len(found)} objects in {name} and there is room for {room}; raise --threshold or ask for "
            "less."
        )
    numbered = list(enumerate(found, start=first_id))
    labels = {object_id: one.label for object_id, (_, one) in numbered}
    return TextFinding(
        prompts=tuple(
            ObjectPrompt(object_id=object_id, frame=frame, prompts=PromptSet(box=one.box))
            for object_id, (frame, one) in numbered
        ),
        labels=MappingProxyType(labels),
        scores=MappingProxyType({object_id: one.score for object_id, (_, one) in numbered}),
        missing=tuple(phrase for phrase in phrases if phrase not in labels.values()),
    )
