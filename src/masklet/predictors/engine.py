"""What a session does with one frame: encode it, run the tracker, turn answers into stored masks and results."""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from masklet.geometry import Size
from masklet.masks import rle
from masklet.models.model import ImageFeatures
from masklet.models.threads import on_threads
from masklet.predictors.ahead import Shares
from masklet.predictors.closer_look import CloserLook
from masklet.predictors.features import CacheBudget, FeatureCache
from masklet.predictors.image import ImagePredictor
from masklet.predictors.out_of_memory import attempted, in_parts, moved, on_cpu
from masklet.predictors.preprocess import PostProcess, mask_to_logits, to_image_masks, to_pixels
from masklet.predictors.results import FrameResult, Masks, without_overlaps
from masklet.prompts import PromptSet
from masklet.tracking.bank import LateFeatures, MemoryBank, MemoryEntry
from masklet.tracking.foresight import Coming, Foreseen
from masklet.tracking.model_prompt import ModelPrompt
from masklet.tracking.policy import MemoryPolicy, Moment
from masklet.tracking.state import StoredMask
from masklet.tracking.step import Segmented, Tracker
from masklet.tracking.writing import Beside
from masklet.video.source import Frame
from masklet.weights.load import LoadedModel

_MOST_WAITING = 4
_MANY_OBJECTS = 4
"""So many objects of a frame are followed by two threads; with fewer, what one waits for the other costs more."""
_log = logging.getLogger(__name__)
_Found = TypeVar("_Found")
_Followed = tuple[Segmented, np.ndarray]

