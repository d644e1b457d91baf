"""The values of the document, all frozen; ``with_...`` gives a changed copy, so undo keeps the old one."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType

from masklet.annotations.fields import MAX_NUMBER
from masklet.errors import FormatError, PromptError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.arrays import BoolArray
from masklet.masks.rle import RLE
from masklet.prompts import PromptSet

_COLOR = re.compile(r"#[0-9a-f]{6}")
_MAX_TEXT = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A class that objects can have.

    Args:
        id: At least 0, unique in a project.
        name: What people read; 1 to 1000 characters.
        color: "#rrggbb" in lower case.

    Raises:
        FormatError: When a part is out of range.
    """

    id: int
    name: str
    color: str

    def __post_init__(self) -> None:
        """Check the parts."""
        _check_whole("label id", self.id)
        _check_text("label name", self.name)
        if not self.name:
            raise FormatError("A label needs a name of at least one character.")
        if not _COLOR.fullmatch(self.color):
            raise FormatError(f"A color must look like #1e90ff, got {self.color[:40]!r}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoFacts:
    """What the document knows of its video; an image is a video of one frame.

    Args:
        name: File name without folders.
        size: Size of the shown frame and of every mask.
        num_frames: At least 1, or None while a stream is open.
        frame_rate: Frames per second, above 0, or None when it is not known or varies.
        sha256: Hash of the file, 64 hexadecimal digits in lower case, or None.

    Raises:
        FormatError: When a part is out of range.
    """

    name: str
    size: Size
    num_frames: int | None = None
    frame_rate: Fraction | None = None
    sha256: str | None = None

    def __post_init__(self) -> None:
        """Check the parts."""
        _check_text("video name", self.name)
        if self.num_frames is not None and not 1 <= self.num_frames <= MAX_NUMBER:
            raise FormatError(f"A video has at least one frame, got {self.num_frames}.")
        if self.frame_rate is not None and not (
            0 < self.frame_rate.numerator <= MAX_NUMBER and self.frame_rate.denominator <= MAX_NUMBER
        ):
            raise FormatError(f"A frame rate must be a short fraction above 0, got {self.frame_rate}.")
        if self.sha256 is not None and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise FormatError("A video's sha256 must be 64 hexadecimal digits in lower case.")


@dataclass(frozen=True, slots=True, kw_only=True)
class FrameMask:
    """An object on one frame.

    Args:
        frame: Index of the frame, at least 0.
        rle: The mask, or None when the object is not seen.
        is_occluded: Whether it is there but hidden by something; such a frame has no mask.
        score: Predicted IoU in [0, 1], or None for a mask drawn by hand.
        presence: Probability in [0, 1] that the object is on the frame, or None.
        stability: How little the mask hangs on its threshold, in [0, 1], or None.
        is_prompted: Whether a person said something about the object on this frame.

    Raises:
        FormatError: When a part is out of range.
    """

    frame: int
    rle: RLE | None
    is_occluded: bool = False
    score: float | None = None
    presence: float | None = None
    stability: float | None = None
    is_prompted: bool = False

    def __post_init__(self) -> None:
        """Check the parts."""
        _check_whole("frame index", self.frame)
        for name, value in (
            ("score", self.score),
            ("presence", self.presence),
            ("stability", self.stability),
        ):
            if value is not None and not (math.isfinite(value) and 0 <= value <= 1):
                raise FormatError(f"The {name} of a frame must lie in [0, 1], got {value}.")
        if self.is_occluded and not self.is_absent:
            raise FormatError(
                f"The object is occluded on frame {self.frame} and has a mask too; keep one of both."
            )

    @property
    def is_absent(self) -> bool:
        """Whether no pixel of the object is seen."""
        return self.rle is None or rle.area(self.rle) == 0

    def mask(self, size: Size) -> BoolArray:
        """The mask, bool (h, w); empty when the object is not seen.

        Args:
            size: Size of the video.
        """
        return rle.decode(rle.empty(size) if self.rle is None else self.rle)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One object through the video.

    Args:
        object_id: At least 0, unique in a project.
        name: What people read, may be empty.
        label_id: Class of the object, or None.
        frames: Masks by frame index. Frames that are left out are unknown, not absent.

    Raises:
        FormatError: When a part is out of range or a mask stands under another frame than its own.
    """

    object_id: int
    name: str = ""
    label_id: int | None = None
    frames: Mapping[int, FrameMask] = field(default_factory=dict[int, FrameMask])

    def __post_init__(self) -> None:
        """Check the parts and freeze the frames in order."""
        _check_whole("object id", self.object_id)
        _check_text("track name", self.name)
        for index, found in self.frames.items():
            if index != found.frame:
                raise FormatError(
                    f"Object {self.object_id}: the mask of frame {found.frame} stands under {index}."
                )
        object.__setattr__(self, "frames", MappingProxyType(dict(sorted(self.frames.items()))))

    def with_frames(self, found: Iterable[FrameMask]) -> Track:
        """The track with these frames put in or replaced; gather many frames and put them in at once."""
        return replace(self, frames={**self.frames, **{one.frame: one for one in found}})

    def without_frames(self, start: int, stop: int) -> Track:
        """The track with the frames of the half-open range made unknown."""
        return replace(self, frames={i: one for i, one in self.frames.items() if not start <= i < stop})

    def with_name(self, name: str) -> Track:
        """The track under another name."""
        return replace(self, name=name)

    def with_label(self, label_id: int | None) -> Track:
        """The track in another class, or in none."""
        return replace(self, label_id=label_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One step of the history: what a person did, and enough to undo it.

    Args:
        action: What was done, such as "set_prompts" or "rename_track"; 1 to 1000 characters.
        object_id: The object, or None.
        frame: The frame, or None.
        before: Prompts of object and frame before, or None when there were none.
        after: Prompts after, or None when none are left.
        text: Further words, such as the new name; at most 1000 characters.
        time_s: When, in seconds since 1970, or None.

    Raises:
        FormatError: When a part is out of range.
    """

    action: str
    object_id: int | None = None
    frame: int | None = None
    before: PromptSet | None = None
    after: PromptSet | None = None
    text: str = ""
    time_s: int | None = None

    def __post_init__(self) -> None:
        """Check the parts."""
        _check_text("edit action", self.action)
        _check_text("edit text", self.text)
        if not self.action:
            raise FormatError("An edit needs an action of at least one character.")
        for name, value in (
            ("object id", self.object_id),
            ("frame index", self.frame),
            ("time", self.time_s),
        ):
            if value is not None:
                _check_whole(name, value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The document.

    Args:
        video: What is known of the video.
        tracks: Objects by object id.
        labels: Classes by label id.
        prompts: For each object id what was said on each frame.
        edits: History, oldest first.

    Raises:
        FormatError: When parts contradict each other: an unknown label or object, a frame outside of the
        video, a
            mask of another size, a click outside of the image.
    """

    video: VideoFacts
    tracks: Mapping[int, Track] = field(default_factory=dict[int, Track])
    labels: Mapping[int, Label] = field(default_factory=dict[int, Label])
    prompts: Mapping[int, Mapping[int, PromptSet]] = field(default_factory=dict[int, Mapping[int, PromptSet]])
    edits: tuple[Edit, ...] = ()

    def __post_init__(self) -> None:
        """Check that the parts agree, and freeze them in order."""
        for track_id, track in self.tracks.items():
            self._check_track(track_id, track)
        for label_id, label in self.labels.items():
            if label_id != label.id:
                raise FormatError(f"The label {label.id} stands under {label_id}.")
        for object_id, frames in self.prompts.items():
            self._check_prompts(object_id, frames)
        frozen = {
            object_id: MappingProxyType(dict(sorted(frames.items())))
            for object_id, frames in sorted(self.prompts.items())
            if frames
        }
        object.__setattr__(self, "tracks", MappingProxyType(dict(sorted(self.tracks.items()))))
        object.__setattr__(self, "labels", MappingProxyType(dict(sorted(self.labels.items()))))
        object.__setattr__(self, "prompts", MappingProxyType(frozen))
        object.__setattr__(self, "edits", tuple(self.edits))

    def with_track(self, track: Track) -> Project:
        """The project with a track put in or replaced."""
        return replace(self, tracks={**self.tracks, track.object_id: track})

    def without_track(self, object_id: int) -> Project:
        """The project without an object and what was said about it."""
        return replace(
            self,
            tracks={i: track for i, track in self.tracks.items() if i != object_id},
            prompts={i: frames for i, frames in self.prompts.items() if i != object_id},
        )

    def with_label(self, label: Label) -> Project:
        """The project with a class put in or replaced."""
        return replace(self, labels={**self.labels, label.id: label})

    def without_label(self, label_id: int) -> Project:
        """The project without a class; its objects have none then."""
        tracks = {i: t.with_label(None) if t.label_id == label_id else t for i, t in self.tracks.items()}
        return replace(
            self, labels={i: one for i, one in self.labels.items() if i != label_id}, tracks=tracks
        )

    def with_prompts(self, object_id: int, frame: int, prompts: PromptSet | None) -> Project:
        """The project with another prompt set for an object on a frame, or with none there."""
        frames = {index: one for index, one in self.prompts.get(object_id, {}).items() if index != frame}
        if prompts is not None:
            frames[frame] = prompts
        return replace(self, prompts={**self.prompts, object_id: frames})

    def with_edit(self, edit: Edit) -> Project:
        """The project with one more step in its history."""
        return replace(self, edits=(*self.edits, edit))

    def without_last_edit(self) -> Project:
        """The project with its history one step shorter."""
        return replace(self, edits=self.edits[:-1])

    def _check_track(self, track_id: int, track: Track) -> None:
        if track_id != track.object_id:
            raise FormatError(f"The track of object {track.object_id} stands under {track_id}.")
        if track.label_id is not None and track.label_id not in self.labels:
            raise FormatError(
                f"Object {track_id} has the label {track.label_id}, which the project does not have."
            )
        for index, found in track.frames.items():
            self._check_frame(track_id, index)
            if found.rle is not None and found.rle.size != self.video.size:
                raise FormatError(
                    f"The mask of object {track_id} on frame {index} is {found.rle.size.hw} but the video is "
                    f"{self.video.size.hw} (h, w)."
                )

    def _check_prompts(self, object_id: int, frames: Mapping[int, PromptSet]) -> None:
        if object_id not in self.tracks:
            raise FormatError(
                f"There are prompts for object {object_id}, which has no track; add the track first."
            )
        for index, prompts in frames.items():
            self._check_frame(object_id, index)
            try:
                prompts.check_inside(self.video.size)
            except PromptError as error:
                raise FormatError(f"Prompts of object {object_id} on frame {index}: {error}") from error

    def _check_frame(self, object_id: int, index: int) -> None:
        end = MAX_NUMBER if self.video.num_frames is None else self.video.num_frames
        if not 0 <= index < end:
            raise FormatError(
                f"Object {object_id} speaks of frame {index}, but the video has frames 0 to {end - 1}."
            )


def _check_whole(name: str, value: int) -> None:
    if not 0 <= value <= MAX_NUMBER:
        raise FormatError(f"The {name} must be a whole number from 0 to {MAX_NUMBER}, got {value}.")


def _check_text(name: str, value: str) -> None:
    if len(value) > _MAX_TEXT:
        raise FormatError(f"The {name} has {len(value)} characters, the most is {_MAX_TEXT}.")
