"""Two results on the same objects: paired differences, and how sure they are by the bootstrap."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

from masklet.errors import FormatError
from masklet.evaluation.report import markdown_table
from masklet.masks.arrays import IntArray

ObjectKey = tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A result file as far as it can be compared.

    Args:
        measures: For each measure, such as "J&F", the value of each object.
        higher_is_better: For each measure whether more is better.
    """

    measures: Mapping[str, Mapping[ObjectKey, float]]
    higher_is_better: Mapping[str, bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean difference and the interval that holds it.

    Args:
        mean: Mean of second minus first.
        low: Lower end of the interval.
        high: Upper end.
    """

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureComparison:
    """One measure of two results.

    Args:
        name: Name of the measure.
        first: Mean of the first over the objects both have.
        second: Mean of the second.
        difference: Second minus first.
        by_group: The same difference for the objects of each clip or source: its mean.
        by_object: Second minus first of each object.
        num_better: On how many objects the second is better, by more than a rounding error.
        num_worse: On how many it is worse.
    """

    name: str
    first: float
    second: float
    difference: Interval
    by_group: Mapping[str, float]
    by_object: Mapping[ObjectKey, float]
    num_better: int
    num_worse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """All measures that two results share.

    Args:
        measures: In the order of the first result.
        num_objects: Objects that both have.
        only_first: Objects that only the first has.
        only_second: Objects that only the second has.
        num_samples: Bootstrap samples.
        level: Part of the samples inside the intervals.
    """

    measures: tuple[MeasureComparison, ...]
    num_objects: int
    only_first: tuple[ObjectKey, ...]
    only_second: tuple[ObjectKey, ...]
    num_samples: int
    level: float


def read_measures(document: Mapping[str, object]) -> Measured:
    """What can be compared in a result of ``masklet evaluate``, whichever task it was.

    Raises:
        FormatError: When it holds no scores of objects, clips or sources.
    """
    rounds = document.get("rounds")
    if isinstance(rounds, list) and rounds:
        return _video_measures(cast("Mapping[str, object]", rounds[-1]))
    if isinstance(document.get("objects"), list):
        return _video_measures(document)
    images = document.get("images")
    if isinstance(images, list) and images:
        return _image_measures(cast("Sequence[Mapping[str, object]]", images))
    masklets = document.get("masklets")
    if isinstance(masklets, list) and masklets:
        return _effort_measures(cast("Sequence[Mapping[str, object]]", masklets))
    cells = document.get("cells")
    if isinstance(cells, list) and cells:
        return _speed_measures(cast("Sequence[Mapping[str, object]]", cells))
    for name in ("domains", "sources"):
        found = document.get(name)
        if isinstance(found, dict) and found:
            return _source_measures(cast("Mapping[str, Mapping[str, object]]", found))
    clips = document.get("clips")
    if isinstance(clips, list) and clips:
        return _clip_measures(cast("Sequence[Mapping[str, object]]", clips))
    raise FormatError(
        "This is no result of masklet evaluate: it holds no objects, clips, sources or domains."
    )


def compare(
    first: Measured, second: Measured, *, num_samples: int = 10_000, level: float = 0.95, seed: int = 0
) -> Comparison:
    """Pair the objects of two results and draw groups of them anew, many times.

    Objects of one clip are alike, so whole clips (or sources) are drawn, and with them all their objects.

    Args:
        first: What is compared with.
        second: What is compared.
        num_samples: Bootstrap samples, at least 100.
        level: Part of the samples inside an interval, in (0, 1).
        seed: Of the random draws.

    Raises:
        FormatError: When the results share no measure or no object.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993 (percentile intervals, resampling
    of whole clusters).
    """
    names = [name for name in first.measures if name in second.measures]
    if not names:
        raise FormatError("The two results are of different tasks: they share no measure.")
    keys_first = {key for name in names for key in first.measures[name]}
    keys_second = {key for name in names for key in second.measures[name]}
    shared = sorted(keys_first & keys_second)
    if not shared:
        raise FormatError("The two results share no object; compare results on the same data.")
    rng = np.random.default_rng(seed)
    groups = _groups(shared)
    drawn = rng.integers(0, len(groups), (num_samples, len(groups)))
    measures = tuple(_compared(name, first, second, groups, drawn, level) for name in names)
    return Comparison(
        measures=measures,
        num_objects=len(shared),
        only_first=tuple(sorted(keys_first - keys_second)),
        only_second=tuple(sorted(keys_second - keys_first)),
        num_samples=num_samples,
        level=level,
    )


def comparison_document(found: Comparison) -> dict[str, object]:
    """The comparison as plain JSON values."""
    return {
        "num_objects": found.num_objects,
        "num_samples": found.num_samples,
        "level": found.level,
        "only_first": [list(key) for key in found.only_first],
        "only_second": [list(key) for key in found.only_second],
        "measures": {
            one.name: {
                "first": round(one.first, 6),
                "second": round(one.second, 6),
                "difference": round(one.difference.mean, 6),
                "interval": [round(one.difference.low, 6), round(one.difference.high, 6)],
                "is_clear": one.difference.is_clear,
                "num_better": one.num_better,
                "num_worse": one.num_worse,
                "by_group": {name: round(value, 6) for name, value in one.by_group.items()},
            }
            for one in found.measures
        },
    }


def comparison_table(found: Comparison, *, first: str, second: str) -> str:
    """Markdown: the means with their intervals, then the difference of each clip or source."""
    level = f"{100 * found.level:g} %"
    header = ["measure", first, second, "difference", level, "better", "worse", "is it sure?"]
    rows = [
        [
            one.name,
            f"{one.first:.4f}",
            f"{one.second:.4f}",
            f"{one.difference.mean:+.4f}",
            f"{one.difference.low:+.4f} … {one.difference.high:+.4f}",
            str(one.num_better),
            str(one.num_worse),
            "yes" if one.difference.is_clear else "no",
        ]
        for one in found.measures
    ]
    groups = sorted({name for one in found.measures for name in one.by_group})
    by_group = [
        [group, *(f"{one.by_group[group]:+.4f}" if group in one.by_group else "" for one in found.measures)]
        for group in groups
    ]
    lines = [
        f"### {second} minus {first}, {found.num_objects} objects in {len(groups)} groups\n\n",
        markdown_table(header, rows),
        "\n",
        markdown_table(["clip or source", *(one.name for one in found.measures)], by_group),
    ]
    lost = len(found.only_first) + len(found.only_second)
    if lost:
        lines.append(f"\n{lost} objects are in one result only and are left out.\n")
    return "".join(lines)


def _compared(
    name: str,
    first: Measured,
    second: Measured,
    groups: Mapping[str, Sequence[ObjectKey]],
    drawn: IntArray,
    level: float,
) -> MeasureComparison:
    before, after = first.measures[name], second.measures[name]
    paired = {
        group: [key for key in keys if key in before and key in after] for group, keys in groups.items()
    }
    by_object = {key: after[key] - before[key] for keys in paired.values() for key in keys}
    sums = np.array([sum(by_object[key] for key in keys) for keys in paired.values()])
    counts = np.array([len(keys) for keys in paired.values()])
    totals = np.maximum(counts[drawn].sum(axis=1), 1)
    means = sums[drawn].sum(axis=1) / totals
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    sign = 1 if first.higher_is_better[name] else -1
    return MeasureComparison(
        name=name,
        first=float(np.mean([before[key] for key in by_object])),
        second=float(np.mean([after[key] for key in by_object])),
        difference=Interval(mean=float(np.mean(list(by_object.values()))), low=float(low), high=float(high)),
        by_group={
            group: float(np.mean([by_object[key] for key in keys])) for group, keys in paired.items() if keys
        },
        by_object=by_object,
        num_better=sum(sign * value > 1e-9 for value in by_object.values()),
        num_worse=sum(sign * value < -1e-9 for value in by_object.values()),
    )


def _groups(keys: Sequence[ObjectKey]) -> dict[str, list[ObjectKey]]:
    groups: dict[str, list[ObjectKey]] = {}
    for key in keys:
        groups.setdefault(key[0], []).append(key)
    return groups


def _video_measures(document: Mapping[str, object]) -> Measured:
    objects = cast("Sequence[Mapping[str, object]]", document.get("objects"))
    measures: dict[str, dict[ObjectKey, float]] = {"J&F": {}, "J": {}, "F": {}, "J recall": {}, "J decay": {}}
    for one in objects:
        key = (str(one["clip"]), str(one["object_id"]))
        region = cast("Mapping[str, float]", one["j"])
        contour = cast("Mapping[str, float]", one["f"])
        measures["J&F"][key] = float(cast("float", one["j_and_f"]))
        measures["J"][key], measures["F"][key] = region["mean"], contour["mean"]
        measures["J recall"][key], measures["J decay"][key] = region["recall"], region["decay"]
    return Measured(measures=measures, higher_is_better={name: name != "J decay" for name in measures})


def _source_measures(sources: Mapping[str, Mapping[str, object]]) -> Measured:
    """Each source or domain counts as one object."""
    measures: dict[str, dict[ObjectKey, float]] = {}
    for source, found in sources.items():
        values = {f"mIoU@{k}": v for k, v in cast("Mapping[str, float]", found["miou_after"]).items()}
        values |= {
            f"NoC@{float(k) * 100:g}": v for k, v in cast("Mapping[str, float]", found["clicks_to"]).items()
        }
        if found.get("box_miou") is not None:
            values["box mIoU"] = cast("float", found["box_miou"])
        for name, value in values.items():
            measures.setdefault(name, {})[(source, "mean")] = float(value)
    return Measured(
        measures=measures, higher_is_better={name: not name.startswith("NoC") for name in measures}
    )


def _image_measures(images: Sequence[Mapping[str, object]]) -> Measured:
    """Images with automatic masks, grouped by their source."""
    measures: dict[str, dict[ObjectKey, float]] = {}
    for one in images:
        key = (str(one["source"]), str(one["image"]))
        recall = cast("Mapping[str, float]", one["average_recall"])
        values = {f"AR@{k}": value for k, value in recall.items()}
        values |= {name: cast("float", one[name]) for name in ("covering", "covered")}
        for name, value in values.items():
            measures.setdefault(name, {})[key] = float(value)
    return Measured(measures=measures, higher_is_better=dict.fromkeys(measures, True))


def _effort_measures(masklets: Sequence[Mapping[str, object]]) -> Measured:
    """Masklets that were annotated both ways; less work is better."""
    measures: dict[str, dict[ObjectKey, float]] = {}
    for one in masklets:
        key = (str(one["clip"]), str(one["object_id"]))
        for way, name in (("track_and_correct", "tracking"), ("frame_by_frame", "each frame")):
            found = cast("Mapping[str, float]", one[way])
            for measure in ("clicks", "seconds", "quality"):
                measures.setdefault(f"{measure}, {name}", {})[key] = float(found[measure])
    better = {name: name.startswith("quality") for name in measures}
    return Measured(measures=measures, higher_is_better=better)


def _speed_measures(cells: Sequence[Mapping[str, object]]) -> Measured:
    """Numbers of objects and frames; two runs tell of one machine at two times, see --against-model for one run."""
    measures: dict[str, dict[ObjectKey, float]] = {}
    for one in cells:
        key = (f"{one['num_objects']} objects", f"{one['num_frames']} frames")
        latency = cast("Mapping[str, float]", one["latency_ms"])
        values = {f"{name} ms": value for name, value in latency.items()}
        values["peak MiB"] = cast("float", one["peak_mib"])
        for name, value in values.items():
            measures.setdefault(name, {})[key] = float(value)
    return Measured(measures=measures, higher_is_better=dict.fromkeys(measures, False))


def _clip_measures(clips: Sequence[Mapping[str, object]]) -> Measured:
    """Clips that leave and return."""
    measures: dict[str, dict[ObjectKey, float]] = {"J visible": {}, "found again": {}}
    for one in clips:
        if "j_visible" not in one:
            raise FormatError("This result holds clips without scores; it cannot be compared.")
        key = (str(one["clip"]), "1")
        measures["J visible"][key] = float(cast("float", one["j_visible"]))
        measures["found again"][key] = float(bool(one["is_found"]))
    return Measured(measures=measures, higher_is_better=dict.fromkeys(measures, True))
