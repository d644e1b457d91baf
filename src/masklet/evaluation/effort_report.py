"""Results of the comparison of annotation effort as JSON, Markdown and CSV, and finished masklets as journal lines."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from masklet.errors import PromptError
from masklet.evaluation.annotation_effort import Effort, EffortPoint, EffortProtocol
from masklet.evaluation.report import markdown_table

WAYS = ("frame_by_frame", "track_and_correct")
WAY_NAMES = {"frame_by_frame": "frame by frame", "track_and_correct": "track and correct"}
_DECIMALS = 4
_EQUAL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Masklet:
    """What one object of a clip cost either way."""

    frame_by_frame: Effort
    track_and_correct: Effort

    def way(self, name: str) -> Effort:
        """One of WAYS."""
        return self.frame_by_frame if name == "frame_by_frame" else self.track_and_correct

    @property
    def times_faster(self) -> float:
        """Seconds frame by frame over seconds by tracking and correcting."""
        return self.frame_by_frame.seconds / self.track_and_correct.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortTotals:
    """One way over all masklets.

    Args:
        clicks: Clicks of a masklet, mean.
        seconds: Seconds of a masklet, mean.
        seconds_per_frame: Seconds for a frame, frames of all masklets together.
        opened: Part of the frames that were worked on.
        quality: Mean score of a masklet.
        reached: Part of the masklets that reached the target as a whole.
    """

    clicks: float
    seconds: float
    seconds_per_frame: float
    opened: float
    quality: float
    reached: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EqualEffort:
    """What both ways cost until each masklet was as good as the worse of them ever made it.

    Args:
        quality: Mean over masklets of that score.
        frame_by_frame: Seconds for a frame, frames of all masklets together.
        track_and_correct: The same.
    """

    quality: float
    frame_by_frame: float
    track_and_correct: float

    @property
    def times_faster(self) -> float:
        """Seconds frame by frame over seconds by tracking and correcting."""
        return self.frame_by_frame / self.track_and_correct


@dataclass(frozen=True, slots=True, kw_only=True)
class EffortReport:
    """Every masklet under one protocol."""

    protocol: EffortProtocol
    masklets: tuple[Masklet, ...]

    def totals(self, way: str) -> EffortTotals:
        """One of WAYS over all masklets.

        Raises:
            PromptError: When there is no masklet.
        """
        found = [one.way(way) for one in self.masklets]
        if not found:
            raise PromptError("No masklet was annotated; give clips whose objects are seen.")
        frames = sum(one.num_frames for one in found)
        return EffortTotals(
            clicks=float(np.mean([one.num_clicks for one in found])),
            seconds=float(np.mean([one.seconds for one in found])),
            seconds_per_frame=sum(one.seconds for one in found) / frames,
            opened=sum(one.num_opened for one in found) / frames,
            quality=float(np.mean([one.mean_iou for one in found])),
            reached=float(np.mean([one.is_reached(self.protocol.target) for one in found])),
        )

    @property
    def times_faster(self) -> float:
        """Seconds of all masklets frame by frame over those by tracking and correcting."""
        before, after = (sum(one.way(way).seconds for one in self.masklets) for way in WAYS)
        return before / after

    @property
    def at_equal_quality(self) -> EqualEffort:
        """Seconds until both are equally good: one way may stop short of what the other reaches."""
        qualities = [
            min(max(point.quality for point in one.way(way).path) for way in WAYS) for one in self.masklets
        ]
        frames = sum(one.frame_by_frame.num_frames for one in self.masklets)
        each, tracked = (
            sum(
                self._seconds_until(one.way(way), quality)
                for one, quality in zip(self.masklets, qualities, strict=True)
            )
            for way in WAYS
        )
        return EqualEffort(
            quality=float(np.mean(qualities)),
            frame_by_frame=each / frames,
            track_and_correct=tracked / frames,
        )

    def _seconds_until(self, effort: Effort, quality: float) -> float:
        """Seconds until a masklet was so good; who tracks has to watch it to its end to know."""
        worked_on, point = next(
            (count, point)
            for count, point in enumerate(effort.path, start=1)
            if point.quality >= quality - _EQUAL
        )
        if not effort.num_watched:
            return point.seconds
        protocol = self.protocol
        watching = point.seconds - protocol.seconds(point.num_clicks, worked_on, 0)
        return point.seconds + max(0.0, (effort.num_frames - worked_on) * protocol.watch_s - watching)

    def curve(self, way: str, seconds_per_frame: Sequence[float]) -> list[float]:
        """Mean quality over masklets once so many seconds per frame were spent on each."""
        return [
            float(np.mean([_quality_after(one.way(way), spent) for one in self.masklets]))
            for spent in seconds_per_frame
        ]


def effort_document(report: EffortReport) -> dict[str, object]:
    """Totals of both ways and every masklet as plain JSON values."""
    return {
        "protocol": asdict(report.protocol),
        "times_faster": _rounded(report.times_faster),
        "at_equal_quality": _equal_values(report.at_equal_quality),
        **{way: {k: _rounded(v) for k, v in asdict(report.totals(way)).items()} for way in WAYS},
        "masklets": [
            {
                "clip": one.frame_by_frame.clip,
                "object_id": one.frame_by_frame.object_id,
                "num_frames": one.frame_by_frame.num_frames,
                "times_faster": _rounded(one.times_faster),
                **{way: _effort_values(one.way(way), report.protocol.target) for way in WAYS},
            }
            for one in report.masklets
        ],
    }


def effort_table(report: EffortReport, *, title: str) -> str:
    """Markdown: one row per masklet and the mean, both ways side by side."""
    header = ["clip", "object", "frames"]
    header += [
        f"{name}, {WAY_NAMES[way]}" for way in WAYS for name in ("clicks", "seconds", measure_name(report))
    ]
    rows: list[list[str]] = []
    for one in report.masklets:
        first = one.frame_by_frame
        cells = [
            [str(found.num_clicks), f"{found.seconds:.1f}", f"{found.mean_iou:.3f}"]
            for found in (one.way(way) for way in WAYS)
        ]
        rows.append(
            [
                first.clip,
                str(first.object_id),
                str(first.num_frames),
                *cells[0],
                *cells[1],
                f"{one.times_faster:.2f}",
            ]
        )
    means = [report.totals(way) for way in WAYS]
    cells = [[f"{one.clicks:.1f}", f"{one.seconds:.1f}", f"{one.quality:.3f}"] for one in means]
    rows.append(["**mean**", "", "", *cells[0], *cells[1], f"{report.times_faster:.2f}"])
    table = markdown_table([*header, "times faster"], rows)
    return f"### {title} (to {wanted(report)})\n\n{table}\n\n{equal_words(report)}"


def effort_csv(report: EffortReport) -> str:
    """One line per masklet and way, and then per frame worked on: clicks, seconds and quality so far."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["clip", "object", "way", "worked_on", "clicks", "seconds", "quality"])
    for one in report.masklets:
        for way in WAYS:
            effort = one.way(way)
            for number, point in enumerate(effort.path, start=1):
                values = [point.num_clicks, point.seconds, round(point.quality, 6)]
                writer.writerow([effort.clip, effort.object_id, way, number, *values])
    return file.getvalue()


