"""From one format to another: recognise, read, say what would be lost, write whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from masklet.annotations import FrameMask, Project, Track
from masklet.errors import FormatError
from masklet.formats.archives import ArchiveLimits, is_archive, unpacked
from masklet.formats.base import Format
from masklet.formats.label_set import Entry, LabelSet
from masklet.formats.losses import LOSSES
from masklet.formats.media import Media
from masklet.formats.source import Source
from masklet.formats.strips import numbered, with_common_labels
from masklet.formats.table import FORMATS

OnLoss = Literal["warn", "refuse"]
_MOST_LEVELS = 4  # of folders around labels


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What a conversion did.

    Args:
        source_format: Format that was read.
        labels: What was read.
        lost: In words, everything that these labels hold and the written format cannot.
    """

    source_format: str
    labels: LabelSet
    lost: tuple[str, ...]


def format_named(name: str) -> Format:
    """A format by its name.

    Raises:
        FormatError: When there is none.
    """
    if name not in FORMATS:
        raise FormatError(f"There is no format {name!r}; known are {', '.join(FORMATS)}.")
    return FORMATS[name]


def read_labels(
    path: Path,
    *,
    format_name: str | None = None,
    media: Path | Media | None = None,
    limits: ArchiveLimits | None = None,
) -> tuple[str, LabelSet]:
    """Read labels from a file, a folder or an archive of any format.

    Args:
        path: A file, a folder, or a zip or tar of either.
        format_name: Name of the format, or None to recognise it.
        media: The images or videos that the labels belong to, for formats that do not say sizes.
        limits: How much an archive may hold.

    Returns:
        The name of the format, and the labels.

    Raises:
        FormatError: When the format is not recognised, or anything is damaged, missing or over a limit.
    """
    if not path.exists():
        raise FormatError(f"There is no {path.name!r}; check the path.")
    with _opened(path, limits) as levels:
        found, source = detect(levels) if format_name is None else (format_named(format_name), levels[0])
        if found.importer is None:
            raise FormatError(f"The format {found.name} can only be written; choose another one to read.")
        if format_name is not None and found.detector is not None:
            source = next((one for one in levels if found.detector(one)), source)
        labels = found.importer(source, Media(media) if isinstance(media, Path) else media)
        if not labels.entries:
            raise FormatError(f"{path.name!r} holds no video or image; check that it is {found.title}.")
        return found.name, labels


def detect(levels: Sequence[Source]) -> tuple[Format, Source]:
    """The format of labels, and where they begin.

    Args:
        levels: Places where they may begin, outermost first.

    Raises:
        FormatError: When no format looks like it.
    """
    for source in levels:
        for one in FORMATS.values():
            if one.detector is not None and one.detector(source):
                return one, source
    raise FormatError(
        f"{levels[0].name!r} is in no format that is known here; name it, one of "
        f"{', '.join(one.name for one in FORMATS.values() if one.is_readable)}."
    )


@contextmanager
def _opened(path: Path, limits: ArchiveLimits | None) -> Iterator[list[Source]]:
    """The places where the labels of a path may begin; archives are unpacked."""
    if is_archive(path):
        with unpacked(path, limits) as folder:
            yield _levels(folder)
    else:
        yield _levels(path) if path.is_dir() else [Source(path)]


def _levels(folder: Path) -> list[Source]:
    """A folder, its only document, and the same for the folder inside, while it holds nothing else."""
    found: list[Source] = []
    for _ in range(_MOST_LEVELS):
        found.append(Source(folder))
        inside = [one for one in sorted(folder.iterdir()) if not one.name.startswith((".", "__MACOSX"))]
        documents = [one for one in inside if one.suffix.lower() in (".json", ".xml") and one.is_file()]
        found += [Source(one) for one in documents if len(documents) == 1]
        if len(inside) != 1 or inside[0].is_symlink() or not inside[0].is_dir():
            break
        folder = inside[0]
    return found


def stripped(labels: LabelSet, target: Format) -> tuple[LabelSet, tuple[str, ...]]:
    """What a format can hold of labels: as they are read again after they were written.

    Returns:
        The labels without what the format loses, and in words what these labels lose.
    """
    current = canonical(labels, keeps_open=target.keeps_open)
    lost: list[str] = []
    for name in target.losses:
        left = LOSSES[name].strip(current)
        if left != current:
            lost.append(LOSSES[name].what)
        current = left
    return current, tuple(lost)


