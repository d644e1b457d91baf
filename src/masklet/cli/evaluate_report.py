"""``masklet evaluate … --report``: the result as a page to look at, and as Markdown, JSON and CSV."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from masklet.cli.console import say

if TYPE_CHECKING:
    from masklet.evaluation.scoring import ScoredPredictions, ScoringJob

PAGE = "index.html"


def write_video_report(
    folder: Path, job: ScoringJob, scored: ScoredPredictions, *, title: str, facts: Mapping[str, object]
) -> None:
    """Write index.html, report.md, report.json and report.csv."""
    from masklet.evaluation.page.video import video_page
    from masklet.evaluation.score_report import scores_csv, scores_document, scores_table

    page = video_page(job, scored, title=title, facts=facts)
    write_files(
        folder,
        page=page,
        table=scores_table(scored, title=title),
        document={**scores_document(scored), "facts": dict(facts)},
        csv=scores_csv(scored),
    )


def write_files(folder: Path, *, page: str, table: str, document: Mapping[str, object], csv: str) -> None:
    """Write the four forms of a report and say where the page is."""
    from masklet.evaluation.report import write_json

    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page, encoding="utf-8")
    (folder / "report.md").write_text(table, encoding="utf-8")
    (folder / "report.csv").write_text(csv, encoding="utf-8")
    write_json(folder / "report.json", document)
    say(f"The report is {folder / PAGE}.")
