"""The page of annotation effort: how good masklets are after how many seconds, clicking every frame or tracking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from masklet.evaluation.annotation_effort import Effort
from masklet.evaluation.effort_report import WAY_NAMES, WAYS, EffortReport, Masklet, measure_name, wanted
from masklet.evaluation.page.charts import Line, colour_key, line_chart
from masklet.evaluation.page.document import Page, Section, card, problems_section, render, table

_NUM_STEPS = 60


def effort_page(
    report: EffortReport, *, title: str, facts: Mapping[str, object], problems: Sequence[str] = ()
) -> str:
    """The whole page as HTML.

    Args:
        report: Every masklet both ways, at least one.
        title: What was scored.
        facts: What run_facts tells.
        problems: What was missing or odd.
    """
    sections = [
        Section(title="What time buys", note=_CURVE_NOTE, body=_charts(report)),
        Section(
            title="Masklets",
            note="Most is gained on the first; red where the target was not reached.",
            body=_table(report),
        ),
        Section(title="What a second is", note="", body=_costs(report)),
    ]
    if problems:
        sections.append(problems_section(problems, note="Everything else was scored."))
    return render(
        Page(
            kicker="Annotation effort",
            title=title,
            lead=f"Two simulated people want {wanted(report)}: one clicks on every frame as if it were a photo, one tracks, "
            "watches and corrects the first frame that is wrong.",
            numbers=_numbers(report),
            sections=sections,
            facts=facts,
        )
    )


_CURVE_NOTE = (
    "Mean over masklets once so many seconds per frame were spent on each; a frame without a mask counts 0. A masklet "
    "that is finished keeps what it has."
)


def _numbers(report: EffortReport) -> list[tuple[str, str]]:
    by_frame, tracked = (report.totals(way) for way in WAYS)
    each = "frame by frame"
    return [
        (f"{report.times_faster:.1f}", "times faster by tracking"),
        (f"{report.at_equal_quality.times_faster:.1f}", "times faster until both are equally good"),
        (f"{tracked.clicks:.1f}", f"clicks a masklet; {each} {by_frame.clicks:.1f}"),
        (f"{tracked.seconds_per_frame:.1f}", f"seconds a frame; {each} {by_frame.seconds_per_frame:.1f}"),
        (f"{100 * tracked.reached:.0f} %", f"reach the target; {each} {100 * by_frame.reached:.0f} %"),
        (
            f"{100 * tracked.quality:.1f}",
            f"{measure_name(report)} at the end; {each} {100 * by_frame.quality:.1f}",
        ),
        (f"{100 * tracked.opened:.0f} %", "of the frames worked on by tracking"),
        (str(len(report.masklets)), "masklets"),
    ]


def _charts(report: EffortReport) -> str:
    most = max(one.way(way).seconds_per_frame for one in report.masklets for way in WAYS)
    steps = [float(step) for step in np.linspace(0, most, _NUM_STEPS)]
    lines = [
        Line(name=WAY_NAMES[way], points=list(zip(steps, report.curve(way, steps), strict=True)))
        for way in reversed(WAYS)
    ]
    ticks = [round(float(tick), 1) for tick in np.linspace(0, most, 5)]
    chart = line_chart(
        lines,
        x_label="seconds spent per frame",
        y_label=f"{measure_name(report)}, mean over masklets",
        ticks=ticks,
    )
    parts = [card("Quality against time", chart + colour_key([line.name for line in lines]))]
    parts.append(card("Seconds a frame, masklet by masklet", _bars(report)))
    return f'<div class="charts">{"".join(parts)}</div>'


def _bars(report: EffortReport) -> str:
    """Two bars per masklet."""
    most = max(one.way(way).seconds_per_frame for one in report.masklets for way in WAYS)
    rows: list[str] = []
    for one in _ordered(report)[:12]:
        bars = "".join(
            f'<i style="width:{100 * one.way(way).seconds_per_frame / most:.1f}%;background:{colour}"></i>'
            for way, colour in zip(WAYS, ("var(--second)", "var(--accent)"), strict=True)
        )
        rows.append(f"<dt>{_name(one.frame_by_frame)}</dt><dd>{bars}</dd>")
    return f'<dl class="bars">{"".join(rows)}</dl>'


def _ordered(report: EffortReport) -> list[Masklet]:
    return sorted(report.masklets, key=lambda one: one.times_faster, reverse=True)


def _name(one: Effort) -> str:
    return f"{escape(one.clip)} {one.object_id}"


def _table(report: EffortReport) -> str:
    measure = measure_name(report)
    header = ["clip and object", "frames", "times faster"]
    header += [f"{name}, {way}" for name in ("clicks", "seconds", measure) for way in ("each", "track")]
    rows = [
        [
            _name(one.frame_by_frame),
            str(one.frame_by_frame.num_frames),
            f"{one.times_faster:.2f}",
            *[str(one.way(way).num_clicks) for way in WAYS],
            *[f"{one.way(way).seconds:.1f}" for way in WAYS],
            *[_quality(one.way(way), report.protocol.target) for way in WAYS],
        ]
        for one in _ordered(report)
    ]
    totals = [report.totals(way) for way in WAYS]
    mean = ["mean", "", f"{report.times_faster:.2f}"]
    mean += [f"{one.clicks:.1f}" for one in totals] + [f"{one.seconds:.1f}" for one in totals]
    return table(header, rows, mean=[*mean, *[f"{one.quality:.3f}" for one in totals]])


def _quality(one: Effort, target: float) -> str:
    return f"{one.mean_iou:.3f}" if one.is_reached(target) else f'<span class="low">{one.mean_iou:.3f}</span>'


def _costs(report: EffortReport) -> str:
    protocol = report.protocol
    costs = {
        "A click, with finding the place": f"{protocol.click_s:g} s",
        "Turning to a frame and judging it": f"{protocol.open_s:g} s",
        "A frame of a tracked clip that is watched": f"{protocol.watch_s:g} s",
        "Most clicks on a frame": str(protocol.max_clicks),
    }
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{value}</dd>" for name, value in costs.items())
    words = "These costs are assumed, not measured; waiting for the model is left out."
    return f'<div class="card"><p class="note">{words}</p><dl>{rows}</dl></div>'