def measure_name(report: EffortReport) -> str:
    """What the score is called."""
    return "J&F" if report.protocol.measure == "j_and_f" else "IoU"


def equal_words(report: EffortReport) -> str:
    """The comparison at equal quality, in a sentence."""
    equal = report.at_equal_quality
    return (
        f"Until both ways are equally good ({measure_name(report)} {equal.quality:.3f}), tracking takes "
        f"{equal.track_and_correct:.2f} s a frame and every frame anew {equal.frame_by_frame:.2f} s: "
        f"{equal.times_faster:.2f} times faster."
    )


def wanted(report: EffortReport) -> str:
    """What the simulated people want, in a few words."""
    protocol = report.protocol
    whole = "a masklet" if protocol.goal == "masklet" else "every frame"
    return f"{measure_name(report)} {protocol.target:g} of {whole}"


def masklet_to_json(one: Masklet) -> dict[str, object]:
    """A masklet as JSON values; masklet_from_json gives the same back."""
    return {way: asdict(one.way(way)) for way in WAYS}


def masklet_from_json(value: Mapping[str, Any]) -> Masklet:
    """What masklet_to_json made JSON of."""
    first, second = (
        Effort(**{**value[way], "path": tuple(EffortPoint(**point) for point in value[way]["path"])})
        for way in WAYS
    )
    return Masklet(frame_by_frame=first, track_and_correct=second)


def _quality_after(effort: Effort, seconds_per_frame: float) -> float:
    spent = seconds_per_frame * effort.num_frames
    return next((point.quality for point in reversed(effort.path) if point.seconds <= spent + 1e-9), 0.0)


def _equal_values(equal: EqualEffort) -> dict[str, float]:
    return {
        "quality": _rounded(equal.quality),
        **{f"{way}_seconds_per_frame": _rounded(getattr(equal, way)) for way in WAYS},
        "times_faster": _rounded(equal.times_faster),
    }


def _effort_values(effort: Effort, target: float) -> dict[str, object]:
    return {
        "clicks": effort.num_clicks,
        "seconds": effort.seconds,
        "frames_worked_on": effort.num_opened,
        "frames_watched": effort.num_watched,
        "quality": _rounded(effort.mean_iou),
        "share_good": _rounded(effort.share_good),
        "is_reached": effort.is_reached(target),
    }


def _rounded(value: float) -> float:
    return round(float(value), _DECIMALS)
