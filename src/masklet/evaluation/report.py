"""Results as JSON and Markdown, with the facts that let others repeat them."""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from masklet.errors import FormatError
from masklet.evaluation.clicks import ClickReport, ClickSummary
from masklet.evaluation.occlusion import OcclusionReport, OcclusionSummary
from masklet.evaluation.vos import ObjectScore, Statistics, VosReport

_DECIMALS = 4
_PACKAGES = ("numpy", "opencv-python-headless", "torch")


def run_facts(*, command: str, **more: str) -> dict[str, object]:
    """Where a result comes from.

    Args:
        command: The command line that repeats it, with file names instead of paths.
        more: Further facts, such as the data or the model.

    Returns:
        Machine, versions, commit (with "-dirty" when files other than results had changed) and command.
    """
    return {
        "machine": f"{_processor()}, {os.cpu_count()} logical cores",
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "packages": {name: found for name in _PACKAGES if (found := _package_version(name)) is not None},
        "commit": _commit(),
        "command": command,
        **more,
    }


def vos_document(report: VosReport) -> dict[str, object]:
    """Scores of a video run as plain JSON values, rounded to four decimals."""
    return {
        "prompt": report.prompt,
        "j_and_f": round(report.j_and_f, _DECIMALS),
        "j": _statistics(report.region),
        "f": _statistics(report.contour),
        "objects": [_object_document(score) for score in report.objects],
    }


def clicks_document(report: ClickReport) -> dict[str, object]:
    """Scores of a click run as plain JSON values, rounded to four decimals; NoC counts at most max_clicks."""
    return {
        "max_clicks": report.protocol.max_clicks,
        "mean_over_sources": _clicks_values(report.mean_over_sources()),
        "sources": {source: _clicks_values(found) for source, found in report.by_source().items()},
    }


def occlusion_document(report: OcclusionReport) -> dict[str, object]:
    """Scores of an occlusion run as plain JSON values, rounded to four decimals."""
    return {
        "min_visible": report.protocol.min_visible,
        "found_after": report.protocol.found_after,
        "found_iou": report.protocol.found_iou,
        "overall": _occlusion_values(report.overall()),
        "kinds": {kind: _occlusion_values(found) for kind, found in report.by_kind().items()},
        "clips": [
            {
                "clip": one.clip,
                "kind": one.kind,
                "mean_presence_visible": round(sum(one.visible) / len(one.visible), _DECIMALS),
                "mean_presence_hidden": round(sum(one.hidden) / len(one.hidden), _DECIMALS),
                "j_visible": round(one.region, _DECIMALS),
                "is_found": one.is_found,
            }
            for one in report.clips
        ],
    }


def vos_table(report: VosReport, *, title: str) -> str:
    """Markdown: one row per object and the mean."""
    header = ["clip", "object", "J&F", "J mean", "J recall", "J decay", "F mean", "F recall", "F decay"]
    rows = [
        [score.clip, str(score.object_id), *_vos_cells(score.j_and_f, score.region, score.contour)]
        for score in report.objects
    ]
    rows.append(["**mean**", "", *_vos_cells(report.j_and_f, report.region, report.contour)])
    return f"### {title} ({report.prompt} prompt)\n\n{markdown_table(header, rows)}"


def occlusion_table(report: OcclusionReport, *, title: str) -> str:
    """Markdown: one row per kind of clip and all together."""
    header = [
        "clips",
        "number",
        "visible frames",
        "hidden frames",
        "presence AUC",
        "J visible",
        "found again",
    ]
    rows = [
        [
            kind,
            *[str(count) for count in (found.num_clips, found.num_visible, found.num_hidden)],
            *[f"{value:.3f}" for value in (found.presence_auc, found.region, found.found)],
        ]
        for kind, found in {**report.by_kind(), "**all**": report.overall()}.items()
    ]
    return f"### {title} (leave and return)\n\n{markdown_table(header, rows)}"


