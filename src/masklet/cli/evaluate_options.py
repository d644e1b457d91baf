"""What every task of ``masklet evaluate`` is told, what it gives back, and what its options are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias

import typer

from masklet.cli.progress import ProgressDisplay

if TYPE_CHECKING:
    from masklet.evaluation.journal import Journal
    from masklet.evaluation.layouts import ClipPlace
    from masklet.weights.load import LoadedModel

RuntimeName: TypeAlias = Literal["torch", "onnx", "openvino"]
PromptName: TypeAlias = Literal["mask", "box", "click", "3-clicks", "5-clicks"]
MAX_CLICKS = 5

DataArgument = Annotated[
    Path | None, typer.Argument(metavar="[DATA]", help="The data, when a task stands first.")
]
DataOption = Annotated[Path | None, typer.Option("--data", metavar="DATA", help="The same.")]
PredictionsOption = Annotated[
    Path | None, typer.Option("--predictions", metavar="DIR", help="Score these masks of any method (vos).")
]
LayoutName: TypeAlias = Literal["davis", "youtube-vos", "mose", "lvos", "sav"]
LayoutOption = Annotated[
    LayoutName | None,
    typer.Option("--layout", help="Layout of the data set; seen from its folders if left out."),
]
CountingOption = Annotated[
    Literal["davis", "sav", "prompt"] | None,
    typer.Option("--count", help="Which frames count; as usual for the data set if left out."),
]
EndsOption = Annotated[
    bool | None,
    typer.Option("--leave-out-ends/--count-ends", help="Whether the first and last frame count."),
]
NamesOption = Annotated[
    Path | None, typer.Option("--names", metavar="FILE.txt", help="Names of the clips, one a line.")
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        "--processes",
        min=1,
        help="Processes side by side, each with its own model: 1 if left out; one per core for --predictions.",
    ),
]
PromptOption = Annotated[PromptName, typer.Option("--prompt", help="What is given on the first frame (vos).")]
ClicksPerFrameOption = Annotated[
    int | None,
    typer.Option(
        "--clicks-per-frame", min=1, help="Most clicks on one frame: 3 (interactive), 5 (effort) if left out."
    ),
]
OutOption = Annotated[Path | None, typer.Option("--out", metavar="FILE.json", help="The whole report.")]
ReportOption = Annotated[
    Path | None, typer.Option("--report", metavar="DIR", help="A page, Markdown, JSON and CSV.")
]
MaxClicksOption = Annotated[
    int, typer.Option("--max-clicks", min=5, help="Where counting of clicks ends (clicks, domains).")
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="Clips, or photos of each source.")]
PolicyOption = Annotated[str, typer.Option("--policy", metavar="NAME", help="Memory policy.")]
ImageSizeOption = Annotated[
    int | None, typer.Option("--image-size", min=32, help="Side of the model's input.")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChoice:
    """What runs, as it was asked for; a value that can be sent to another process.

    Args:
        model: Name or file of the model.
        policy: Name of the memory policy.
        runtime: The runtime.
        device: The device.
        image_size: Side of the model's input, or None.
    """

    model: str
    policy: str = "recent"
    runtime: RuntimeName = "torch"
    device: str = "auto"
    image_size: int | None = None

    @property
    def name(self) -> str:
        """Model, policy and runtime, with a file name for a path."""
        return f"{Path(self.model).name}, {self.policy}, {self.runtime}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What to score, and on how much.

    Args:
        data: Where the photos or clips are.
        task: Which protocol.
        limit: Most clips, or photos of each source, or None for all.
        choice: The model, its policy and where it runs.
        out: File of the whole report, or None.
        report: Folder of the page, or None for none.
        prompt: What is given on the first frame; for following objects only.
        max_clicks: Where counting of clicks ends; for photos only.
        layout: Layout of the clips, or None to see for oneself.
        names: File with one name of a clip per line, or None for all clips.
        is_end_left_out: Whether the first and last frame do not count; for clips only.
        num_workers: Processes side by side.
        words: What else stands on the command line that repeats it.
    """

    data: Path
    task: str
    limit: int | None
    choice: ModelChoice
    out: Path | None = None
    report: Path | None = None
    prompt: PromptName = "mask"
    max_clicks: int = MAX_CLICKS
    layout: LayoutName | None = None
    names: Path | None = None
    is_end_left_out: bool = True
    num_workers: int = 1
    words: tuple[str, ...] = field(default=())

    @property
    def policy(self) -> str:
        """Name of the memory policy."""
        return self.choice.policy

    @property
    def command(self) -> str:
        """The command line that repeats it, with a file name for the path."""
        words = ["masklet evaluate", self.data.name, f"--task {self.task}"]
        words.extend(self.words)
        if self.max_clicks != MAX_CLICKS:
            words.append(f"--max-clicks {self.max_clicks}")
        if self.layout is not None:
            words.append(f"--layout {self.layout}")
        if self.names is not None:
            words.append(f"--names {self.names.name}")
        if not self.is_end_left_out:
            words.append("--count-ends")
        if self.policy != "recent":
            words.append(f"--policy {self.policy}")
        if self.limit is not None:
            words.append(f"--limit {self.limit}")
        return " ".join(words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of it.

    Args:
        table: Markdown, for people.
        document: The whole report.
        values: The few values that sum it up.
    """

    table: str
    document: dict[str, object]
    values: dict[str, object]


def facts_of(model: LoadedModel, options: Options) -> dict[str, object]:
    """Where the result comes from."""
    from masklet.evaluation.report import run_facts

    return run_facts(
        command=options.command,
        data=options.data.name,
        model=f"{model.name} at {model.config.image_size} px",
        weights=model.weights_sha256 or "random",
        runtime=model.runtime,
    )


def journal_of(model: LoadedModel, options: Options) -> Journal:
    """Keeps what is finished beside the result that is asked for, so that a run that was stopped goes on from there."""
    from masklet.evaluation.journal import Journal, journal_key

    kept = options.out or (None if options.report is None else options.report / "report.json")
    path = None if kept is None else kept.with_name(f"{kept.name}.partial")
    facts = [str(options.data.resolve()), options.command, options.policy]
    facts += [] if options.names is None else [str(options.names.resolve())]
    facts += [model.name, model.weights_sha256 or "random", str(model.config.image_size), model.runtime]
    return Journal(path, journal_key(facts))


def places_of(options: Options) -> list[ClipPlace]:
    """The clips that are asked for.

    Raises:
        FormatError: When the data or the list of names is not there.
    """
    from masklet.evaluation.layouts import find_clips, read_names

    names = None if options.names is None else read_names(options.names)
    return find_clips(options.data, layout=options.layout, names=names)[1][: options.limit]


@contextmanager
def counted(what: str, num_total: int) -> Iterator[Callable[[], None]]:
    """A function to call after each step, which shows how many are done and the time left."""
    numbers = count(1)
    with ProgressDisplay() as display:
        yield lambda: display.advance(what, next(numbers), num_total)
