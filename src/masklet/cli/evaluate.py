"""``masklet evaluate``: score a model, or masks of any method, on clips or photos with true masks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masklet.cli.console import ProgressDisplay, print_result, say
from masklet.cli.evaluate_photos import PhotoOptions, click_on_photos
from masklet.cli.evaluate_predictions import CountingName, WrittenOptions, score_written
from masklet.cli.loading import load_chosen
from masklet.cli.options import DeviceOption, JsonOption, ModelOption, RuntimeOption
from masklet.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from masklet.evaluation.datasets import Clip
    from masklet.evaluation.occlusion import OcclusionScore
    from masklet.evaluation.vos import ObjectScore, VosReport
    from masklet.weights.load import LoadedModel

TaskName: TypeAlias = Literal["vos", "interactive", "clicks", "domains", "occlusion"]
_MAX_CLICKS = 5
PromptName: TypeAlias = Literal["mask", "box", "click", "3-clicks", "5-clicks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    """What to score, and on how much.

    Args:
        data: Where the photos or clips are.
        task: Which protocol.
        prompt: What is given on the first frame; for following objects only.
        rounds: Frames that are corrected; for interactive only.
        limit: Most clips, or photos of each source, or None for all.
        policy: Name of the memory policy.
        report: Folder of the page, or None for none.
        max_clicks: Where counting of clicks ends; for photos only.
    """

    data: Path
    task: TaskName
    prompt: PromptName
    rounds: int
    limit: int | None
    policy: str
    report: Path | None = None
    max_clicks: int = _MAX_CLICKS

    @property
    def command(self) -> str:
        """The command line that repeats it, with a file name for the path."""
        words = ["masklet evaluate", self.data.name, f"--task {self.task}"]
        if self.task == "vos":
            words.append(f"--prompt {self.prompt}")
        if self.task == "interactive":
            words.append(f"--rounds {self.rounds}")
        if self.max_clicks != _MAX_CLICKS:
            words.append(f"--max-clicks {self.max_clicks}")
        if self.policy != "recent":
            words.append(f"--policy {self.policy}")
        if self.limit is not None:
            words.append(f"--limit {self.limit}")
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """A table for people, the whole report, and the few values that sum it up."""

    table: str
    document: dict[str, object]
    values: dict[str, object]


def evaluate(  # noqa: PLR0913 - each parameter is one option of the command
    what: Annotated[
        Path, typer.Argument(metavar="DATA|TASK", help="A packed tar or a data set's folder, or a task.")
    ],
    *,
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DATA", help="The data, when a task stands first.")
    ] = None,
    task: Annotated[
        TaskName | None,
        typer.Option(
            "--task",
            help="Follow objects, correct them in rounds, click on photos or domains, see objects leave and return.",
        ),
    ] = None,
    predictions: Annotated[
        Path | None,
        typer.Option("--predictions", metavar="DIR", help="Score these masks of any method (vos)."),
    ] = None,
    layout: Annotated[
        Literal["davis", "youtube-vos", "mose", "lvos", "sav"] | None,
        typer.Option("--layout", help="Layout of the data set; seen from its folders if left out."),
    ] = None,
    counting: Annotated[
        CountingName | None,
        typer.Option("--count", help="Which frames count; as usual for the data set if left out."),
    ] = None,
    is_end_left_out: Annotated[
        bool | None,
        typer.Option("--leave-out-ends/--count-ends", help="Whether the first and last frame count."),
    ] = None,
    names: Annotated[
        Path | None, typer.Option("--names", metavar="FILE.txt", help="Names of the clips, one a line.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option("--processes", min=1, help="Processes that score; one per core.")
    ] = None,
    prompt: Annotated[
        PromptName, typer.Option("--prompt", help="What is given on the first frame (vos).")
    ] = "mask",
    rounds: Annotated[
        int, typer.Option("--rounds", min=1, help="Frames that are clicked on, worst first (interactive).")
    ] = 4,
    out: Annotated[Path | None, typer.Option("--out", metavar="FILE.json", help="The whole report.")] = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="DIR", help="A page, Markdown, JSON and CSV (not interactive)."),
    ] = None,
    max_clicks: Annotated[
        int, typer.Option("--max-clicks", min=5, help="Where counting of clicks ends (clicks, domains).")
    ] = _MAX_CLICKS,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="Clips, or photos of each source.")
    ] = None,
    model: ModelOption = "compact",
    policy: Annotated[str, typer.Option("--policy", metavar="NAME", help="Memory policy.")] = "recent",
    image_size: Annotated[
        int | None, typer.Option("--image-size", min=32, help="Side of the model's input.")
    ] = None,
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "torch",
    json: JsonOption = False,
) -> None:
    """Score a model, or masks of any method, on the field's protocols."""
    from masklet.evaluation.report import write_json

    task, data = _task_and_data(what, task, data)
    if predictions is not None:
        written = WrittenOptions(
            data=data,
            predictions=predictions,
            layout=layout,
            counting=counting,
            is_end_left_out=is_end_left_out,
            names=names,
            limit=limit,
            num_processes=processes,
        )
        score_written(written, out=out, report=report, as_json=json)
        return
    loaded = load_chosen(model, device=device, runtime=runtime, image_size=image_size)
    options = _Options(
        data=data,
        task=task,
        prompt=prompt,
        rounds=rounds,
        limit=limit,
        policy=policy,
        report=report,
        max_clicks=max_clicks,
    )
    scored = _TASKS[task](loaded, options)
    say(scored.table)
    if out is not None:
        write_json(out, {**scored.document, "facts": _facts(loaded, options)})
    summary = ", ".join(f"{name} {value}" for name, value in scored.values.items())
    print_result(
        f"{loaded.name} at {loaded.config.image_size} px on {data.name}: {summary}",
        scored.values,
        as_json=json,
    )


