"""``masklet train``: one command from a folder of data to weights."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from masklet.cli.console import Interruption, interruptible, print_result, say
from masklet.cli.options import JsonOption
from masklet.errors import CancelledError

if TYPE_CHECKING:
    from masklet.training.loop import TrainingRun

_SAY_EVERY = 20


def train(  # noqa: PLR0913 - each parameter is one option of the command
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe of masklet.training.recipes.")],
    *,
    data: Annotated[Path, typer.Option("--data", metavar="DIR", help="Packed shards, COCO, DAVIS or SA-V.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Checkpoints, log and weights.")],
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the run in DIR stopped.")] = False,
    init: Annotated[
        Path | None,
        typer.Option(
            "--init", metavar="FILE", help="Weights to start from: ours, or a MobileNetV2 backbone."
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Steps instead of the recipe's.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=0, max=64, help="Processes that make batches.")
    ] = 1,
    processes: Annotated[
        int, typer.Option("--processes", min=1, max=64, help="Processes that share every batch.")
    ] = 1,
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Also write curves for TensorBoard.")
    ] = False,
    validate: Annotated[
        bool, typer.Option("--validate", help="Score the weights on held-out shards.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Train a model from images and video; Ctrl-C keeps a checkpoint."""
    from masklet.training.helpers import RunPlan, gather
    from masklet.training.recipes import recipe as find_recipe
    from masklet.training.validation import ValidationConfig, as_loaded
    from masklet.training.validation import validate as score

    config = find_recipe(recipe)
    config = config if steps is None else replace(config, steps=steps)
    plan = RunPlan(
        config=config,
        data=data,
        folder=out,
        init=None if resume else init,
        is_resumed=resume,
        num_workers=workers,
    )
    helpers = gather(plan, processes)
    try:
        say(f"Reading {data}")
        run = plan.open(helpers.crew)
        finished = _iterate(run, out / "tensorboard" if tensorboard else None)
    finally:
        helpers.close()
    weights = run.export(out / "model.safetensors")
    values: dict[str, object] = {"recipe": recipe, "steps": run.step, "weights": str(weights)}
    if validate and finished:
        model = as_loaded(run.state.model.config, run.state.mean.weights)
        values.update(
            {name: round(value, 4) for name, value in score(model, data, ValidationConfig()).items()}
        )
    print_result(f"Trained {run.step} of {config.steps} steps: {weights}", values, as_json=json)
    if not finished:
        raise CancelledError(f"Stopped after {run.step} steps; add --resume to go on.")


def _iterate(run: TrainingRun, board_folder: Path | None) -> bool:
    """Train until the end or until Ctrl-C; returns whether it ended."""
    from masklet.training.board import TensorBoard

    board = None if board_folder is None else TensorBoard(board_folder)
    interruption = Interruption()
    lately: deque[float] = deque(
        maxlen=_SAY_EVERY
    )  # seconds of the last steps; clips take longer than stills
    with interruptible(interruption):
        for report in run:
            lately.append(report.seconds)
            if board is not None:
                board.add(report)
            if report.step % _SAY_EVERY == 0 or report.step == report.steps:
                left = (report.steps - report.step) * sum(lately) / len(lately) / 60
                ious = ", ".join(f"{kind} {value:.3f}" for kind, value in sorted(report.iou.items()))
                say(
                    f"step {report.step}/{report.steps}  loss {report.loss:.3f}  {ious}  about {left:.0f} min left"
                )
            if run.crew.is_any(flag=interruption()):
                run.save()
                break
    if board is not None:
        board.close()
    return run.step >= run.config.steps
