"""``masklet evaluate``: score a model, or masks of any method, on clips or photos with true masks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, get_args

import typer

from masklet.cli import evaluate_options as shared
from masklet.cli.console import print_result, say
from masklet.cli.evaluate_auto import PresetOption, score_auto
from masklet.cli.evaluate_clips import score_followed
from masklet.cli.evaluate_effort import USUAL_CLICKS as EFFORT_CLICKS
from masklet.cli.evaluate_effort import (
    USUAL_TARGET,
    EffortOptions,
    EveryOption,
    MostFramesOption,
    TargetOption,
    score_effort,
)
from masklet.cli.evaluate_interactive import (
    USUAL_CLICKS,
    USUAL_PAUSE,
    USUAL_ROUNDS,
    InteractiveOptions,
    ModeOption,
    PauseOption,
    RoundsOption,
    score_interactive,
)
from masklet.cli.evaluate_occlusion import score_occlusion
from masklet.cli.evaluate_options import MAX_CLICKS, ModelChoice, Options, Scored, facts_of, journal_of
from masklet.cli.evaluate_photos import score_clicks
from masklet.cli.evaluate_predictions import WrittenOptions, score_written
from masklet.cli.evaluate_speed import (
    USUAL_LENGTHS,
    USUAL_OBJECTS,
    USUAL_TURNS,
    AgainstModelOption,
    AgainstPolicyOption,
    AgainstRuntimeOption,
    LengthsOption,
    ObjectsOption,
    SpeedOptions,
    TurnsOption,
    score_speed,
)
from masklet.cli.loading import load_chosen
from masklet.cli.options import DeviceOption, JsonOption, ModelOption, RuntimeOption
from masklet.errors import FormatError

if TYPE_CHECKING:
    from masklet.weights.load import LoadedModel

TaskName: TypeAlias = Literal[
    "vos", "interactive", "clicks", "domains", "auto", "occlusion", "effort", "speed"
]
TASKS: tuple[TaskName, ...] = get_args(TaskName)


def evaluate(  # noqa: PLR0913 - each parameter is one option of the command
    what: Annotated[
        Path, typer.Argument(metavar="DATA|TASK", help="A packed tar or a data set's folder, or a task.")
    ],
    where: shared.DataArgument = None,
    *,
    data: shared.DataOption = None,
    task: Annotated[
        TaskName | None,
        typer.Option(
            "--task",
            help="Follow objects, correct them in rounds, click on photos or domains, find everything in photos, see "
            "objects leave and return, count the work of annotating, measure speed.",
        ),
    ] = None,
    predictions: shared.PredictionsOption = None,
    layout: shared.LayoutOption = None,
    counting: shared.CountingOption = None,
    is_end_left_out: shared.EndsOption = None,
    names: shared.NamesOption = None,
    workers: shared.WorkersOption = None,
    prompt: shared.PromptOption = "mask",
    mode: ModeOption = "offline",
    rounds: RoundsOption = USUAL_ROUNDS,
    clicks_per_frame: shared.ClicksPerFrameOption = None,
    pause_below: PauseOption = USUAL_PAUSE,
    out: shared.OutOption = None,
    report: shared.ReportOption = None,
    max_clicks: shared.MaxClicksOption = MAX_CLICKS,
    preset: PresetOption = "balanced",
    target: TargetOption = USUAL_TARGET,
    every: EveryOption = 1,
    most_frames: MostFramesOption = None,
    lengths: LengthsOption = USUAL_LENGTHS,
    objects: ObjectsOption = USUAL_OBJECTS,
    turns: TurnsOption = USUAL_TURNS,
    against_model: AgainstModelOption = None,
    against_policy: AgainstPolicyOption = None,
    against_runtime: AgainstRuntimeOption = None,
    limit: shared.LimitOption = None,
    model: ModelOption = "compact",
    policy: shared.PolicyOption = "recent",
    image_size: shared.ImageSizeOption = None,
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "torch",
    json: JsonOption = False,
) -> None:
    """Score a model, or masks of any method, on the field's protocols."""
    task, data = _task_and_data(what, where or data, task)
    if predictions is not None:
        written = WrittenOptions(
            data=data,
            predictions=predictions,
            layout=layout,
            counting=counting,
            is_end_left_out=is_end_left_out,
            names=names,
            limit=limit,
            num_processes=workers,
        )
        score_written(written, out=out, report=report, as_json=json)
        return
    interactive = InteractiveOptions(
        mode=mode, rounds=rounds, clicks=clicks_per_frame or USUAL_CLICKS, pause_below=pause_below
    )
    effort = EffortOptions(
        target=target, clicks=clicks_per_frame or EFFORT_CLICKS, every=every, most_frames=most_frames
    )
    side = ModelChoice(model=model, policy=policy, runtime=runtime, device=device, image_size=image_size)
    speed = SpeedOptions(
        side=side,
        lengths=lengths,
        objects=objects,
        turns=turns,
        model=against_model,
        policy=against_policy,
        runtime=against_runtime,
    )
    plans: dict[TaskName, _Plan] = {
        "vos": _Plan(score=score_followed, words=(f"--prompt {prompt}",)),
        "interactive": _Plan(score=partial(score_interactive, chosen=interactive), words=interactive.words),
        "clicks": _Plan(score=score_clicks),
        "domains": _Plan(score=score_clicks),
        "auto": _Plan(score=partial(score_auto, preset=preset), words=(f"--preset {preset}",)),
        "occlusion": _Plan(score=score_occlusion),
        "effort": _Plan(score=partial(score_effort, chosen=effort), words=effort.words),
        "speed": _Plan(score=partial(score_speed, chosen=speed), words=speed.words),
    }
    plan = plans[task]
    options = Options(
        data=data,
        task=task,
        prompt=prompt,
        limit=limit,
        choice=side,
        out=out,
        report=report,
        max_clicks=max_clicks,
        layout=layout,
        names=names,
        is_end_left_out=is_end_left_out is not False,
        num_workers=workers or 1,
        words=plan.words,
    )
    loaded = load_chosen(model, device=device, runtime=runtime, image_size=image_size)
    _tell(loaded, options, plan.score(loaded, options), as_json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Plan:
    """How a task is scored, and what of its options stands on the command line that repeats it."""

    score: Callable[[LoadedModel, Options], Scored]
    words: tuple[str, ...] = ()


def _tell(model: LoadedModel, options: Options, scored: Scored, *, as_json: bool) -> None:
    """The result to people, to its file and to standard output."""
    from masklet.evaluation.report import write_json

    say(scored.table)
    if options.out is not None:
        write_json(options.out, {**scored.document, "facts": facts_of(model, options)})
    journal_of(model, options).discard()
    summary = ", ".join(f"{name} {value}" for name, value in scored.values.items())
    print_result(
        f"{model.name} at {model.config.image_size} px on {options.data.name}: {summary}",
        scored.values,
        as_json=as_json,
    )


def _task_and_data(what: Path, data: Path | None, task: TaskName | None) -> tuple[TaskName, Path]:
    """The task and the data, whichever of them stands first."""
    named: TaskName | None = next((name for name in TASKS if name == str(what)), None)
    if named is not None and data is not None:
        if task not in (None, named):
            raise FormatError(f"Two tasks are named, {named} and {task}; name one.")
        return named, data
    if task is None or data is not None:
        raise FormatError(
            f"Give a task and the data: masklet evaluate DATA --task TASK, with one of {', '.join(TASKS)}."
        )
    return task, what
