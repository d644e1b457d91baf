"""Keeps what a tracker says of each clip as a masklet document, so that a long run can be stopped and gone on with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from masklet.annotations.document import FrameMask, Project, Track, VideoFacts
from masklet.annotations.storage import save, write_atomically
from masklet.errors import FormatError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.layouts import ClipPlace
from masklet.evaluation.vos import PromptKind, start_prompts
from masklet.evaluation.vos import Track as Tracker
from masklet.masks import rle
from masklet.masks.arrays import BoolArray

_RUN = "run.facts"


def claim_folder(folder: Path, run: Mapping[str, object]) -> None:
    """Note what run a folder of masks is for, or check that it is the same; the folder is made when it is not there.

    Args:
        folder: Where the documents go.
        run: What must be the same for earlier clips to be kept, such as model, weights and prompt.

    Raises:
        FormatError: When the folder holds the masks of another run.
    """
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / _RUN
    content = json.dumps(run, sort_keys=True, indent=1)
    if note.exists() and note.read_text(encoding="utf-8") != content:
        raise FormatError(
            f"The folder {folder.name} holds masks of another model or prompt; choose another one."
        )
    write_atomically(note, content.encode())


def places_left(places: Sequence[ClipPlace], folder: Path) -> list[ClipPlace]:
    """The clips that the folder has no document of."""
    return [place for place in places if not (folder / f"{place.name}.json").exists()]


def record_clip(tracker: Tracker, place: ClipPlace, folder: Path, *, prompt: PromptKind) -> None:
    """Follow every object of a clip and keep the masks as a document in the folder.

    Args:
        tracker: What is evaluated.
        place: The clip.
        folder: Where the document goes.
        prompt: What is given on the first frame that shows an object.

    Raises:
        MaskletError: When the clip cannot be read or followed.
    """
    clip = place.read().clip
    followed = tracker(clip, start_prompts(clip, prompt))
    save(_project(clip, followed), folder / f"{place.name}.json")


def _project(clip: Clip, followed: Iterable[Mapping[int, BoolArray]]) -> Project:
    frames: dict[int, dict[int, FrameMask]] = {}
    for index, masks in enumerate(followed):
        for object_id, mask in masks.items():
            frames.setdefault(object_id, {})[index] = FrameMask(frame=index, rle=rle.encode(mask))
    return Project(
        video=VideoFacts(name=clip.name, size=clip.size, num_frames=clip.num_frames),
        tracks={i: Track(object_id=i, frames=found) for i, found in frames.items()},
    )
