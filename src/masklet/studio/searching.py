"""Objects that are asked for: by words, or by an object they look like. Nothing is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from masklet.errors import PromptError
from masklet.geometry import Size
from masklet.grounding.base import Grounder, split_phrases
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.pipeline.ontology import Ontology
from masklet.pipeline.similar import SimilarFinder
from masklet.pipeline.text_finder import TextFinder
from masklet.predictors.image import ImagePredictor
from masklet.prompts import PromptSet
from masklet.studio.frames import FrameServer
from masklet.studio.refusals import RefusedError
from masklet.studio.store import ClassRow, MediaRow, ResultRow, Store
from masklet.studio.suggesting import MAX_CANDIDATES, Suggestion, suggestion
from masklet.studio.tasks import Engine
from masklet.weights.load import LoadedModel

_SAME_IOU = 0.6
"""IoU from which two masks are taken for the same object."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a search came to.

    Attributes:
        suggestions: What was found, best first.
        missing: Words that found nothing.
        num_known: Finds that are left out because they are objects already.
    """

    suggestions: list[Suggestion]
    missing: tuple[str, ...] = ()
    num_known: int = 0


class Searcher:
    """Searches single frames. Everything that computes runs on the engine's thread."""

    def __init__(
        self,
        store: Store,
        frames: FrameServer,
        engine: Engine,
        model: Callable[[], LoadedModel],
        grounder: Callable[[], Grounder],
    ) -> None:
        """Remember how to compute.

        Args:
            store: Classes and masks that are there.
            frames: Where pictures come from.
            engine: The thread of the device.
            model: Gives the model; loads it at the first call.
            grounder: Gives the detector; loads it at the first call.
        """
        self._store = store
        self._frames = frames
        self._engine = engine
        self._model = model
        self._grounder = grounder

    def by_words(self, media: MediaRow, frame: int, text: str, threshold: float | None) -> Findings:
        """What words name on a frame; no words mean all classes of the project.

        Raises:
            PromptError: When the detector does not know a word, or there is none.
        """
        ontology = ontology_of(text, self._store.projects.classes(media.project_id))

        def work() -> Findings:
            predictor = ImagePredictor(self._model())
            finder = TextFinder(predictor, self._grounder(), ontology, threshold=threshold)
            found = sorted(finder.find(self._picture(media, frame)), key=lambda one: -one.confidence)
            labels = {one.label for one in found}
            missing = [phrase for phrase, name in ontology.classes.items() if name not in labels]
            masks = [(one.mask, one.confidence, one.label or "") for one in found]
            return self._new_ones(media, frame, masks, tuple(missing))

        return self._engine.call(work)

    def like_object(self, media: MediaRow, frame: int, object_id: int) -> Findings:
        """What looks like an object, with the object's class.

        Raises:
            RefusedError: When the object is not there or has no mask.
        """
        known = next((one for one in self._store.projects.objects(media.id) if one.id == object_id), None)
        shown = [one for one in self._store.results.of_object(media.id, object_id) if one.area > 0]
        if known is None or not shown:
            raise RefusedError(
                409, "no_mask", "The object has no mask to compare with; click it on the picture first."
            )
        example = min(shown, key=lambda one: (abs(one.frame - frame), not one.is_prompted))
        names = {one.id: one.name for one in self._store.projects.classes(media.project_id)}
        label = "" if known.class_id is None else names.get(known.class_id, "")

        def work() -> Findings:
            finder = SimilarFinder(ImagePredictor(self._model(), second_look=False))
            picture = self._picture(media, frame)
            shown_on = picture if example.frame == frame else self._picture(media, example.frame)
            prototypes = finder.learn(shown_on, [PromptSet(mask=_mask(media, example))])
            found = finder.find(picture, prototypes)
            return self._new_ones(media, frame, [(one.mask, one.score, label) for one in found])

        return self._engine.call(work)

    def new_candidates(self, media: MediaRow, frame: int, found: Sequence[Suggestion]) -> Findings:
        """Candidates of a frame without those that are objects on it already."""
        size = Size(media.height, media.width)
        known = [
            _coded(media, one)
            for one in self._store.results.of_range(media.id, frame, frame + 1)
            if one.area > 0
        ]
        if not known or not found:
            return Findings(suggestions=list(found))
        overlaps = rle.iou([RLE(size, one.counts.encode("ascii")) for one in found], known).max(axis=1)
        fresh = [one for one, overlap in zip(found, overlaps, strict=True) if overlap < _SAME_IOU]
        return Findings(suggestions=fresh, num_known=len(found) - len(fresh))

    def _picture(self, media: MediaRow, frame: int) -> np.ndarray:
        return self._frames.source(media).read(frame).image

    def _new_ones(
        self,
        media: MediaRow,
        frame: int,
        found: Iterable[tuple[np.ndarray, float, str]],
        missing: tuple[str, ...] = (),
    ) -> Findings:
        """Finds that are no object yet, each once."""
        known = [_mask(media, one) for one in self._store.results.of_range(media.id, frame, frame + 1)]
        listed: list[tuple[np.ndarray, float, str]] = []
        num_known = 0
        for one in found:
            if not one[0].any() or _is_among(one[0], [other[0] for other in listed]):
                continue
            if _is_among(one[0], known):
                num_known += 1
            elif len(listed) < MAX_CANDIDATES:
                listed.append(one)
        suggestions = [suggestion(mask, score, 1.0, label) for mask, score, label in listed]
        return Findings(suggestions=suggestions, missing=missing, num_known=num_known)


def ontology_of(text: str, classes: Sequence[ClassRow]) -> Ontology:
    """Words to search for, each with the name of its class.

    A class of the project is found by its name or by one of its words, and searched for by its words; other words are
    classes of their own.

    Args:
        text: Phrases with full stops between; blank for all classes.
        classes: The project's.

    Raises:
        PromptError: When there is nothing to search for.
    """
    if not text.strip() and not classes:
        raise PromptError(
            'Say what to look for, with full stops between, as in "person . dog"; or add classes first.'
        )
    asked = split_phrases(text) if text.strip() else tuple(one.name for one in classes)
    named = {one.name.casefold(): one for one in classes}
    worded = {phrase.casefold(): one for one in classes for phrase in words_of(one)}
    found: dict[str, str] = {}
    for phrase in asked:
        known = named.get(phrase.casefold())
        if known is not None:
            found |= dict.fromkeys(words_of(known), known.name)
        else:
            other = worded.get(phrase.casefold())
            found[phrase] = phrase if other is None else other.name
    return Ontology(found)


def words_of(known: ClassRow) -> tuple[str, ...]:
    """What is searched for when a class is asked for: its words, or its name when it has none."""
    return split_phrases(known.words if known.words.strip() else known.name)


def _mask(media: MediaRow, row: ResultRow) -> np.ndarray:
    return rle.decode(_coded(media, row))


def _coded(media: MediaRow, row: ResultRow) -> RLE:
    return RLE(Size(media.height, media.width), row.counts.encode("ascii"))


def _is_among(mask: np.ndarray, others: Sequence[np.ndarray]) -> bool:
    """Whether a mask that is not empty covers one of the others well enough to be the same object."""
    return any(
        np.count_nonzero(mask & other) >= _SAME_IOU * np.count_nonzero(mask | other) for other in others
    )
