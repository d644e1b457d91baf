"""What every format is: how it is recognised, read and written, and what it cannot hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from masklet.formats.label_set import LabelSet
from masklet.formats.media import Media
from masklet.formats.source import Source


class Detector(Protocol):
    """Recognises a format by what is inside."""

    def __call__(self, source: Source, /) -> bool:
        """Whether the source looks like this format."""
        ...


class Importer(Protocol):
    """Reads a format."""

    def __call__(self, source: Source, media: Media | None, /) -> LabelSet:
        """Read labels.

        Args:
            source: The file or folder.
            media: The images or videos that the labels belong to, for formats that do not say sizes.

        Raises:
            FormatError: When anything in it is damaged or missing.
        """
        ...


class Exporter(Protocol):
    """Writes a format."""

    def __call__(self, labels: LabelSet, out: Path, media: Media | None, /) -> None:
        """Write labels.

        Args:
            labels: What to write.
            out: The file to make, or an empty folder for formats that are folders; it gets its final name when
                all is written, so files inside need not be forced to the disk one by one.
            media: The images or videos, for formats that hold pictures.

        Raises:
            FormatError: When the labels do not fit the format or the disk refuses.
            MediaError: When a frame cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One format.

    Args:
        name: What ``--to`` and ``--from`` call it.
        title: What it is, in a few words.
        shape: Whether it is one file, or a folder.
        suffix: Ending of the file with its dot; empty for a folder.
        exporter: Writes it.
        detector: Recognises it, or None when it is only written.
        importer: Reads it, or None when it is only written.
        losses: Names of what it cannot hold, in the order in which they are taken away.
        note: A sentence on how it is written.
        needs_media: Whether it can only be written with the images or the video.
        is_single: Whether it holds one video or image only.
        keeps_open: Whether it can hold a video whose number of frames is not known.
    """

    name: str
    title: str
    shape: Literal["file", "folder"]
    exporter: Exporter
    suffix: str = ""
    detector: Detector | None = None
    importer: Importer | None = None
    losses: tuple[str, ...] = ()
    note: str = ""
    needs_media: bool = False
    is_single: bool = False
    keeps_open: bool = False

    @property
    def is_readable(self) -> bool:
        """Whether it can be imported."""
        return self.importer is not None
