"""Frames that are followed without waiting for the device: given to it now, read by the host a frame or two later.

One frame's way: features come from batches encoded ahead; memories lie at their places; the frame's work is one call, on CUDA
one playback; what is found is copied to the host in a lane of its own, and turned into masks by threads of the processor
while the device is at the next frame.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from torch import Tensor

from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.models.config import AttentionMemoryConfig
from masklet.models.model import ImageFeatures, SegmentationModel
from masklet.predictors.batches_ahead import BatchEncoder
from masklet.predictors.compilation import Compilation
from masklet.predictors.engine import FrameEngine
from masklet.predictors.frame_step import FoundFrame, FrameStep
from masklet.predictors.lanes import Lane, Mark, downloaded
from masklet.predictors.memory_places import BUCKETS, PROMPTED, Arranged, MemoryPlaces, bucket
from masklet.predictors.options import SessionOptions
from masklet.predictors.packed_masks import unpacked
from masklet.predictors.preprocess import PostProcess, tidied
from masklet.predictors.recorded import Played, recorder_for
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.policy import (
    MemoryPolicy,
    Moment,
    attend_recent,
    choose_by_iou,
    keep_all,
)
from masklet.weights.load import LoadedModel

_MOST_THREADS = 4
_log = logging.getLogger(__name__)
_UNKNOWN = MaskScore(iou=0.0, presence=0.0, stability=0.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Drawn:
    """One object on a frame, as the host knows it.

    Attributes:
        mask: bool (h, w), tidied.
        rle: The same as run lengths.
        area: Pixels of the mask.
        score: How sure the model was.
        box: Box of the mask as memory has it.
        logits: Mask logits (h4, w4), float32 on the host.
    """

    mask: np.ndarray
    rle: rle.RLE
    area: int
    score: MaskScore
    box: Box | None
    logits: Tensor


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Launched:
    """Objects on a frame that the device is at.

    Attributes:
        entries: Memory of each; their scores and boxes are not known yet.
        coming: The rest of each.
    """

    entries: tuple[MemoryEntry, ...]
    coming: tuple[Future[Drawn], ...]

    def finished(self) -> list[tuple[MemoryEntry, Drawn]]:
        """Every object with what it was found to be, once the host knows it."""
        drawn = [one.result() for one in self.coming]
        return [
            (replace(entry, score=found.score, box=found.box), found)
            for entry, found in zip(self.entries, drawn, strict=True)
        ]


def obstacle(loaded: LoadedModel, policy: MemoryPolicy, post: PostProcess) -> str | None:
    """Why frames of a model cannot be followed without waiting; None when they can."""
    if not isinstance(loaded.model, SegmentationModel):
        return f"the model runs in {loaded.runtime!r}"
    config = loaded.config
    if (
        not isinstance(config.memory, AttentionMemoryConfig)
        or config.forgets_absent
        or config.has_prompt_maps
    ):
        return f"the model {loaded.name!r} is no SAM 2 model"
    if config.enlarges_smoothly:
        return "its masks are enlarged by the processor"
    if (policy.attend, policy.choose, policy.keep) != (attend_recent, choose_by_iou, keep_all):
        return f"the memory policy {policy.name!r} looks at every mask before the next frame"
    if policy.are_rivals or post.is_exclusive:
        return "masks that exclude each other are settled by the processor"
    return None


class StreamedFrames:
    """Follows objects through the frames of one session."""

    def __init__(
        self, loaded: LoadedModel, compilation: Compilation, *, pointer_span: int, post: PostProcess
    ) -> None:
        """Prepare.

        Args:
            loaded: A model without obstacle.
            compilation: How frames are computed.
            pointer_span: Frames over which pointer ages are normalised.
            post: How masks are tidied.

        Raises:
            TypeError: When there is an obstacle.
        """
        if not isinstance(loaded.model, SegmentationModel):
            raise TypeError(
                f"{loaded.name!r} runs in {loaded.runtime!r}; only torch's own models are compiled."
            )
        self.step = FrameStep(loaded.model, loaded.precision, compilation)
        self.frames_at_once = compilation.frames_at_once
        self._loaded, self._span, self._post = loaded, pointer_span, post
        device = loaded.device
        # one pool for tracking, one for encoding, which runs at the same time
        self._recorder, encoding = (recorder_for(device, is_wanted=compilation.uses_graphs) for _ in range(2))
        self.encoder = BatchEncoder(self.step, device, compilation.frames_at_once, encoding)
        self.lane, self._copying = Lane(device, is_own=False), Lane(device, is_own=True)
        self._places: dict[tuple[int, int, int], MemoryPlaces] = {}
        self._works: dict[tuple[Size, bool], Played] = {}
        self._pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1), "draw-masks")

    def close(self) -> None:
        """Give back threads and memory."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._places.clear()
        self._works.clear()

    def launch(
        self,
        image: ImageFeatures,
        size: Size,
        banks: Sequence[MemoryBank],
        moment: Moment,
    ) -> Launched:
        """Give the device what is to be done to follow objects into a frame; nothing of it is waited for.

        Args:
            image: Features of the frame.
            size: Size of the frame.
            banks: Memory of each object; that of the frame before may be still to come.
            moment: Where tracking stands.
        """
        entries: list[MemoryEntry] = []
        coming: list[Future[Drawn]] = []
        for part, start in enumerate(range(0, len(banks), BUCKETS[-1])):
            new, futures = self._launch_part(part, image, size, banks[start : start + BUCKETS[-1]], moment)
            entries += new
            coming += futures
        return Launched(entries=tuple(entries), coming=tuple(coming))

    def _launch_part(
        self, part: int, image: ImageFeatures, size: Size, banks: Sequence[MemoryBank], moment: Moment
    ) -> tuple[list[MemoryEntry], list[Future[Drawn]]]:
        attended = [attend_recent(bank, moment) for bank in banks]
        num_prompted = max(
            sum(age_row == moment.num_memories - 1 for _, age_row in one.spatial) for one in attended
        )
        key = (part, bucket(len(banks), BUCKETS), bucket(num_prompted, PROMPTED))
        if key not in self._places:
            self._places[key] = MemoryPlaces(
                self._loaded.config, key[1], key[2], self._span, self._loaded.device
            )
        places = self._places[key]
        arranged = places.arrange(attended, image.features.dtype)
        found = self._follow(key, image, size, places, arranged)
        places.write(arranged, found.features, found.pointers)
        # what is found lies in memory that the next frame writes over
        kept = [one.clone() for one in (found.features, found.pointers, found.kept_logits)]
        features, pointers, logits = (one[: len(banks)].unbind() for one in kept)
        entries = [
            MemoryEntry(
                frame=moment.frame,
                written=features[row],
                pointer=pointers[row],
                logits=logits[row],
                score=_UNKNOWN,
                box=None,
            )
            for row in range(len(banks))
        ]
        places.is_written(arranged, entries)
        return entries, self._fetch(found, size, len(banks))

    def _follow(
        self,
        key: tuple[int, int, int],
        image: ImageFeatures,
        size: Size,
        places: MemoryPlaces,
        arranged: Arranged,
    ) -> FoundFrame:
        if places.pointers is None:
            raise ValueError("Memories are arranged before they are read.")
        kind = (size, arranged.is_full)
        if kind not in self._works:
            work = self.step.follow(size, is_full=arranged.is_full)
            self._works[kind] = Played(work, self._recorder)
        given = (image.features, image.skip4, image.skip8, arranged.table)
        standing = (places.spatial, places.pointers)
        return FoundFrame.of(self._works[kind](key, given, standing))

    def _fetch(self, found: FoundFrame, size: Size, count: int) -> list[Future[Drawn]]:
        """Copy what the host needs, and let masks be made of it once it is there."""
        kept = tuple(one[:count].clone() for one in (found.logits, found.facts, found.bits))
        self._copying.wait_for(self.lane.mark())
        with self._copying.work():
            logits, facts, bits = (downloaded(one) for one in kept)
            mark = self._copying.mark()
        self._copying.hold(kept)

        def draw(row: int) -> Callable[[], Drawn]:
            return lambda: self._drawn(mark, logits[row], facts[row], bits[row], size)

        return [self._pool.submit(draw(row)) for row in range(count)]

    def _drawn(self, mark: Mark, logits: Tensor, facts: Tensor, bits: Tensor, size: Size) -> Drawn:
        mark.wait_here()
        iou, presence, stability, *ends = facts.tolist()
        height, width = logits.shape
        mask = tidied(unpacked(bits.numpy(), size), size.num_pixels / logits.numel(), self._post)
        return Drawn(
            mask=mask,
            rle=rle.encode(mask),
            area=int(np.count_nonzero(mask)),
            score=MaskScore(iou=iou, presence=presence, stability=stability),
            box=_box(ends, height, width),
            # pinned memory is scarce, and results may be kept for long
            logits=logits.clone(),
        )