Shown = Mapping[int, tuple[StoredMask, Tensor | None]]
"""Stored masks by object id, with decoder logits where they were just computed."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answered:
    """One object on one frame: what is stored, what is remembered, and the logits shown."""

    result: StoredMask
    entry: MemoryEntry
    logits: Tensor


class FrameEngine:
    """A model, a policy and a cache of encoded frames; knows no objects."""

    def __init__(
        self,
        model: LoadedModel,
        policy: MemoryPolicy,
        *,
        pointer_span: int,
        budget: CacheBudget,
        post_process: PostProcess,
        next_version: Callable[[], int],
        shares: Shares | None = None,
    ) -> None:
        """Prepare.

        Args:
            model: The model.
            policy: Its memory policy.
            pointer_span: Frames over which pointer ages are normalised.
            budget: Budget of encoded frames.
            post_process: How masks are tidied.
            next_version: Numbers computations.
            shares: Threads that encode frames of a source and those that track; None for all, in turn.
        """
        self.features, self.shares = FeatureCache(budget), shares
        self._waiting: deque[LateFeatures] = deque()
        self._beside: ThreadPoolExecutor | None = None
        self._foreseen: Foreseen | None = None
        self._policy, self._pointer_span = policy, pointer_span
        self._post_process = post_process
        self._next_version = next_version
        self._use(model)

    def _use(self, model: LoadedModel) -> None:
        self.model = model
        self.tracker = Tracker(model=model.model, policy=self._policy, pointer_span=self._pointer_span)
        plain = replace(self._post_process, is_exclusive=False)
        self._looking_again = ImagePredictor(model, post_process=plain)

    def _persist(self, action: Callable[[], _Found]) -> _Found:
        """Do something; when the device runs out of memory, again without encoded frames on it, then on the CPU."""
        found = attempted(action)
        if found is not None:
            return found
        _log.warning(
            "The device ran out of memory; encoded frames leave it, and are encoded again when needed."
        )
        self.features.close()
        found = attempted(action)
        if found is not None:
            return found
        _log.warning("The device ran out of memory again; this video goes on more slowly on the CPU.")
        self._use(on_cpu(self.model))
        return action()

    def use_policy(self, policy: MemoryPolicy) -> None:
        """Track with another memory policy from now on."""
        self._policy = policy
        self.tracker = replace(self.tracker, policy=policy)

    def encode(self, picture: Frame) -> ImageFeatures:
        """Features of a frame of a source, from the cache when they are there."""
        found = self.features.get(picture.index)
        if found is None:
            with nullcontext() if self.shares is None else on_threads(self.shares.encoding):
                found = self.encode_image(picture.image)
            self.features.put(picture.index, found)
        return found

    def encode_image(self, image: np.ndarray) -> ImageFeatures:
        """Features of an image."""

        def encode() -> ImageFeatures:
            pixels = to_pixels(image, self.model.config, self.model.device)
            with self.model.precision.autocast():
                return self.model.model.encode_image(pixels)

        return self._persist(encode)

    def preview(self, picture: Frame, prompts: PromptSet) -> Masks:
        """What prompts would give on a frame of a source of which nothing is remembered."""
        image = self.encode(picture)

        def answer_prompts() -> Masks:
            predictor = self._looking_again
            embedding = predictor.embedding_of(moved(image, self.model.device), picture.image)
            return predictor.predict_objects(embedding, [prompts])[0]

        return self._persist(answer_prompts)

    def prompt(
        self,
        image: ImageFeatures,
        picture: np.ndarray,
        moment: Moment,
        made: ModelPrompt,
        prompts: PromptSet,
        bank: MemoryBank,
    ) -> Answered:
        """Segment one prompted object; a mask that is the whole prompt stays exactly as it was given.

        Args:
            image: Features of the frame.
            picture: The frame, RGB uint8 (h, w, 3).
            moment: Where tracking stands.
            made: The prompts in model space.
            prompts: The prompts in pixels of the frame.
            bank: Memory of the object.
        """
        size, is_first_word = Size(*picture.shape[:2]), bank.is_empty
        closer = CloserLook(self._looking_again, picture, prompts) if is_first_word else None

        def answer_prompt() -> Segmented:
            with self.model.precision.autocast():
                return self.tracker.prompt(
                    moved(image, self.model.device),
                    [made],
                    [bank],
                    moment,
                    reads_memory=not is_first_word,
                    refine=closer,
                    is_late=self._writes_late,
                )

        answer = self._persist(answer_prompt)
        self._put_off(answer.entries[0])
        if made.given_mask is not None and prompts.mask is not None:
            masks = prompts.mask.mask[None]
        elif closer is not None and closer.answer is not None and answer.scores[0].is_present:
            masks = closer.answer.masks[:1]
        else:
            masks = self._masks(answer.logits, size, prompts if is_first_word else None)
        return self._answered(answer, masks, is_prompted=True, is_backward=False)[0]

    def _masks(self, logits: Tensor, size: Size, first_words: PromptSet | None = None) -> np.ndarray:
        """Tidy masks of a frame; of an object prompted for the first time, by clicks, only the parts they lie on."""
        config = self.model.config
        return to_image_masks(
            logits,
            size,
            self._post_process,
            is_smooth=config.enlarges_smoothly,
            clicked=first_words if config.keeps_clicked_parts else None,
        )

    @property
    def _writes_late(self) -> bool:
        """Whether memory of prompts may wait: where it takes long, and neither precision nor device can change."""
        return self.model.device.type == "cpu" and self.model.precision.dtype == torch.float32

    def _put_off(self, entry: MemoryEntry) -> None:
        """Let few memories wait: each holds the features of its frame until it is written."""
        if not isinstance(entry.written, LateFeatures):
            return
        self._waiting.append(entry.written)
        if len(self._waiting) > _MOST_WAITING:
            self._waiting.popleft().read()

    def track(
        self,
        image: ImageFeatures,
        size: Size,
        frame: int,
        banks: Sequence[MemoryBank],
        *,
        is_backward: bool,
        is_alone: bool = False,
        coming: tuple[int, ImageFeatures] | None = None,
    ) -> list[Answered]:
        """Follow objects, as one batch, into a frame nobody prompted; in smaller ones where memory does not suffice.

        Where the work is shared out, two threads follow many objects, or few while no frame is being encoded.

        Args:
            image: Features of the frame.
            size: Size of its picture.
            frame: Frame index.
            banks: Memory of each object.
            is_backward: Whether time runs backward.
            is_alone: Whether no frame is being encoded meanwhile; the masks are the same.
            coming: Index and features of the frame that is tracked next, where they are at hand.
        """
        image = moved(image, self.model.device)
        moment = self.tracker.moment(frame, is_backward=is_backward)

        def follow(part: Sequence[MemoryBank]) -> list[_Followed]:
            with self.model.precision.autocast():
                answer = self.tracker.track(image, part, moment)
            return [(answer, self._masks(answer.logits, size))]

        with nullcontext() if self.shares is None else on_threads(self.shares.tracking):
            if self.shares is not None and (is_alone or len(banks) >= _MANY_OBJECTS):
                found = self._by_two(image, size, banks, moment, self.shares, coming if is_alone else None)
            elif self._policy.are_rivals:
                found = self._persist(lambda: follow(banks))
            else:
                found = self._persist(lambda: in_parts(follow, banks))
        return [
            one
            for answer, masks in found
            for one in self._answered(answer, masks, is_prompted=False, is_backward=is_backward)
        ]

    def _by_two(
        self,
        image: ImageFeatures,
        size: Size,
        banks: Sequence[MemoryBank],
        moment: Moment,
        shares: Shares,
        coming: tuple[int, ImageFeatures] | None,
    ) -> list[_Followed]:
        """Read the memory of all objects at once, which share what is compared, and answer for half of many in each thread."""
        if self._beside is None:
            self._beside = ThreadPoolExecutor(1, "track-beside")
        pool = self._beside

        def begin(work: Callable[[], _Found]) -> Callable[[], _Found]:
            def run() -> _Found:
                # the number is that of this thread, inference mode too
                with on_threads(shares.tracking), torch.inference_mode(), self.model.precision.autocast():
                    return work()

            return pool.submit(run).result

        def answer(part: slice, beside: Beside | None = None) -> _Followed:
            features, carried = remembered
            own = features[part], None if carried is None else carried[part]
            found = self.tracker.answer(image, own, banks[part], moment, beside=beside)
            return found, self._masks(found.logits, size)

        with self.model.precision.autocast():
            foreseen, self._foreseen = self._foreseen, None
            remembered = self.tracker.condition(image, banks, moment, beside=begin, foreseen=foreseen)
            if coming is not None:
                index, features = coming
                then = self.tracker.moment(index, is_backward=moment.is_backward)
                self._foreseen = self.tracker.foresee(
                    image, banks, moment, Coming(image=features, moment=then), begin
                )
            # rivals: who gets what is decided among all
            if self._policy.are_rivals or len(banks) < _MANY_OBJECTS:
                return [answer(slice(None), begin)]
            middle = len(banks) - len(banks) // 2
            second = begin(lambda: answer(slice(middle, None)))
            try:
                first = answer(slice(middle))
            except BaseException:
                with suppress(Exception):  # the first error is told, and nothing of this frame works on
                    second()
                raise
        return [first, second()]

    def close(self) -> None:
        """Give back encoded frames and threads."""
        self.features.close()
        self._foreseen = None
        if self._beside is not None:
            self._beside.shutdown(wait=True)
            self._beside = None

    def remember_again(self, picture: Frame, result: StoredMask) -> MemoryEntry:
        """Memory of a frame from its stored mask, when the memory itself has left the archive."""
        side = self.model.config.image_size
        given = ModelPrompt(
            points_xy=torch.zeros(0, 2),
            labels=torch.zeros(0, dtype=torch.long),
            given_mask=(self.logits_of(result, side) > 0).float(),
        )
        moment = self.tracker.moment(picture.index, is_backward=result.is_backward)
        with self.model.precision.autocast():
            answer = self.tracker.prompt(self.encode(picture), [given], [], moment, reads_memory=False)
        # the mask is the same, but how sure the model was of it is not known from the mask
        return replace(answer.entries[0], score=result.score, is_kept=result.is_kept)

    def logits_of(self, result: StoredMask, side: int | None = None) -> Tensor:
        """Logits of plus or minus ten for a stored mask, at the decoder's size unless another is given."""
        return mask_to_logits(rle.decode(result.rle), side or self.model.config.mask_side)

    def result(
        self, index: int, pts_s: float | None, shown: Shown, drawn: Mapping[int, np.ndarray] | None = None
    ) -> FrameResult:
        """What is told of a frame.

        Args:
            index: Frame index.
            pts_s: When it is shown.
            shown: The objects on it.
            drawn: Masks of those that are at hand; the others are drawn from their run lengths.
        """
        scores = {object_id: result.score for object_id, (result, _) in shown.items()}
        prompted = frozenset(object_id for object_id, (result, _) in shown.items() if result.is_prompted)
        at_hand = drawn or {}
        masks = {
            object_id: at_hand[object_id] if object_id in at_hand else rle.decode(result.rle)
            for object_id, (result, _) in shown.items()
        }
        area = {object_id: result.area for object_id, (result, _) in shown.items()}
        if self._post_process.is_exclusive and len(masks) > 1:
            masks = without_overlaps(masks, prompted)
            area = {object_id: int(mask.sum()) for object_id, mask in masks.items()}
        return FrameResult(
            index=index,
            pts_s=pts_s,
            masks=masks,
            scores={object_id: score.iou for object_id, score in scores.items()},
            presence={object_id: probability(score.presence) for object_id, score in scores.items()},
            stability={object_id: score.stability for object_id, score in scores.items()},
            area=area,
            logits={
                object_id: (self.logits_of(result) if logits is None else logits).float().cpu().numpy()
                for object_id, (result, logits) in shown.items()
            },
            prompted=prompted,
        )

    def _answered(
        self, answer: Segmented, masks: np.ndarray, *, is_prompted: bool, is_backward: bool
    ) -> list[Answered]:
        answered: list[Answered] = []
        for row, entry in enumerate(answer.entries):
            result = StoredMask(
                rle=rle.encode(masks[row]),
                score=answer.scores[row],
                area=int(masks[row].sum()),
                is_prompted=is_prompted,
                is_backward=is_backward,
                is_kept=entry.is_kept,
                version=self._next_version(),
            )
            answered.append(Answered(result=result, entry=entry, logits=answer.logits[row]))
        return answered


def probability(logit: float) -> float:
    """Logit to probability, safe for large logits."""
    return 1 / (1 + math.exp(-max(min(logit, 60.0), -60.0)))
