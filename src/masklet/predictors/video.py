"""Tracking objects through video: any source, any edit, any direction, one frame at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from masklet.errors import PromptError, SessionError
from masklet.geometry import Size
from masklet.models.allocator import give_back
from masklet.predictors.ahead import Shares
from masklet.predictors.apart import PromptsApart
from masklet.predictors.correction import Ground, ground_of
from masklet.predictors.engine import Answered, FrameEngine
from masklet.predictors.live import LiveStream
from masklet.predictors.object_store import Computed, ObjectStore, check_object_id
from masklet.predictors.options import ARCHIVE_BYTES as ARCHIVE_BYTES
from masklet.predictors.options import SessionOptions
from masklet.predictors.preprocess import to_model_prompt
from masklet.predictors.results import FrameResult
from masklet.predictors.shelf import ResultShelf
from masklet.predictors.streamed import SessionStreams
from masklet.predictors.streamed_sweep import StreamedSweep
from masklet.predictors.sweep import Course, PlainSweep, stored_on
from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank, MemoryEntry
from masklet.tracking.model_prompt import ModelPrompt
from masklet.tracking.policy import MemoryPolicy, choose_policy
from masklet.tracking.state import ObjectState, StoredMask
from masklet.video.frames import FrameSource, open_source
from masklet.video.source import Frame
from masklet.weights.load import LoadedModel, load_model

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; only type checkers read it


class VideoSession:
    """Objects followed through one video, or through a stream that is read or pushed frame by frame.

    A source without a known end (a camera, an iterator) is read once: only its newest frame can be prompted, nothing
    but that frame and the objects' memories is kept, and edits cannot be undone or saved.

    Every frame a person prompted conditions tracking from then on and keeps its mask until it is cleared. An edit
    makes only those results stale that it can change. Not for several threads at once; the source is read, one frame at
    a time, in the caller's thread or in one of the session's own.
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
            policy: How memory is used: "recent", "quality", "motion", "rivals" or a MemoryPolicy.
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
        self._shelf = ResultShelf(self.options.result_bytes, self.options.features.folder)
        self._store = ObjectStore(
            archive_bytes=self.options.archive_bytes,
            bank_capacity=config.max_pointers - 1,
            num_recent=config.num_memories - 1,
            shelf=self._shelf,
            look_ahead=config.look_ahead,
        )
        self._engine = FrameEngine(
            self.model,
            self.policy,
            pointer_span=span,
            budget=self.options.features,
            post_process=self.options.post_process,
            next_version=self._store.next_version,
            shares=None if num_frames is None else Shares.of(self.model, torch.get_num_threads()),
        )
        self._apart = PromptsApart(self._rebuild)
        self._is_stream = num_frames is None
        self._reading = threading.Lock()
        self._streams = SessionStreams(self.options, span)
        self._passing: PlainSweep | StreamedSweep | None = None
        self._live = LiveStream(self._engine, self.source if self._is_stream else None)
        self._is_cancelled = False

    def __enter__(self) -> Self:
        """Self."""
        return self

    def __exit__(self, *_details: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Give back the source and all memory."""
        if self._passing is not None:
            self._passing.close()
        self._streams.give_up()
        self._engine.close()
        self._live.close()
        self._store.close()
        self._shelf.close()
        if self.source is not None:
            self.source.close()
        give_back()

    @property
    def object_ids(self) -> list[int]:
        """Ids of all objects, in order."""
        return sorted(self._live.banks if self._is_stream else self._store.objects)

    @property
    def num_bytes(self) -> int:
        """Bytes of encoded frames and of memories of tracked frames held now; both have budgets."""
        return self._engine.features.num_bytes + self._store.num_bytes

    def prompts_of(self, object_id: int) -> Mapping[int, PromptSet]:
        """The prompts of an object by frame; a stream tells those on its newest frame alone.

        Raises:
            SessionError: When there is no such object.
        """
        if self._is_stream:
            return self._live.prompts_of(object_id)
        return dict(self._store.state(object_id).prompts)

    # edits

    @torch.inference_mode()
    def prompt(self, object_id: int, frame: int, prompts: PromptSet) -> FrameResult:
        """Say where an object is; what was said of this object on this frame before is replaced.

        Args:
            object_id: A whole number from 1; a new one makes a new object.
            frame: Frame index; of a stream the newest frame that was given, or the next.
            prompts: Clicks, a box or a mask, in pixels of the frame.

        Returns:
            The object on this frame.

        Raises:
            PromptError: When a prompt does not fit the frame or the id is not usable.
            SessionError: When the session has no source, or a stream's frame has gone by or not come yet.
        """
        check_object_id(object_id)
        self._require_source()
        if self._is_stream:
            return self._live.prompt(object_id, frame, prompts)
        picture = self._read(frame)
        answer = self._prompted(object_id, picture, prompts)
        computed = Computed(result=answer.result, entry=answer.entry)
        self._store.put_prompted(object_id, frame, prompts, computed)
        return self._engine.result(frame, picture.pts_s, {object_id: (answer.result, answer.logits)})

    def _prompted(self, object_id: int, picture: Frame, prompts: PromptSet) -> Answered:
        size = Size(*picture.image.shape[:2])
        made = to_model_prompt(prompts, size, self.model.config)
        image = self._engine.encode(picture)
        state = self._store.objects.get(object_id)
        ground = Ground()
        if state is not None and made.given_mask is None:
            ground = ground_of(
                state,
                picture.index,
                prompts,
                bank_at=lambda frame, is_backward: self._bank_at(object_id, frame, is_backward=is_backward),
                logits_of=lambda frame: self._logits_of(state, frame),
            )
            if ground.start is not None and made.start_logits is None:
                made = ModelPrompt(points_xy=made.points_xy, labels=made.labels, start_logits=ground.start)
        moment = self._engine.tracker.moment(picture.index, is_backward=ground.is_backward)
        return self._engine.prompt(image, picture.image, moment, made, prompts, ground.bank)

    def clear(self, object_id: int, frame: int) -> None:
        """Take back what was said of an object on a frame; the frame is tracked again.

        Raises:
            SessionError: When there is no such object or nothing was said, or the source is a stream.
        """
        if self._is_stream:
            raise SessionError("What was said on a stream stays said; prompt the object again or remove it.")
        self._store.clear(object_id, frame)

    def remove(self, object_id: int) -> None:
        """Remove an object.

        Raises:
            SessionError: When there is no such object.
        """
        (self._live if self._is_stream else self._store).remove(object_id)

    def rename(self, object_id: int, new_id: int) -> None:
        """Give an object another id.

        Raises:
            SessionError: When there is no such object or the new id is taken.
            PromptError: When the new id is not usable.
        """
        (self._live if self._is_stream else self._store).rename(object_id, new_id)

    def undo(self) -> bool:
        """Take back the last edit (prompt, clear, remove, rename); False when there is none, as on a stream."""
        return self._store.undo()

    # tracking

    def use_policy(self, policy: str | MemoryPolicy) -> None:
        """Track with another memory policy from now on; results in force stay.

        Raises:
            ConfigError: When there is no policy of this name.
        """
        self.policy = choose_policy(policy)
        self._engine.use_policy(self.policy)

    def cancel(self) -> None:
        """Stop a running ``track`` after its current frame; what is done stays."""
        self._is_cancelled = True

    def track(
        self,
        start: int | None = None,
        stop: int | None = None,
        *,
        backward: bool = False,
        is_new_only: bool = False,
    ) -> Iterator[FrameResult]:
        """Follow all objects through the frames of [start, stop), each from its first prompt in this direction on.

        Results that are in force are given again with little work. The loop may prompt, add and remove objects.

        Args:
            start: First frame of the range; None for the first of a video or the newest of a stream.
            stop: Frame after the last; None for the end of the source.
            backward: Visit the range from its last frame to its first, against time.
            is_new_only: Pass over frames of a video on which nothing has to be computed.

        Raises:
            SessionError: When the session has no source, the range is not within it or has gone by in a
                stream, or a stream is to be tracked backward.
            MediaError: When a frame cannot be read; a camera that stays away ends so.
        """
        source = self._require_source()
        self._is_cancelled = False
        if source.num_frames is None:
            yield from self._live.track(start, stop, lambda: self._is_cancelled, backward=backward)
            return
        frames = self._range(source.num_frames, start or 0, stop, backward=backward)
        yield from self._sweep(frames, ObjectState.is_reached, is_backward=backward, skips_known=is_new_only)

    @torch.inference_mode()
    def result_at(self, frame: int) -> FrameResult:
        """What is in force on a frame of a video, without work; objects that have no result there are left out.

        Raises:
            SessionError: When the session has no source, reads a stream, or the frame is not within it.
        """
        source = self._require_source()
        if source.num_frames is None:
            raise SessionError("A stream keeps no results; take them from track or step.")
        self._range(source.num_frames, frame, frame + 1, backward=False)
        return self._engine.result(frame, source.pts_s(frame), stored_on(self._store, frame))

    def track_both_ways(self, start: int = 0, stop: int | None = None) -> Iterator[FrameResult]:
        """Follow all objects through the whole of [start, stop), each frame from the prompted frame nearest to it.

        First the frames nearer to a later prompt are tracked backward, and nothing is given out; then all frames come
        in order. After corrections this is better than one direction: a mistake is not carried up to the frame that
        mends it.

        Args:
            start: First frame of the range.
            stop: Frame after the last; None for the end of the source.

        Raises:
            SessionError: When the session has no source or reads a stream, or the range is not within the video.
            MediaError: When a frame cannot be read.
        """
        num_frames = self._require_source().num_frames
        if num_frames is None:
            raise SessionError("A stream is tracked forward only; use track.")
        self._is_cancelled = False
        against_time = self._range(num_frames, start, stop, backward=True)
        for _ in self._sweep(against_time, ObjectState.is_nearest, is_backward=True, skips_known=True):
            continue
        in_order = self._range(num_frames, start, stop, backward=False)
        yield from self._sweep(in_order, ObjectState.is_nearest, is_backward=False)

    def _sweep(
        self,
        frames: Sequence[int],
        is_wanted: Callable[..., bool],
        *,
        is_backward: bool,
        skips_known: bool = False,
    ) -> Iterator[FrameResult]:
        """Frame by frame, the objects that are wanted there and have no result in force; or such frames alone."""

        def stale_at(index: int) -> list[int]:
            wanted = [
                (object_id, state)
                for object_id, state in sorted(self._store.objects.items())
                if index not in state.prompts and is_wanted(state, index, is_backward=is_backward)
            ]
            stale = [object_id for object_id, state in wanted if index not in state.results]
            # rivals exclude each other only where they are followed together
            return [object_id for object_id, _ in wanted] if stale and self.policy.are_rivals else stale

        course = Course(
            source=self._require_source(),
            read=self._read,
            bank_at=lambda object_id, index: self._bank_at(object_id, index, is_backward=is_backward),
            stale_at=stale_at,
            is_backward=is_backward,
            is_cancelled=lambda: self._is_cancelled,
            skips_known=skips_known,
        )
        streams = self._streams.of(self._engine, self.policy)
        if streams is not None:
            streamed = self._passing = StreamedSweep(streams, self._engine, self._store, course)
            num_done = yield from streamed.run(frames)
            frames = frames[num_done:]
            if not frames:
                return
            self._streams.give_up()
        plain = self._passing = PlainSweep(self._engine, self._store, course)
        yield from plain.run(frames)

    @staticmethod
    def _range(num_frames: int, start: int, stop: int | None, *, backward: bool) -> Sequence[int]:
        stop = num_frames if stop is None else stop
        if not 0 <= start <= stop <= num_frames:
            raise SessionError(
                f"The range [{start}, {stop}) does not lie within the video's {num_frames} frames; "
                "give 0 <= start <= stop <= number of frames."
            )
        return range(stop - 1, start - 1, -1) if backward else range(start, stop)

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
            raise SessionError(
                "This session reads a source; call track, or make one without a source to push."
            )
        return self._live.step(image, dict(prompts or {}))

    # saving

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write prompts, results and memories, so that ``load`` goes on with identical results.

        Raises:
            SessionError: When the session has no source, or it is a stream.
        """
        from masklet.predictors.session_file import write_session

        if self._require_source().num_frames is None:
            raise SessionError(
                "A stream cannot be read again, so its session is not saved; write its results."
            )
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
        from masklet.predictors.session_file import read_session

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
        num_frames = source.num_frames or 0
        if not 0 <= index < num_frames:
            raise PromptError(f"Frame {index} is not in the video, whose frames are 0 to {num_frames - 1}.")
        with self._reading:
            return source.read(index)

    def _logits_of(self, state: ObjectState, frame: int) -> Tensor:
        logits = self._store.logits_of(state, frame)
        return self._engine.logits_of(state.results[frame]) if logits is None else logits

    def _bank_at(self, object_id: int, frame: int, *, is_backward: bool) -> MemoryBank:
        bank = self._store.bank_at(object_id, frame, is_backward=is_backward, rebuild=self._rebuild)
        return self._apart.bank(object_id, bank, self._store.objects) if self.policy.are_rivals else bank

    def _rebuild(self, frame: int, result: StoredMask) -> MemoryEntry:
        return self._engine.remember_again(self._read(frame), result)