def _task_and_data(what: Path, task: TaskName | None, data: Path | None) -> tuple[TaskName, Path]:
    """The task and the data, whichever of them stands first."""
    named: TaskName | None = next((name for name in _TASKS if name == str(what)), None)
    if named is not None and data is not None:
        if task not in (None, named):
            raise FormatError(f"Two tasks are named, {named} and {task}; name one.")
        return named, data
    if task is None or data is not None:
        raise FormatError(
            f"Give a task and the data: masklet evaluate DATA --task TASK, with one of {', '.join(_TASKS)}."
        )
    return task, what


def _facts(model: LoadedModel, options: _Options) -> dict[str, object]:
    from masklet.evaluation.report import run_facts

    return run_facts(
        command=options.command,
        data=options.data.name,
        model=f"{model.name} at {model.config.image_size} px",
        weights=model.weights_sha256 or "random",
        runtime=model.runtime,
    )


@contextmanager
def _counted_frames(num_total: int) -> Iterator[Callable[[], None]]:
    """A function to call after each frame, which shows how many are done and the time left."""
    numbers = count(1)
    with ProgressDisplay() as display:
        yield lambda: display.advance("Tracking", next(numbers), num_total)


def _clips(data: Path) -> Iterable[Clip]:
    from masklet.evaluation.datasets import read_packed_clips
    from masklet.evaluation.folders import read_davis, read_sav

    if data.is_file():
        return read_packed_clips(data)
    if not data.is_dir():
        raise FormatError(f"There is no data at {data}; give a packed tar or a folder.")
    return read_sav(data) if (data / "JPEGImages_24fps").exists() else read_davis(data)


def _tell_objects(scores: Sequence[ObjectScore]) -> None:
    for score in scores:
        say(f"{score.clip} object {score.object_id}: J&F {100 * score.j_and_f:.1f}")


def _vos(model: LoadedModel, options: _Options) -> _Scored:
    from masklet.evaluation.report import vos_document, vos_table
    from masklet.evaluation.subjects import TrackSubject
    from masklet.evaluation.vos import evaluate_vos, num_start_clicks

    if options.report is not None:
        return _reported_vos(model, options, options.report)
    clips = islice(_clips(options.data), options.limit)
    subject = TrackSubject(model, options.policy, start_clicks=num_start_clicks(options.prompt))
    report = evaluate_vos(subject, clips, prompt=options.prompt, on_clip=_tell_objects)
    return _Scored(
        table=vos_table(report, title=options.data.name),
        document=vos_document(report),
        values=_vos_values(report),
    )


def _vos_values(report: VosReport) -> dict[str, object]:
    return {
        "j_and_f": round(report.j_and_f, 4),
        "j": round(report.region.mean, 4),
        "f": round(report.contour.mean, 4),
    }