def write_labels(
    labels: LabelSet,
    out: Path,
    format_name: str,
    *,
    media: Path | None = None,
    on_loss: OnLoss = "warn",
) -> tuple[str, ...]:
    """Write labels.

    Args:
        labels: What to write.
        out: The file or folder to make; a folder must be new or empty, and may be named .zip to be packed.
        format_name: Name of the format.
        media: The images or videos, for formats that hold pictures.
        on_loss: Whether to write when something of these labels is lost, or to refuse.

    Returns:
        In words, what was lost.

    Raises:
        FormatError: When the labels do not fit the format, something would be lost and may not be, or the
            disk refuses.
        MediaError: When a frame cannot be read.
    """
    target = format_named(format_name)
    if target.is_single and len(labels.entries) != 1:
        raise FormatError(
            f"{target.title} holds one video, got {len(labels.entries)}; convert them one by one, or choose "
            "another format."
        )
    ready, lost = stripped(labels, target)
    if lost and on_loss == "refuse":
        raise FormatError(f"{target.title} cannot hold {'; '.join(lost)}; choose another format or allow it.")
    _check_out(out, target)
    with _replacing(out, target) as fresh:
        target.exporter(ready, fresh, None if media is None else Media(media))
    return lost


def canonical(labels: LabelSet, *, keeps_open: bool) -> LabelSet:
    """The labels with empty masks as no masks.

    Args:
        labels: The labels.
        keeps_open: Whether a video may be of unknown length and have classes of its own; otherwise it is as
            long as anything is known about, and every entry has the classes of all.
    """
    found = replace(labels, entries=tuple(_canonical_entry(one, keeps_open) for one in labels.entries))
    return found if keeps_open else with_common_labels(found)


def _canonical_entry(entry: Entry, keeps_open: bool) -> Entry:  # noqa: FBT001 - passed on by name above
    def closed(found: FrameMask) -> FrameMask:
        return replace(found, rle=None) if found.rle is not None and found.is_absent else found

    def of_track(track: Track) -> Track:
        changed = [one for one in track.frames.values() if closed(one) is not one]
        return track.with_frames(map(closed, changed)) if changed else track

    project: Project = entry.project
    tracks = {i: of_track(track) for i, track in project.tracks.items()}
    length = project.video.num_frames if keeps_open else entry.num_frames
    if length == project.video.num_frames and all(tracks[i] is track for i, track in project.tracks.items()):
        return entry
    return replace(
        entry, project=replace(project, tracks=tracks, video=replace(project.video, num_frames=length))
    )


def renumbered(labels: LabelSet) -> LabelSet:
    """The labels with the objects of each video numbered from 1."""
    return replace(labels, entries=tuple(numbered(one) for one in labels.entries))


def convert(
    source: Path,
    out: Path,
    *,
    to: str,
    source_format: str | None = None,
    media: Path | None = None,
    original: Path | None = None,
    on_loss: OnLoss = "warn",
    renumber: bool = False,
) -> Converted:
    """Read labels in one format and write them in another.

    Args:
        source: A file, a folder, or an archive.
        out: What to write.
        to: Name of the format to write.
        source_format: Name of the format to read, or None to recognise it.
        media: The images or videos that the labels belong to.
        original: Labels in the format to write from which the source was once imported; whatever is still
            equal to them is written exactly as it stands there.
        on_loss: Whether to write when something is lost, or to refuse.
        renumber: Whether to number the objects of each video from 1.

    Raises:
        FormatError: As ``read_labels`` and ``write_labels``.
        MediaError: When a frame cannot be read.
    """
    format_named(to)
    found, labels = read_labels(source, format_name=source_format, media=media)
    if original is not None:
        labels = labels.with_records_of(read_labels(original, media=media)[1])
    if renumber:
        labels = renumbered(labels)
    return Converted(
        source_format=found,
        labels=labels,
        lost=write_labels(labels, out, to, media=media, on_loss=on_loss),
    )


def _check_out(out: Path, target: Format) -> None:
    if target.shape == "folder" and out.suffix.lower() != ".zip":
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FormatError(f"{out.name!r} is not an empty folder; name a new one.")
    elif out.is_dir():
        raise FormatError(f"{out.name!r} is a folder; name a file that ends in {target.suffix}.")


@contextmanager
def _replacing(out: Path, target: Format) -> Iterator[Path]:
    """A place to write to that becomes ``out`` when all is written, and vanishes otherwise."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".masklet-", suffix=".part") as folder:
            fresh = Path(folder) / ("labels" if target.shape == "folder" else f"labels{target.suffix}")
            if target.shape == "folder":
                fresh.mkdir()
            yield fresh
            if target.shape == "folder" and out.suffix.lower() == ".zip":
                fresh = _packed(fresh, Path(folder) / "labels.zip")
            elif out.is_dir():
                out.rmdir()
            shutil.move(fresh, out)
    except OSError as error:
        raise FormatError(
            f"{out.name!r} cannot be written: {error.strerror or error}; free space or choose another folder."
        ) from error


def _packed(folder: Path, path: Path) -> Path:
    """A zip of a folder; equal folders give equal bytes."""
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED) as archive:
        for one in sorted(folder.rglob("*")):
            if one.is_file():
                info = zipfile.ZipInfo(one.relative_to(folder).as_posix())
                info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(info, one.read_bytes())
    return path
