"""``masklet label``: images and videos in, a labelled data set out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import typer

from masklet.cli.console import Interruption, interruptible, print_result, say
from masklet.cli.options import DeviceOption, JsonOption, ModelOption
from masklet.cli.progress import ProgressDisplay
from masklet.errors import ConfigError
from masklet.pipeline.everything import EverythingOptions
from masklet.pipeline.findings import FindingLimits
from masklet.pipeline.key_frames import KeyFrameRule
from masklet.pipeline.label import LabelOptions
from masklet.pipeline.ontology import Ontology, as_ontology, read_ontology
from masklet.scale.engines import EngineName
from masklet.scale.jobs import ItemDone, ItemFailed, ItemRetried
from masklet.scale.label import (
    LabelEvent,
    LabellingFinished,
    LabellingStarted,
    LabelRequest,
    LabelSummary,
    run_labelling,
)
from masklet.scale.label_job import LabelJob

_NUM_NAMED_FAILURES = 5


def label(  # noqa: PLR0913 - each parameter is one option of the command
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE...", help="Images, videos, folders, patterns or addresses (s3://...)."
        ),
    ],
    *,
    out: Annotated[str, typer.Option("--out", metavar="DIR", help="Folder for the data set.")],
    ontology: Annotated[
        Path | None,
        typer.Option("--ontology", metavar="FILE.yaml", help="Words and classes, one line each: puppy: dog."),
    ] = None,
    text: Annotated[
        str | None, typer.Option("--text", metavar="WORDS", help='The same in short: "dog . ball".')
    ] = None,
    format: Annotated[
        str, typer.Option("--format", metavar="NAME", help="A format that masklet can write.")
    ] = "coco",
    grounder: Annotated[
        str,
        typer.Option("--detector", "--grounder", metavar="NAME|DIR", help="What finds words in pictures."),
    ] = "embedded",
    threshold: Annotated[
        float | None,
        typer.Option(
            "--threshold", min=0, max=1, help="Least score of a box; the grounder's own if left out."
        ),
    ] = None,
    preset: Annotated[
        Literal["fast", "balanced", "fine"],
        typer.Option("--preset", help="How finely pictures are searched when no words are given."),
    ] = "fast",
    min_score: Annotated[
        float, typer.Option("--min-score", min=0, max=1, help="Least predicted IoU of a new object.")
    ] = FindingLimits().min_score,
    min_confidence: Annotated[
        float,
        typer.Option("--min-confidence", min=0, max=1, help="Least mean quality of an object that is kept."),
    ] = 0.0,
    max_objects: Annotated[
        int, typer.Option("--max-objects", min=1, max=1000, help="Most objects at one time.")
    ] = FindingLimits().max_objects,
    every: Annotated[
        int,
        typer.Option("--every", metavar="N", min=1, help="Search for new objects at least every N frames."),
    ] = KeyFrameRule().longest_gap,
    engine: Annotated[EngineName, typer.Option("--engine", help="This machine, or a Ray cluster.")] = "local",
    processes: Annotated[
        int,
        typer.Option("--processes", metavar="N", min=1, max=1000, help="Workers, each with its own model."),
    ] = 1,
    address: Annotated[
        str | None, typer.Option("--address", metavar="ADDRESS", help="Of the Ray cluster, such as auto.")
    ] = None,
    shard: Annotated[
        str | None, typer.Option("--shard", metavar="K/N", help="Only the K-th of N parts of the inputs.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped or killed.")
    ] = False,
    model: ModelOption = "compact",
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Label images and videos by words, or everything in them, and write a data set."""
    limits = FindingLimits(min_score=min_score, max_objects=max_objects)
    rule = KeyFrameRule(longest_gap=every, shortest_gap=min(every, KeyFrameRule().shortest_gap))
    request = LabelRequest(
        sources=tuple(sources),
        out=out,
        format=format,
        job=LabelJob(
            documents="",
            model=model,
            device=device,
            ontology=_words(ontology, text),
            grounder=grounder,
            threshold=threshold,
            preset=preset,
            options=LabelOptions(
                everything=EverythingOptions(limits=limits, rule=rule), min_confidence=min_confidence
            ),
            num_threads=_threads_of_each(processes),
        ),
        engine=engine,
        num_workers=processes,
        address=address,
        resume=resume,
        shard=_parse_shard(shard),
    )
    summary = _run(request)
    print_result(_in_words(summary), _as_values(summary), as_json=json)
    if summary.num_done == 0:
        raise typer.Exit(1)


def _words(ontology: Path | None, text: str | None) -> Ontology | None:
    if ontology is not None and text is not None:
        raise ConfigError("Words come from --ontology or from --text, not from both; leave one out.")
    if ontology is not None:
        return read_ontology(ontology)
    return None if text is None else as_ontology(text)


def _threads_of_each(processes: int) -> int | None:
    """Cores are shared out, so that several processes do not take each other's."""
    return None if processes == 1 else max(1, (os.cpu_count() or 1) // processes)


def _parse_shard(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    index, slash, count = text.partition("/")
    if not (slash and index.isdecimal() and count.isdecimal()):
        raise ConfigError(f"--shard must look like 2/8, got {text!r}.")
    return int(index), int(count)


def _run(request: LabelRequest) -> LabelSummary:
    interruption = Interruption()
    events = run_labelling(request, is_cancelled=interruption)
    started = next(events)
    if isinstance(started, LabellingStarted):
        done = f", {started.num_before} done before" if started.num_before else ""
        say(f"{started.num_inputs} inputs{done}; {started.engine}")
    with interruptible(interruption), ProgressDisplay() as display:
        return _show(events, display)


def _show(events: Iterator[LabelEvent], display: ProgressDisplay) -> LabelSummary:
    for event in events:
        if isinstance(event, ItemDone):
            display.advance("Labelling", event.num_done, event.num_items)
        elif isinstance(event, ItemRetried):
            say(f"{event.item.name}: {event.error} Trying again ({event.num_tries}).")
        elif isinstance(event, ItemFailed):
            say(f"{event.record.name}: given up after {event.record.num_tries} tries: {event.record.error}")
        elif isinstance(event, LabellingFinished):
            return event.summary
    raise TypeError("A run ends with LabellingFinished or an error.")


def _in_words(summary: LabelSummary) -> str:
    speed = f" in {summary.seconds:.1f} s" if summary.num_done_now else ""
    line = (
        f"Labelled {summary.num_done} of {summary.num_inputs} inputs{speed}, {summary.num_objects} objects: "
        f"{summary.labels}, {summary.review}, {summary.statistics}"
    )
    if summary.failures:
        names = ", ".join(one.name for one in summary.failures[:_NUM_NAMED_FAILURES])
        more = len(summary.failures) - _NUM_NAMED_FAILURES
        line += f"; given up: {names}{f' and {more} more' if more > 0 else ''} (see {summary.manifest})"
    return line


def _as_values(summary: LabelSummary) -> dict[str, object]:
    return {
        "inputs": summary.num_inputs,
        "done": summary.num_done,
        "done_now": summary.num_done_now,
        "failed": {one.name: one.error for one in summary.failures},
        "objects": summary.num_objects,
        "frames_now": summary.num_frames_now,
        "seconds": round(summary.seconds, 3),
        "labels": summary.labels,
        "manifest": summary.manifest,
        "review": summary.review,
        "statistics": summary.statistics,
        "not_held_by_format": list(summary.lost),
    }
