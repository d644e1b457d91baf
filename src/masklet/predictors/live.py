"""Objects on a stream that is pushed frame by frame; nothing older than their memories is kept."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from masklet.errors import PromptError, SessionError
from masklet.geometry import Size
from masklet.predictors.engine import Answered, FrameEngine
from masklet.predictors.object_store import check_object_id
from masklet.predictors.preprocess import to_model_prompt
from masklet.predictors.results import FrameResult
from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank


class LiveStream:
    """The memories of each object, and where the stream stands."""

    def __init__(self, engine: FrameEngine) -> None:
        self._engine = engine
        self.banks: dict[int, MemoryBank] = {}
        self._next_index = 0

    def remove(self, object_id: int) -> None:
        """Forget an object.

        Raises:
            SessionError: When there is no such object.
        """
        if object_id not in self.banks:
            known = ", ".join(str(one) for one in sorted(self.banks)) or "none"
            raise SessionError(f"There is no object {object_id} in this stream; the objects are: {known}.")
        del self.banks[object_id]

    def rename(self, object_id: int, new_id: int) -> None:
        """Give an object another id.

        Raises:
            SessionError: When there is no such object or the new id is taken.
        """
        check_object_id(new_id)
        if new_id in self.banks:
            raise SessionError(f"Object {new_id} exists already; remove it first or choose another id.")
        if object_id not in self.banks:
            raise SessionError(f"There is no object {object_id} in this stream to rename.")
        self.banks[new_id] = self.banks.pop(object_id)

    def step(self, image: np.ndarray, prompts: Mapping[int, PromptSet]) -> FrameResult:
        """Take the next frame; see VideoSession.step."""
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise PromptError(
                f"A frame must be RGB uint8 (h, w, 3), got {image.dtype} of shape {image.shape}."
            )
        size = Size(*image.shape[:2])
        for object_id, one in prompts.items():
            check_object_id(object_id)
            one.check_inside(size)
        index, self._next_index = self._next_index, self._next_index + 1
        features = self._engine.encode_image(image)
        answers: dict[int, Answered] = {}
        tracked = [object_id for object_id in sorted(self.banks) if object_id not in prompts]
        if tracked:
            banks = [self.banks[object_id] for object_id in tracked]
            found = self._engine.track(features, size, index, banks, is_backward=False)
            for object_id, bank, answer in zip(tracked, banks, found, strict=True):
                answers[object_id] = answer
                self.banks[object_id] = bank.with_tracked(answer.entry)
        capacity = self._engine.model.config.max_pointers
        moment = self._engine.tracker.moment(index, is_backward=False)
        for object_id, one in prompts.items():
            bank = self.banks.get(object_id, MemoryBank(capacity=capacity - 1))
            made = to_model_prompt(one, size, self._engine.model.config)
            answer = self._engine.prompt(features, size, moment, made, one, bank)
            answers[object_id] = answer
            self.banks[object_id] = bounded(bank.with_conditioning(answer.entry), capacity)
        return self._engine.result(
            index, None, {key: (one.result, one.logits) for key, one in answers.items()}
        )


def bounded(bank: MemoryBank, most: int) -> MemoryBank:
    """A stream's bank never grows: the first prompted frame and the latest ones stay."""
    if len(bank.conditioning) <= most:
        return bank
    frames = sorted(bank.conditioning)
    kept = [frames[0], *frames[-(most - 1) :]]
    return MemoryBank(
        conditioning={frame: bank.conditioning[frame] for frame in kept},
        recent=bank.recent,
        capacity=bank.capacity,
    )
