"""The page of a video result: curves, a table of clips, strips of truth beside prediction, and the worst frames."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np

from masklet.errors import MaskletError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.page.charts import Line, bar_chart, colour_key, line_chart, spark_line
from masklet.evaluation.page.document import Page, Section, bar, card, difference_key, render, table, tile
from masklet.evaluation.page.pictures import around, difference_over, image_tag, objects_over
from masklet.evaluation.predictions import Predictions, read_predictions
from masklet.evaluation.scoring import ClipScore, ObjectSeries, ScoredPredictions, ScoringJob
from masklet.masks import rle
from masklet.masks.arrays import BoolArray, ByteArray

_NUM_BINS, _NUM_SHOWN, _MOST_STRIPS, _MOST_FAILURES = 20, 5, 30, 12


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
        items = "".join(f"<li>{escape(problem)}</li>" for problem in scored.problems)
        body = f'<ul class="problems">{items}</ul>'
        sections.append(Section(title="Missing or odd files", note="Everything else was scored.", body=body))
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
            strips.append(_strip(clip, given, score))
            failures += [_failure(clip, given, one) for one in score.objects]
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


def _strip(clip: Clip, given: Predictions, score: ClipScore) -> str:
    frames = sorted({at for one in score.objects for at in one.frames})
    chosen = [frames[round(part * (len(frames) - 1))] for part in np.linspace(0, 1, _NUM_SHOWN)]
    figures: list[str] = []
    for index in dict.fromkeys(chosen):
        frame = _frame(clip, index)
        true = {i: _mask(clip, clip.truth[i][index]) for i in clip.object_ids}
        answer = {i: _mask(clip, given.masks[i][index]) for i in clip.object_ids}
        values = [one.region[one.frames.index(index)] for one in score.objects if index in one.frames]
        images = image_tag(
            objects_over(frame, true), alt=f"Truth on frame {index} of {clip.name}", width=260
        ) + image_tag(
            objects_over(frame, answer), alt=f"Prediction on frame {index} of {clip.name}", width=260
        )
        caption = f"frame {index} · J {np.mean(values):.2f}" if values else f"frame {index}"
        figures.append(f"<figure>{images}<figcaption>{caption}</figcaption></figure>")
    noun = "object" if len(score.objects) == 1 else "objects"
    return (
        f'<article class="strip"><header><h3>{escape(clip.name)}</h3>'
        f"<span>{len(score.objects)} {noun} · J&amp;F {100 * _mean_j_and_f(score):.1f}</span></header>"
        f'<div class="frames">{"".join(figures)}</div></article>'
    )


def _failure(clip: Clip, given: Predictions, one: ObjectSeries) -> tuple[float, str]:
    """J of the worst frame of an object, and its tile."""
    at = int(np.argmin(one.region))
    index = one.frames[at]
    true = _mask(clip, clip.truth[one.object_id][index])
    answer = _mask(clip, given.masks[one.object_id][index])
    picture = around(difference_over(_frame(clip, index), answer, true), true | answer)
    words = f"object {one.object_id}, frame {index}, J {one.region[at]:.2f}"
    alt = f"Difference on frame {index} of {clip.name}"
    return one.region[at], tile(image_tag(picture, alt=alt), clip.name, words)


def _frame(clip: Clip, index: int) -> ByteArray:
    """The frame, or plain grey where the data set came without images."""
    try:
        return clip.frame(index)
    except MaskletError:
        return np.full((*clip.size.hw, 3), 96, dtype=np.uint8)


def _mask(clip: Clip, found: rle.RLE | None) -> BoolArray:
    return rle.decode(rle.empty(clip.size) if found is None else found)
