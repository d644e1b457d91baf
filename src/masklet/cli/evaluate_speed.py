"""``masklet evaluate --task speed``: frames per second, latency and memory, beside a baseline in the same run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.evaluate_options import (
    ModelChoice,
    Options,
    RuntimeName,
    Scored,
    counted,
    facts_of,
    journal_of,
)
from masklet.cli.evaluate_report import write_files
from masklet.cli.loading import load_chosen
from masklet.errors import ConfigError

if TYPE_CHECKING:
    from masklet.evaluation.speed import Prepare, Ready, SpeedReport
    from masklet.weights.load import LoadedModel

USUAL_LENGTHS, USUAL_OBJECTS, USUAL_TURNS = "24,96", "1,3", 3

LengthsOption = Annotated[
    str, typer.Option("--lengths", metavar="N,N", help="Numbers of frames to follow through (speed).")
]
ObjectsOption = Annotated[
    str, typer.Option("--objects", metavar="N,N", help="Numbers of objects to follow (speed).")
]
TurnsOption = Annotated[int, typer.Option("--turns", min=1, help="How often each is run (speed).")]
AgainstModelOption = Annotated[
    str | None,
    typer.Option(
        "--against-model", metavar="NAME|FILE", help="Model of the baseline; the same if left out (speed)."
    ),
]
AgainstPolicyOption = Annotated[
    str | None,
    typer.Option(
        "--against-policy", metavar="NAME", help="Policy of the baseline; the same if left out (speed)."
    ),
]
AgainstRuntimeOption = Annotated[
    RuntimeName | None,
    typer.Option("--against-runtime", help="Runtime of the baseline; the same if left out (speed)."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedOptions:
    """What is measured.

    Args:
        side: What runs.
        lengths: Numbers of frames with commas between.
        objects: Numbers of objects with commas between.
        turns: How often each is run.
        model: Model of the baseline, or None for the same.
        policy: Policy of the baseline, or None for the same.
        runtime: Runtime of the baseline, or None for the same.
    """

    side: ModelChoice
    lengths: str = USUAL_LENGTHS
    objects: str = USUAL_OBJECTS
    turns: int = USUAL_TURNS
    model: str | None = None
    policy: str | None = None
    runtime: RuntimeName | None = None

    @property
    def baseline(self) -> ModelChoice | None:
        """The other side, or None when nothing of it was named."""
        if self.model is self.policy is self.runtime is None:
            return None
        return replace(
            self.side,
            model=self.model or self.side.model,
            policy=self.policy or self.side.policy,
            runtime=self.runtime or self.side.runtime,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """What stands on the command line."""
        given = {
            "--lengths": (self.lengths, USUAL_LENGTHS),
            "--objects": (self.objects, USUAL_OBJECTS),
            "--turns": (self.turns, USUAL_TURNS),
            "--against-model": (None if self.model is None else Path(self.model).name, None),
            "--against-policy": (self.policy, None),
            "--against-runtime": (self.runtime, None),
        }
        return tuple(f"{name} {value}" for name, (value, usual) in given.items() if value != usual)


def score_speed(model: LoadedModel, options: Options, chosen: SpeedOptions) -> Scored:
    """Measure every cell, and write the report when one is asked for.

    Raises:
        FormatError: When the data is not there.
        ConfigError: When a number is none, or a side cannot run.
    """
    from masklet.evaluation.page.speed import speed_page
    from masklet.evaluation.speed import SpeedProtocol, evaluate_speed
    from masklet.evaluation.speed_report import speed_csv, speed_document, speed_table
    from masklet.evaluation.speed_subject import first_frames

    first_frames(options.data, 1)  # what cannot be read is told before anything is loaded
    protocol = SpeedProtocol(
        lengths=_numbers(chosen.lengths, "--lengths"),
        objects=_numbers(chosen.objects, "--objects"),
        num_turns=chosen.turns,
    )
    sides: dict[str, Prepare] = {chosen.side.name: partial(prepare, chosen.side, options.data)}
    other = chosen.baseline
    if other is not None and other != chosen.side:
        sides[other.name] = partial(prepare, other, options.data)
    with counted("Measuring", protocol.num_turns * len(protocol.cells) * len(sides)) as on_run:
        report = evaluate_speed(sides, protocol=protocol, on_run=on_run, journal=journal_of(model, options))
    title = f"{report.name} on {options.data.name}"
    table, document = speed_table(report, title=title), speed_document(report)
    if options.report is not None:
        facts = facts_of(model, options)
        page = speed_page(report, title=title, facts=facts)
        write_files(
            options.report,
            page=page,
            table=table,
            document={**document, "facts": facts},
            csv=speed_csv(report),
        )
    return Scored(table=table, document=document, values=_values(report))


def prepare(side: ModelChoice, data: Path) -> Ready:
    """Load a side in the process that measures it."""
    from masklet.evaluation.speed import Ready
    from masklet.evaluation.speed_subject import SpeedSubject, first_frames

    loaded = load_chosen(side.model, device=side.device, runtime=side.runtime, image_size=side.image_size)
    subject = SpeedSubject(model=loaded, policy=side.policy, images=first_frames(data))
    return Ready(follow=subject, device=str(loaded.device))


def _numbers(words: str, option: str) -> tuple[int, ...]:
    try:
        return tuple(sorted({int(word) for word in words.split(",")}))
    except ValueError as error:
        raise ConfigError(f"{option} must be whole numbers with commas between, got {words!r}.") from error


def _values(report: SpeedReport) -> dict[str, object]:
    """The smallest cell, and how the largest compares with it."""
    from masklet.evaluation.speed import frames_per_second, latency_s, peak_bytes

    first, last = report.cells[0], report.cells[-1]
    seconds, memory = report.over_first(last)
    values: dict[str, object] = {
        "frames_per_second": round(frames_per_second(first.turns), 2),
        "p99_ms": round(1000 * latency_s(first.turns, 99), 1),
        "peak_mib": round(peak_bytes(first.turns) / 2**20, 1),
        "largest_time_ratio": round(seconds, 2),
        "largest_memory_ratio": round(memory, 2),
    }
    faster, ratio = first.times_as_fast, first.memory_ratio
    if faster is not None and ratio is not None:
        values |= {"times_as_fast": round(faster[0], 2), "memory_over_baseline": round(ratio, 2)}
    return values
