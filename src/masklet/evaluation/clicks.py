"""Interactive segmentation of photos with simulated clicks and boxes: mIoU after k clicks, clicks needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.datasets import Still
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.masks.metrics import iou
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, correction_click, tight_box

Embedding = TypeVar("Embedding")
State = TypeVar("State")


class ImageModel(Protocol[Embedding, State]):
    """What is evaluated: embeds an image once, then answers prompts of many objects together."""

    def embed(self, image: ByteArray) -> Embedding:
        """The image, RGB uint8 (h, w, 3), in whatever form ``predict`` wants."""
        ...

    def predict(
        self, embedding: Embedding, prompts: Sequence[PromptSet], previous: State | None
    ) -> tuple[BoolArray, State]:
        """Answer one prompt set per object.

        Args:
            embedding: What ``embed`` gave.
            prompts: n prompt sets; each holds all clicks of its object so far.
            previous: The state that the call before gave for the same n objects, None in the first.

        Returns:
            Masks, bool (n, h, w) at the size of the image, and a state for the next call, such as
            low-resolution logits.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickProtocol:
    """How clicks are simulated.

    Args:
        clicks: Numbers of clicks after which mIoU is told, each at least 1.
        max_clicks: Where counting of clicks ends: an object that does not reach its target counts with this
            many.
        targets: IoU targets of the number of clicks, each in (0, 1].
        is_box_scored: Whether the tight box is tried too.
        max_objects: Most objects that advance in one batch; more are done in several batches.
    """

    clicks: tuple[int, ...] = (1, 3, 5)
    max_clicks: int = 20
    targets: tuple[float, ...] = (0.85, 0.9)
    is_box_scored: bool = True
    max_objects: int = 64

    def __post_init__(self) -> None:
        """Refuse numbers that mean nothing."""
        if not self.clicks or min(self.clicks) < 1 or self.max_clicks < max(self.clicks):
            raise PromptError(
                f"Clicks must be at least 1 and at most max_clicks, got {self.clicks} and {self.max_clicks}."
            )
        if self.max_objects < 1 or not all(0 < target <= 1 for target in self.targets):
            raise PromptError("A batch holds at least one object, and IoU targets lie in (0, 1].")


DEFAULT_PROTOCOL = ClickProtocol()


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectClicks:
    """What was reached on one object.

    Args:
        source: Collection of the photo.
        image: Name of the photo.
        index: Index of the mask in the photo.
        ious: IoU after each click in order, each in [0, 1]; shorter than max_clicks once every target is
            reached.
        box_iou: IoU of the mask from the tight box, or None when boxes were not tried.
    """

    source: str
    image: str
    index: int
    ious: tuple[float, ...]
    box_iou: float | None

    def iou_after(self, num_clicks: int) -> float:
        """IoU after so many clicks, or after the last that was made."""
        return self.ious[min(num_clicks, len(self.ious)) - 1]

    def clicks_to(self, target: float, max_clicks: int) -> int:
        """Number of clicks until the IoU first reaches the target, at most max_clicks."""
        return next((k for k, value in enumerate(self.ious, start=1) if value >= target), max_clicks)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickSummary:
    """Averages over objects, or over sources.

    Args:
        num_objects: How many objects are averaged.
        miou_after: mIoU by number of clicks.
        clicks_to: Mean number of clicks by IoU target (NoC).
        box_miou: mIoU of the masks from boxes, or None.
    """

    num_objects: int
    miou_after: Mapping[int, float]
    clicks_to: Mapping[float, float]
    box_miou: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClickReport:
    """Scores of every object under one protocol."""

    protocol: ClickProtocol
    objects: tuple[ObjectClicks, ...]

    def by_source(self) -> dict[str, ClickSummary]:
        """Averages over the objects of each source, sources in order of their names."""
        sources: dict[str, list[ObjectClicks]] = {}
        for one in sorted(self.objects, key=lambda found: found.source):
            sources.setdefault(one.source, []).append(one)
        return {source: _summary(found, self.protocol) for source, found in sources.items()}

    def mean_over_sources(self) -> ClickSummary:
        """Averages of the sources' averages: each source weighs the same.

        Raises:
            PromptError: When no object was scored.
        """
        parts = list(self.by_source().values())
        if not parts:
            raise PromptError("No object was scored; give photos with masks that are not empty.")
        boxes = [part.box_miou for part in parts if part.box_miou is not None]
        return ClickSummary(
            num_objects=sum(part.num_objects for part in parts),
            miou_after={k: float(np.mean([p.miou_after[k] for p in parts])) for k in self.protocol.clicks},
            clicks_to={t: float(np.mean([p.clicks_to[t] for p in parts])) for t in self.protocol.targets},
            box_miou=float(np.mean(boxes)) if boxes else None,
        )


