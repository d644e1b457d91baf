"""The objects, images and clips on which a model fails most, with its masks made once more to be looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from masklet.errors import FormatError
from masklet.evaluation.clicks import ClickReport, Embedding, ImageModel, ObjectClicks, State
from masklet.evaluation.datasets import Still
from masklet.evaluation.leaving_clips import LeavingClip, clip_number
from masklet.evaluation.occlusion import OBJECT, Follow, OcclusionReport, OcclusionScore, first_prompts
from masklet.evaluation.page.occlusion import SeenClip
from masklet.evaluation.page.photos import WorstObject
from masklet.evaluation.page.proposals import DrawnImage
from masklet.evaluation.proposals import ImageRecall, ProposalReport, Propose
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, correction_click

Scored = TypeVar("Scored", ObjectClicks, ImageRecall)


def worst_objects(report: ClickReport, *, num_clicks: int, most: int) -> list[ObjectClicks]:
    """The objects with the lowest IoU, in turn from each source, each image once.

    Args:
        report: Scores of every object.
        num_clicks: After so many clicks.
        most: Most objects.
    """
    return _spread(report.objects, lambda found: found.iou_after(num_clicks), most)


def worst_images(report: ProposalReport, *, most: int) -> list[ImageRecall]:
    """The images whose regions are covered worst, in turn from each source; at most so many."""
    return _spread(report.images, lambda found: found.covering, most)


def worst_clips(report: OcclusionReport, *, most: int) -> list[OcclusionScore]:
    """The clips whose object was lost, then those with the lowest J; at most so many."""
    return sorted(report.clips, key=lambda one: (one.is_found, one.region))[:most]


def draw_seen(
    follow: Follow, draw: Callable[[int], LeavingClip], chosen: Sequence[OcclusionScore]
) -> list[SeenClip]:
    """Follow the objects of the chosen clips once more.

    Args:
        follow: What was evaluated.
        draw: Makes the clip of a number.
        chosen: What worst_clips gave.
    """
    found: list[SeenClip] = []
    for score in chosen:
        clip = draw(clip_number(score.clip)).clip
        sightings = [one[OBJECT] for one in follow(clip, first_prompts(clip))]
        found.append(SeenClip(score=score, clip=clip, sightings=sightings))
    return found


def draw_worst(
    model: ImageModel[Embedding, State],
    stills: Iterable[Still],
    chosen: Sequence[ObjectClicks],
    *,
    num_clicks: int,
) -> list[WorstObject]:
    """Answer the chosen objects once more.

    Args:
        model: What was evaluated.
        stills: The photos again.
        chosen: What worst_objects gave.
        num_clicks: After so many clicks the mask is shown.
    """
    wanted = {(one.source, one.image): one for one in chosen}
    found: dict[tuple[str, str], WorstObject] = {}
    for still in stills:
        one = wanted.get((still.source, still.name))
        if one is None or one.index >= len(still.masks):
            continue
        try:
            image = still.image()
        except FormatError:
            continue  # it was scored, so its file has changed since: there is nothing to draw
        true = rle.decode(still.masks[one.index])
        found[(still.source, still.name)] = WorstObject(
            score=one,
            num_clicks=num_clicks,
            label=still.labels[one.index] if still.labels else "",
            image=image,
            predicted=_answer(model, model.embed(image), true, num_clicks),
            true=true,
        )
    return [found[key] for key in wanted if key in found]


def draw_proposals(
    propose: Propose, stills: Iterable[Still], chosen: Sequence[ImageRecall]
) -> list[DrawnImage]:
    """Propose masks for the chosen images once more.

    Args:
        propose: What was evaluated.
        stills: The images again.
        chosen: What worst_images gave.
    """
    wanted = {(one.source, one.image): one for one in chosen}
    found: dict[tuple[str, str], DrawnImage] = {}
    for still in stills:
        one = wanted.get((still.source, still.name))
        if one is None:
            continue
        try:
            image = still.image()
        except FormatError:
            continue  # as above
        found[(still.source, still.name)] = DrawnImage(
            found=one, image=image, regions=still.masks, proposals=propose(image)
        )
    return [found[key] for key in wanted if key in found]


def _spread(scored: Iterable[Scored], value: Callable[[Scored], float], most: int) -> list[Scored]:
    """The lowest values, in turn from each source, each image once."""
    queues: dict[str, list[Scored]] = {}
    seen: set[tuple[str, str]] = set()
    for one in sorted(scored, key=value):
        if (one.source, one.image) not in seen:
            seen.add((one.source, one.image))
            queues.setdefault(one.source, []).append(one)
    rounds = range(max((len(queue) for queue in queues.values()), default=0))
    chosen = [queue[at] for at in rounds for queue in queues.values() if at < len(queue)][:most]
    return sorted(chosen, key=value)


def _answer(
    model: ImageModel[Embedding, State], embedding: Embedding, true: BoolArray, num_clicks: int
) -> BoolArray:
    click = centre_click(true)
    prompts = PromptSet(clicks=() if click is None else (click,))
    masks, state = model.predict(embedding, [prompts], None)
    for _ in range(num_clicks - 1):
        click = correction_click(masks[0], true)
        if click is None:
            break
        prompts = prompts.with_click(click)
        masks, state = model.predict(embedding, [prompts], state)
    return masks[0]
