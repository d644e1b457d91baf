"""The page of a speed run: the table with its ratios, and bars of latency and memory."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from masklet.evaluation.page.charts import colour_key
from masklet.evaluation.page.document import Page, Section, card, render, table
from masklet.evaluation.speed import Cell, SpeedReport, Turn, frames_per_second, latency_s, peak_bytes
from masklet.evaluation.speed_report import PERCENTS, cells_of, ratios_of


def speed_page(report: SpeedReport, *, title: str, facts: Mapping[str, object]) -> str:
    """The whole page as HTML.

    Args:
        report: What was measured.
        title: What was measured, in words.
        facts: What run_facts tells.
    """
    against = "the smallest cell" if report.baseline is None else report.baseline
    return render(
        Page(
            kicker="Speed and memory",
            title=title,
            lead=f"Objects followed through frames that lie in memory, each cell run {_times(report.protocol.num_turns)}. "
            f"Ratios are to {against}; both sides take turns in one run, each in a process of its own.",
            numbers=_numbers(report),
            sections=[
                Section(title="Where the time and the memory go", note="", body=_charts(report)),
                Section(title="Every cell", note=_TABLE_NOTE, body=_table(report)),
            ],
            facts=facts,
        )
    )


_TABLE_NOTE = (
    "Latency is that of a frame after the first: half, nine tenths and 99 of 100 frames come within it. The first frame takes "
    "its prompts too. The peak is that of the process, or of the graphics card where one is used."
)


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"


def _numbers(report: SpeedReport) -> list[tuple[str, str]]:
    first, last = report.cells[0], report.cells[-1]
    numbers = [
        (f"{frames_per_second(first.turns):.1f}", f"frames/s, {_name(first)}"),
        (f"{frames_per_second(last.turns):.1f}", f"frames/s, {_name(last)}"),
        (f"{1000 * latency_s(first.turns, 99):.0f} ms", f"p99, {_name(first)}"),
        (f"{peak_bytes(last.turns) / 2**20:.0f} MiB", f"peak, {_name(last)}"),
    ]
    if report.baseline is not None and first.times_as_fast is not None:
        numbers.insert(0, (f"{first.times_as_fast[0]:.2f}", f"times as fast, {_name(first)}"))
    return numbers


def _name(cell: Cell) -> str:
    noun = "object" if cell.num_objects == 1 else "objects"
    return f"{cell.num_objects} {noun}, {cell.length} frames"


def _charts(report: SpeedReport) -> str:
    key = "" if report.baseline is None else colour_key([report.name, report.baseline])
    latency = _bars(report, lambda turns: 1000 * latency_s(turns, 50), "ms")
    memory = _bars(report, lambda turns: peak_bytes(turns) / 2**20, "MiB")
    return (
        '<div class="charts">'
        + card("Milliseconds a frame, median", latency + key)
        + card("Peak memory", memory + key)
        + "</div>"
    )


def _bars(report: SpeedReport, value: Callable[[Sequence[Turn]], float], unit: str) -> str:
    """A bar per cell and side, with its number."""
    sides = [("var(--accent)", [cell.turns for cell in report.cells])]
    if report.baseline is not None:
        sides.append(("var(--second)", [cell.baseline for cell in report.cells]))
    most = max(value(turns) for _, column in sides for turns in column)
    rows: list[str] = []
    for index, cell in enumerate(report.cells):
        bars = "".join(
            f'<span class="measured"><i style="width:{74 * value(column[index]) / most:.1f}%;background:{colour}"></i>'
            f"{value(column[index]):.0f} {unit}</span>"
            for colour, column in sides
        )
        rows.append(f"<dt>{escape(_name(cell))}</dt><dd>{bars}</dd>")
    return f'<dl class="bars">{"".join(rows)}</dl>'


def _table(report: SpeedReport) -> str:
    header = ["objects and frames", "frames/s", *[f"p{p} ms" for p in PERCENTS], "first ms", "peak MiB"]
    header += (
        ["time, to the first", "memory"] if report.baseline is None else ["times as fast (range)", "memory"]
    )
    rows = [[escape(_name(cell)), *cells_of(cell.turns), *ratios_of(report, cell)] for cell in report.cells]
    body = table(header, rows)
    if report.baseline is None:
        return body
    others = [[escape(_name(cell)), *cells_of(cell.baseline)] for cell in report.cells]
    return body + f'<h3 class="under">{escape(report.baseline)}</h3>' + table(header[:7], others)