def _reported_vos(model: LoadedModel, options: _Options, folder: Path) -> _Scored:
    """The same with the masks kept in the folder, so that it can go on after a stop and be drawn."""
    from masklet.cli.evaluate_predictions import score_shown, scoring_job
    from masklet.cli.evaluate_report import follow_and_keep, write_video_report
    from masklet.evaluation.score_report import scores_document, scores_table

    written = WrittenOptions(
        data=options.data, predictions=folder / "masks", counting="prompt", limit=options.limit
    )
    job = scoring_job(written)
    for problem in follow_and_keep(model, job, prompt=options.prompt, policy=options.policy):
        say(problem)
    scored = score_shown(job)
    title = f"{model.name} on {options.data.name}, {options.prompt} prompt"
    write_video_report(folder, job, scored, title=title, facts=_facts(model, options))
    return _Scored(
        table=scores_table(scored, title=title),
        document={**scores_document(scored), "prompt": options.prompt},
        values=_vos_values(scored.report),
    )


def _interactive(model: LoadedModel, options: _Options) -> _Scored:
    from masklet.evaluation.interactive import InteractiveProtocol, evaluate_interactive
    from masklet.evaluation.report import interactive_document, interactive_table
    from masklet.evaluation.subjects import InteractiveSubject

    clips = list(islice(_clips(options.data), options.limit))
    subject = InteractiveSubject(model, options.policy)
    protocol = InteractiveProtocol(num_rounds=options.rounds)
    num_frames = options.rounds * sum(clip.num_frames for clip in clips)
    with _counted_frames(num_frames) as on_frame:
        report = evaluate_interactive(
            subject,
            clips,
            protocol=protocol,
            on_frame=on_frame,
            on_clip=lambda rounds: _tell_objects(rounds[-1]),
        )
    values: dict[str, object] = {}
    for number, one in enumerate(report.rounds, start=1):
        values[f"j_and_f_{number}"] = round(one.j_and_f, 4)
    values.update(j=round(report.rounds[-1].region.mean, 4), f=round(report.rounds[-1].contour.mean, 4))
    return _Scored(
        table=interactive_table(report, title=options.data.name),
        document=interactive_document(report),
        values=values,
    )


def _clicks(model: LoadedModel, options: _Options) -> _Scored:
    photos = PhotoOptions(
        data=options.data, limit=options.limit, max_clicks=options.max_clicks, report=options.report
    )
    found = click_on_photos(model, photos, lambda: _facts(model, options))
    return _Scored(table=found.table, document=found.document, values=found.values)


def _occlusion(model: LoadedModel, options: _Options) -> _Scored:
    from masklet.evaluation.datasets import read_packed_stills
    from masklet.evaluation.leaving_clips import LeavingConfig, leaving_clips
    from masklet.evaluation.occlusion import evaluate_occlusion
    from masklet.evaluation.report import occlusion_document, occlusion_table
    from masklet.evaluation.subjects import PresenceSubject

    def tell(score: OcclusionScore) -> None:
        say(
            f"{score.clip}: J {100 * score.region:.1f}, {'found' if score.is_found else 'lost'} after its return"
        )

    config = LeavingConfig() if options.limit is None else LeavingConfig(num_clips=options.limit)
    clips = leaving_clips(list(read_packed_stills(options.data)), config)
    subject = PresenceSubject(model, options.policy)
    with _counted_frames(config.num_clips * config.num_frames) as on_frame:
        report = evaluate_occlusion(subject, clips, on_frame=on_frame, on_clip=tell)
    overall = report.overall()
    values: dict[str, object] = {
        "presence_auc": round(overall.presence_auc, 4),
        "j_visible": round(overall.region, 4),
        "found_again": round(overall.found, 4),
    }
    table = occlusion_table(report, title=options.data.name)
    made = {
        "num_clips": config.num_clips,
        "num_frames": config.num_frames,
        "side": config.side,
        "seed": config.seed,
    }
    return _Scored(table=table, document={**occlusion_document(report), "made": made}, values=values)


_TASKS: dict[TaskName, Callable[[LoadedModel, _Options], _Scored]] = {
    "vos": _vos,
    "interactive": _interactive,
    "clicks": _clicks,
    "domains": _clicks,
    "occlusion": _occlusion,
}
