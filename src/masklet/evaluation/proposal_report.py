"""Results of automatic masks as JSON, Markdown and CSV, and their finished images as journal lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from masklet.evaluation.proposals import SIZES, ImageRecall, ProposalReport, ProposalSummary
from masklet.evaluation.report import markdown_table

_DECIMALS = 4


def proposals_document(report: ProposalReport) -> dict[str, object]:
    """What was found, overall, by source and by image, as plain JSON values."""
    return {
        "most_proposals": list(report.protocol.most),
        "overall": _values(report.overall()),
        "sources": {source: _values(found) for source, found in report.by_source().items()},
        "recall_by_iou": {
            str(k): {f"{iou:g}": _rounded(value) for iou, value in report.recall_curve(k)}
            for k in report.protocol.most
        },
        "images": [
            {
                "source": one.source,
                "image": one.image,
                "num_proposals": one.num_proposals,
                "num_regions": one.num_regions["all"],
                "average_recall": {str(k): _rounded(one.recall(k) or 0.0) for k in report.protocol.most},
                "covering": _rounded(one.covering),
                "covered": _rounded(one.covered),
            }
            for one in report.images
        ],
    }


def proposals_table(report: ProposalReport, *, title: str) -> str:
    """Markdown: one row per source and all regions together."""
    most = report.protocol.most
    sizes = [size for size in SIZES if size != "all"]
    header = ["source", "images", "regions", "proposals", *[f"AR@{k}" for k in most]]
    header += [*[f"AR {size}" for size in sizes], "covering", "best IoU", "covered"]
    rows: list[list[str]] = []
    for source, found in {**report.by_source(), "**all**": report.overall()}.items():
        by_size = [found.recall_by_size.get(size) for size in sizes]
        values = [found.recall[k] for k in most]
        rows.append(
            [
                source,
                str(found.num_images),
                str(found.num_regions),
                f"{found.mean_proposals:.1f}",
                *[f"{value:.3f}" for value in values],
                *["" if value is None else f"{value:.3f}" for value in by_size],
                *[f"{value:.3f}" for value in (found.covering, found.best_iou, found.covered)],
            ]
        )
    return f"### {title} (automatic masks)\n\n{markdown_table(header, rows)}"


def proposals_csv(report: ProposalReport) -> str:
    """One line per true region: source, image, region, area in pixels, and IoU with the best proposal."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["source", "image", "region", "area", "best_iou"])
    for one in report.images:
        for index, (area, value) in enumerate(zip(one.areas, one.best_ious, strict=True)):
            writer.writerow([one.source, one.image, index, area, round(value, 6)])
    return file.getvalue()


def image_to_json(found: ImageRecall) -> dict[str, object]:
    """An image as JSON values; image_from_json gives the same back."""
    return asdict(found)


def image_from_json(value: Mapping[str, Any]) -> ImageRecall:
    """What image_to_json made JSON of."""
    return ImageRecall(
        source=value["source"],
        image=value["image"],
        num_proposals=value["num_proposals"],
        areas=tuple(value["areas"]),
        best_ious=tuple(value["best_ious"]),
        num_regions=value["num_regions"],
        num_found={
            size: {int(k): tuple(counts) for k, counts in by_number.items()}
            for size, by_number in value["num_found"].items()
        },
        covered=value["covered"],
    )


def _values(found: ProposalSummary) -> dict[str, object]:
    return {
        "num_images": found.num_images,
        "num_regions": found.num_regions,
        "mean_proposals": _rounded(found.mean_proposals),
        "average_recall": {str(k): _rounded(value) for k, value in found.recall.items()},
        "average_recall_by_size": {size: _rounded(value) for size, value in found.recall_by_size.items()},
        "covering": _rounded(found.covering),
        "mean_best_iou": _rounded(found.best_iou),
        "covered": _rounded(found.covered),
    }


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
