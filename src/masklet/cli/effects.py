"""``masklet effects``: a tracked video with effects on its background and its objects."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from masklet.cli.console import Interruption, interruptible, print_result
from masklet.cli.options import JsonOption
from masklet.cli.progress import ProgressDisplay
from masklet.effects import BACKGROUNDS, OBJECTS, EffectChoice, EffectSettings, surprise_me
from masklet.errors import CancelledError, EffectError, MediaError

if TYPE_CHECKING:
    from masklet.video.source import FrameSource

_CHOICE = re.compile(r"(?:(?P<id>\d+)=)?(?P<name>[a-z]+)(?::(?P<variant>[a-z]+))?(?:,(?P<changes>.*))?")
_EXAMPLE = "blur:strong, text:giant,text=HELLO or 2=overlay:outline,color=#ff8800"


def effects(
    video: Annotated[
        Path, typer.Argument(metavar="VIDEO|FOLDER", help="The video or folder of images that was tracked.")
    ],
    *,
    masks: Annotated[
        Path, typer.Option("--masks", metavar="DIR", help="What masklet track wrote: indexed PNGs by frame.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FILE.mp4", help="The video to write.")],
    background: Annotated[
        str,
        typer.Option(
            "--background",
            metavar="NAME[:VARIANT][,PARAMETER=VALUE]",
            help=f"One of {', '.join(BACKGROUNDS)}.",
        ),
    ] = "original",
    objects: Annotated[
        list[str] | None,
        typer.Option(
            "--object",
            metavar="[ID=]NAME[:VARIANT][,PARAMETER=VALUE]",
            help=f"One of {', '.join(OBJECTS)}; with ID= for one object, otherwise for all others. Several times.",
        ),
    ] = None,
    surprise: Annotated[
        int | None,
        typer.Option("--surprise", metavar="N", min=0, help="Draw the effects at random; N decides which."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Decides what effects leave to chance.")
    ] = 0,
    json: JsonOption = False,
) -> None:
    """Put effects on a tracked video."""
    settings = (
        _settings(background, objects or [], seed)
        if surprise is None
        else surprise_me(np.random.default_rng(surprise))
    )
    num_frames = _draw(video, masks, out, settings)
    chosen = [_in_words(settings.background), _in_words(settings.objects)]
    words = f"Drew {num_frames} frames with background {chosen[0]} and objects {chosen[1]}: {out}"
    print_result(words, {"frames": num_frames, "out": str(out), "effects": settings.to_json()}, as_json=json)


def parse_choice(text: str) -> tuple[int | None, EffectChoice]:
    """An effect as it is written on the command line, and the object it is meant for.

    Args:
        text: ``[ID=]NAME[:VARIANT][,PARAMETER=VALUE]...``.

    Raises:
        EffectError: When it is written otherwise.
    """
    found = _CHOICE.fullmatch(text.strip())
    if found is None:
        raise EffectError(f"{text!r} is no effect; write it as {_EXAMPLE}.")
    changes: dict[str, int | str] = {}
    for part in (found["changes"] or "").split(","):
        name, separator, value = part.partition("=")
        if part and not separator:
            raise EffectError(f"{part!r} is no parameter of an effect; write NAME=VALUE.")
        if part:
            changes[name.strip()] = _value(found["name"], name.strip(), value)
    choice = EffectChoice(name=found["name"], variant=found["variant"] or "", changes=changes)
    return None if found["id"] is None else int(found["id"]), choice


def _value(effect: str, parameter: str, text: str) -> int | str:
    """A whole number where the parameter is one; a text of digits stays a text."""
    known = [table[effect] for table in (BACKGROUNDS, OBJECTS) if effect in table]
    is_whole = any(one.id == parameter and one.kind == "whole" for each in known for one in each.parameters)
    return int(text) if is_whole and re.fullmatch(r"-?\d{1,9}", text) else text


def _settings(background: str, objects: list[str], seed: int) -> EffectSettings:
    object_id, behind = parse_choice(background)
    if object_id is not None:
        raise EffectError(f"--background {background!r} names an object; give that to --object.")
    parsed = [parse_choice(text) for text in objects]
    for_all = [choice for found, choice in parsed if found is None]
    single = {found: choice for found, choice in parsed if found is not None}
    if len(for_all) > 1 or len(for_all) + len(single) < len(parsed):
        raise EffectError("--object was given twice for the same objects; leave one out.")
    return EffectSettings(
        background=behind,
        objects=for_all[0] if for_all else EffectChoice(name="original"),
        by_object=single,
        seed=seed,
    )


def _draw(video: Path, masks: Path, out: Path, settings: EffectSettings) -> int:
    """Write the video; returns the number of its frames."""
    from masklet.pipeline.effects import draw_effects_video, mask_files, read_masks
    from masklet.pipeline.results import check_overlay_path
    from masklet.video import open_source

    check_overlay_path(out)
    files, interruption, num_done = mask_files(masks), Interruption(), 0
    with open_source(video) as source:
        _check_range(source, max(files))
        frames = draw_effects_video(out, source, read_masks(files), settings)
        with interruptible(interruption), ProgressDisplay() as display:
            for num_done in frames:
                display.advance("Drawing", num_done, max(files) - min(files) + 1)
                if interruption():
                    raise CancelledError(f"Stopped while drawing; {out} is not whole.")
    return num_done


def _check_range(source: FrameSource, last: int) -> None:
    if source.num_frames is not None and last >= source.num_frames:
        raise MediaError(
            f"There is a mask for frame {last}, but {source.name} has the frames 0 to {source.num_frames - 1}."
        )


def _in_words(choice: EffectChoice) -> str:
    return f"{choice.name}:{choice.variant}" if choice.variant else choice.name
