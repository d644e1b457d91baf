"""Tracking objects through video: any source, any edit, any direction, one frame at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from masklet.errors import PromptError, SessionError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.models.model import ImageFeatures
from masklet.predictors.features import CacheBudget, FeatureCache
from masklet.predictors.object_store import Computed, ObjectStore, presence_probability
from masklet.predictors.preprocess import (
    PostProcess,
    mask_to_logits,
    to_image_masks,
    to_model_prompt,
    to_pixels,
)
from masklet.predictors.results import FrameResult
from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.policy import MemoryPolicy, choose_policy
from masklet.tracking.state import ObjectState, StoredMask
from masklet.tracking.step import ModelPrompt, Segmented, Tracker
from masklet.video.frames import FrameSource, open_source
from masklet.video.source import Frame
from masklet.weights.load import LoadedModel, load_model

ARCHIVE_BYTES = 96 * 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOptions:
    """How a session works.

    Attributes:
        features: Budget of encoded frames.
        archive_bytes: Budget of memories of tracked frames, which make re-tracking after an edit exact.
        post_process: How masks are tidied.
    """

    features: CacheBudget = CacheBudget()
    archive_bytes: int = ARCHIVE_BYTES
    post_process: PostProcess = PostProcess()


class VideoSession:
    """Objects followed through one video, or through a stream that is pushed frame by frame.

    Every frame a person prompted conditions tracking from then on and keeps its mask until it is cleared. An edit
    makes only those results stale that it can change. Not for several threads at once.
    """

    def __init__(
        self,
        model: LoadedModel | str = "compact",
        source: Any = None,  # noqa: ANN401 - every kind of source is a border
        *,
        policy: str | MemoryPolicy = "recent",
        options: SessionOptions | None = None,
    ) -> None:
        """Open a session.

        Args:
            model: A loaded model or what ``load_model`` takes.
            source: A path, a folder, an array (t, h, w, 3), an iterator of frames or a FrameSource; None to push
                frames with ``step``.
            policy: How memory is used: "recent", "quality", "motion" or a MemoryPolicy.
            options: Budgets and post-processing.

        Raises:
            MediaError: When the source cannot be opened.
        """
        self.model = load_model(model) if isinstance(model, str) else model
        self.options = options or SessionOptions()
        self.policy = choose_policy(policy)
        self.source: FrameSource | None = None if source is None else open_source(source)
        config = self.model.config
        num_frames = None if self.source is None else self.source.num_frames
        span = config.max_pointers if num_frames is None else min(num_frames, config.max_pointers)
        self._tracker = Tracker(model=self.model.model, policy=self.policy, pointer_span=span)
        self._store = ObjectStore(
            archive_bytes=self.options.archive_bytes,
            bank_capacity=config.max_pointers - 1,
            num_recent=config.num_memories - 1,
        )
        self._features = FeatureCache(self.options.features)
        self._live_banks: dict[int, MemoryBank] = {}
        self._next_live = 0
        self._is_cancelled = False

    def __enter__(self) -> Self:
        """Self."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give back the source and all memory."""
        self._features.close()
        if self.source is not None:
            self.source.close()

    @property
    def object_ids(self) -> list[int]:
        """Ids of all objects, in order."""
        return sorted(self._live_banks if self.source is None else self._store.objects)

    @property
    def num_bytes(self) -> int:
        """Bytes of encoded frames held now."""
        return self._features.num_bytes

    def prompts_of(self, object_id: int) -> Mapping[int, PromptSet]:
        """The prompts of an object by frame.

        Raises:
            SessionError: When there is no such object.
        """
        return dict(self._store.state(object_id).prompts)

    # edits

    @torch.inference_mode()
    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> FrameResult:
        """Say where an object is; what was said of this object on this frame before is replaced.

        Args:
            object_id: A whole number from 1; a new one makes a new object.
            frame: Frame index.
            prompts: Clicks, a box or a mask, in pixels of the frame.

        Returns:
            The object on this frame.

        Raises:
            PromptError: When a prompt does not fit the frame or the id is not usable.
            SessionError: When the session has no source.
        """
        self._store.check_id(object_id)
        picture = self._read(frame)
        size = Size(*picture.image.shape[:2])
        made = to_model_prompt(prompts, size, self.model.config)
        image = self._encode(picture)
        computed, logits = self._prompted(object_id, frame, prompts, made, image, size)
        self._store.put_prompted(object_id, frame, prompts, computed)
        return self._result(picture.index, picture.pts_s, {object_id: (computed.result, logits)})

    def _prompted(
        self, object_id: int, frame: int, prompts: PromptSet, made: ModelPrompt, image: ImageFeatures, size: Size
    ) -> tuple[Computed, Tensor]:
        moment = self._tracker.moment(frame, is_backward=False)
        state = self._store.objects.get(object_id)
        bank, start = MemoryBank(), None
        if state is not None and made.given_mask is None:
            bank, start = self._before_correction(object_id, state, frame, prompts)
            if start is not None and made.start_logits is None:
                made = ModelPrompt(points_xy=made.points_xy, labels=made.labels, start_logits=start)
        with self.model.precision.autocast():
            answer = self._tracker.prompt(image, [made], [bank], moment, reads_memory=start is not None and bool(bank.recent))
        masks = to_image_masks(answer.logits, size, self.options.post_process)
        if made.given_mask is not None and prompts.mask is not None:
            masks = prompts.mask.mask[None]
        result = self._stored(answer, 0, masks[0], is_prompted=True, is_backward=False)
        return Computed(result=result, entry=answer.entries[0]), answer.logits[0]

    def _before_correction(
        self, object_id: int, state: ObjectState, frame: int, prompts: PromptSet
    ) -> tuple[MemoryBank, Tensor | None]:
        """Memory and mask from which a correction starts: the frame's last answer, if clicks were added to it."""
        known = state.results.get(frame)
        if known is None:
            return MemoryBank(), None
        if known.is_prompted:
            earlier = state.prompts[frame]
            is_extended = prompts.clicks[: len(earlier.clicks)] == earlier.clicks and prompts.box == earlier.box
            if not is_extended or prompts.mask is not None:
                return MemoryBank(), None
            return self._bank_at(object_id, frame, is_backward=False), state.conditioning[frame].logits.float()
        entry = self._store.archived(known)
        logits = entry.logits.float() if entry is not None else self._logits_of(known)
        return self._bank_at(object_id, frame, is_backward=known.is_backward), logits

    def clear(self, object_id: int, frame: int) -> None:
        """Take back what was said of an object on a frame; the frame is tracked again.

        Raises:
            SessionError: When there is no such object or nothing was said.
        """
        self._store.clear(object_id, frame)

    def remove(self, object_id: int) -> None:
        """Remove an object.

        Raises:
            SessionError: When there is no such object.
        """
        if self.source is None:
            if object_id not in self._live_banks:
                raise SessionError(f"There is no object {object_id} in this stream; the objects are {self.object_ids}.")
            del self._live_banks[object_id]
            return
        self._store.remove(object_id)

    def rename(self, object_id: int, new_id: int) -> None:
        """Give an object another id.

        Raises:
            SessionError: When there is no such object or the new id is taken.
            PromptError: When the new id is not usable.
        """
        self._store.rename(object_id, new_id)

    def undo(self) -> bool:
        """Take back the last edit (prompt, clear, remove, rename); False when there is none."""
        return self._store.undo()

    # tracking

    def cancel(self) -> None:
        """Stop a running ``track`` after its current frame; what is done stays."""
        self._is_cancelled = True

    def track(self, start: int = 0, stop: int | None = None, *, backward: bool = False) -> Iterator[FrameResult]:
        """Follow all objects through the frames of [start, stop), each from its first prompt in this direction on.

        Results that are in force are given again without work. The loop may prompt, add and remove objects.

        Args:
            start: First frame of the range.
            stop: Frame after the last; None for the end of the source.
            backward: Visit the range from its last frame to its first, against time.

        Raises:
            SessionError: When the session has no source, or the range is not within it.
        """
        source = self._require_source()
        frames = self._range(source, start, stop, backward=backward)
        self._is_cancelled = False
        banks: dict[int, tuple[int, int, MemoryBank]] = {}
        for index in frames:
            if self._is_cancelled:
                return
            if source.num_frames is None and not self._has_frame(index):
                return
            yield self._advance(index, banks, is_backward=backward)

    def _range(self, source: FrameSource, start: int, stop: int | None, *, backward: bool) -> Sequence[int]:
        num_frames = source.num_frames
        if num_frames is None and (backward or start != 0):
            raise SessionError("A source without a known end is tracked forward from frame 0; give a file or an array.")
        last = num_frames if num_frames is not None else 2**62
        stop = last if stop is None else stop
        if not (0 <= start <= last and start <= stop <= last):
            raise SessionError(
                f"The range [{start}, {stop}) does not lie within the video's {last} frames; "
                "give 0 <= start <= stop <= number of frames."
            )
        return range(stop - 1, start - 1, -1) if backward else range(start, stop)

    @torch.inference_mode()
    def _advance(
        self, index: int, banks: dict[int, tuple[int, int, MemoryBank]], *, is_backward: bool
    ) -> FrameResult:
        """One frame: stored results as they are, the others in one batch."""
        shown: dict[int, tuple[StoredMask, Tensor | None]] = {}
        stale: list[int] = []
        for object_id in sorted(self._store.objects):
            state = self._store.objects[object_id]
            known = state.results.get(index)
            if known is not None:
                shown[object_id] = (known, None)
                banks.pop(object_id, None)
            elif any((at >= index) if is_backward else (at <= index) for at in state.prompts):
                stale.append(object_id)
        if stale:
            picture = self._read(index)
            shown.update(self._track_objects(picture, stale, banks, is_backward=is_backward))
            return self._result(index, picture.pts_s, shown)
        return self._result(index, self._pts(index), shown)

    def _track_objects(
        self,
        picture: Frame,
        object_ids: list[int],
        banks: dict[int, tuple[int, int, MemoryBank]],
        *,
        is_backward: bool,
    ) -> dict[int, tuple[StoredMask, Tensor | None]]:
        index = picture.index
        image = self._encode(picture)
        current: list[MemoryBank] = []
        for object_id in object_ids:
            edits = self._store.objects[object_id].edits
            last, seen_edits, bank = banks.get(object_id, (-1, -1, MemoryBank()))
            is_fresh = seen_edits == edits and abs(index - last) == 1
            current.append(bank if is_fresh else self._bank_at(object_id, index, is_backward=is_backward))
        moment = self._tracker.moment(index, is_backward=is_backward)
        with self.model.precision.autocast():
            answer = self._tracker.track(image, current, moment)
        masks = to_image_masks(answer.logits, Size(*picture.image.shape[:2]), self.options.post_process)
        shown: dict[int, tuple[StoredMask, Tensor | None]] = {}
        for row, object_id in enumerate(object_ids):
            result = self._stored(answer, row, masks[row], is_prompted=False, is_backward=is_backward)
            self._store.put_tracked(object_id, index, Computed(result=result, entry=answer.entries[row]))
            edits = self._store.objects[object_id].edits
            banks[object_id] = (index, edits, current[row].with_tracked(answer.entries[row]))
            shown[object_id] = (result, answer.logits[row])
        return shown

    # live streams

    @torch.inference_mode()
    def step(self, image: np.ndarray, prompts: Mapping[int, PromptSet] | None = None) -> FrameResult:
        """Push the next frame of a stream.

        Args:
            image: RGB uint8 (h, w, 3).
            prompts: What is said on this frame, by object id; new ids make new objects.

        Returns:
            All objects on this frame. Nothing older than the memory of each object is kept.

        Raises:
            SessionError: When the session has a source.
            PromptError: When a prompt does not fit the frame.
        """
        if self.source is not None:
            raise SessionError("This session reads a source; call track, or make a session without a source to push.")
        picture = _checked_image(image)
        index, self._next_live = self._next_live, self._next_live + 1
        size = Size(*picture.shape[:2])
        wanted = dict(prompts or {})
        for object_id, one in wanted.items():
            self._store.check_id(object_id)
            one.check_inside(size)
        encoded = self._encode_image(picture)
        moment = self._tracker.moment(index, is_backward=False)
        answers: dict[int, tuple[StoredMask, Tensor | None]] = {}
        for object_id, one in wanted.items():
            answers[object_id] = self._prompt_live(object_id, one, encoded, size, index)
        tracked = [object_id for object_id in self.object_ids if object_id not in wanted]
        if tracked:
            banks = [self._live_banks[object_id] for object_id in tracked]
            with self.model.precision.autocast():
                answer = self._tracker.track(encoded, banks, moment)
            masks = to_image_masks(answer.logits, size, self.options.post_process)
            for row, object_id in enumerate(tracked):
                result = self._stored(answer, row, masks[row], is_prompted=False, is_backward=False)
                self._live_banks[object_id] = banks[row].with_tracked(answer.entries[row])
                answers[object_id] = (result, answer.logits[row])
        return self._result(index, None, answers)

    def _prompt_live(
        self, object_id: int, prompts: PromptSet, image: ImageFeatures, size: Size, index: int
    ) -> tuple[StoredMask, Tensor | None]:
        made = to_model_prompt(prompts, size, self.model.config)
        bank = self._live_banks.get(object_id, MemoryBank(capacity=self.model.config.max_pointers - 1))
        moment = self._tracker.moment(index, is_backward=False)
        with self.model.precision.autocast():
            answer = self._tracker.prompt(image, [made], [bank], moment, reads_memory=not bank.is_empty)
        masks = to_image_masks(answer.logits, size, self.options.post_process)
        if made.given_mask is not None and prompts.mask is not None:
            masks = prompts.mask.mask[None]
        conditioning = bank.with_conditioning(answer.entries[0])
        self._live_banks[object_id] = _bounded(conditioning, self.model.config.max_pointers)
        return self._stored(answer, 0, masks[0], is_prompted=True, is_backward=False), answer.logits[0]

    # saving

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write prompts, results and memories, so that ``load`` goes on with identical results.

        Raises:
            SessionError: When the session has no source.
        """
        from masklet.predictors.session_file import write_session  # noqa: PLC0415 - the file format knows the session

        self._require_source()
        write_session(Path(path), self._store, self.model, self.policy.name)

    @classmethod
    def load(
        cls,
        path: str | os.PathLike[str],
        model: LoadedModel | str,
        source: Any,  # noqa: ANN401 - every kind of source is a border
        *,
        policy: str | MemoryPolicy | None = None,
        options: SessionOptions | None = None,
    ) -> Self:
        """Open a saved session on the same video with the same model.

        Raises:
            SessionError: When the file is damaged or was made with another model.
        """
        from masklet.predictors.session_file import read_session  # noqa: PLC0415 - the file format knows the session

        loaded = load_model(model) if isinstance(model, str) else model
        saved = read_session(Path(path), loaded)
        session = cls(loaded, source, policy=policy or saved.policy, options=options)
        saved.fill(session._store)
        return session

    # inside

    def _require_source(self) -> FrameSource:
        if self.source is None:
            raise SessionError("This session has no source; push frames with step, or open it with a video.")
        return self.source

    def _read(self, index: int) -> Frame:
        source = self._require_source()
        num_frames = source.num_frames
        if index < 0 or (num_frames is not None and index >= num_frames):
            raise PromptError(f"Frame {index} is not in the video, whose frames are 0 to {(num_frames or 1) - 1}.")
        return source.read(index)

    def _has_frame(self, index: int) -> bool:
        try:
            self._require_source().read(index)
        except IndexError:
            return False
        return True

    def _pts(self, index: int) -> float | None:
        fps = self._require_source().fps
        return None if fps is None else index / fps

    def _encode(self, picture: Frame) -> ImageFeatures:
        found = self._features.get(picture.index)
        if found is None:
            found = self._encode_image(picture.image)
            self._features.put(picture.index, found)
        return found

    def _encode_image(self, image: np.ndarray) -> ImageFeatures:
        pixels = to_pixels(image, self.model.config, self.model.device)
        with self.model.precision.autocast():
            return self.model.model.encode_image(pixels)

    def _bank_at(self, object_id: int, frame: int, *, is_backward: bool) -> MemoryBank:
        return self._store.bank_at(object_id, frame, is_backward=is_backward, rebuild=self._rebuild)

    def _rebuild(self, frame: int, result: StoredMask) -> MemoryEntry:
        """Memory of a frame from its stored mask, for re-tracking when the memory itself has left the archive."""
        picture = self._read(frame)
        given = ModelPrompt(
            points_xy=torch.zeros(0, 2),
            labels=torch.zeros(0, dtype=torch.long),
            given_mask=(self._logits_of(result, self.model.config.image_size) > 0).float(),
        )
        moment = self._tracker.moment(frame, is_backward=result.is_backward)
        with self.model.precision.autocast():
            entry = self._tracker.prompt(self._encode(picture), [given], [], moment, reads_memory=False).entries[0]
        return entry

    def _logits_of(self, result: StoredMask, side: int | None = None) -> Tensor:
        return mask_to_logits(rle.decode(result.rle), side or self.model.config.mask_side)

    def _stored(
        self, answer: Segmented, row: int, mask: np.ndarray, *, is_prompted: bool, is_backward: bool
    ) -> StoredMask:
        return StoredMask(
            rle=rle.encode(mask),
            score=answer.scores[row],
            area=int(mask.sum()),
            is_prompted=is_prompted,
            is_backward=is_backward,
            is_kept=answer.entries[row].is_kept,
            version=self._store.next_version(),
        )

    def _result(
        self, index: int, pts_s: float | None, shown: Mapping[int, tuple[StoredMask, Tensor | None]]
    ) -> FrameResult:
        scores = {object_id: result.score for object_id, (result, _) in shown.items()}
        return FrameResult(
            index=index,
            pts_s=pts_s,
            masks={object_id: rle.decode(result.rle) for object_id, (result, _) in shown.items()},
            scores={object_id: score.iou for object_id, score in scores.items()},
            presence={object_id: presence_probability(score.presence) for object_id, score in scores.items()},
            stability={object_id: score.stability for object_id, score in scores.items()},
            area={object_id: result.area for object_id, (result, _) in shown.items()},
            logits={
                object_id: (self._logits_of(result) if logits is None else logits).float().cpu().numpy()
                for object_id, (result, logits) in shown.items()
            },
            prompted=frozenset(object_id for object_id, (result, _) in shown.items() if result.is_prompted),
        )


def _bounded(bank: MemoryBank, most: int) -> MemoryBank:
    """A stream's bank never grows: the first prompted frame and the latest ones stay."""
    if len(bank.conditioning) <= most:
        return bank
    frames = sorted(bank.conditioning)
    kept = [frames[0], *frames[-(most - 1) :]]
    return MemoryBank(
        conditioning={frame: bank.conditioning[frame] for frame in kept}, recent=bank.recent, capacity=bank.capacity
    )


def _checked_image(image: np.ndarray) -> np.ndarray:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
        raise PromptError(f"A frame must be RGB uint8 (h, w, 3), got {image.dtype} of shape {image.shape}.")
    return image
