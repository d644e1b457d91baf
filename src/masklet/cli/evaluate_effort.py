"""``masklet evaluate --task effort``: clicks and seconds to good masklets, frame by frame against tracking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.console import say
from masklet.cli.evaluate_options import Options, Scored, counted, facts_of, journal_of
from masklet.cli.evaluate_report import write_files
from masklet.errors import MaskletError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from masklet.evaluation.annotation_effort import EffortProtocol
    from masklet.evaluation.datasets import Clip
    from masklet.evaluation.effort_report import EffortReport, Masklet
    from masklet.evaluation.layouts import ClipPlace
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
    from masklet.evaluation.layouts import find_clips
    from masklet.evaluation.page.effort import effort_page

    _, places = find_clips(options.data)
    protocol = EffortProtocol(
        target=chosen.target, measure="j_and_f", goal="masklet", max_clicks=chosen.clicks
    )
    problems: list[str] = []
    report = _annotated(model, options, chosen, protocol, places[: options.limit], problems)
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

    values: dict[str, object] = {"times_faster": round(report.times_faster, 2)}
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
    places: Sequence[ClipPlace],
    problems: list[str],
) -> EffortReport:
    """Every object of every clip; those that are finished are taken from the journal."""
    from masklet.evaluation.datasets import thinned
    from masklet.evaluation.effort_report import EffortReport, masklet_from_json, masklet_to_json

    journal = journal_of(model, options)
    done, annotate = journal.read(), _annotator(model, options.policy, protocol)
    masklets: list[Masklet] = []
    with counted("Annotating", len(places)) as on_clip:
        for place in places:
            try:
                read = place.read()
                problems.extend(read.problems)
                clip = thinned(read.clip, most=chosen.most_frames, step=chosen.every)
                for object_id in clip.object_ids:
                    name = f"{clip.name}/{object_id}"
                    found = masklet_from_json(done[name]) if name in done else annotate(clip, object_id)
                    if found is not None:
                        masklets.append(found)
                    if found is not None and name not in done:
                        journal.add(name, masklet_to_json(found))
                        say(
                            f"{clip.name} object {object_id}: {found.times_faster:.2f} times faster by tracking"
                        )
            except MaskletError as error:
                problems.append(f"{place.name}: {error}")
            on_clip()
    return EffortReport(protocol=protocol, masklets=tuple(masklets))


def _annotator(
    model: LoadedModel, policy: str, protocol: EffortProtocol
) -> Callable[[Clip, int], Masklet | None]:
    """A function that annotates an object both ways."""
    from masklet.evaluation.annotation_effort import frame_by_frame, track_and_correct
    from masklet.evaluation.effort_report import Masklet
    from masklet.evaluation.subjects import ClickSubject, InteractiveSubject

    clicked, followed = ClickSubject(model), InteractiveSubject(model, policy)

    def annotate(clip: Clip, object_id: int) -> Masklet | None:
        first = frame_by_frame(clicked, clip, object_id, protocol)
        second = track_and_correct(followed, clip, object_id, protocol)
        return (
            None
            if first is None or second is None
            else Masklet(frame_by_frame=first, track_and_correct=second)
        )

    return annotate
