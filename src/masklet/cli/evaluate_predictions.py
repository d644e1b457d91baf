"""``masklet evaluate … --predictions``: score masks that any method wrote."""

from __future__ import annotations

import os
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeAlias

from masklet.cli.console import print_result, say
from masklet.cli.evaluate_report import write_video_report
from masklet.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from masklet.evaluation.counting import Counting
    from masklet.evaluation.layouts import LayoutName
    from masklet.evaluation.scoring import ClipScore, ScoredPredictions, ScoringJob

CountingName: TypeAlias = Literal["davis", "sav", "prompt"]
_MOST_SAID = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenOptions:
    """What to score and how.

    Args:
        data: The data set.
        predictions: Folder of the predictions.
        layout: Layout of the data set, or None to see for oneself.
        counting: Which frames count, or None for what is usual for the layout.
        is_end_left_out: Whether the first and last frame count not, or None for what is usual.
        names: File with one name of a clip per line, or None for all clips.
        limit: Most clips, or None.
        num_processes: Processes, or None for one per core.
    """

    data: Path
    predictions: Path
    layout: LayoutName | None = None
    counting: CountingName | None = None
    is_end_left_out: bool | None = None
    names: Path | None = None
    limit: int | None = None
    num_processes: int | None = None

    @property
    def command(self) -> str:
        """The command line that repeats it, with file names for paths."""
        words = [
            f"masklet evaluate {self.data.name} --task vos",
            f"--predictions {self.predictions.name}",
            f"--layout {self.layout}" if self.layout else "",
            f"--count {self.counting}" if self.counting else "",
            {None: "", True: "--leave-out-ends", False: "--count-ends"}[self.is_end_left_out],
            f"--names {self.names.name}" if self.names else "",
            f"--limit {self.limit}" if self.limit else "",
        ]
        return " ".join(word for word in words if word)


def scoring_job(options: WrittenOptions) -> ScoringJob:
    """The clips to score and the rule to count by.

    Raises:
        FormatError: When the data is not there.
    """
    from masklet.evaluation.layouts import find_clips, read_names
    from masklet.evaluation.scoring import ScoringJob

    names = None if options.names is None else read_names(options.names)
    layout, places = find_clips(options.data, layout=options.layout, names=names)
    return ScoringJob(
        places=places[: options.limit],
        layout=layout,
        predictions=options.predictions,
        counting=_counting(options, layout),
    )


def score_written(
    options: WrittenOptions, *, out: Path | None, report: Path | None = None, as_json: bool
) -> None:
    """Score the predictions, tell and keep the result.

    Raises:
        FormatError: When the data or the predictions are not there.
    """
    from masklet.evaluation.report import run_facts, write_json
    from masklet.evaluation.score_report import scores_document, scores_table

    job = scoring_job(options)
    kept = out or (None if report is None else report / "report.json")
    journal = None if kept is None else kept.with_name(f"{kept.name}.partial")
    scored = score_shown(job, options.num_processes, journal)
    title = f"{options.predictions.name} on {options.data.name}"
    say(scores_table(scored, title=title))
    facts = run_facts(command=options.command, data=options.data.name, predictions=options.predictions.name)
    if out is not None:
        write_json(out, {**scores_document(scored), "facts": facts})
    if report is not None:
        write_video_report(report, job, scored, title=title, facts=facts)
    if journal is not None:
        journal.unlink(missing_ok=True)
    _print_summary(options, scored, as_json=as_json)


def score_shown(
    job: ScoringJob, num_processes: int | None = None, journal: Path | None = None
) -> ScoredPredictions:
    """Score with the progress and the problems on standard error; one process per core unless told."""
    from masklet.evaluation.scoring import score_predictions

    numbers = count(1)
    with ProgressDisplay() as display:

        def tell(found: ClipScore) -> None:
            display.advance("Scoring", next(numbers), len(job.places))
            for problem in found.problems[:_MOST_SAID]:
                say(problem)

        return score_predictions(
            job, num_processes=num_processes or os.cpu_count() or 1, journal=journal, on_clip=tell
        )


def _print_summary(options: WrittenOptions, scored: ScoredPredictions, *, as_json: bool) -> None:
    report = scored.report
    values: dict[str, object] = {
        "j_and_f": round(report.j_and_f, 8),
        "j": round(report.region.mean, 8),
        "f": round(report.contour.mean, 8),
        "clips": sum(clip.is_scored for clip in scored.clips),
        "objects": len(scored.objects),
        "problems": len(scored.problems),
    }
    line = (
        f"{options.predictions.name} on {options.data.name}: J&F {100 * report.j_and_f:.2f}, "
        f"J {100 * report.region.mean:.2f}, F {100 * report.contour.mean:.2f} over {len(scored.objects)} objects of "
        f"{values['clips']} of {len(scored.clips)} clips ({scored.counting.words})"
    )
    if scored.problems:
        line += f"; {len(scored.problems)} things were missing or odd"
    print_result(line, values, as_json=as_json)


def _counting(options: WrittenOptions, layout: LayoutName) -> Counting:
    from dataclasses import replace

    from masklet.evaluation.counting import DAVIS, PROMPTED, SAV, USUAL

    named: dict[CountingName, Counting] = {"davis": DAVIS, "sav": SAV, "prompt": PROMPTED}
    chosen = USUAL[layout] if options.counting is None else named[options.counting]
    if options.is_end_left_out is None:
        return chosen
    return replace(chosen, is_end_left_out=options.is_end_left_out)
