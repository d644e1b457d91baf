"""Running the network over a batch as a person would use it: prompt, correct, track, correct again.

Source: SAM 2 (Ravi et al. 2024), interactive training; memory structure is shared by the objects of a batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.models.mask_decoder import DecodedMasks
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import ABSENT_LOGIT, ImageFeatures, SegmentationModel
from masklet.training.batches import TrainBatch
from masklet.training.config import PromptSimulation
from masklet.training.losses import Judged, soften
from masklet.training.simulated_prompts import (
    Points,
    closed,
    corrections,
    first_boxes,
    first_clicks,
    joined,
    no_points,
)

_LOGIT_LIMIT = 32.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFrame:
    """What the memory holds of one frame, for all objects."""

    time: int
    is_conditioning: bool
    spatial: Tensor
    pointer: Tensor
    is_present: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The mask in force on a frame: logits (o, 1, h, w), presence (o,) and pointer tokens (o, c)."""

    logits: Tensor
    is_present: Tensor
    tokens: Tensor


def normalise(frames: Tensor, model: SegmentationModel) -> Tensor:
    """uint8 (b, t, s, s, 3) to normalised (b * t, 3, s, s)."""
    mean = frames.new_tensor(model.config.pixel_mean, dtype=torch.float32)
    std = frames.new_tensor(model.config.pixel_std, dtype=torch.float32)
    pixels = (frames.flatten(0, 1).float() / 255 - mean) / std
    return pixels.permute(0, 3, 1, 2)


def by_time(images: ImageFeatures, num_frames: int) -> list[ImageFeatures]:
    """Features (b * t, ...) as one batch (b, ...) per frame; gradients of all frames are joined in one pass."""
    maps = (images.features, images.skip4, images.skip8)
    rows = zip(*(value.unflatten(0, (-1, num_frames)).unbind(dim=1) for value in maps), strict=True)
    return [ImageFeatures(features, skip4, skip8) for features, skip4, skip8 in rows]


