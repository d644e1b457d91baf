"""Scores of written predictions as JSON, Markdown and CSV, with every object and every frame."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict

import numpy as np

from masklet.evaluation.report import markdown_table
from masklet.evaluation.scoring import ObjectSeries, ScoredPredictions
from masklet.evaluation.vos import Statistics

_DECIMALS = 8


def scores_document(scored: ScoredPredictions) -> dict[str, object]:
    """All that was found as plain JSON values, rounded to eight decimals."""
    report = scored.report
    return {
        "prompt": report.prompt,
        "layout": scored.layout,
        "counting": scored.counting.words,
        "num_clips": len(scored.clips),
        "num_scored_clips": sum(clip.is_scored for clip in scored.clips),
        "j_and_f": _rounded(report.j_and_f),
        "j": _statistics(report.region),
        "f": _statistics(report.contour),
        "clips": {name: _rounded(value) for name, value in scored.j_and_f_by_clip.items()},
        "objects": [_object(one) for one in scored.objects],
        "problems": list(scored.problems),
    }


def scores_table(scored: ScoredPredictions, *, title: str) -> str:
    """Markdown: one row per clip and the mean over objects, and below it what was missing or odd."""
    header = ["clip", "objects", "J&F", "J", "F", "J recall", "J decay", "F recall", "F decay"]
    rows: list[list[str]] = []
    for clip in scored.clips:
        if clip.objects:
            rows.append([clip.name, str(len(clip.objects)), *_cells(clip.objects)])
    rows.append(["**mean over objects**", str(len(scored.objects)), *_cells(scored.objects)])
    table = f"### {title} ({scored.counting.words})\n\n{markdown_table(header, rows)}"
    if not scored.problems:
        return table
    return f"{table}\nMissing or odd:\n\n" + "".join(f"- {problem}\n" for problem in scored.problems)


def scores_csv(scored: ScoredPredictions) -> str:
    """One line per object: clip, object, frames, J&F, then mean, recall and decay of J and F."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    measures = [f"{name}_{part}" for name in ("j", "f") for part in ("mean", "recall", "decay")]
    writer.writerow(["clip", "object", "frames", "j_and_f", *measures])
    for one in scored.objects:
        score = one.score
        values = [*asdict(score.region).values(), *asdict(score.contour).values()]
        writer.writerow(
            [one.clip, one.object_id, len(one.frames), _rounded(score.j_and_f), *map(_rounded, values)]
        )
    return file.getvalue()


def _object(one: ObjectSeries) -> dict[str, object]:
    score = one.score
    return {
        "clip": one.clip,
        "object_id": one.object_id,
        "num_frames": len(one.frames),
        "j_and_f": _rounded(score.j_and_f),
        "j": _statistics(score.region),
        "f": _statistics(score.contour),
        "frames": {
            "index": list(one.frames),
            "j": [round(value, 4) for value in one.region],
            "f": [round(value, 4) for value in one.contour],
        },
    }


def _cells(objects: tuple[ObjectSeries, ...]) -> list[str]:
    scores = [one.score for one in objects]
    columns = [
        [score.j_and_f for score in scores],
        [score.region.mean for score in scores],
        [score.contour.mean for score in scores],
        [score.region.recall for score in scores],
        [score.region.decay for score in scores],
        [score.contour.recall for score in scores],
        [score.contour.decay for score in scores],
    ]
    return [f"{float(np.mean(column)):.3f}" if column else "" for column in columns]


def _statistics(found: Statistics) -> dict[str, float]:
    return {name: _rounded(value) for name, value in asdict(found).items()}


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