def evaluate_clicks(
    model: ImageModel[Embedding, State],
    stills: Iterable[Still],
    *,
    protocol: ClickProtocol = DEFAULT_PROTOCOL,
    on_still: Callable[[Sequence[ObjectClicks]], None] | None = None,
) -> ClickReport:
    """Click on every object as a careful person would, and score each answer.

    The first click is at the centre of the object, each next one at the centre of the largest error. An
    image is embedded once; all its objects advance by one click in one batched call.

    Args:
        model: What is evaluated.
        stills: Photos with truth; empty masks are left out.
        protocol: How clicks are simulated.
        on_still: Called with the scores of each photo as soon as they are known.

    Raises:
        PromptError: When the model answers with masks of another shape.

    Source: Sofiiuk et al., "Reviving Iterative Training with Mask Guidance for Interactive Segmentation",
    2021.
    """
    objects: list[ObjectClicks] = []
    for still in stills:
        scores = evaluate_still(model, still, protocol=protocol)
        objects.extend(scores)
        if on_still is not None:
            on_still(scores)
    return ClickReport(protocol=protocol, objects=tuple(objects))


def evaluate_still(
    model: ImageModel[Embedding, State], still: Still, *, protocol: ClickProtocol = DEFAULT_PROTOCOL
) -> tuple[ObjectClicks, ...]:
    """Click on every object of one photo; see evaluate_clicks."""
    indices = [index for index, mask in enumerate(still.masks) if rle.area(mask) > 0]
    if not indices:
        return ()
    embedding = model.embed(still.image())
    scores: list[ObjectClicks] = []
    for begin in range(0, len(indices), protocol.max_objects):
        batch = indices[begin : begin + protocol.max_objects]
        truth = [rle.decode(still.masks[index]) for index in batch]
        ious = _ious_by_click(model, embedding, truth, protocol)
        boxes = _box_ious(model, embedding, truth) if protocol.is_box_scored else [None] * len(batch)
        scores.extend(
            ObjectClicks(
                source=still.source, image=still.name, index=index, ious=tuple(ious[row]), box_iou=boxes[row]
            )
            for row, index in enumerate(batch)
        )
    return tuple(scores)


def _ious_by_click(
    model: ImageModel[Embedding, State],
    embedding: Embedding,
    truth: Sequence[BoolArray],
    protocol: ClickProtocol,
) -> list[list[float]]:
    """IoU after each click, for each object, until all targets are reached by all objects."""
    prompts = [_first_prompts(mask) for mask in truth]
    ious: list[list[float]] = [[] for _ in truth]
    previous: State | None = None
    for num_clicks in range(1, protocol.max_clicks + 1):
        masks, previous = model.predict(embedding, prompts, previous)
        _check_answer(masks, truth)
        for values, mask, true in zip(ious, masks, truth, strict=True):
            values.append(iou(mask, true))
        is_done = all(max(values) >= max(protocol.targets, default=0.0) for values in ious)
        if num_clicks >= max(protocol.clicks) and is_done:
            break
        prompts = [_corrected(one, mask, true) for one, mask, true in zip(prompts, masks, truth, strict=True)]
    return ious


def _first_prompts(true: BoolArray) -> PromptSet:
    """A click at the centre of a mask that is not empty."""
    click = centre_click(true)
    return PromptSet(clicks=() if click is None else (click,))


def _corrected(prompts: PromptSet, predicted: BoolArray, true: BoolArray) -> PromptSet:
    """One more click on the largest error; the same prompts when there is none."""
    click = correction_click(predicted, true)
    return prompts if click is None else prompts.with_click(click)


def _box_ious(
    model: ImageModel[Embedding, State], embedding: Embedding, truth: Sequence[BoolArray]
) -> list[float | None]:
    """IoU of the mask from the tight box of each object."""
    masks, _ = model.predict(embedding, [PromptSet(box=tight_box(mask)) for mask in truth], None)
    _check_answer(masks, truth)
    return [iou(mask, true) for mask, true in zip(masks, truth, strict=True)]


def _check_answer(masks: BoolArray, truth: Sequence[BoolArray]) -> None:
    expected = (len(truth), *truth[0].shape)
    if masks.shape != expected or masks.dtype != np.bool_:
        raise PromptError(
            f"A model must answer with bool masks of shape {expected}, got {masks.dtype} {masks.shape}."
        )


def _summary(objects: Sequence[ObjectClicks], protocol: ClickProtocol) -> ClickSummary:
    boxes = [one.box_iou for one in objects if one.box_iou is not None]
    return ClickSummary(
        num_objects=len(objects),
        miou_after={k: float(np.mean([one.iou_after(k) for one in objects])) for k in protocol.clicks},
        clicks_to={
            target: float(np.mean([one.clicks_to(target, protocol.max_clicks) for one in objects]))
            for target in protocol.targets
        },
        box_miou=float(np.mean(boxes)) if boxes else None,
    )