def _box(ends: Sequence[float], height: int, width: int) -> Box | None:
    x0, x1, y0, y1 = ends
    return None if x1 <= x0 else Box(x0 / width, y0 / height, x1 / width, y1 / height)


class SessionStreams:
    """Whether and how one session follows objects without waiting; made when it is first asked for."""

    def __init__(self, options: SessionOptions, pointer_span: int) -> None:
        """Prepare.

        Args:
            options: Of the session.
            pointer_span: Frames over which pointer ages are normalised.
        """
        self._options, self._span = options, pointer_span
        self._made: tuple[LoadedModel, StreamedFrames] | None = None
        self._is_given_up, self._said = False, ""

    def of(self, engine: FrameEngine, policy: MemoryPolicy) -> StreamedFrames | None:
        """What follows objects; None where frames are done one after the other. Why, if it was asked for, is said once."""
        compilation, post = self._options.compilation, self._options.post_process
        if compilation is None or self._is_given_up:
            return None
        reason = obstacle(engine.model, policy, post)
        if reason is not None:
            if reason != self._said:
                _log.warning("Frames are not compiled: %s. They are done one after the other.", reason)
                self._said = reason
            return None
        if self._made is None or self._made[0] is not engine.model:
            self._let_go()
            made = StreamedFrames(engine.model, compilation, pointer_span=self._span, post=post)
            self._made = engine.model, made
        return self._made[1]

    def give_up(self) -> None:
        """Give back threads and memory, and follow no more."""
        self._is_given_up = True
        self._let_go()

    def _let_go(self) -> None:
        if self._made is not None:
            self._made[1].close()
            self._made = None
