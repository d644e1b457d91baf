"""The page of an interactive result: curves with the area under them, every object's correction, strips and failures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

import numpy as np

from masklet.errors import MaskletError
from masklet.evaluation.interactive import InteractiveReport, area_under
from masklet.evaluation.interactive_object import ObjectRounds
from masklet.evaluation.interactive_report import how_chosen
from masklet.evaluation.layouts import ClipPlace
from masklet.evaluation.page.charts import (
    Line,
    bar_chart,
    colour_key,
    correction_chart,
    line_chart,
    spark_line,
)
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

_MOST_CURVES, _MOST_STRIPS, _MOST_FAILURES = 36, 12, 12


def interactive_page(
    places: Sequence[ClipPlace],
    reports: Sequence[InteractiveReport],
    *,
    title: str,
    facts: Mapping[str, object],
    problems: Sequence[str] = (),
) -> str:
    """The whole page as HTML.

    Args:
        places: The clips, to draw them.
        reports: One per mode, at least one, each with at least one object.
        title: What was scored.
        facts: What run_facts tells.
        problems: What was missing or odd.
    """
    sections = [Section(title="What another frame is worth", note=_AREA_NOTE, body=_curves(reports))]
    for report in reports:
        sections += _mode_sections(report)
    sections += _picture_sections(places, reports[0])
    if problems:
        sections.append(problems_section(problems, note="Everything else was scored."))
    return render(
        Page(
            kicker="Interactive video segmentation",
            title=title,
            lead=_lead(reports[0]),
            numbers=_numbers(reports),
            sections=sections,
            facts=facts,
        )
    )


_AREA_NOTE = (
    "The area under a curve is divided by its width: it is the mean J&F over the frames that were clicked on."
)
_CURVES_NOTE = (
    "J on each frame: pale after the first frame was clicked, strong after the last; dots are clicked frames. Objects "
    "that fare worst first."
)


def _lead(report: InteractiveReport) -> str:
    protocol = report.protocol
    clicks = "One click" if protocol.max_clicks == 1 else f"Up to {protocol.max_clicks} clicks"
    return (
        f"{clicks} on each of up to {protocol.num_rounds} frames, each at the centre of the largest error. "
        "Each object weighs the same."
    )


def _numbers(reports: Sequence[InteractiveReport]) -> list[tuple[str, str]]:
    numbers: list[tuple[str, str]] = []
    for report in reports:
        mode = report.protocol.mode
        numbers += [
            (f"{100 * report.area:.1f}", f"area under J&F, {mode}"),
            (f"{100 * report.curve[-1]:.1f}", f"J&F at the end, {mode}"),
            (f"{report.mean_frames:.1f}", f"frames clicked, {mode}"),
            (f"{report.mean_clicks:.1f}", f"clicks, {mode}"),
        ]
    first = f"{100 * reports[0].curve[0]:.1f}"
    return [*numbers, (first, "J&F after one frame"), (str(len(reports[0].objects)), "objects")]


def _curves(reports: Sequence[InteractiveReport]) -> str:
    steps = range(1, reports[0].protocol.num_rounds + 1)
    lines = [
        Line(name=_named(one), points=[(float(k), j) for k, j in zip(steps, one.curve, strict=True)])
        for one in reports
    ]
    curve = line_chart(
        lines, x_label="frames clicked on", y_label="J&F, mean over objects", ticks=list(steps)
    )
    parts = [card("More frames", curve + colour_key([line.name for line in lines]))]
    for report in reports:
        values = [one.rounds[-1].j_and_f for one in report.objects]
        title = f"How many objects come out well, {report.protocol.mode}?"
        parts.append(card(title, bar_chart(values, label="J&F of an object at the end")))
    return f'<div class="charts">{"".join(parts)}</div>'


def _named(report: InteractiveReport) -> str:
    return f"{report.protocol.mode}, area {100 * report.area:.1f}"


def _mode_sections(report: InteractiveReport) -> Iterator[Section]:
    mode = report.protocol.mode.capitalize()
    ordered = sorted(report.objects, key=lambda one: one.rounds[-1].j_and_f)
    shown = ordered[:_MOST_CURVES]
    more = "" if len(shown) == len(ordered) else f" {len(shown)} of {len(ordered)} objects."
    yield Section(
        title=f"{mode}, object by object",
        note=_CURVES_NOTE + more,
        body=f'<div class="curves">{"".join(map(_object_curve, shown))}</div>',
    )
    yield Section(
        title=f"{mode}, clip by clip",
        note=f"Means over the objects of each clip; {how_chosen(report)}.",
        body=_clip_table(report),
    )


def _object_curve(one: ObjectRounds) -> str:
    first, last = one.rounds[0], one.rounds[-1]
    clicked = [found.frame for found in one.rounds if found.frame is not None]
    chart = correction_chart(one.frames, before=first.region, after=last.region, marked=clicked)
    words = f"J&amp;F {100 * first.j_and_f:.1f} → {100 * last.j_and_f:.1f} · {one.num_clicks} clicks"
    return (
        f'<figure class="card">{chart}<figcaption><b>{escape(one.clip)}</b> · object {one.object_id}<br>{words}'
        "</figcaption></figure>"
    )


def _by_clip(objects: Sequence[ObjectRounds]) -> dict[str, list[ObjectRounds]]:
    found: dict[str, list[ObjectRounds]] = {}
    for one in objects:
        found.setdefault(one.clip, []).append(one)
    return found


def _clip_table(report: InteractiveReport) -> str:
    clips = sorted(_by_clip(report.objects).items(), key=lambda item: _curve_of(item[1])[-1])
    rows = [_row(escape(name), objects, _curve_of(objects)) for name, objects in clips]
    mean = _row("mean over objects", report.objects, report.curve)
    header = ["clip, worst first", "objects", "J&F, 1 frame", "J&F, end", "area", "frames", "clicks", "curve"]
    return table(header, rows, mean=mean)


def _row(name: str, objects: Sequence[ObjectRounds], curve: Sequence[float]) -> list[str]:
    frames = np.mean([sum(found.frame is not None for found in one.rounds) for one in objects])
    return [
        name,
        str(len(objects)),
        f"{curve[0]:.3f}",
        bar(curve[-1]),
        f"{area_under(curve):.3f}",
        f"{frames:.1f}",
        f"{np.mean([one.num_clicks for one in objects]):.1f}",
        spark_line(curve),
    ]


def _curve_of(objects: Sequence[ObjectRounds]) -> list[float]:
    return [float(value) for value in np.mean([[r.j_and_f for r in one.rounds] for one in objects], axis=0)]


def _picture_sections(places: Sequence[ClipPlace], report: InteractiveReport) -> Iterator[Section]:
    """Strips and failures; each clip is read once."""
    by_name = {place.name: place for place in places}
    clips = sorted(_by_clip(report.objects).items(), key=lambda item: _curve_of(item[1])[-1])
    strips: list[str] = []
    failures: list[tuple[float, str]] = []
    for name, objects in clips[:_MOST_STRIPS]:
        try:
            clip = by_name[name].read().clip
        except (MaskletError, OSError):
            continue  # it was scored, so its files have changed since: there is nothing to draw
        answered = Answered(
            clip=clip,
            masks={one.object_id: one.masks for one in objects},
            region={o.object_id: dict(zip(o.frames, o.rounds[-1].region, strict=True)) for o in objects},
            j_and_f=_curve_of(objects)[-1],
        )
        strips.append(strip_of(answered))
        failures += [failure_of(answered, one.object_id) for one in objects]
    mode = report.protocol.mode
    yield Section(
        title="Truth beside prediction",
        note=f"Above the truth, below what stood after the last correction, {mode}; worst clips first, {len(strips)} of "
        f"{len(clips)}.",
        body="".join(strips),
    )
    tiles = [found for j, found in sorted(failures)[:_MOST_FAILURES] if j < 1]
    yield Section(
        title="Where it fails",
        note="The worst frame that is left of each of the objects that fare worst.",
        body=f'{difference_key()}<div class="tiles">{"".join(tiles)}</div>',
    )
