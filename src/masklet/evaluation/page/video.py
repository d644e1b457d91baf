"""The page of a video result: curves, a table of clips, strips of truth beside prediction, and the worst frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np

from masklet.errors import MaskletError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.page.charts import Line, bar_chart, colour_key, line_chart, spark_line
from masklet.evaluation.page.document import (
    Page,
    Section,
    bar,
    card,
    difference_key,
    problems_section,
    render,
    table,
)
from masklet.evaluation.page.strips import Answered, failure_of, strip_of
from masklet.evaluation.predictions import Predictions, read_predictions
from masklet.evaluation.scoring import ClipScore, ObjectSeries, ScoredPredictions, ScoringJob

_NUM_BINS, _MOST_STRIPS, _MOST_FAILURES = 20, 30, 12


def video_page(job: ScoringJob, scored: ScoredPredictions, *, title: str, facts: Mapping[str, object]) -> str:
    """The whole page as HTML.

    Args:
        job: Where truth and predictions are, to draw them.
        scored: What came of it.
        title: What was scored.
        facts: What run_facts tells.
    """
    report = scored.report
    sections = [
        Section(title="Over the length of a clip", note="", body=_curves(scored.objects)),
        Section(title="Clips", note=_TABLE_NOTE, body=_clip_table(scored)),
        *_picture_sections(job, scored),
    ]
    if scored.problems:
        sections.append(problems_section(scored.problems, note="Everything else was scored."))
    return render(
        Page(
            kicker="Video object segmentation",
            title=title,
            lead=f"Counted: {scored.counting.words}. Each object weighs the same.",
            numbers=[
                (f"{100 * report.j_and_f:.1f}", "J&F, per cent"),
                (f"{100 * report.region.mean:.1f}", "J, region"),
                (f"{100 * report.contour.mean:.1f}", "F, contour"),
                (f"{100 * report.region.recall:.1f}", "J recall"),
                (f"{100 * report.region.decay:+.1f}", "J decay"),
                (f"{sum(clip.is_scored for clip in scored.clips)} / {len(scored.clips)}", "clips scored"),
                (str(len(scored.objects)), "objects"),
            ],
            sections=sections,
            facts=facts,
        )
    )


_TABLE_NOTE = (
    "Means over the objects of each clip. The line shows J from the first counted frame to the last."
)


def _curves(objects: Sequence[ObjectSeries]) -> str:
    lines = [
        Line(name="J", points=_binned([one.region for one in objects])),
        Line(name="F", points=_binned([one.contour for one in objects])),
    ]
    curves = line_chart(
        lines, x_label="part of the clip, per cent", y_label="mean over objects", ticks=(0, 25, 50, 75, 100)
    )
    histogram = bar_chart([one.score.j_and_f for one in objects], label="J&F of an object")
    return (
        '<div class="charts">'
        + card("Does it hold on?", curves + colour_key(["J", "F"]))
        + card("How many objects are followed well?", histogram)
        + "</div>"
    )


def _binned(series: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Mean over objects at evenly spaced parts of their length."""
    places = np.linspace(0, 1, _NUM_BINS)
    stretched = [np.interp(places, np.linspace(0, 1, len(one)), one) for one in series]
    means = np.mean(stretched, axis=0)
    return [(100 * float(x), float(y)) for x, y in zip(places, means, strict=True)]


def _clip_table(scored: ScoredPredictions) -> str:
    rows: list[list[str]] = []
    for clip in sorted((one for one in scored.clips if one.objects), key=_mean_j_and_f):
        scores = [one.score for one in clip.objects]
        rows.append(
            [
                escape(clip.name),
                str(len(scores)),
                bar(_mean_j_and_f(clip)),
                f"{np.mean([score.region.mean for score in scores]):.3f}",
                f"{np.mean([score.contour.mean for score in scores]):.3f}",
                f"{np.mean([score.region.recall for score in scores]):.3f}",
                f"{np.mean([score.region.decay for score in scores]):+.3f}",
                spark_line([y for _, y in _binned([one.region for one in clip.objects])]),
            ]
        )
    report = scored.report
    mean = [
        "mean over objects",
        str(len(scored.objects)),
        bar(report.j_and_f),
        f"{report.region.mean:.3f}",
        f"{report.contour.mean:.3f}",
        f"{report.region.recall:.3f}",
        f"{report.region.decay:+.3f}",
        "",
    ]
    header = ["clip, worst first", "objects", "J&F", "J", "F", "J recall", "J decay", "J, first to last"]
    return table(header, rows, mean=mean)


def _mean_j_and_f(clip: ClipScore) -> float:
    return float(np.mean([one.score.j_and_f for one in clip.objects]))


def _picture_sections(job: ScoringJob, scored: ScoredPredictions) -> Iterator[Section]:
    """Strips and failures; each clip is read once."""
    by_name = {place.name: place for place in job.places}
    worst = sorted((one for one in scored.clips if one.objects), key=_mean_j_and_f)[:_MOST_STRIPS]
    strips: list[str] = []
    failures: list[tuple[float, str]] = []
    for score in worst:
        try:
            clip = by_name[score.name].read().clip
            given = read_predictions(job.predictions, clip, {})
        except (MaskletError, OSError):
            continue  # it was scored, so its files have changed since: there is nothing to draw
        if given is not None:
            answered = _answered(clip, given, score)
            strips.append(strip_of(answered))
            failures += [failure_of(answered, one.object_id) for one in score.objects]
    yield Section(
        title="Truth beside prediction",
        note=f"Above the truth, below the prediction, worst clips first; {len(strips)} of {len(scored.clips)} clips.",
        body="".join(strips),
    )
    tiles = [found for j, found in sorted(failures)[:_MOST_FAILURES] if j < 1]
    yield Section(
        title="Where it fails",
        note="The worst frame of each of the objects that fare worst.",
        body=f'{difference_key()}<div class="tiles">{"".join(tiles)}</div>',
    )


def _answered(clip: Clip, given: Predictions, score: ClipScore) -> Answered:
    return Answered(
        clip=clip,
        masks={
            i: {at: mask for at, mask in enumerate(given.masks[i]) if mask is not None}
            for i in clip.object_ids
        },
        region={one.object_id: dict(zip(one.frames, one.region, strict=True)) for one in score.objects},
        j_and_f=_mean_j_and_f(score),
    )
