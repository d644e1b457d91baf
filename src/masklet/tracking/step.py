"""One frame for many objects: read, decode, choose, remember, all as one batch.

Pure functions of a model, features, prompts and banks; the caller owns every state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from masklet.models.config import AffinityMemoryConfig
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import (
    ABSENT_LOGIT,
    MASK_BIAS,
    MASK_SCALE,
    ImageFeatures,
    resize_logits,
)
from masklet.models.network import Network
from masklet.models.prompt_encoder import EncodedPrompts, PointLabel
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.clicked_parts import keep_clicked_parts
from masklet.tracking.foresight import Coming, Foreseen, foresee
from masklet.tracking.mask_scores import boxes_of, stability_of, trimmed_boxes_of
from masklet.tracking.model_prompt import ModelPrompt, pad_prompts
from masklet.tracking.new_parts import without_new_parts
from masklet.tracking.policy import Attended, MemoryPolicy, Moment
from masklet.tracking.reading import collect_memory, groups_of, in_order, own_channels, shares_of_others
from masklet.tracking.rivals import STRAY, look_alike, settle
from masklet.tracking.writing import Beside, Writing, write_features

LOGIT_LIMIT = 32.0
_PRESENT_SCORE = 10.0
_GIVEN_PRESENCE = 1.0


Refine = Callable[[Tensor], Tensor]
"""Makes better mask logits (b, h4, w4) of first ones."""
Remembered = tuple[Float[Tensor, "b c h w"], Float[Tensor, "b 2 h4 w4"] | None]
"""Features of a frame as each object's memory sees them, and the masks carried over from the last one."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Segmented:
    """The masks in force on a frame, one per object.

    Attributes:
        logits: (b, h4, w4), ABSENT_LOGIT everywhere for absent objects.
        scores: Sureness of each.
        entries: Memory of each.
    """

    logits: Tensor
    scores: tuple[MaskScore, ...]
    entries: tuple[MemoryEntry, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """A model with a policy: the batched step.

    Attributes:
        model: The network.
        policy: Its memory policy.
        pointer_span: Frames over which pointer ages are normalised: the clip's length, at most ``max_pointers``.
    """

    model: Network
    policy: MemoryPolicy
    pointer_span: int

    def moment(self, frame: int, *, is_backward: bool) -> Moment:
        """Where tracking stands on a frame."""
        config = self.model.config
        # a clip shorter than the pointer span never looks further back than itself
        return Moment(
            frame=frame,
            is_backward=is_backward,
            num_memories=config.num_memories,
            max_pointers=self.pointer_span,
            least_stability=config.least_stability,
            forgets_absent=config.forgets_absent,
            look_ahead=config.look_ahead,
        )

    def condition(
        self,
        image: ImageFeatures,
        banks: Sequence[MemoryBank],
        moment: Moment,
        *,
        beside: Beside | None = None,
        foreseen: Foreseen | None = None,
    ) -> Remembered:
        """Read the memory of objects for a frame.

        Args:
            image: Features of the frame.
            banks: Memory of each object.
            moment: Where tracking stands.
            beside: Carries masks in another thread while memory is read in this one, and may still be writing what is
                remembered of the last frame; one after the other if not given.
            foreseen: What was compared while the frame before was at work, if anything was.
        """
        attended = [self.policy.attend(bank, moment) for bank in banks]
        alike = None
        if self.policy.are_rivals and len(banks) > 1:
            alike = look_alike(banks, self._num_looks)
        shares_frames = own_channels(self.model.config) is not None
        groups = groups_of(attended) if shares_frames else [list(range(len(banks)))]
        memories = [self._memory_of(group, image, attended, banks, moment, alike) for group in groups]
        if foreseen is not None and alike is None and len(groups) == 1:
            memories = [replace(memories[0], compared=foreseen.fitting(attended, moment))]

        def carry() -> Tensor | None:
            parts = [self.model.carry_mask(image, memory) for memory in memories]
            present = [part for part in parts if part is not None]
            return in_order(present, groups) if present else None

        carried = carry if beside is None else beside(carry)
        try:
            read = in_order([self.model.read_memory(image.features, memory) for memory in memories], groups)
        except BaseException:
            if beside is not None:
                with suppress(Exception):  # the first error is told, and nothing of this frame works on
                    carried()
            raise
        return read, carried()

    def foresee(
        self,
        image: ImageFeatures,
        banks: Sequence[MemoryBank],
        moment: Moment,
        coming: Coming,
        beside: Beside,
    ) -> Foreseen | None:
        """Begin to compare the frame that comes next; see ``foresight.foresee``."""
        return foresee(self.model, self.policy, image, banks, moment, coming, beside)

    def _memory_of(
        self,
        group: Sequence[int],
        image: ImageFeatures,
        attended: Sequence[Attended],
        banks: Sequence[MemoryBank],
        moment: Moment,
        alike: Bool[Tensor, "b b"] | None,
    ) -> MemoryBatch:
        """What some of the objects read; twins as they need it: objects that do not look alike are told apart by looks."""
        own = [attended[index] for index in group]
        memory = collect_memory(
            own,
            moment,
            pointer_span=self.pointer_span,
            dtype=image.features.dtype,
            device=image.features.device,
            own_channels=own_channels(self.model.config),
        )
        if alike is None or not bool(alike.any()):
            return memory
        others = shares_of_others(own, banks, memory.spatial, alike[list(group)])
        return replace(memory, others=others, recency=self.policy.recency)

    def track(self, image: ImageFeatures, banks: Sequence[MemoryBank], moment: Moment) -> Segmented:
        """Follow objects into a frame nobody prompted."""
        return self.answer(image, self.condition(image, banks, moment), banks, moment)

    def answer(
        self,
        image: ImageFeatures,
        remembered: Remembered,
        banks: Sequence[MemoryBank],
        moment: Moment,
        *,
        beside: Beside | None = None,
    ) -> Segmented:
        """Follow objects whose memory was read; under rivals all at once, else as many as one likes.

        Args:
            image: Features of the frame.
            remembered: What ``condition`` read.
            banks: Memory of each object.
            moment: Where tracking stands.
            beside: Writes memory in another thread, which may still be at work when this returns.
        """
        # a tracked frame is decoded with two padding points: one stands for "no click", one closes the list
        nothing = ModelPrompt(points_xy=torch.zeros(1, 2), labels=torch.tensor([int(PointLabel.PADDING)]))
        prompts = [nothing] * len(banks)
        how = Writing(is_prompted=False, beside=beside)
        return self._answer(image, remembered, prompts, banks, moment, how)

    def prompt(
        self,
        image: ImageFeatures,
        prompts: Sequence[ModelPrompt],
        banks: Sequence[MemoryBank],
        moment: Moment,
        *,
        reads_memory: bool,
        refine: Refine | None = None,
        is_late: bool = False,
    ) -> Segmented:
        """Segment prompted objects.

        Args:
            image: Features of the frame.
            prompts: One per object; either all are given masks, or none is.
            banks: Memory of each object.
            moment: Where tracking stands.
            reads_memory: Whether the objects were tracked into this frame, so that memory helps.
            refine: Makes better logits (b, h4, w4) of those the prompts gave, before they are remembered.
            is_late: Whether memory is written when it is first read; until then it holds the features of the frame.
        """
        how = Writing(is_prompted=True, is_late=is_late)
        if prompts[0].given_mask is not None:
            return self._given(image, prompts, moment, how)
        if reads_memory:
            remembered = self.condition(image, banks, moment)
        else:
            remembered = self.model.no_memory(image.features).expand(len(prompts), -1, -1, -1), None
        return self._answer(image, remembered, prompts, banks, moment, how, refine=refine)

    def _answer(
        self,
        image: ImageFeatures,
        remembered: Remembered,
        prompts: Sequence[ModelPrompt],
        banks: Sequence[MemoryBank],
        moment: Moment,
        how: Writing,
        *,
        refine: Refine | None = None,
    ) -> Segmented:
        features, carried = remembered
        decoded = self.decode(image, features, prompts, carried)
        is_ambiguous = torch.tensor([self._is_ambiguous(one) for one in prompts], device=features.device)
        chosen = self.policy.choose(decoded, is_ambiguous, banks, moment)
        rows = torch.arange(len(prompts), device=features.device)
        is_present = decoded.presence > 0
        logits = torch.where(is_present[:, None, None], decoded.logits[rows, chosen].float(), ABSENT_LOGIT)
        presence = decoded.presence
        if not how.is_prompted and carried is not None and self._drops_new_parts:
            logits = without_new_parts(logits, carried)
        if self.policy.are_rivals and not how.is_prompted:
            settled = settle(logits, banks, moment, num_looks=self._num_looks)
            logits = settled.logits
            presence = torch.where(settled.was_given, presence.clamp(min=_GIVEN_PRESENCE), presence)
            is_present = presence > 0
        # a click on a mask that was tracked adds to it: parts it does not touch may well be right
        is_first_word = how.is_prompted and carried is None
        if is_first_word and self.model.config.keeps_clicked_parts:
            side = self.model.config.image_size
            pairs = zip(logits, prompts, strict=True)
            kept = [keep_clicked_parts(one, prompt.points_xy, prompt.labels, side) for one, prompt in pairs]
            logits = torch.stack(kept)
        if refine is not None:
            logits = torch.where(is_present[:, None, None], refine(logits), logits)
        # the pointer of a clear prompt is the single mask's, even where an unstable mask was replaced
        pointed = torch.where(is_ambiguous, chosen, 0)
        pointers = self.model.point_at(decoded.tokens[rows, pointed], is_present)
        scores = _scores(decoded.iou[rows, chosen], presence, logits)
        return self._remember(image, logits, logits[:, None], pointers, scores, moment, how)

    @property
    def _drops_new_parts(self) -> bool:
        memory = self.model.config.memory
        return isinstance(memory, AffinityMemoryConfig) and memory.has_target

    @property
    def _num_looks(self) -> int | None:
        """Channels of memory that hold what a frame looks like; None where memory does not keep it apart."""
        memory = self.model.config.memory
        return memory.key_dim if isinstance(memory, AffinityMemoryConfig) else None

    def _is_ambiguous(self, prompt: ModelPrompt) -> bool:
        """Whether the best of three masks answers, not the single one."""
        is_correction = prompt.start_logits is not None and len(prompt.labels) == 1
        return len(prompt.labels) <= 1 and not (is_correction and self.model.config.is_correction_clear)

    def decode(
        self,
        image: ImageFeatures,
        features: Tensor,
        prompts: Sequence[ModelPrompt],
        carried: Tensor | None = None,
    ) -> DecodedMasks:
        """All candidates for prompts with or without a mask to start from."""
        return self.model.decode(features, image.skips, self.encode(prompts, features, carried))

    def encode(
        self, prompts: Sequence[ModelPrompt], features: Tensor, carried: Tensor | None = None
    ) -> EncodedPrompts:
        """Prompts with or without a mask to start from, as the decoder takes them, beside features (b, c, h, w)."""
        points, labels = pad_prompts(prompts, features.device)
        starts = [prompt.start_logits for prompt in prompts]
        start, given = None, None
        if any(one is not None for one in starts):
            side = self.model.config.mask_side
            blank = torch.zeros(side, side, device=features.device, dtype=features.dtype)
            start = torch.stack([blank if one is None else one.to(blank) for one in starts])[:, None]
            start = start.clamp(-LOGIT_LIMIT, LOGIT_LIMIT)
            given = None
            if any(one is None for one in starts):
                given = torch.tensor([one is not None for one in starts], device=features.device)
        return self.model.encode_prompts(points, labels, start, given, carried)

    def _given(
        self, image: ImageFeatures, prompts: Sequence[ModelPrompt], moment: Moment, how: Writing
    ) -> Segmented:
        masks = [prompt.given_mask for prompt in prompts if prompt.given_mask is not None]
        mask = torch.stack(masks)[:, None].to(image.features)
        full = MASK_SCALE * mask + MASK_BIAS
        logits = resize_logits(full, self.model.config.mask_side)[:, 0]
        pointers = self.model.point_at_mask(image, mask)
        is_present = (mask > 0).flatten(1).any(dim=1)
        presence = torch.where(is_present, _PRESENT_SCORE, -_PRESENT_SCORE)
        scores = _scores(torch.ones_like(presence), presence, logits)
        return self._remember(image, logits, full, pointers, scores, moment, how)

    def _remember(
        self,
        image: ImageFeatures,
        logits: Tensor,
        written_logits: Tensor,
        pointers: Tensor,
        scores: tuple[MaskScore, ...],
        moment: Moment,
        how: Writing,
    ) -> Segmented:
        written = write_features(self.model, image, written_logits, scores, how)
        boxes = trimmed_boxes_of(logits, STRAY) if self.policy.are_rivals else boxes_of(logits)
        entries = tuple(
            MemoryEntry(
                frame=moment.frame,
                written=written[row],
                pointer=pointers[row].float().clone(),
                logits=logits[row].clamp(-LOGIT_LIMIT, LOGIT_LIMIT).half(),
                score=score,
                box=boxes[row],
                is_kept=how.is_prompted or self._is_kept(score),
            )
            for row, score in enumerate(scores)
        )
        return Segmented(logits=logits, scores=scores, entries=entries)

    def _is_kept(self, score: MaskScore) -> bool:
        """Whether a tracked frame may be read for longer than the next one."""
        is_forgotten = self.model.config.forgets_absent and not score.is_present
        return self.policy.keep(score) and not is_forgotten


def _scores(iou: Tensor, presence: Tensor, logits: Tensor) -> tuple[MaskScore, ...]:
    stability = stability_of(logits)
    table = torch.stack((iou.float(), presence.float(), stability.float()), dim=1).tolist()
    return tuple(MaskScore(iou=row[0], presence=row[1], stability=row[2]) for row in table)
