"""``masklet evaluate --task auto``: automatic masks against all regions of photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masklet.cli.console import say
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of
from masklet.cli.evaluate_photos import items_of, stills_of
from masklet.cli.evaluate_report import write_files

if TYPE_CHECKING:
    from masklet.evaluation.datasets import Still
    from masklet.evaluation.proposals import ProposalReport, Propose
    from masklet.weights.load import LoadedModel

PresetName: TypeAlias = Literal["fast", "balanced", "fine"]
PresetOption = Annotated[PresetName, typer.Option("--preset", help="How finely images are searched (auto).")]
_NUM_SHOWN = 8


def score_auto(model: LoadedModel, options: Options, preset: PresetName) -> Scored:
    """Propose masks for every photo, and write the report when one is asked for.

    Raises:
        FormatError: When the data is not there.
    """
    from masklet.evaluation.proposal_report import proposals_document, proposals_table
    from masklet.evaluation.subjects import AutoSubject

    problems: list[str] = []
    stills = stills_of(options, problems)
    report = _proposed(model, options, preset, stills, problems)
    for problem in problems:
        say(problem)
    title = f"{model.name} ({preset}) on {options.data.name}"
    table = proposals_table(report, title=title)
    document = {**proposals_document(report), "preset": preset}
    if problems:
        document["problems"] = problems
    overall = report.overall()
    values: dict[str, object] = {f"ar_{k}": round(value, 4) for k, value in overall.recall.items()}
    values |= {f"ar_{size}": round(value, 4) for size, value in overall.recall_by_size.items()}
    values |= {"covering": round(overall.covering, 4), "covered": round(overall.covered, 4)}
    scored = Scored(table=table, document=document, values=values)
    if options.report is not None:
        facts = facts_of(model, options)
        subject = AutoSubject(model, preset)
        _write_report(options, report, scored, subject, stills, title=title, facts=facts, problems=problems)
    return scored


def _proposed(
    model: LoadedModel, options: Options, preset: PresetName, stills: Sequence[Still], problems: list[str]
) -> ProposalReport:
    """Every photo in order; those that are finished are taken from the journal."""
    from masklet.evaluation.proposal_report import image_from_json
    from masklet.evaluation.proposals import DEFAULT_PROTOCOL, ProposalReport
    from masklet.evaluation.work import search_work

    done = work_through(
        model, options, items_of(stills), partial(search_work, preset=preset), what="Searching"
    )
    problems += done.problems
    found = [values["image"] for values in done.values.values()]
    images = tuple(image_from_json(one) for one in found if one is not None)
    return ProposalReport(protocol=DEFAULT_PROTOCOL, images=images)


def _write_report(
    options: Options,
    report: ProposalReport,
    scored: Scored,
    subject: Propose,
    stills: Sequence[Still],
    *,
    title: str,
    facts: Mapping[str, object],
    problems: Sequence[str],
) -> None:
    from masklet.evaluation.failures import draw_proposals, worst_images
    from masklet.evaluation.page.proposals import proposals_page
    from masklet.evaluation.proposal_report import proposals_csv

    worst = draw_proposals(subject, stills, worst_images(report, most=_NUM_SHOWN))
    page = proposals_page(report, worst, title=title, facts=facts, problems=problems)
    if options.report is not None:
        write_files(
            options.report,
            page=page,
            table=scored.table,
            document={**scored.document, "facts": dict(facts)},
            csv=proposals_csv(report),
        )
