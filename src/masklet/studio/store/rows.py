"""Rows of the database as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectRow:
    """A project; ``revision`` counts its edits."""

    id: str
    name: str
    revision: int
    created_s: float
    changed_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaRow:
    """An image or a video of a project; ``file`` is its server-made name."""

    id: str
    project_id: str
    name: str
    file: str
    sha256: str
    num_bytes: int
    kind: str
    width: int
    height: int
    num_frames: int
    fps: float | None
    duration_s: float | None
    is_variable_frame_rate: bool
    codec: str | None
    container: str | None
    rotation: int
    damage: str | None
    created_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassRow:
    """A class of a project's ontology.

    ``shortcut`` is one key or empty; ``words`` are searched for in place of the name; ``place`` orders the list.
    """

    project_id: str
    id: int
    name: str
    color: str
    shortcut: str = ""
    words: str = ""
    place: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRow:
    """An object of a medium."""

    media_id: str
    id: int
    name: str
    color: str
    class_id: int | None = None
    is_visible: bool = True
    is_locked: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptRow:
    """What was said of an object on a frame; ``prompts`` is the JSON of a prompt set."""

    media_id: str
    object_id: int
    frame: int
    prompts: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """An object on a frame: COCO run lengths, scores, and how the mask came about. ``presence`` is a probability.

    ``is_occluded`` is said of frames without a mask on which labels that came in call the object hidden.
    """

    media_id: str
    object_id: int
    frame: int
    counts: str
    area: int
    score: float
    presence: float
    stability: float
    is_prompted: bool
    is_backward: bool
    is_kept: bool
    is_occluded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkRow:
    """Something that was done to an object, and when, in seconds since 1970; ``frame`` None is no frame in particular."""

    media_id: str
    object_id: int
    frame: int | None
    action: str
    time_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSourceRow:
    """A label set that came in for a medium.

    ``records_id`` is where it is kept, ``place`` which of its entries it is, ``ids`` the ids of its objects there and here.
    """

    media_id: str
    records_id: str
    place: int
    ids: str


AnyRow = ProjectRow | MediaRow | ClassRow | ObjectRow | PromptRow | ResultRow | WorkRow | LabelSourceRow


def values_of(row: AnyRow) -> dict[str, Any]:
    """Columns of a row."""
    return asdict(row)


def with_flags(values: Mapping[str, Any]) -> dict[str, Any]:
    """Columns as SQLite gives them, with its 0 and 1 made False and True."""
    return {name: bool(value) if name.startswith("is_") else value for name, value in values.items()}
