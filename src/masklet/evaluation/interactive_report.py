"""Results of interactive runs as JSON, Markdown and CSV, and their finished clips as journal lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from masklet.evaluation.interactive import InteractiveReport, area_under
from masklet.evaluation.interactive_object import ObjectRounds, RoundResult
from masklet.evaluation.report import markdown_table, vos_document
from masklet.masks import rle

_DECIMALS = 4


def interactive_document(report: InteractiveReport) -> dict[str, object]:
    """Scores of an interactive run as plain JSON values: one video document per round, first round first."""
    protocol = report.protocol
    document: dict[str, object] = {
        "mode": protocol.mode,
        "is_end_left_out": protocol.is_end_left_out,
        "num_rounds": protocol.num_rounds,
        "max_clicks": protocol.max_clicks,
        "area_under_curve": round(report.area, _DECIMALS),
        "mean_frames_clicked": round(report.mean_frames, _DECIMALS),
        "mean_clicks": round(report.mean_clicks, _DECIMALS),
        "rounds": [vos_document(one) for one in report.rounds],
        "corrections": [
            {
                "clip": one.clip,
                "object_id": one.object_id,
                "frames": [found.frame for found in one.rounds],
                "clicks": [found.num_clicks for found in one.rounds],
            }
            for one in report.objects
        ],
    }
    if protocol.mode == "online":
        document["pause_below"] = protocol.pause_below
    return document


def interactive_table(report: InteractiveReport, *, title: str) -> str:
    """Markdown: one row per object and the mean, with J&F after each round, the area under it, J and F at the end."""
    numbers = range(1, report.protocol.num_rounds + 1)
    header = [
        "clip",
        "object",
        *[f"J&F {number}" for number in numbers],
        "area",
        "J",
        "F",
        "frames",
        "clicks",
    ]
    rows: list[list[str]] = []
    for one in report.objects:
        last = one.scores[-1]
        curve = [found.j_and_f for found in one.rounds]
        frames = sum(found.frame is not None for found in one.rounds)
        values = [*curve, area_under(curve), last.region.mean, last.contour.mean]
        counts = [str(frames), str(one.num_clicks)]
        rows.append([one.clip, str(one.object_id), *[f"{value:.3f}" for value in values], *counts])
    end = report.rounds[-1]
    values = [*report.curve, report.area, end.region.mean, end.contour.mean]
    counts = [f"{report.mean_frames:.1f}", f"{report.mean_clicks:.1f}"]
    rows.append(["**mean**", "", *[f"{value:.3f}" for value in values], *counts])
    return f"### {title} ({end.prompt}, {how_chosen(report)})\n\n{markdown_table(header, rows)}"


def interactive_csv(reports: Sequence[InteractiveReport]) -> str:
    """One line per object and round: mode, clip, object, round, frame clicked, clicks, J&F, J and F."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["mode", "clip", "object", "round", "frame", "clicks", "j_and_f", "j", "f"])
    for report in reports:
        for one in report.objects:
            pairs = zip(one.rounds, one.scores, strict=True)
            for number, (found, score) in enumerate(pairs, start=1):
                frame = "" if found.frame is None else found.frame
                values = (score.j_and_f, score.region.mean, score.contour.mean)
                writer.writerow(
                    [
                        report.protocol.mode,
                        one.clip,
                        one.object_id,
                        number,
                        frame,
                        found.num_clicks,
                        *[round(value, 6) for value in values],
                    ]
                )
    return file.getvalue()


def how_chosen(report: InteractiveReport) -> str:
    """How the frames to correct were chosen, in a few words."""
    if report.protocol.mode == "offline":
        return "offline, worst frame first"
    return f"online, pausing below J {report.protocol.pause_below:g}"


def objects_to_json(objects: Sequence[ObjectRounds]) -> dict[str, object]:
    """The objects of a clip as JSON values; objects_from_json gives the same back."""
    return {
        "objects": [
            {
                "clip": one.clip,
                "object_id": one.object_id,
                "frames": list(one.frames),
                "rounds": [asdict(found) for found in one.rounds],
                "masks": [rle.to_json(one.masks[at]) for at in one.frames],
            }
            for one in objects
        ]
    }


def objects_from_json(value: Mapping[str, Any]) -> tuple[ObjectRounds, ...]:
    """What objects_to_json made JSON of."""
    return tuple(
        ObjectRounds(
            clip=one["clip"],
            object_id=one["object_id"],
            frames=tuple(one["frames"]),
            rounds=tuple(
                RoundResult(
                    frame=found["frame"],
                    num_clicks=found["num_clicks"],
                    region=tuple(found["region"]),
                    contour=tuple(found["contour"]),
                )
                for found in one["rounds"]
            ),
            masks={at: rle.from_json(mask) for at, mask in zip(one["frames"], one["masks"], strict=True)},
        )
        for one in value["objects"]
    )
