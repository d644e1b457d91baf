"""The page of a result on photos or domains: curves over clicks, a radar of the domains, and the worst objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from masklet.evaluation.clicks import ClickReport, ClickSummary, ObjectClicks
from masklet.evaluation.page.charts import Line, bar_chart, colour_key, line_chart, radar_chart
from masklet.evaluation.page.document import (
    Page,
    Section,
    bar,
    card,
    difference_key,
    problems_section,
    render,
    table,
    tile,
)
from masklet.evaluation.page.pictures import around, difference_over, image_tag
from masklet.masks.arrays import BoolArray, ByteArray

_LEAST_DOMAINS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class WorstObject:
    """An object on which the model fails, to be shown.

    Args:
        score: What was reached.
        num_clicks: After how many clicks the mask is shown.
        label: Class of the object, or empty.
        image: RGB uint8 (h, w, 3).
        predicted: bool (h, w).
        true: bool (h, w).
    """

    score: ObjectClicks
    num_clicks: int
    label: str
    image: ByteArray
    predicted: BoolArray
    true: BoolArray


def photos_page(
    report: ClickReport,
    worst: Sequence[WorstObject],
    *,
    title: str,
    facts: Mapping[str, object],
    problems: Sequence[str] = (),
) -> str:
    """The whole page as HTML.

    Args:
        report: Scores of every object.
        worst: What is shown as failures.
        title: What was scored.
        facts: What run_facts tells.
        problems: What was missing or odd.
    """
    mean = report.mean_over_sources()
    sections = [
        Section(title="What a click is worth", note="", body=_charts(report)),
        Section(
            title="Domains",
            note="Means over the objects of each; hardest first after the most clicks told.",
            body=_domain_table(report),
        ),
        Section(
            title="Where it fails",
            note="Objects with the lowest IoU after these clicks, spread over the domains.",
            body=difference_key() + f'<div class="tiles">{"".join(map(_tile, worst))}</div>',
        ),
    ]
    if problems:
        sections.append(problems_section(problems))
    return render(
        Page(
            kicker="Images by clicks and boxes",
            title=title,
            lead="The first click is at the centre of the object, each next one at the centre of the largest error. "
            "Each domain weighs the same.",
            numbers=_numbers(mean, len(report.by_source())),
            sections=sections,
            facts=facts,
        )
    )


def _numbers(mean: ClickSummary, num_sources: int) -> list[tuple[str, str]]:
    noun = {1: "click"}
    numbers = [
        (f"{100 * value:.1f}", f"mIoU, {k} {noun.get(k, 'clicks')}") for k, value in mean.miou_after.items()
    ]
    if mean.box_miou is not None:
        numbers.append((f"{100 * mean.box_miou:.1f}", "mIoU, box"))
    numbers += [(f"{value:.1f}", f"clicks to IoU {target:g}") for target, value in mean.clicks_to.items()]
    return [*numbers, (str(num_sources), "domains"), (str(mean.num_objects), "objects")]


def _charts(report: ClickReport) -> str:
    sources = report.by_source()
    clicks = report.protocol.clicks
    most = max(clicks)
    names = [f"{k} click{'s' if k > 1 else ''}" for k in clicks]
    layers = {
        name: [one.miou_after[k] for one in sources.values()] for name, k in zip(names, clicks, strict=True)
    }
    if all(one.box_miou is not None for one in sources.values()):
        layers["box"] = [one.box_miou or 0.0 for one in sources.values()]
    layers = dict(list(layers.items())[-4:])
    parts: list[str] = []
    if len(sources) >= _LEAST_DOMAINS:
        parts.append(
            card("mIoU of each domain", radar_chart(list(sources), layers) + colour_key(list(layers)))
        )
    steps = range(1, most + 1)
    points = [(float(k), _mean_after(report, k)) for k in steps]
    curve = line_chart(
        [Line(name="mIoU", points=points)],
        x_label="clicks",
        y_label="mIoU, mean over domains",
        ticks=list(steps),
    )
    histogram = bar_chart([one.iou_after(most) for one in report.objects], label=f"IoU after {most} clicks")
    parts += [card("More clicks", curve), card("How many objects come out well?", histogram)]
    return f'<div class="charts">{"".join(parts)}</div>'


def _mean_after(report: ClickReport, num_clicks: int) -> float:
    sources: dict[str, list[float]] = {}
    for one in report.objects:
        sources.setdefault(one.source, []).append(one.iou_after(num_clicks))
    return float(np.mean([np.mean(values) for values in sources.values()]))


def _domain_table(report: ClickReport) -> str:
    clicks, targets = report.protocol.clicks, report.protocol.targets
    header = [
        "domain",
        "objects",
        *[f"mIoU, {k}" for k in clicks],
        "box",
        *[f"NoC@{100 * t:g}" for t in targets],
    ]

    def cells(name: str, one: ClickSummary) -> list[str]:
        scores = [f"{one.miou_after[k]:.3f}" for k in clicks[:-1]]
        box = "" if one.box_miou is None else f"{one.box_miou:.3f}"
        counts = [f"{one.clicks_to[t]:.1f}" for t in targets]
        return [
            escape(name),
            str(one.num_objects),
            *scores,
            bar(one.miou_after[clicks[-1]]),
            box,
            *counts,
        ]

    ordered = sorted(report.by_source().items(), key=lambda item: item[1].miou_after[clicks[-1]])
    mean = cells("mean over domains", report.mean_over_sources())
    return table(header, [cells(name, one) for name, one in ordered], mean=mean)


def _tile(one: WorstObject) -> str:
    picture = around(difference_over(one.image, one.predicted, one.true), one.true | one.predicted)
    clicks = f"{one.num_clicks} click{'s' if one.num_clicks > 1 else ''}"
    words = f"{one.score.image}, IoU {one.score.iou_after(one.num_clicks):.2f} after {clicks}"
    name = f"{one.score.source}: {one.label}" if one.label else one.score.source
    return tile(image_tag(picture, alt=f"Difference on {one.score.image}"), name, words)
