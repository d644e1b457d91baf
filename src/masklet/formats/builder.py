"""Gathers what an importer finds about one video or image, in any order, into an entry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.errors import FormatError
from masklet.formats.label_set import WHOLE_TRACK, Entry, Kept, Key
from masklet.formats.palette import palette_color
from masklet.geometry import Box, Size
from masklet.prompts import PromptSet


@dataclass(slots=True)
class _Found:
    """One object so far."""

    name: str = ""
    label_id: int | None = None
    frames: dict[int, FrameMask] = field(default_factory=dict[int, FrameMask])


@dataclass(slots=True, kw_only=True)
class EntryBuilder:
    """One video or image in the making.

    Args:
        format: Name of the format that is read.
        name: Name of the video or image.
        size: Size of every mask.
        num_frames: Number of frames, or None to count to the last that anything is said about.
        frame_names: File name of each frame, or nothing.
        frame_rate: Frames per second, or None.
        sha256: Hash of the video, or None.
    """

    format: str
    name: str
    size: Size
    num_frames: int | None = None
    frame_names: Sequence[str] = ()
    frame_rate: Fraction | None = None
    sha256: str | None = None
    _objects: dict[int, _Found] = field(default_factory=dict[int, _Found])
    _prompts: dict[int, dict[int, PromptSet]] = field(default_factory=dict[int, dict[int, PromptSet]])
    _records: dict[Key, object] = field(default_factory=dict[Key, object])

    def track(self, object_id: int, *, name: str = "", label_id: int | None = None) -> None:
        """Say that there is an object; what is said later about its name or class counts."""
        found = self._objects.setdefault(object_id, _Found())
        found.name, found.label_id = name or found.name, label_id if label_id is not None else found.label_id

    def add(self, object_id: int, found: FrameMask, *, record: object = None) -> None:
        """Say how an object is on a frame.

        Args:
            object_id: The object.
            found: The frame.
            record: What stood in the file, to be written again while nobody changes it.

        Raises:
            FormatError: When something was said about object and frame before.
        """
        frames = self._objects.setdefault(object_id, _Found()).frames
        if found.frame in frames:
            raise FormatError(
                f"{self.name!r}: object {object_id} has two masks on frame {found.frame}; keep one of them."
            )
        frames[found.frame] = found
        if record is not None:
            self._records[object_id, found.frame] = record

    def add_box(self, object_id: int, frame: int, box: Box | None, *, record: object = None) -> None:
        """Say that an object without a mask is in a box; a box outside of the image is passed over."""
        self._objects.setdefault(object_id, _Found())
        inside = None if box is None else box.clipped(self.size)
        if inside is not None:
            self._prompts.setdefault(object_id, {})[frame] = PromptSet(box=inside)

        if record is not None:
            self._records[object_id, frame] = record

    def keep(self, object_id: int, record: object) -> None:
        """Remember what the file says of a whole track."""
        self._records[object_id, WHOLE_TRACK] = record

    def free_id(self) -> int:
        """An object id above all that were used."""
        return max(self._objects, default=0) + 1

    def has(self, object_id: int) -> bool:
        """Whether anything was said about an object."""
        return object_id in self._objects

    def finish(self, labels: Mapping[int, Label], *, record: object = None) -> Entry:
        """The entry.

        Args:
            labels: Classes by id; those that objects have must be among them.
            record: What the file says of the video or image itself.

        Raises:
            FormatError: When the parts contradict each other.
        """
        tracks = {
            i: Track(object_id=i, name=one.name, label_id=one.label_id, frames=one.frames)
            for i, one in self._objects.items()
        }
        project = Project(
            video=VideoFacts(
                name=self.name,
                size=self.size,
                num_frames=self._length(),
                frame_rate=self.frame_rate,
                sha256=self.sha256,
            ),
            tracks=tracks,
            labels=labels,
            prompts=self._prompts,
        )
        return Entry(
            project=project,
            frame_names=tuple(self.frame_names),
            records={
                key: self._kept(tracks[key[0]], key[1], labels, one) for key, one in self._records.items()
            },
            record=None if record is None else (self.format, record),
        )

    def _kept(self, track: Track, frame: int, labels: Mapping[int, Label], record: object) -> Kept:
        if frame != WHOLE_TRACK:
            frames = {frame: track.frames[frame]} if frame in track.frames else {}
            track = Track(object_id=track.object_id, name=track.name, label_id=track.label_id, frames=frames)
        label = None if track.label_id is None else labels[track.label_id]
        return Kept(format=self.format, track=track, label=label, record=record)

    def _length(self) -> int:
        if self.num_frames is not None:
            return self.num_frames
        said = [index for one in self._objects.values() for index in one.frames]
        prompted = [index for frames in self._prompts.values() for index in frames]
        return max([*said, *prompted, len(self.frame_names) - 1], default=0) + 1


def labels_from_names(names: Iterable[str]) -> dict[str, Label]:
    """Classes numbered from 1 in the order of their names here, with the colours of the palette."""
    unique = dict.fromkeys(name for name in names if name)
    return {
        name: Label(id=number, name=name, color=palette_color(number))
        for number, name in enumerate(unique, start=1)
    }


def by_id(labels: Mapping[str, Label]) -> dict[int, Label]:
    """Classes by id from classes by name."""
    return {one.id: one for one in labels.values()}


def box_from_xywh(values: Sequence[float]) -> Box | None:
    """A box from left, top, width and height, or None when it has no area."""
    if len(values) != 4 or values[2] <= 0 or values[3] <= 0:
        return None
    return Box(values[0], values[1], values[0] + values[2], values[1] + values[3])
