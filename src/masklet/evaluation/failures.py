"""The objects on which a model fails most, with its masks made once more to be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from masklet.errors import FormatError
from masklet.evaluation.clicks import ClickReport, Embedding, ImageModel, ObjectClicks, State
from masklet.evaluation.datasets import Still
from masklet.evaluation.page.photos import WorstObject
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.prompts import PromptSet
from masklet.simulate import centre_click, correction_click


def worst_objects(report: ClickReport, *, num_clicks: int, most: int) -> list[ObjectClicks]:
    """The objects with the lowest IoU, in turn from each source, each image once.

    Args:
        report: Scores of every object.
        num_clicks: After so many clicks.
        most: Most objects.
    """
    queues: dict[str, list[ObjectClicks]] = {}
    seen: set[tuple[str, str]] = set()
    for one in sorted(report.objects, key=lambda found: found.iou_after(num_clicks)):
        if (one.source, one.image) not in seen:
            seen.add((one.source, one.image))
            queues.setdefault(one.source, []).append(one)
    rounds = range(max((len(queue) for queue in queues.values()), default=0))
    chosen = [queue[at] for at in rounds for queue in queues.values() if at < len(queue)][:most]
    return sorted(chosen, key=lambda found: found.iou_after(num_clicks))


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
