"""Keeps what a tracker says of each clip as a masklet document, so that a long run can be stopped and gone on with."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from masklet.annotations.document import FrameMask, Project, Track, VideoFacts
from masklet.annotations.storage import save, write_atomically
from masklet.errors import FormatError, MaskletError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import ClipPlace
from masklet.evaluation.vos import PromptKind, start_prompts
from masklet.evaluation.vos import Track as Tracker
from masklet.masks import rle
from masklet.masks.arrays import BoolArray

_RUN = "run.facts"


def record_tracks(
    tracker: Tracker,
    places: Sequence[ClipPlace],
    folder: Path,
    *,
    prompt: PromptKind,
    run: Mapping[str, object],
    on_frame: Callable[[], None] | None = None,
) -> tuple[str, ...]:
    """Follow every object of every clip and keep the masks, one document per clip; clips that are there are left.

    Args:
        tracker: What is evaluated.
        places: The clips.
        folder: Where the documents go; made when it is not there.
        prompt: What is given on the first frame that shows an object.
        run: What must be the same for earlier clips to be kept, such as model and weights.
        on_frame: Called after each frame that was followed.

    Returns:
        One sentence per clip that could not be followed, naming it.

    Raises:
        FormatError: When the folder holds the masks of another run.
    """
    _claim(folder, {**run, "prompt": prompt})
    problems: list[str] = []
    for place in places:
        document = folder / f"{place.name}.json"
        if document.exists():
            continue
        try:
            clip = place.read().clip
            save(_project(clip, _followed(tracker, clip, prompt, on_frame)), document)
        except MaskletError as error:
            problems.append(f"{place.name}: {error}")
    return tuple(problems)


def _claim(folder: Path, run: Mapping[str, object]) -> None:
    """Note what run the folder is for, or check that it is the same."""
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / _RUN
    content = json.dumps(run, sort_keys=True, indent=1)
    if note.exists() and note.read_text(encoding="utf-8") != content:
        raise FormatError(
            f"The folder {folder.name} holds masks of another model or prompt; choose another one."
        )
    write_atomically(note, content.encode())


def _followed(
    tracker: Tracker, clip: Clip, prompt: PromptKind, on_frame: Callable[[], None] | None
) -> Iterator[Mapping[int, BoolArray]]:
    for masks in tracker(clip, start_prompts(clip, prompt)):
        yield masks
        if on_frame is not None:
            on_frame()


def _project(clip: Clip, followed: Iterator[Mapping[int, BoolArray]]) -> Project:
    frames: dict[int, dict[int, FrameMask]] = {}
    for index, masks in enumerate(followed):
        for object_id, mask in masks.items():
            frames.setdefault(object_id, {})[index] = FrameMask(frame=index, rle=rle.encode(mask))
    return Project(
        video=VideoFacts(name=clip.name, size=clip.size, num_frames=clip.num_frames),
        tracks={i: Track(object_id=i, frames=found) for i, found in frames.items()},
    )
