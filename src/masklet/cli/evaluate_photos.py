"""``masklet evaluate --task clicks`` and ``--task domains``: photos, clicked on."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from masklet.cli.console import say
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of
from masklet.cli.evaluate_report import write_files

if TYPE_CHECKING:
    from masklet.evaluation.clicks import ClickReport
    from masklet.evaluation.datasets import Still
    from masklet.evaluation.items import Item
    from masklet.weights.load import LoadedModel

_MOST_MASKS, _NUM_WORST, _WORST_AFTER = 16, 16, 3


def score_clicks(model: LoadedModel, options: Options) -> Scored:
    """Click on every object of every photo, and write the report when one is asked for.

    Raises:
        FormatError: When the data is not there.
    """
    from masklet.evaluation.clicks import ClickProtocol, ClickReport
    from masklet.evaluation.report import clicks_document, clicks_table
    from masklet.evaluation.work import click_work, clicks_from_json

    problems: list[str] = []
    stills = stills_of(options, problems, max_masks=_MOST_MASKS)
    protocol = ClickProtocol(max_clicks=options.max_clicks, targets=(0.85, 0.9))
    done = work_through(
        model, options, items_of(stills), partial(click_work, protocol=protocol), what="Clicking"
    )
    problems += done.problems
    for problem in problems:
        say(problem)
    objects = tuple(one for values in done.values.values() for one in clicks_from_json(values))
    report = ClickReport(protocol=protocol, objects=objects)
    mean = report.mean_over_sources()
    values: dict[str, object] = {f"miou_{k}": round(value, 4) for k, value in mean.miou_after.items()}
    if mean.box_miou is not None:
        values["miou_box"] = round(mean.box_miou, 4)
    table = clicks_table(report, title=options.data.name)
    document = clicks_document(report)
    if problems:
        document["problems"] = problems
    if options.report is not None:
        facts = facts_of(model, options)
        page = _page(model, report, stills, problems, f"{model.name} on {options.data.name}", facts)
        written = {**document, "facts": dict(facts)}
        write_files(options.report, page=page, table=table, document=written, csv=_objects_csv(report))
    return Scored(table=table, document=document, values=values)


def stills_of(options: Options, problems: list[str], *, max_masks: int | None = None) -> list[Still]:
    """The photos of a packed tar or a folder of domains, few of each source when a limit is set.

    Args:
        options: Where they are and how many.
        problems: Gets one sentence per photo that is missing or odd.
        max_masks: Most masks of each photo when a limit is set; None for all.
    """
    from masklet.evaluation.datasets import few_per_source, read_packed_stills
    from masklet.evaluation.domains import read_domains

    read = read_domains if options.data.is_dir() else read_packed_stills
    found = read(options.data, problems)
    if options.limit is None:
        return list(found)
    return list(few_per_source(found, options.limit, max_masks=max_masks))


def items_of(stills: Sequence[Still]) -> list[Item[Still]]:
    """Photos as parts of a run."""
    from masklet.evaluation.items import Item

    return [Item(name=f"{still.source}/{still.name}", content=still) for still in stills]


def _page(
    model: LoadedModel,
    report: ClickReport,
    stills: list[Still],
    problems: list[str],
    title: str,
    facts: Mapping[str, object],
) -> str:
    from masklet.evaluation.failures import draw_worst, worst_objects
    from masklet.evaluation.page.photos import photos_page
    from masklet.evaluation.subjects import ClickSubject

    after = min(_WORST_AFTER, report.protocol.max_clicks)
    chosen = worst_objects(report, num_clicks=after, most=_NUM_WORST)
    worst = draw_worst(ClickSubject(model), stills, chosen, num_clicks=after)
    return photos_page(report, worst, title=title, facts=facts, problems=problems)


def _objects_csv(report: ClickReport) -> str:
    """One line per object: IoU after each click and from the box."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    most = max(len(one.ious) for one in report.objects)
    writer.writerow(["source", "image", "mask", "box_iou", *[f"iou_{k}" for k in range(1, most + 1)]])
    for one in report.objects:
        box = "" if one.box_iou is None else round(one.box_iou, 6)
        ious = [round(one.iou_after(k), 6) for k in range(1, most + 1)]
        writer.writerow([one.source, one.image, one.index, box, *ious])
    return file.getvalue()
