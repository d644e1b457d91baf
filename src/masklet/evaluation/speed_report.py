"""Results of speed runs as JSON, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from masklet.evaluation.report import markdown_table
from masklet.evaluation.speed import (
    Cell,
    SpeedReport,
    Turn,
    first_s,
    frames_per_second,
    latency_s,
    peak_bytes,
)

PERCENTS = (50, 90, 99)
_MIB = 2**20


def speed_document(report: SpeedReport) -> dict[str, object]:
    """Every cell as plain JSON values; milliseconds and MiB."""
    return {
        "name": report.name,
        "baseline": report.baseline,
        "num_turns": report.protocol.num_turns,
        "cells": [_cell_values(report, cell) for cell in report.cells],
    }


def speed_table(report: SpeedReport, *, title: str) -> str:
    """Markdown: one row per cell, with the ratios to the baseline, or to the smallest cell without one."""
    header = ["frames", "objects", "frames/s", *[f"p{p} ms" for p in PERCENTS], "first ms", "peak MiB"]
    has_baseline = report.baseline is not None
    header += (
        ["baseline frames/s", "baseline peak MiB", "times as fast", "memory"]
        if has_baseline
        else ["time, to the first row", "memory, to the first row"]
    )
    rows: list[list[str]] = []
    for cell in report.cells:
        row = [str(cell.length), str(cell.num_objects), *cells_of(cell.turns)]
        if has_baseline:
            row += [f"{frames_per_second(cell.baseline):.2f}", f"{peak_bytes(cell.baseline) / _MIB:.0f}"]
        rows.append([*row, *ratios_of(report, cell)])
    against = "" if report.baseline is None else f" against {report.baseline}"
    return f"### {title}{against}\n\n{markdown_table(header, rows)}"


def cells_of(turns: Sequence[Turn]) -> list[str]:
    """Frames per second, percentiles and first frame in milliseconds, peak in MiB, as words."""
    return [
        f"{frames_per_second(turns):.2f}",
        *[f"{1000 * latency_s(turns, percent):.1f}" for percent in PERCENTS],
        f"{1000 * first_s(turns):.1f}",
        f"{peak_bytes(turns) / _MIB:.0f}",
    ]


def ratios_of(report: SpeedReport, cell: Cell) -> list[str]:
    """How many times as fast with its range over the turns, and memory, to the baseline or the smallest cell."""
    faster, memory = cell.times_as_fast, cell.memory_ratio
    if faster is None or memory is None:
        return [f"{value:.2f}" for value in report.over_first(cell)]
    median, low, high = faster
    return [f"{median:.2f} ({low:.2f} to {high:.2f})", f"{memory:.2f}"]


def speed_csv(report: SpeedReport) -> str:
    """One line per frame of every run: side, frames, objects, turn, frame, milliseconds."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["side", "frames", "objects", "turn", "frame", "ms"])
    for cell in report.cells:
        for side, turns in ((report.name, cell.turns), (report.baseline, cell.baseline)):
            for number, turn in enumerate(turns, start=1):
                for frame, seconds in enumerate((turn.first_s, *turn.frames_s)):
                    writer.writerow(
                        [side, cell.length, cell.num_objects, number, frame, round(1000 * seconds, 3)]
                    )
    return file.getvalue()


def _cell_values(report: SpeedReport, cell: Cell) -> dict[str, object]:
    seconds, memory = report.over_first(cell)
    values: dict[str, object] = {
        "num_frames": cell.length,
        "num_objects": cell.num_objects,
        **_side_values(cell.turns),
        "time_over_first": round(seconds, 4),
        "memory_over_first": round(memory, 4),
    }
    faster, ratio = cell.times_as_fast, cell.memory_ratio
    if faster is not None and ratio is not None:
        values["baseline"] = _side_values(cell.baseline)
        values["times_as_fast"] = round(faster[0], 4)
        values["times_as_fast_range"] = [round(faster[1], 4), round(faster[2], 4)]
        values["memory_over_baseline"] = round(ratio, 4)
    return values


def _side_values(turns: Sequence[Turn]) -> dict[str, object]:
    return {
        "frames_per_second": round(frames_per_second(turns), 3),
        "latency_ms": {f"p{percent}": round(1000 * latency_s(turns, percent), 2) for percent in PERCENTS},
        "first_frame_ms": round(1000 * first_s(turns), 2),
        "peak_mib": round(peak_bytes(turns) / _MIB, 1),
    }
