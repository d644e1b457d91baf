"""``masklet evaluate``: score a model on clips or photos with true masks."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from masklet.cli.console import print_result, say
from masklet.cli.options import DeviceOption, JsonOption, ModelOption
from masklet.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from masklet.evaluation.datasets import Clip
    from masklet.evaluation.vos import ObjectScore
    from masklet.weights.load import LoadedModel


def evaluate(  # noqa: PLR0913 - each parameter is one option of the command
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="A packed tar, or a folder in DAVIS or SA-V layout.")
    ],
    *,
    task: Annotated[
        Literal["vos", "clicks"], typer.Option("--task", help="Follow objects, or click on photos.")
    ],
    prompt: Annotated[
        Literal["mask", "click", "box"], typer.Option("--prompt", help="What is given on the first frame.")
    ] = "mask",
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.json", help="The whole report.")] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Clips, or photos of each source.")
    ] = None,
    model: ModelOption = "compact",
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="Memory policy.")] = "recent",
    image_size: Annotated[
        int | None, typer.Option("--image-size", min=32, help="Side of the model's input.")
    ] = None,
    device: DeviceOption = "auto",
    json: JsonOption = False,
) -> None:
    """Score a model on the field's protocols."""
    from masklet.evaluation.report import write_json
    from masklet.weights.load import load_model

    loaded = load_model(model, device=device, image_size=image_size)
    if task == "vos":
        table, document, values = _vos(loaded, data, prompt=prompt, policy=policy, limit=limit)
    else:
        table, document, values = _clicks(loaded, data, limit=limit)
    say(table)
    if out is not None:
        write_json(out, {**document, "facts": _facts(loaded, data, task, prompt)})
    summary = ", ".join(f"{name} {value}" for name, value in values.items())
    print_result(
        f"{loaded.name} at {loaded.config.image_size} px on {data.name}: {summary}", values, as_json=json
    )


def _facts(model: LoadedModel, data: Path, task: str, prompt: str) -> dict[str, object]:
    from masklet.evaluation.report import run_facts

    command = f"masklet evaluate {data.name} --task {task}" + (f" --prompt {prompt}" if task == "vos" else "")
    return run_facts(
        command=command,
        data=data.name,
        model=f"{model.name} at {model.config.image_size} px",
        weights=model.weights_sha256 or "random",
    )


def _clips(data: Path) -> Iterable[Clip]:
    from masklet.evaluation.datasets import read_packed_clips
    from masklet.evaluation.folders import read_davis, read_sav

    if data.is_file():
        return read_packed_clips(data)
    if not data.is_dir():
        raise FormatError(f"There is no data at {data}; give a packed tar or a folder.")
    return read_sav(data) if (data / "JPEGImages_24fps").exists() else read_davis(data)


def _vos(
    model: LoadedModel, data: Path, *, prompt: Literal["mask", "click", "box"], policy: str, limit: int | None
) -> tuple[str, dict[str, object], dict[str, object]]:
    from masklet.evaluation.report import vos_document, vos_table
    from masklet.evaluation.subjects import TrackSubject
    from masklet.evaluation.vos import evaluate_vos

    def tell(scores: Sequence[ObjectScore]) -> None:
        for score in scores:
            say(f"{score.clip} object {score.object_id}: J&F {100 * score.j_and_f:.1f}")

    clips = islice(_clips(data), limit)
    report = evaluate_vos(TrackSubject(model, policy), clips, prompt=prompt, on_clip=tell)
    values: dict[str, object] = {
        "j_and_f": round(report.j_and_f, 4),
        "j": round(report.region.mean, 4),
        "f": round(report.contour.mean, 4),
    }
    return vos_table(report, title=data.name), vos_document(report), values


def _clicks(
    model: LoadedModel, data: Path, *, limit: int | None
) -> tuple[str, dict[str, object], dict[str, object]]:
    from masklet.evaluation.clicks import ClickProtocol, evaluate_clicks
    from masklet.evaluation.datasets import read_packed_stills
    from masklet.evaluation.report import clicks_document, clicks_table
    from masklet.evaluation.subjects import ClickSubject
    from masklet.training.validation import few_per_source

    stills = read_packed_stills(data)
    if limit is not None:
        stills = few_per_source(stills, limit, max_masks=16)
    protocol = ClickProtocol(max_clicks=5, targets=(0.85, 0.9))
    report = evaluate_clicks(ClickSubject(model), stills, protocol=protocol)
    mean = report.mean_over_sources()
    values: dict[str, object] = {
        f"miou_{clicks}": round(value, 4) for clicks, value in mean.miou_after.items()
    }
    if mean.box_miou is not None:
        values["miou_box"] = round(mean.box_miou, 4)
    return clicks_table(report, title=data.name), clicks_document(report), values
