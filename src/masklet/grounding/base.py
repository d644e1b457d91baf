"""What every detector has in common: words in, scored boxes with labels out.

    phrases = split_phrases("dog . potted plant")
    found = grounder.find(image, phrases, threshold=None)     # best first

A phrase keeps its own words as the label of what it finds, so that the person who asked for "puppies" gets "puppies".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from masklet.errors import PromptError
from masklet.geometry import Box, Size

MAX_PHRASES = 64
MAX_PHRASE_LENGTH = 200
MAX_OVERLAP = 0.5
"""IoU above which two boxes of one label are taken for the same object."""
MAX_CROSS_OVERLAP = 0.85
"""The same for boxes of different labels: "dog" and "animal" may both ask for one thing."""

_SEPARATOR = re.compile(r"\.(?!\d)|[;,\n]")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBox:
    """One object that a detector found.

    Attributes:
        box: Around it, in image pixels.
        score: How sure the detector is, in [0, 1]; detectors are not comparable with each other.
        label: The phrase that found it, as it was given.
    """

    box: Box
    score: float
    label: str


class Grounder(Protocol):
    """A detector that is asked in words."""

    @property
    def name(self) -> str:
        """What it is called in messages and records."""
        ...

    def find(
        self, image: np.ndarray, phrases: Sequence[str], *, threshold: float | None = None
    ) -> list[FoundBox]:
        """Objects that the phrases name, best first, each once.

        Args:
            image: RGB uint8 (h, w, 3).
            phrases: What to look for, as ``split_phrases`` gives it.
            threshold: Least score, in [0, 1]; None for the detector's own.

        Raises:
            PromptError: When a phrase cannot be asked of this detector.
        """
        ...


def split_phrases(text: str) -> tuple[str, ...]:
    """Cut ``"dog . ball"`` into phrases, each once, in the order given.

    Args:
        text: Phrases with a full stop, comma, semicolon or line end between them. A full stop before a digit, as in
            "no.5", does not separate.

    Raises:
        PromptError: When there is no phrase, too many, or one is too long.
    """
    phrases = tuple(
        dict.fromkeys(_SPACE.sub(" ", part).strip() for part in _SEPARATOR.split(text) if part.strip())
    )
    if not any(any(letter.isalnum() for letter in phrase) for phrase in phrases):
        raise PromptError(
            f'The text {text[:80]!r} names nothing to look for; write words with full stops between, as in "dog . ball".'
        )
    if len(phrases) > MAX_PHRASES:
        raise PromptError(
            f"The text names {len(phrases)} things, the most is {MAX_PHRASES}; ask in several runs."
        )
    for phrase in phrases:
        if len(phrase) > MAX_PHRASE_LENGTH:
            raise PromptError(
                f"The phrase {phrase[:40]!r}... has {len(phrase)} characters, the most is {MAX_PHRASE_LENGTH}; say it "
                "shorter."
            )
    return phrases


def fill_template(template: str, phrase: str) -> str:
    """Put a phrase into a sentence such as ``"a photo of a {}"``.

    Raises:
        PromptError: When the template has not exactly one place for the phrase.
    """
    if template.count("{}") != 1:
        raise PromptError(
            f'A prompt template needs exactly one {{}} for the phrase, got {template!r}; write for example "a photo of a {{}}".'
        )
    return template.replace("{}", phrase)


def check_threshold(threshold: float | None, usual: float) -> float:
    """The threshold that is asked for, or the usual one.

    Raises:
        PromptError: When it lies outside [0, 1].
    """
    if threshold is None:
        return usual
    if not 0 <= threshold <= 1:
        raise PromptError(f"A detection threshold must lie in [0, 1], got {threshold}.")
    return threshold


def keep_best(
    found: Iterable[FoundBox],
    *,
    max_overlap: float = MAX_OVERLAP,
    max_cross_overlap: float = MAX_CROSS_OVERLAP,
) -> list[FoundBox]:
    """Best first, without those that a better one has already found (non-maximum suppression).

    Args:
        found: Boxes in any order.
        max_overlap: The most IoU between two boxes of one label.
        max_cross_overlap: The most IoU between boxes of different labels.
    """
    kept: list[FoundBox] = []
    for one in sorted(found, key=lambda each: (-each.score, each.label, each.box.xyxy)):
        limits = (max_overlap if one.label == other.label else max_cross_overlap for other in kept)
        if all(box_iou(one.box, other.box) <= most for other, most in zip(kept, limits, strict=True)):
            kept.append(one)
    return kept


def box_iou(first: Box, second: Box) -> float:
    """Shared area of two boxes over their joint area."""
    width = min(first.x1, second.x1) - max(first.x0, second.x0)
    height = min(first.y1, second.y1) - max(first.y0, second.y0)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (first.area + second.area - shared)


def clipped_box(xyxy: Sequence[float], size: Size) -> Box | None:
    """A detector's edges as a box inside the image, or None where nothing of it is left."""
    x0, y0, x1, y1 = (float(edge) for edge in xyxy)
    x0, x1 = max(0.0, x0), min(float(size.width), x1)
    y0, y1 = max(0.0, y0), min(float(size.height), y1)
    return Box(x0, y0, x1, y1) if x0 < x1 and y0 < y1 else None
