"""``masklet track``: follow objects through a video."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from masklet.cli.console import Interruption, interruptible, print_result, say
from masklet.cli.loading import load_chosen
from masklet.cli.options import DeviceOption, JsonOption, ModelOption, RuntimeOption
from masklet.cli.progress import ProgressDisplay
from masklet.cli.prompt_files import parse_mask_option, read_prompts_file
from masklet.cli.prompt_grammar import VIDEO_EXAMPLE, parse_video_prompt
from masklet.cli.text_options import DetectorOption, TextOption, ThresholdOption, load_detector
from masklet.errors import PromptError
from masklet.pipeline import (
    FrameTracked,
    ObjectPrompt,
    OverlayDrawn,
    PipelineEvent,
    TextFinding,
    TrackingFinished,
    TrackingStarted,
    TrackJob,
    TrackSummary,
    find_in_video,
    merge_prompts,
    track_video,
)
from masklet.pipeline.job import Tracker
from masklet.pipeline.tracker import ModelTracker
from masklet.scale.storage import local_copy


def track(  # noqa: PLR0913 - each parameter is one option of the command
    video: Annotated[
        str,
        typer.Argument(
            metavar="VIDEO|FOLDER",
            help="A video file or a folder of images, or a video's address (s3://...).",
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for masks/NNNNN.png and tracks.json.")
    ],
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            help='What to follow: "1@0: +320,240 -100,50" is object 1 on frame 0 with a click on it and one off it, '
            '"2@15: box 10,20,200,240" is object 2 on frame 15 in a box. May be given several times.',
        ),
    ] = None,
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="ID@FRAME=FILE",
            help="The object's mask on a frame: 1@0=first.png. Several times.",
        ),
    ] = None,
    prompts: Annotated[
        Path | None, typer.Option("--prompts", metavar="FILE.json", help="Many prompts from one file.")
    ] = None,
    text: TextOption = None,
    detector: DetectorOption = "embedded",
    threshold: ThresholdOption = None,
    overlay: Annotated[
        Path | None, typer.Option("--overlay", metavar="FILE.mp4", help="Also draw the masks over the video.")
    ] = None,
    model: ModelOption = "compact",
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "torch",
    compile_frames: Annotated[
        bool,
        typer.Option(
            "--compile",
            help="Compile the frames of a SAM 2 model and follow them without waiting for the graphics card.",
        ),
    ] = False,
    policy: Annotated[
        str,
        typer.Option("--policy", metavar="recent|quality|motion|rivals", help="What the tracker remembers."),
    ] = "recent",
    start: Annotated[int, typer.Option("--start", metavar="N", min=0, help="First frame to track.")] = 0,
    stop: Annotated[
        int | None,
        typer.Option(
            "--stop", metavar="N", min=1, help="Frame to stop before; the end of the video if left out."
        ),
    ] = None,
    backward: Annotated[
        bool, typer.Option("--backward", help="Also follow objects back from their first prompt.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a run that was stopped or killed.")
    ] = False,
    allow_damaged: Annotated[
        bool, typer.Option("--allow-damaged", help="Track what is left of a cut or broken video.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Follow objects through a video and write their masks."""
    said = _gather_prompts(video, prompt or [], mask or [], prompts, text)
    labels: Mapping[int, str] = {}
    with local_copy(video, is_named=True) as source:
        if text is not None:
            first_id = 1 + max((one.object_id for one in said), default=0)
            grounder = load_detector(detector, device=device)
            found = find_in_video(
                source, text, grounder, threshold=threshold, first_id=first_id, start=start, stop=stop
            )
            say(_found_in_words(found))
            said, labels = merge_prompts([*said, *found.prompts]), found.labels
        job = TrackJob(
            source=source,
            prompts=said,
            labels=labels,
            out=out,
            overlay=overlay,
            start=start,
            stop=stop,
            backward=backward,
            resume=resume,
            allow_damaged=allow_damaged,
        )
        load = partial(load_chosen, runtime=runtime)
        tracker = ModelTracker(model, device=device, policy=policy, load=load, is_compiled=compile_frames)
        summary = run_job(job, tracker)
    print_result(_in_words(summary), _as_values(summary), as_json=json)


