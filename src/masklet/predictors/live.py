"""Objects on a stream, pushed or read frame by frame; nothing older than their memories is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from masklet.errors import MediaError, PromptError, SessionError
from masklet.geometry import Size
from masklet.models.model import ImageFeatures
from masklet.predictors.engine import Answered, FrameEngine
from masklet.predictors.object_store import check_object_id
from masklet.predictors.preprocess import to_model_prompt
from masklet.predictors.results import FrameResult
from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank
from masklet.tracking.model_prompt import ModelPrompt
from masklet.video.source import Frame, FrameSource


@dataclass(slots=True, kw_only=True)
class _Newest:
    """The newest frame, the only one that can still be prompted.

    Attributes:
        frame: The picture.
        before: The memory of each object when the frame came, so that a correction does not read itself.
        answers: What was found on the frame, by object id.
        said: What was said on the frame, by object id.
        features: The encoded picture, once something asked for it.
    """

    frame: Frame
    before: dict[int, MemoryBank]
    answers: dict[int, Answered] = field(default_factory=dict)
    said: dict[int, PromptSet] = field(default_factory=dict)
    features: ImageFeatures | None = None

    @property
    def size(self) -> Size:
        """Size of the picture."""
        return Size(*self.frame.image.shape[:2])

    def forget(self, object_id: int, new_id: int | None = None) -> None:
        """Take an object out, or give it another id."""
        _move(self.before, object_id, new_id)
        _move(self.answers, object_id, new_id)
        _move(self.said, object_id, new_id)


class LiveStream:
    """The memories of each object, and the newest frame."""

    def __init__(self, engine: FrameEngine, source: FrameSource | None = None) -> None:
        """Prepare; nothing is taken from the source yet.

        Args:
            engine: The model.
            source: A source without a known end, or None when frames are pushed.
        """
        self._engine = engine
        self._source = source
        self._frames: Iterator[Frame] | None = None
        self._failure: MediaError | None = None
        self._newest: _Newest | None = None
        self.banks: dict[int, MemoryBank] = {}

    def close(self) -> None:
        """Forget the newest frame."""
        self._newest = None

    # objects

    def prompts_of(self, object_id: int) -> dict[int, PromptSet]:
        """What was said of an object on the newest frame, by frame.

        Raises:
            SessionError: When there is no such object.
        """
        self._check_known(object_id)
        newest = self._newest
        said = None if newest is None else newest.said.get(object_id)
        return {} if newest is None or said is None else {newest.frame.index: said}

    def remove(self, object_id: int) -> None:
        """Forget an object.

        Raises:
            SessionError: When there is no such object.
        """
        self._check_known(object_id)
        del self.banks[object_id]
        if self._newest is not None:
            self._newest.forget(object_id)

    def rename(self, object_id: int, new_id: int) -> None:
        """Give an object another id.

        Raises:
            SessionError: When there is no such object or the new id is taken.
        """
        check_object_id(new_id)
        if new_id in self.banks:
            raise SessionError(f"Object {new_id} exists already; remove it first or choose another id.")
        self._check_known(object_id)
        self.banks[new_id] = self.banks.pop(object_id)
        if self._newest is not None:
            self._newest.forget(object_id, new_id)

    def _check_known(self, object_id: int) -> None:
        if object_id not in self.banks:
            known = ", ".join(str(one) for one in sorted(self.banks)) or "none"
            raise SessionError(f"There is no object {object_id} in this stream; the objects are: {known}.")

    # pushed frames

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
        index = 0 if self._newest is None else self._newest.frame.index + 1
        newest = self._take(Frame(index=index, pts_s=None, image=image))
        self._follow(newest, [object_id for object_id in self.banks if object_id not in prompts])
        for object_id, one in prompts.items():
            self._prompt(newest, object_id, one)
        return self._result(newest, newest.answers)

    # frames of a source

    @torch.inference_mode()
    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> FrameResult:
        """Say where an object is on the newest frame or the next; see VideoSession.prompt."""
        newest = self._reach(frame, most=1)
        if newest is None:
            raise SessionError(f"{self._name} ended before frame {frame}; prompt a frame that came.")
        prompts.check_inside(newest.size)
        answer = self._prompt(newest, object_id, prompts)
        return self._result(newest, {object_id: answer})

    def track(
        self, start: int | None, stop: int | None, is_cancelled: Callable[[], bool], *, backward: bool
    ) -> Iterator[FrameResult]:
        """Follow all objects as frames come; see VideoSession.track."""
        if backward:
            raise SessionError(
                f"{self._name} is a stream, read once and forward; give a file or an array to track backward."
            )
        index = self._newest_index() if start is None else start
        while (stop is None or index < stop) and not is_cancelled():
            newest = self._reach(index, most=None)
            if newest is None:
                return
            yield self._followed(newest)
            # a prompt in the loop may have taken the next frame already, and that one is not passed over
            index = max(newest.frame.index + 1, self._newest_index())

    @torch.inference_mode()
    def _followed(self, newest: _Newest) -> FrameResult:
        """Everything on the newest frame; what was found on it before stays."""
        self._follow(newest, [object_id for object_id in self.banks if object_id not in newest.answers])
        return self._result(newest, newest.answers)

    def _reach(self, index: int, *, most: int | None) -> _Newest | None:
        """The newest frame once it has this index; None when the stream ends before.

        Args:
            index: The frame wanted.
            most: How many frames may be taken for it; None for any number.

        Raises:
            SessionError: When the frame has gone by, or is further ahead.
        """
        newest = self._newest or self._next()
        if newest is None:
            return None
        at = newest.frame.index
        if index < at:
            raise SessionError(
                f"Frame {index} of {self._name} has gone by, as a stream is read once and in order; "
                f"use the newest, frame {at}, or one that is still to come."
            )
        if most is not None and index > at + most:
            raise SessionError(
                f"Frame {index} of {self._name} has not come yet; track up to it first, or use frame {at}."
            )
        while newest is not None and newest.frame.index < index:
            newest = self._next()
        return newest

    def _next(self) -> _Newest | None:
        """Take the next frame of the source; None at its end. A source that failed once stays failed."""
        if self._failure is not None:
            raise self._failure
        if self._frames is None:
            self._frames = iter(self._source or ())
        try:
            frame = next(self._frames, None)
        except MediaError as error:
            self._failure = error
            raise
        return None if frame is None else self._take(frame)

    def _newest_index(self) -> int:
        """Index of the newest frame; takes the first one when none was taken yet, 0 when there is none."""
        newest = self._newest or self._next()
        return 0 if newest is None else newest.frame.index

    @property
    def _name(self) -> str:
        return "this stream" if self._source is None else self._source.name

    # one frame

    def _take(self, frame: Frame) -> _Newest:
        self._newest = _Newest(frame=frame, before=dict(self.banks))
        return self._newest

    def _encoded(self, newest: _Newest) -> ImageFeatures:
        if newest.features is None:
            newest.features = self._engine.encode_image(newest.frame.image)
        return newest.features

    def _follow(self, newest: _Newest, object_ids: list[int]) -> None:
        """Track objects, as one batch, into the newest frame."""
        if not object_ids:
            return
        object_ids = sorted(object_ids)
        banks = [self.banks[object_id] for object_id in object_ids]
        features, index = self._encoded(newest), newest.frame.index
        found = self._engine.track(features, newest.size, index, banks, is_backward=False)
        for object_id, bank, answer in zip(object_ids, banks, found, strict=True):
            newest.answers[object_id] = answer
            self.banks[object_id] = bank.with_tracked(answer.entry)

    def _prompt(self, newest: _Newest, object_id: int, prompts: PromptSet) -> Answered:
        """Segment a prompted object with the memory that it had when the frame came."""
        capacity = self._engine.model.config.max_pointers
        moment = self._engine.tracker.moment(newest.frame.index, is_backward=False)
        made = to_model_prompt(prompts, newest.size, self._engine.model.config)
        start = self._start_logits(newest, object_id, prompts)
        if start is not None and made.start_logits is None and made.given_mask is None:
            made = ModelPrompt(points_xy=made.points_xy, labels=made.labels, start_logits=start)
        bank = newest.before.get(object_id, MemoryBank(capacity=capacity - 1))
        answer = self._engine.prompt(self._encoded(newest), newest.frame.image, moment, made, prompts, bank)
        self.banks[object_id] = bounded(bank.with_conditioning(answer.entry), capacity)
        newest.answers[object_id] = answer
        newest.said[object_id] = prompts
        return answer

    def _start_logits(self, newest: _Newest, object_id: int, prompts: PromptSet) -> Tensor | None:
        """The last answer on the frame when the prompts correct it; what was said otherwise is replaced."""
        known, earlier = newest.answers.get(object_id), newest.said.get(object_id)
        if known is None:
            return None
        if earlier is not None and not _extends(prompts, earlier):
            return None
        return known.entry.logits.float()

    def _result(self, newest: _Newest, answers: Mapping[int, Answered]) -> FrameResult:
        shown = {object_id: (one.result, one.logits) for object_id, one in answers.items()}
        return self._engine.result(newest.frame.index, newest.frame.pts_s, shown)


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


def _extends(prompts: PromptSet, earlier: PromptSet) -> bool:
    """Whether prompts only add clicks to what was said before."""
    is_same_start = prompts.clicks[: len(earlier.clicks)] == earlier.clicks and prompts.box == earlier.box
    return is_same_start and prompts.mask is None


_Value = TypeVar("_Value")


def _move(part: dict[int, _Value], object_id: int, new_id: int | None) -> None:
    """Take an object out of a part, and put it back under another id when there is one."""
    if object_id not in part:
        return
    value = part.pop(object_id)
    if new_id is not None:
        part[new_id] = value
