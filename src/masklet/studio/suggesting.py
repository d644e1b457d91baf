"""What the model would say, without anything being stored: previews of a prompt, and everything that looks like an object."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from masklet.masks import rle
from masklet.predictors.auto import AutoMasks, MaskCandidate
from masklet.predictors.image import Embedding, ImagePredictor
from masklet.predictors.preview import preview
from masklet.prompts import PromptSet
from masklet.studio.frames import FrameServer
from masklet.studio.refusals import RefusedError
from masklet.studio.sessions import SessionPool
from masklet.studio.store import MediaRow
from masklet.studio.tasks import Engine
from masklet.weights.load import LoadedModel

MAX_CANDIDATES = 200
_KEPT_EMBEDDINGS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A mask that nobody has accepted yet, as COCO run lengths at the frame's size; ``label`` is its class or ""."""

    counts: str
    area: int
    score: float
    stability: float
    label: str = ""


class Suggester:
    """Answers from single frames. Everything that computes runs on the engine's thread."""

    def __init__(
        self, frames: FrameServer, engine: Engine, model: Callable[[], LoadedModel], pool: SessionPool
    ) -> None:
        """Remember how to compute.

        Args:
            frames: Where pictures come from.
            engine: The thread of the device.
            model: Gives the model; loads it at the first call.
            pool: Sessions of what people look at.
        """
        self._frames = frames
        self._engine = engine
        self._model = model
        self._pool = pool
        self._embeddings: OrderedDict[tuple[str, int], Embedding] = OrderedDict()

    def preview(self, media: MediaRow, frame: int, prompts: PromptSet) -> Suggestion:
        """The mask that prompts would give on a frame; what is encoded for it serves the prompt that follows.

        Raises:
            PromptError: When the prompts do not fit the frame.
        """

        def work() -> Suggestion:
            found = preview(self._pool.get(media), frame, prompts)
            return suggestion(found.masks[0], float(found.scores[0]), 1.0)

        return self._engine.call(work)

    def cut_out(self, media: MediaRow, frame: int, prompts: PromptSet) -> Suggestion:
        """The same for a medium that nobody need look at: no session is opened for it.

        Raises:
            PromptError: When the prompts do not fit the frame.
        """

        def work() -> Suggestion:
            predictor = ImagePredictor(self._model())
            found = predictor.predict_objects(self._embedding(predictor, media, frame), [prompts])[0]
            return suggestion(found.masks[0], float(found.scores[0]), 1.0)

        return self._engine.call(work)

    def candidates(self, media: MediaRow, frame: int, preset: str) -> list[Suggestion]:
        """Everything on a frame that looks like an object, best first; edits and trackings go on in between."""
        search = _Search(lambda: AutoMasks(self._model(), preset=preset)(self._picture(media, frame)))
        self._engine.add(search)
        return search.found.result()

    def _embedding(self, predictor: ImagePredictor, media: MediaRow, frame: int) -> Embedding:
        key = media.id, frame
        if key not in self._embeddings:
            self._embeddings[key] = predictor.embed(self._picture(media, frame))
            while len(self._embeddings) > _KEPT_EMBEDDINGS:
                self._embeddings.popitem(last=False)
        self._embeddings.move_to_end(key)
        return self._embeddings[key]

    def _picture(self, media: MediaRow, frame: int) -> np.ndarray:
        return self._frames.source(media).read(frame).image


class _Search:
    """One search, a candidate at a time."""

    def __init__(self, begin: Callable[[], Iterator[MaskCandidate]]) -> None:
        self.found: Future[list[Suggestion]] = Future()
        self._begin = begin
        self._candidates: Iterator[MaskCandidate] | None = None
        self._listed: list[Suggestion] = []

    def abandon(self, message: str) -> None:
        """Tell whoever asked."""
        with suppress(InvalidStateError):
            self.found.set_exception(RefusedError(503, "stuck", message))

    def step(self) -> bool:
        """Find one more; True when there are no more."""
        try:
            if self._candidates is None:
                self._candidates = self._begin()
            one = next(self._candidates, None)
            if one is not None:
                self._listed.append(suggestion(one.mask, one.predicted_iou, one.stability))
        except Exception as error:  # noqa: BLE001 - whoever asked gets it; the engine goes on
            with suppress(InvalidStateError):
                self.found.set_exception(error)
            return True
        if one is None or len(self._listed) >= MAX_CANDIDATES:
            self._listed.sort(key=lambda item: item.score * item.stability, reverse=True)
            with suppress(InvalidStateError):  # given up meanwhile
                self.found.set_result(self._listed)
            return True
        return False


def suggestion(mask: np.ndarray, score: float, stability: float, label: str = "") -> Suggestion:
    """A mask with its scores, brought into [0, 1].

    Args:
        mask: bool (h, w).
        score: Predicted IoU, or how sure a detector is.
        stability: How little the mask hangs on its threshold.
        label: Its class, or "".
    """
    coded = rle.encode(mask)
    return Suggestion(
        counts=coded.counts.decode("ascii"),
        area=rle.area(coded),
        score=min(max(score, 0.0), 1.0),
        stability=min(max(stability, 0.0), 1.0),
        label=label,
    )