def run_job(job: TrackJob, tracker: Tracker) -> TrackSummary:
    """Run a job with its progress on standard error; Ctrl-C stops it so that it can be resumed.

    Raises:
        MaskletError: What the pipeline raises.
    """
    interruption = Interruption()
    events = track_video(job, tracker, is_cancelled=interruption)
    # Until the run has started there is nothing to save, and Ctrl-C may end the program at once.
    _say_started(next(events))
    with interruptible(interruption), ProgressDisplay() as display:
        return _show(events, display)


def _gather_prompts(
    video: str, texts: list[str], masks: list[str], file: Path | None, words: str | None
) -> tuple[ObjectPrompt, ...]:
    if not texts and not masks and file is None and words is None:
        raise PromptError(
            f"Nothing says what to follow; give a click on the object, for example masklet track {video} --out DIR "
            f'--prompt "{VIDEO_EXAMPLE}" (object 1 on frame 0: on it at x 320, y 240, off it at x 100, y 50), or '
            'words, for example --text "dog . person".'
        )
    from_file = [] if file is None else read_prompts_file(file)
    return merge_prompts([*from_file, *map(parse_mask_option, masks), *map(parse_video_prompt, texts)])


def _found_in_words(found: TextFinding) -> str:
    objects = ", ".join(
        f"object {one.object_id} is {found.labels[one.object_id]!r} on frame {one.frame} "
        f"({found.scores[one.object_id]:.2f})"
        for one in found.prompts
    )
    missing = f"; nothing was taken for {', '.join(map(repr, found.missing))}" if found.missing else ""
    return f"Found {objects}{missing}"


def _say_started(event: PipelineEvent) -> None:
    if not isinstance(event, TrackingStarted):
        raise TypeError(f"A run begins with TrackingStarted, got {event!r}.")
    say(_started_in_words(event))


def _started_in_words(event: TrackingStarted) -> str:
    noun = "object" if event.num_objects == 1 else "objects"
    words = (
        f"{event.source}: {event.size.width} x {event.size.height}, {event.num_steps} frames to track, "
        f"{event.num_objects} {noun}"
    )
    if event.num_done:
        words += f", {event.num_done} done before"
    if event.num_unused_prompts:
        words += f"; {event.num_unused_prompts} prompts lie after the range and are not used"
    return words


def _show(events: Iterator[PipelineEvent], display: ProgressDisplay) -> TrackSummary:
    for event in events:
        if isinstance(event, FrameTracked):
            display.advance("Tracking", event.num_done, event.num_steps)
        elif isinstance(event, OverlayDrawn):
            display.advance("Drawing", event.num_done, event.num_frames)
        elif isinstance(event, TrackingFinished):
            return event.summary
    raise TypeError("A run ends with TrackingFinished or an error.")


def _in_words(summary: TrackSummary) -> str:
    num_objects = len(summary.objects)
    written = ", ".join(
        str(path) for path in (summary.masks, summary.tracks, summary.overlay) if path is not None
    )
    speed = "" if summary.fps is None else f" in {summary.seconds:.1f} s ({summary.fps:.1f} frames/s)"
    return (
        f"Tracked {num_objects} {'object' if num_objects == 1 else 'objects'} through {summary.num_frames} frames{speed} "
        f"with {summary.model} on {summary.device}: {written}"
    )


def _as_values(summary: TrackSummary) -> dict[str, object]:
    return {
        "frames": summary.num_frames,
        "objects": len(summary.objects),
        "seconds": round(summary.seconds, 3),
        "fps": None if summary.fps is None else round(summary.fps, 3),
        "model": summary.model,
        "device": summary.device,
        "masks": str(summary.masks),
        "tracks": str(summary.tracks),
        "overlay": None if summary.overlay is None else str(summary.overlay),
        "per_object": {
            str(one.object_id): {
                "mean_score": None if one.mean_score is None else round(one.mean_score, 6),
                "visible_frames": one.num_visible,
            }
            for one in summary.objects
        },
    }
