"""``masklet evaluate --task effort``: clicks and seconds to good masklets, frame by frame against tracking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from masklet.cli.console import say
from masklet.cli.evaluate_clips import clip_items
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of, places_of
from masklet.cli.evaluate_report import write_files

if TYPE_CHECKING:
    from masklet.evaluation.annotation_effort import EffortProtocol
    from masklet.evaluation.effort_report import EffortReport
    from masklet.weights.load import LoadedModel

USUAL_TARGET, USUAL_CLICKS = 0.85, 5
TargetOption = Annotated[
    float, typer.Option("--target", min=0.01, max=1, help="J&F that a masklet is to reach (effort).")
]
EveryOption = Annotated[
    int, typer.Option("--every", min=1, help="Take every so many frames of a clip (effort).")
]
MostFramesOption = Annotated[
    int | None, typer.Option("--most-frames", min=1, help="Most frames of a clip (effort).")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortOptions:
    """What is wanted, on which frames.

    Args:
        target: J&F of a masklet.
        clicks: Most clicks on a frame.
        every: Step from one frame to the next.
        most_frames: Most frames of a clip, or None.
    """

    target: float = USUAL_TARGET
    clicks: int = USUAL_CLICKS
    every: int = 1
    most_frames: int | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """What stands on the command line."""
        words = [f"--target {self.target:g}"] if self.target != USUAL_TARGET else []
        if self.clicks != USUAL_CLICKS:
            words.append(f"--clicks-per-frame {self.clicks}")
        if self.every != 1:
            words.append(f"--every {self.every}")
        if self.most_frames is not None:
            words.append(f"--most-frames {self.most_frames}")
        return tuple(words)


def score_effort(model: LoadedModel, options: Options, chosen: EffortOptions) -> Scored:
    """Annotate every object both ways, and write the report when one is asked for.

    Raises:
        FormatError: When the data is not there.
    """
    from masklet.evaluation.annotation_effort import EffortProtocol
    from masklet.evaluation.effort_report import effort_csv, effort_document, effort_table
    from masklet.evaluation.page.effort import effort_page

    protocol = EffortProtocol(
        target=chosen.target, measure="j_and_f", goal="masklet", max_clicks=chosen.clicks
    )
    problems: list[str] = []
    report = _annotated(model, options, chosen, protocol, problems)
    for problem in problems:
        say(problem)
    title = f"{model.name} on {options.data.name}"
    table = effort_table(report, title=title)
    document = effort_document(report)
    if problems:
        document["problems"] = problems
    if options.report is not None:
        facts = facts_of(model, options)
        page = effort_page(report, title=title, facts=facts, problems=problems)
        written = {**document, "facts": facts}
        write_files(options.report, page=page, table=table, document=written, csv=effort_csv(report))
    return Scored(table=table, document=document, values=_values(report))


def _values(report: EffortReport) -> dict[str, object]:
    from masklet.evaluation.effort_report import WAYS

    values: dict[str, object] = {
        "times_faster": round(report.times_faster, 2),
        "times_faster_at_equal_quality": round(report.at_equal_quality.times_faster, 2),
    }
    for way in WAYS:
        totals = report.totals(way)
        values[f"{way}_clicks"] = round(totals.clicks, 2)
        values[f"{way}_seconds"] = round(totals.seconds, 2)
        values[f"{way}_reached"] = round(totals.reached, 4)
    return values


def _annotated(
    model: LoadedModel,
    options: Options,
    chosen: EffortOptions,
    protocol: EffortProtocol,
    problems: list[str],
) -> EffortReport:
    """Every object of every clip; clips that are finished are taken from the journal."""
    from masklet.evaluation.effort_report import EffortReport, masklet_from_json
    from masklet.evaluation.work import annotate_work

    def tell(_name: str, values: Mapping[str, Any]) -> None:
        for one in map(masklet_from_json, values["masklets"]):
            effort = one.track_and_correct
            say(f"{effort.clip} object {effort.object_id}: {one.times_faster:.2f} times faster by tracking")

    make = partial(
        annotate_work,
        policy=options.policy,
        protocol=protocol,
        every=chosen.every,
        most_frames=chosen.most_frames,
    )
    items = clip_items(places_of(options), problems, times=0)
    done = work_through(model, options, items, make, what="Annotating", on_item=tell)
    problems += [problem for values in done.values.values() for problem in values["problems"]]
    problems += done.problems
    masklets = (one for values in done.values.values() for one in values["masklets"])
    return EffortReport(protocol=protocol, masklets=tuple(map(masklet_from_json, masklets)))