def occlusion_csv(report: OcclusionReport) -> str:
    """One line per clip: its kind, mean presence while the object is seen and while it is gone, J, and whether it was found."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["clip", "kind", "presence_visible", "presence_hidden", "j_visible", "is_found"])
    for one in report.clips:
        means = [sum(values) / len(values) for values in (one.visible, one.hidden)]
        numbers = [round(value, 6) for value in (*means, one.region)]
        writer.writerow([one.clip, one.kind, *numbers, int(one.is_found)])
    return file.getvalue()


def clicks_table(report: ClickReport, *, title: str) -> str:
    """Markdown: one row per source and the mean over sources."""
    header = ["source", "objects", *[f"mIoU@{k}" for k in report.protocol.clicks]]
    header += [*[f"NoC@{round(100 * target)}" for target in report.protocol.targets], "box mIoU"]
    summaries = {**report.by_source(), "**mean**": report.mean_over_sources()}
    rows = [[source, *_clicks_cells(found)] for source, found in summaries.items()]
    return f"### {title}\n\n{markdown_table(header, rows)}"


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table.

    Args:
        header: Column names.
        rows: Cells, as many in each row as there are columns.

    Returns:
        The table, ending in a line break.

    Raises:
        FormatError: When a row has another number of cells.
    """
    if any(len(row) != len(header) for row in rows):
        raise FormatError(f"Every row of this table must have {len(header)} cells.")
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def write_json(path: Path, document: Mapping[str, object]) -> None:
    """Write a result with sorted keys, so that two runs can be compared line by line; makes the folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = json.dumps(document, indent=1, sort_keys=True, allow_nan=False)
    path.write_text(content + "\n", encoding="utf-8")


def _object_document(score: ObjectScore) -> dict[str, object]:
    return {
        "clip": score.clip,
        "object_id": score.object_id,
        "num_frames": score.num_frames,
        "j_and_f": round(score.j_and_f, _DECIMALS),
        "j": _statistics(score.region),
        "f": _statistics(score.contour),
    }


def _statistics(found: Statistics) -> dict[str, float]:
    return {
        "mean": round(found.mean, _DECIMALS),
        "recall": round(found.recall, _DECIMALS),
        "decay": round(found.decay, _DECIMALS),
    }


def _clicks_values(found: ClickSummary) -> dict[str, object]:
    return {
        "num_objects": found.num_objects,
        "miou_after": {str(k): round(value, _DECIMALS) for k, value in found.miou_after.items()},
        "clicks_to": {f"{target:g}": round(value, _DECIMALS) for target, value in found.clicks_to.items()},
        "box_miou": None if found.box_miou is None else round(found.box_miou, _DECIMALS),
    }


def _occlusion_values(found: OcclusionSummary) -> dict[str, object]:
    return {
        "num_clips": found.num_clips,
        "num_visible_frames": found.num_visible,
        "num_hidden_frames": found.num_hidden,
        "presence_auc": round(found.presence_auc, _DECIMALS),
        "j_visible": round(found.region, _DECIMALS),
        "found_again": round(found.found, _DECIMALS),
    }


def _vos_cells(j_and_f: float, region: Statistics, contour: Statistics) -> list[str]:
    values = [j_and_f, region.mean, region.recall, region.decay, contour.mean, contour.recall, contour.decay]
    return [f"{value:.3f}" for value in values]


def _clicks_cells(found: ClickSummary) -> list[str]:
    scores = [f"{value:.3f}" for value in found.miou_after.values()]
    counts = [f"{value:.2f}" for value in found.clicks_to.values()]
    return [
        str(found.num_objects),
        *scores,
        *counts,
        "" if found.box_miou is None else f"{found.box_miou:.3f}",
    ]


def _processor() -> str:
    """Name of the processor, as far as the system tells."""
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _package_version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _commit() -> str:
    """The commit of the working tree this file lies in, or "unknown" outside of one.

    Stored results that changed do not make it dirty: one benchmark after another writes its own.
    """
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", *_CODE)
    except (OSError, subprocess.SubprocessError):
        return "unknown"
    return f"{commit}-dirty" if changed else commit


_CODE = (":(top)", ":(top,exclude)benchmarks/results")


def _git(*words: str) -> str:
    """What git says about the working tree this file lies in."""
    done = subprocess.run(
        ["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=20
    )
    return done.stdout.strip()
