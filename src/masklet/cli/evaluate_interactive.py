"""``masklet evaluate --task interactive``: clips corrected frame after frame, offline, online or both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from masklet.cli.console import say
from masklet.cli.evaluate_clips import clip_items
from masklet.cli.evaluate_items import work_through
from masklet.cli.evaluate_options import Options, Scored, facts_of, journal_of, places_of
from masklet.cli.evaluate_report import write_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from masklet.evaluation.interactive import InteractiveMode, InteractiveProtocol, InteractiveReport
    from masklet.evaluation.interactive_object import ObjectRounds
    from masklet.evaluation.journal import Journal
    from masklet.evaluation.layouts import ClipPlace
    from masklet.weights.load import LoadedModel

ModeName: TypeAlias = Literal["offline", "online", "both"]
USUAL_ROUNDS, USUAL_CLICKS, USUAL_PAUSE = 4, 3, 0.75

ModeOption = Annotated[
    ModeName,
    typer.Option(
        "--mode", help="Correct the worst frame of each pass, or stop where it goes wrong (interactive)."
    ),
]
RoundsOption = Annotated[
    int, typer.Option("--rounds", "--frames", min=1, help="Most frames that are clicked on (interactive).")
]
PauseOption = Annotated[
    float,
    typer.Option("--pause-below", min=0.01, max=1, help="J below which it stops online (interactive)."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractiveOptions:
    """How much is said.

    Args:
        mode: How frames are chosen.
        rounds: Most frames that are clicked on.
        clicks: Most clicks on each.
        pause_below: J below which it stops online.
    """

    mode: ModeName = "offline"
    rounds: int = USUAL_ROUNDS
    clicks: int = USUAL_CLICKS
    pause_below: float = USUAL_PAUSE

    @property
    def words(self) -> tuple[str, ...]:
        """What stands on the command line."""
        words = [f"--mode {self.mode}"] if self.mode != "offline" else []
        words.append(f"--rounds {self.rounds}")
        if self.clicks != USUAL_CLICKS:
            words.append(f"--clicks-per-frame {self.clicks}")
        if self.pause_below != USUAL_PAUSE:
            words.append(f"--pause-below {self.pause_below:g}")
        return tuple(words)

    def protocols(self) -> list[InteractiveProtocol]:
        """One protocol per mode."""
        from masklet.evaluation.interactive import InteractiveProtocol

        modes: list[InteractiveMode] = ["offline", "online"] if self.mode == "both" else [self.mode]
        return [
            InteractiveProtocol(
                mode=mode, num_rounds=self.rounds, max_clicks=self.clicks, pause_below=self.pause_below
            )
            for mode in modes
        ]


def score_interactive(model: LoadedModel, options: Options, chosen: InteractiveOptions) -> Scored:
    """Correct the clips in each mode, and write the report when one is asked for.

    Raises:
        FormatError: When the data is not there.
    """
    from masklet.evaluation.interactive_report import interactive_document, interactive_table

    places = places_of(options)
    journal, problems = journal_of(model, options), dict[str, None]()
    protocols = [replace(one, is_end_left_out=options.is_end_left_out) for one in chosen.protocols()]
    reports = [_corrected(model, options, places, one, journal, problems) for one in protocols]
    for problem in problems:
        say(problem)
    tables = [interactive_table(one, title=options.data.name) for one in reports]
    document = interactive_document(reports[0])
    for other in reports[1:]:
        document[other.protocol.mode] = interactive_document(other)
    if problems:
        document["problems"] = list(problems)
    scored = Scored(table="\n".join(tables), document=document, values=_values(reports))
    if options.report is not None:
        title = f"{model.name} on {options.data.name}"
        facts = facts_of(model, options)
        _write_report(options.report, places, reports, scored, title=title, facts=facts)
    return scored


def _corrected(
    model: LoadedModel,
    options: Options,
    places: Sequence[ClipPlace],
    protocol: InteractiveProtocol,
    journal: Journal,
    problems: dict[str, None],
) -> InteractiveReport:
    """Every clip in one mode; those that are finished are taken from the journal."""
    from masklet.evaluation.interactive import InteractiveReport
    from masklet.evaluation.interactive_report import objects_from_json
    from masklet.evaluation.work import correct_work

    def tell(_name: str, values: Mapping[str, Any]) -> None:
        for one in objects_from_json(values):
            say(f"{one.clip} object {one.object_id}: J&F {100 * one.rounds[-1].j_and_f:.1f}")

    # how many frames an online run follows is not known before
    times, what = (protocol.num_rounds, "Tracking") if protocol.mode == "offline" else (0, "Correcting")
    unread: list[str] = []
    items = [
        replace(item, name=f"{protocol.mode}/{item.name}") for item in clip_items(places, unread, times=times)
    ]
    make = partial(correct_work, policy=options.policy, protocol=protocol)
    done = work_through(model, options, items, make, what=what, journal=journal, on_item=tell)
    objects: list[ObjectRounds] = []
    for values in done.values.values():
        unread += values["problems"]
        objects += objects_from_json(values)
    told = [problem.removeprefix(f"{protocol.mode}/") for problem in done.problems]
    problems.update(dict.fromkeys([*unread, *told]))
    return InteractiveReport(protocol=protocol, objects=tuple(objects))


def _values(reports: Sequence[InteractiveReport]) -> dict[str, object]:
    """J&F after each round, J and F after the last, and the area; of a second mode with its name before."""
    values: dict[str, object] = {}
    for index, report in enumerate(reports):
        before = f"{report.protocol.mode}_" if index else ""
        values.update(
            {f"{before}j_and_f_{number}": round(j, 4) for number, j in enumerate(report.curve, start=1)}
        )
        end = report.rounds[-1]
        values[f"{before}j"], values[f"{before}f"] = round(end.region.mean, 4), round(end.contour.mean, 4)
        values[f"{before}area"] = round(report.area, 4)
    return values


def _write_report(
    folder: Path,
    places: Sequence[ClipPlace],
    reports: Sequence[InteractiveReport],
    scored: Scored,
    *,
    title: str,
    facts: Mapping[str, object],
) -> None:
    from masklet.evaluation.interactive_report import interactive_csv
    from masklet.evaluation.page.interactive import interactive_page

    page = interactive_page(places, reports, title=title, facts=facts, problems=_problems_of(scored))
    write_files(
        folder,
        page=page,
        table=scored.table,
        document={**scored.document, "facts": dict(facts)},
        csv=interactive_csv(reports),
    )


def _problems_of(scored: Scored) -> list[str]:
    found = scored.document.get("problems", [])
    return [str(one) for one in found] if isinstance(found, list) else []
