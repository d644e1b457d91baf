"""Our own predictors in the form the protocols score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from masklet.evaluation.datasets import Clip
from masklet.evaluation.vos import StartPrompt
from masklet.geometry import Size
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.predictors.image import Embedding, ImagePredictor
from masklet.predictors.video import VideoSession
from masklet.prompts import PromptSet
from masklet.tracking.policy import MemoryPolicy
from masklet.video.frames import Frame, FrameSource
from masklet.video.source import ClosingSource
from masklet.weights.load import LoadedModel


class ClickSubject:
    """An ImagePredictor that refines its last answer with every click."""

    def __init__(self, model: LoadedModel) -> None:
        self._predictor = ImagePredictor(model)

    def embed(self, image: ByteArray) -> Embedding:
        """Encode the image."""
        return self._predictor.embed(image)

    def predict(
        self, embedding: Embedding, prompts: Sequence[PromptSet], previous: list[np.ndarray] | None
    ) -> tuple[BoolArray, list[np.ndarray]]:
        """Answer one prompt set per object, starting from the logits of the call before."""
        starts = None if previous is None else list(previous)
        answers = self._predictor.predict_objects(embedding, list(prompts), start_logits=starts)
        return np.stack([one.masks[0] for one in answers]), [one.low_res_logits[0] for one in answers]


class ClipSource(ClosingSource):
    """A clip of a data set as a source of frames."""

    def __init__(self, clip: Clip) -> None:
        self._clip = clip

    @property
    def name(self) -> str:
        """Name of the clip."""
        return self._clip.name

    @property
    def size(self) -> Size:
        """Size of every frame."""
        return self._clip.size

    @property
    def num_frames(self) -> int:
        """Number of frames."""
        return self._clip.num_frames

    @property
    def fps(self) -> float | None:
        """Data sets have no clock."""
        return None

    def read(self, index: int) -> Frame:
        """One frame."""
        return Frame(index=index, pts_s=None, image=self._clip.frame(index))

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.read(index) for index in range(self.num_frames))


class TrackSubject:
    """A VideoSession per clip; called as a tracker."""

    def __init__(self, model: LoadedModel, policy: str | MemoryPolicy = "recent") -> None:
        self._model, self._policy = model, policy

    def __call__(self, clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, BoolArray]]:
        """Prompt every object where it is first seen, and follow it."""
        source: FrameSource = ClipSource(clip)
        with VideoSession(self._model, source, policy=self._policy) as session:
            for object_id, start in starts.items():
                session.prompt(object_id, start.frame, start.prompts)
            for frame in session.track():
                yield frame.masks
