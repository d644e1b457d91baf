"""Our own predictors in the form the protocols score."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np

from masklet.evaluation.datasets import Clip
from masklet.evaluation.occlusion import Sighting
from masklet.evaluation.vos import StartPrompt
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.masks.rle import RLE
from masklet.predictors.auto import AutoMasks
from masklet.predictors.features import CacheBudget
from masklet.predictors.image import Embedding, ImagePredictor
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import PromptSet
from masklet.simulate import correction_click
from masklet.tracking.policy import MemoryPolicy
from masklet.video.frames import Frame, FrameSource
from masklet.video.source import ClosingSource
from masklet.weights.load import LoadedModel

# A corrected clip is read again in every round: its encoded frames are worth more room than a session's default.
_ROUNDS_BUDGET = CacheBudget(memory_bytes=2**30, disk_bytes=4 * 2**30)


class ClickSubject:
    """An ImagePredictor that refines its last answer with every click."""

    def __init__(self, model: LoadedModel, *, second_look: bool | None = None) -> None:
        self._predictor = ImagePredictor(model, second_look=second_look)

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


class AutoSubject:
    """An automatic search; called as what proposes masks, best first."""

    def __init__(self, model: LoadedModel, preset: str = "balanced") -> None:
        self._search = AutoMasks(model, preset=preset)

    def __call__(self, image: ByteArray) -> list[RLE]:
        """Masks of everything in an image."""
        return [rle.encode(found.mask) for found in self._search.generate(image)]


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


def session_shift(object_ids: Collection[int]) -> int:
    """What is added to the ids of a clip in a session, which counts from 1; folders of SA-V count from 0."""
    return max(0, 1 - min(object_ids, default=1))


class TrackSubject:
    """A VideoSession per clip; called as a tracker.

    Args:
        model: The network.
        policy: The memory policy.
        start_clicks: Clicks on the first frame of each object that starts with a click: the ones after the first are
            at the centre of the largest error of the answer before.

    Source of the clicks: Ravi et al., "SAM 2: Segment Anything in Images and Videos", 2024, semi-supervised
    evaluation with 1, 3 and 5 clicks.
    """

    def __init__(
        self, model: LoadedModel, policy: str | MemoryPolicy = "recent", *, start_clicks: int = 1
    ) -> None:
        self._model, self._policy, self._start_clicks = model, policy, start_clicks

    def __call__(self, clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, BoolArray]]:
        """Prompt every object where it is first seen, and follow it."""
        source: FrameSource = ClipSource(clip)
        shift = session_shift(clip.object_ids)
        with VideoSession(self._model, source, policy=self._policy) as session:
            for object_id, start in starts.items():
                self._prompt(session, object_id + shift, start, clip.mask(object_id, start.frame))
            for frame in session.track():
                yield {session_id - shift: mask for session_id, mask in frame.masks.items()}

    def _prompt(
        self, session: VideoSession, session_id: int, start: StartPrompt, true: BoolArray | None
    ) -> None:
        """The start prompt, then further clicks where the answer is most wrong."""
        prompts = start.prompts
        answer = session.prompt(session_id, start.frame, prompts).masks[session_id]
        for _ in range(self._start_clicks - 1):
            click = None if true is None or not prompts.clicks else correction_click(answer, true)
            if click is None:
                return
            prompts = prompts.with_click(click)
            answer = session.prompt(session_id, start.frame, prompts).masks[session_id]


class PresenceSubject:
    """A VideoSession per clip that also tells how sure it is that an object is there."""

    def __init__(self, model: LoadedModel, policy: str | MemoryPolicy = "recent") -> None:
        self._model, self._policy = model, policy

    def __call__(self, clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, Sighting]]:
        """Prompt every object, and follow it."""
        source: FrameSource = ClipSource(clip)
        with VideoSession(self._model, source, policy=self._policy) as session:
            for object_id, start in starts.items():
                session.prompt(object_id, start.frame, start.prompts)
            for frame in session.track():
                yield {i: Sighting(mask=frame.masks[i], presence=frame.presence[i]) for i in frame.object_ids}


class CorrectedClip:
    """An open VideoSession that follows both ways, or forward; only what the prompts changed is computed again."""

    def __init__(self, session: VideoSession, shift: int = 0) -> None:
        self._session, self._shift = session, shift

    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> BoolArray:
        """Prompt the session."""
        session_id = object_id + self._shift
        return self._session.prompt(session_id, frame, prompts).masks[session_id]

    def follow(self) -> Iterator[Mapping[int, BoolArray]]:
        """Every frame in order, each tracked from the prompted frame nearest to it."""
        return (self._named(frame.masks) for frame in self._session.track_both_ways())

    def follow_from(self, frame: int) -> Iterator[Mapping[int, BoolArray]]:
        """Every frame from this one on, tracked forward; prompted frames stay as they are."""
        return (self._named(found.masks) for found in self._session.track(frame))

    def remove(self, object_id: int) -> None:
        """Forget an object."""
        self._session.remove(object_id + self._shift)

    def _named(self, masks: Mapping[int, BoolArray]) -> Mapping[int, BoolArray]:
        return {session_id - self._shift: mask for session_id, mask in masks.items()}


class InteractiveSubject:
    """Opens a VideoSession per clip that can be corrected."""

    def __init__(self, model: LoadedModel, policy: str | MemoryPolicy = "recent") -> None:
        self._model, self._policy = model, policy

    @contextmanager
    def __call__(self, clip: Clip) -> Iterator[CorrectedClip]:
        """A session on the clip that keeps encoded frames from round to round, as far as they fit."""
        source: FrameSource = ClipSource(clip)
        options = SessionOptions(features=_ROUNDS_BUDGET)
        with VideoSession(self._model, source, policy=self._policy, options=options) as session:
            yield CorrectedClip(session, session_shift(clip.object_ids))
