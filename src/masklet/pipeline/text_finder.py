"""Finds what words name: a detector says where, the model cuts it out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from masklet.errors import MaskletError
from masklet.grounding.base import FoundBox, Grounder
from masklet.pipeline.findings import Finding, Picture
from masklet.pipeline.ontology import Ontology
from masklet.prompts import PromptSet

if TYPE_CHECKING:
    from masklet.predictors.image import ImagePredictor
    from masklet.predictors.results import Masks

_NUM_AT_ONCE = 16


class TextFinder:
    """Objects that the words of an ontology name, with their classes."""

    def __init__(
        self,
        predictor: ImagePredictor,
        grounder: Grounder,
        ontology: Ontology,
        *,
        threshold: float | None = None,
    ) -> None:
        """Bring together a detector and a model.

        Args:
            predictor: Cuts out.
            grounder: Finds boxes.
            ontology: Words and classes.
            threshold: Least score of a box, in [0, 1]; None for the detector's own.

        Raises:
            MaskletError: When the detector cannot be asked for these words; found out before any work.
        """
        self._predictor = predictor
        self._grounder = grounder
        self._ontology = ontology
        self._threshold = threshold

    def identity(self) -> Mapping[str, str]:
        """Detector, words and threshold."""
        limit = "its own" if self._threshold is None else f"{self._threshold:g}"
        return {
            "finder": f"text, {self._grounder.name}, threshold {limit}",
            "ontology": self._ontology.describe(),
        }

    def find(self, picture: Picture) -> Sequence[Finding]:
        """The boxes of the detector, cut out."""
        boxes = self._grounder.find(picture, self._ontology.phrases, threshold=self._threshold)
        if not boxes:
            return []
        embedding = self._predictor.embed(picture)
        found: list[Finding] = []
        for start in range(0, len(boxes), _NUM_AT_ONCE):
            batch = boxes[start : start + _NUM_AT_ONCE]
            prompts = [PromptSet(box=one.box) for one in batch]
            answers = self._predictor.predict_objects(embedding, prompts, multimask=False)
            found.extend(self._finding(box, answer) for box, answer in zip(batch, answers, strict=True))
        return found

    def _finding(self, box: FoundBox, answer: Masks) -> Finding:
        if box.label not in self._ontology.classes:
            raise MaskletError(
                f"The detector answered {box.label!r}, which nobody asked for; please report this."
            )
        return Finding(
            mask=answer.masks[0],
            score=min(max(float(answer.scores[0]), 0.0), 1.0),
            label=self._ontology.classes[box.label],
            confidence=min(max(float(box.score), 0.0), 1.0),
        )