class Unroll:
    """One pass over one batch; collects everything that has a right answer."""

    def __init__(
        self, model: SegmentationModel, batch: TrainBatch, config: PromptSimulation, rng: np.random.Generator
    ) -> None:
        self.model, self.batch, self.config, self.rng = model, batch, config, rng
        self.judged: list[Judged] = []
        self.device = model.device
        self.masks = batch.masks.numpy()
        self.owner = batch.owner.to(self.device)
        self.num_objects = len(self.owner)
        self.carried: Tensor | None = None
        # the memory learns from true presence half the time, or it would only ever see its own first mistakes
        self.trusts_presence = rng.random() < 0.5

    def run(self) -> list[Judged]:
        """Unroll all frames."""
        pixels = normalise(self.batch.frames.to(self.device), self.model)
        num_frames = self.batch.num_frames
        images = [image.select(self.owner) for image in by_time(self.model.encode_image(pixels), num_frames)]
        written: list[WrittenFrame] = []
        later = self._later_correction(num_frames)
        is_ahead = later > 0 and self.config.ahead_share > 0 and self.rng.random() < self.config.ahead_share
        for time in (0, later) if is_ahead else (0,):
            answer = self._prompted(images[time], time)
            written.append(self._write(images[time], answer, time, is_given=True, is_conditioning=True))
        for time in range(1, num_frames):
            if is_ahead and time == later:
                continue
            is_corrected = time == later
            answer = self._tracked(images[time], written, time, is_corrected=is_corrected)
            if time + 1 < num_frames:
                written.append(
                    self._write(
                        images[time], answer, time, is_given=is_corrected, is_conditioning=is_corrected
                    )
                )
        return self.judged

    def _later_correction(self, num_frames: int) -> int:
        if num_frames < 2 or self.rng.random() >= self.config.later_correction_share:
            return -1
        return int(self.rng.integers(1, num_frames))

    def _prompted(self, image: ImageFeatures, time: int) -> Answer:
        self.carried = None
        is_clip = self.batch.num_frames > 1
        if is_clip and self.rng.random() < self.config.mask_share:
            return self._given(image, time)
        features = self.model.no_memory(image.features)
        masks = self.masks[:, time]
        if self.rng.random() < self.config.box_share:
            points, kind = first_boxes(masks, self.rng), "box"
        else:
            points, kind = first_clicks(masks, self.rng, self.config), "click 1"
        answer = self._decode(image, features, time, points, None, kind)
        most = self.config.clip_corrections if is_clip else self.config.still_corrections
        for extra in range(int(self.rng.integers(0, most + 1))):
            answer, points = self._corrected(image, features, time, points, answer, f"click {extra + 2}")
        return answer

    def _given(self, image: ImageFeatures, time: int) -> Answer:
        side = self.model.config.mask_side
        mask = self.batch.masks[:, time].to(self.device)
        is_present = mask.flatten(1).any(dim=1)
        # the pointer is made by the model's own path for given masks, one object's image at a time in the batch
        pointer = self.model.point_at_mask(image, mask[:, None].float())
        return Answer(logits=20.0 * soften(mask, side)[:, None] - 10.0, is_present=is_present, tokens=pointer)

    def _tracked(
        self, image: ImageFeatures, written: list[WrittenFrame], time: int, *, is_corrected: bool
    ) -> Answer:
        memory = self._memory(written, time)
        features = self.model.read_memory(image.features, memory)
        self.carried = self.model.carry_mask(image, memory)
        answer = self._decode(image, features, time, None, None, "tracked")
        if is_corrected:
            return self._corrected_often(image, features, time, answer, "corrected")
        if self.config.tried_share > 0 and self.rng.random() < self.config.tried_share:
            self._try_corrections(image, features, time, answer)
        return answer

    def _try_corrections(self, image: ImageFeatures, features: Tensor, time: int, answer: Answer) -> None:
        """Corrections that are judged and forgotten, of what was tracked or of what another object's memory says."""
        own, kind = self.carried, "corrected"
        if self.config.mistaken_share > 0 and self.rng.random() < self.config.mistaken_share:
            other, kind = self._other_objects(), "mistaken"
            features = features[other]
            self.carried = None if own is None else own[other]
            answer = Answer(
                logits=answer.logits[other], is_present=answer.is_present[other], tokens=answer.tokens[other]
            )
        self._corrected_often(image, features, time, answer, kind)
        self.carried = own

    def _other_objects(self) -> Tensor:
        """For each object the next one of the same clip; itself when it is alone."""
        owners = self.owner.tolist()
        others: list[int] = []
        for index, owner in enumerate(owners):
            together = [at for at, one in enumerate(owners) if one == owner]
            others.append(together[(together.index(index) + 1) % len(together)])
        return torch.tensor(others, device=self.device)

    def _corrected_often(
        self, image: ImageFeatures, features: Tensor, time: int, answer: Answer, kind: str
    ) -> Answer:
        points = None
        for extra in range(self._num_corrections()):
            answer, points = self._corrected(image, features, time, points, answer, f"{kind} {extra + 1}")
        return answer

    def _num_corrections(self) -> int:
        most = self.config.later_corrections
        return most if most == 1 else int(self.rng.integers(1, most + 1))

    def _corrected(
        self,
        image: ImageFeatures,
        features: Tensor,
        time: int,
        points: Points | None,
        answer: Answer,
        kind: str,
    ) -> tuple[Answer, Points]:
        size = self.masks.shape[-2:]
        predicted = F.interpolate(answer.logits.detach().float(), size=size, mode="bilinear")[:, 0] > 0
        clicks = corrections(predicted.cpu().numpy(), self.masks[:, time], self.rng, self.config)
        points = joined(points, clicks)
        start = answer.logits.detach().clamp(-_LOGIT_LIMIT, _LOGIT_LIMIT)
        return self._decode(image, features, time, points, start, kind), points

    def _decode(
        self,
        image: ImageFeatures,
        features: Tensor,
        time: int,
        points: Points | None,
        start: Tensor | None,
        kind: str,
    ) -> Answer:
        is_ambiguous = points is None or (points[1].shape[1] == 1 and not self._is_clear(start))
        points_xy, labels = closed(points or no_points(self.num_objects), self.num_objects)
        points_xy, labels = points_xy.to(self.device), labels.to(self.device)
        prompts = self.model.encode_prompts(points_xy, labels, start, carried=self.carried)
        decoded = self.model.decode(features, image.skips, prompts)
        masks = self.batch.masks[:, time].to(self.device)
        target = soften(masks, self.model.config.mask_side)
        is_visible = masks.flatten(1).any(dim=1)
        self.judged.append(
            Judged(
                decoded=decoded,
                target=target,
                is_present=is_visible,
                is_ambiguous=is_ambiguous,
                kind=kind,
                carried=self.carried,
            )
        )
        return self._choose(decoded, is_visible, is_ambiguous=is_ambiguous)

    def _is_clear(self, start: Tensor | None) -> bool:
        """Whether a single click says enough, because it corrects a mask."""
        return start is not None and self.model.config.is_correction_clear

    def _choose(self, decoded: DecodedMasks, is_visible: Tensor, *, is_ambiguous: bool) -> Answer:
        rows = torch.arange(self.num_objects, device=self.device)
        best = decoded.iou[:, 1:].argmax(dim=1) + 1 if is_ambiguous else torch.zeros_like(rows)
        is_present = is_visible if self.trusts_presence else decoded.presence.detach() > 0
        logits = torch.where(is_present[:, None, None], decoded.logits[rows, best], ABSENT_LOGIT)[:, None]
        pointer = self.model.point_at(decoded.tokens[rows, best], is_present)
        return Answer(logits=logits, is_present=is_present, tokens=pointer)

    def _write(
        self, image: ImageFeatures, answer: Answer, time: int, *, is_given: bool, is_conditioning: bool
    ) -> WrittenFrame:
        binary = torch.full((self.num_objects,), is_given, device=self.device)
        spatial = self.model.write_memory(image, answer.logits, answer.is_present, binary)
        return WrittenFrame(
            time=time,
            is_conditioning=is_conditioning,
            spatial=spatial,
            pointer=answer.tokens,
            is_present=answer.is_present,
        )

    def _memory(self, written: list[WrittenFrame], time: int) -> MemoryBatch:
        config = self.model.config
        last_row = config.num_memories - 1
        conditioning = [entry for entry in written if entry.is_conditioning]
        recent = [entry for entry in written if not entry.is_conditioning]
        # the frames that each object reads, from new to old, as ``attend_recent`` chooses them, with their rows
        past = sorted(range(len(recent)), key=lambda at: time - recent[at].time)
        if config.forgets_absent:
            seen = torch.stack([entry.is_present for entry in recent]).tolist() if recent else []
            pointed = [
                [at for rank, at in enumerate(past) if rank == 0 or seen[at][index]]
                for index in range(self.num_objects)
            ]
            read = [list(enumerate(one[:last_row])) for one in pointed]
        else:
            pointed = [past] * self.num_objects
            near = [(time - recent[at].time - 1, at) for at in past if time - recent[at].time <= last_row]
            read = [near] * self.num_objects
        # prompted frames first, then the others from old to new
        first = len(conditioning)
        spatial_at = [[*range(first), *(first + at for _, at in reversed(one))] for one in read]
        rows = [[last_row] * first + [row for row, _ in reversed(one)] for one in read]
        known = conditioning + recent
        # pointers of frames to come are not read, as in SAM 2
        before = [at for at, entry in enumerate(known) if entry.is_conditioning and entry.time < time]
        pointers_at = [self._last_pointers([*before, *(first + at for at in one)], known) for one in pointed]
        span = config.max_pointers - 1
        ages = [[(time - known[at].time) / span for at in one] for one in pointers_at]
        spatial, spatial_valid = _chosen([entry.spatial for entry in known], spatial_at)
        pointers, pointer_valid = _chosen([entry.pointer for entry in known], pointers_at)
        newest = [
            min(range(len(one)), key=lambda slot: abs(time - known[one[slot]].time)) for one in spatial_at
        ]
        return MemoryBatch(
            spatial,
            _padded(rows, self.device),
            spatial_valid,
            pointers,
            _padded(ages, self.device),
            pointer_valid,
            torch.tensor(newest, device=self.device),
        )

    def _last_pointers(self, found: list[int], known: list[WrittenFrame]) -> list[int]:
        """The newest of some entries, from old to new, as many as the model reads pointers."""
        return sorted(found, key=lambda at: known[at].time)[-self.model.config.max_pointers :]


def _chosen(values: list[Tensor], at: list[list[int]]) -> tuple[Tensor, Tensor | None]:
    """For each object (o) its own choice of entries (o, ...), and which of them are no padding; None for all."""
    device = values[0].device
    most = max(map(len, at))
    index = torch.tensor([[*one, *[0] * (most - len(one))] for one in at], device=device)
    found = torch.stack(values, dim=1)[torch.arange(len(at), device=device)[:, None], index]
    valid = torch.tensor([[slot < len(one) for slot in range(most)] for one in at], device=device)
    return found, None if bool(valid.all()) else valid


def _padded(rows: list[list[int]] | list[list[float]], device: torch.device) -> Tensor:
    most = max(map(len, rows))
    return torch.tensor([[*one, *[0] * (most - len(one))] for one in rows], device=device)
