"""What a file of any format holds: one document per video or image, and the records it was read from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TypeAlias

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.errors import FormatError
from masklet.masks import rle

Key: TypeAlias = tuple[int, int]
"""Object id and frame of one mask; frame -1 stands for the whole track."""

WHOLE_TRACK = -1
MAX_FRAMES = 10_000_000
"""Most frames of one video that are written one by one: more than three days at 30 frames per second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The record that a mask or track was read from, to be written again as it was while nobody changed it.

    Args:
        format: Name of the format of the record.
        track: The track as it was read; for the record of one mask, with that frame alone.
        label: The class as it was read, or None.
        record: The record as it stood in the file.
    """

    format: str
    track: Track
    label: Label | None
    record: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One video or image.

    Args:
        project: Its document; an image is a video of one frame.
        frame_names: File name of each frame, folders with "/", or empty when a video file holds the frames.
        records: For each object and frame the record it was read from.
        record: The record of the video or image itself, with the name of its format, or None.
        origin: For an image that was a frame of a video, what is known of the video, and the frame.

    Raises:
        FormatError: When there are frame names, but not one for each frame.
    """

    project: Project
    frame_names: tuple[str, ...] = ()
    records: Mapping[Key, Kept] = field(default_factory=dict[Key, Kept], compare=False)
    record: tuple[str, object] | None = field(default=None, compare=False)
    origin: tuple[VideoFacts, int] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Check the number of names and freeze the records."""
        object.__setattr__(self, "records", MappingProxyType(dict(self.records)))
        if self.frame_names and len(self.frame_names) != self.num_frames:
            raise FormatError(
                f"{self.name!r} has {self.num_frames} frames and {len(self.frame_names)} names for them; "
                "give one for each."
            )

    @property
    def name(self) -> str:
        """Name of the video or image."""
        return self.project.video.name

    @property
    def num_frames(self) -> int:
        """Number of frames; while it is not known, up to the last frame that anything is said about."""
        if self.project.video.num_frames is not None:
            return self.project.video.num_frames
        said = [index for track in self.project.tracks.values() for index in track.frames]
        prompted = [index for frames in self.project.prompts.values() for index in frames]
        return max([*said, *prompted], default=0) + 1

    @property
    def is_image(self) -> bool:
        """Whether it is one image file, named like its only frame, rather than a video."""
        return len(self.frame_names) == 1 and base_name(self.frame_names[0]) == self.name

    def kept(self, name: str, track: Track, frame: int) -> object | None:
        """The record of a mask (or of a whole track) when it is of this format and nothing changed since."""
        found = self.records.get((track.object_id, frame))
        if found is None or found.format != name:
            return None
        now = track if frame == WHOLE_TRACK else of_one_frame(track, frame)
        label = None if track.label_id is None else self.project.labels[track.label_id].name
        before = None if found.label is None else found.label.name
        is_same = replace(found.track, label_id=track.label_id) == now and before == label
        return found.record if is_same else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSet:
    """Everything that one file or folder of labels holds.

    Args:
        entries: Videos and images in order.
        record: What stands above them in the file it was read from, with the name of its format, or None.
        notes: What the importer passed over, in words.
    """

    entries: tuple[Entry, ...]
    notes: tuple[str, ...] = field(default=(), compare=False)
    record: tuple[str, object] | None = field(default=None, compare=False)

    def with_records_of(self, original: LabelSet) -> LabelSet:
        """The same labels with the records of the label set that they were first read from.

        Whatever is still equal to what was read is then written exactly as it stood there.

        Args:
            original: The label set as it was imported.
        """
        known = {(one.name, one.frame_names): one for one in original.entries}
        entries = [
            replace(one, records=found.records, record=found.record)
            if (found := known.get((one.name, one.frame_names)))
            else one
            for one in self.entries
        ]
        return replace(self, entries=tuple(entries), record=original.record)


def base_name(name: str) -> str:
    """A file name without its folders."""
    return name.replace("\\", "/").rpartition("/")[2]


def of_one_frame(track: Track, frame: int) -> Track:
    """The track with one of its frames alone, or with none when nothing is known there."""
    found = track.frames.get(frame)
    return replace(track, frames={} if found is None else {frame: found})


def frame_name(entry: Entry, index: int, suffix: str = ".jpg") -> str:
    """File name of a frame, or one made from its index when it has none."""
    return entry.frame_names[index] if entry.frame_names else f"{index:05d}{suffix}"


def visible(track: Track) -> Iterator[FrameMask]:
    """The frames of a track on which at least one of its pixels is seen."""
    return (found for found in track.frames.values() if not found.is_absent)


def seen(frame: int, mask: rle.RLE | None) -> FrameMask:
    """A mask drawn by hand on a frame; an empty one means that the object is not seen."""
    return FrameMask(frame=frame, rle=None if mask is None or rle.area(mask) == 0 else mask)


def frames_to_write(entry: Entry) -> range:
    """All frame indices of an entry.

    Raises:
        FormatError: When there are too many to write one by one.
    """
    if entry.num_frames > MAX_FRAMES:
        raise FormatError(
            f"{entry.name!r} claims {entry.num_frames} frames, the most that is written frame by frame is "
            f"{MAX_FRAMES}; correct its number of frames."
        )
    return range(entry.num_frames)


def label_of(entry: Entry, track: Track) -> Label | None:
    """The class of a track, or None."""
    return None if track.label_id is None else entry.project.labels[track.label_id]


def common_labels(entries: Sequence[Entry]) -> tuple[dict[int, Label], dict[str, int]]:
    """The classes of all entries together.

    Returns:
        Classes by id, and the id of each name. Where entries agree, ids stay as they are; otherwise classes
        are told apart by name and numbered anew from 1.
    """
    by_id: dict[int, Label] = {}
    is_agreed = True
    for entry in entries:
        for one in entry.project.labels.values():
            is_agreed = is_agreed and by_id.setdefault(one.id, one).name == one.name
    names = {one.name: one.id for one in by_id.values()}
    if is_agreed and len(names) == len(by_id):
        return dict(sorted(by_id.items())), names
    by_name: dict[str, Label] = {}
    for entry in entries:
        for one in entry.project.labels.values():
            by_name.setdefault(one.name, one)
    renumbered = {number: replace(one, id=number) for number, one in enumerate(by_name.values(), start=1)}
    return renumbered, {one.name: number for number, one in renumbered.items()}
