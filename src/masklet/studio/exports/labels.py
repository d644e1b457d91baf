"""Labels of one medium, or of a whole project, in any format of ``masklet.formats``."""

from __future__ import annotations

import shutil
import tempfile
import threading
import zipfile
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType

from masklet.formats import FORMATS, Entry, Format, LabelSet, Media, stripped
from masklet.geometry import Size
from masklet.studio.decoding import Opener
from masklet.studio.exports.document import to_document
from masklet.studio.exports.imported import Originals
from masklet.studio.library import Library
from masklet.studio.store import MediaRow, Store
from masklet.video.source import Frame, FrameSource

_LOOK_S = 0.1
"""How often a running export is looked at, to show how far it is and to stop it."""


def suffix_of(target: Format) -> str:
    """Ending of an export's file: folders are packed."""
    return "zip" if target.shape == "folder" else target.suffix.lstrip(".")


def label_set(store: Store, media: Sequence[MediaRow]) -> LabelSet:
    """Everything that is said of media, one entry each; of equal names, later ones get a number.

    Labels that came in and that nobody changed are as they came in, with the records they were read from.
    """
    originals = Originals(store)
    names: dict[str, int] = {}
    entries: list[Entry] = []
    for one in media:
        number = names[one.name] = names.get(one.name, 0) + 1
        name = one.name if number == 1 else _numbered(one.name, number)
        document = to_document(store, one)[0]
        document = replace(document, video=replace(document.video, name=name))
        entry = Entry(project=document, frame_names=(name,) if one.kind == "image" else ())
        entries.append(originals.restored(one, entry))
    return LabelSet(entries=tuple(entries), record=originals.record)


def _numbered(name: str, number: int) -> str:
    stem, dot, ending = name.rpartition(".")
    return f"{stem}-{number}.{ending}" if dot and stem else f"{name}-{number}"


class _Stopped(Exception):  # noqa: N818 - it is no error
    """The export was cancelled."""


@dataclass(frozen=True, slots=True)
class ProjectMedia(Media):
    """Frames of a project's media, decoded where all frames of the studio are.

    Args:
        library: Where files lie.
        opener: Who decodes them.
        rows: Media by the names that their entries have.
        on_frame: Called for every frame that is read; may raise to stop.
    """

    library: Library
    opener: Opener
    rows: Mapping[str, MediaRow]
    on_frame: Callable[[], None]

    def image(self, name: str) -> Path | None:
        """The file of an image, or None."""
        found = self.rows.get(name)
        return None if found is None or found.kind != "image" else self.library.path(found)

    def image_size(self, name: str) -> Size | None:
        """Size of an image as shown, or None."""
        found = self.rows.get(name)
        return None if found is None else Size(found.height, found.width)

    def open(self, entry: Entry) -> FrameSource:
        """The frames of an entry."""
        return CountedSource(self.library.open(self.rows[entry.name], self.opener), self.on_frame)


class CountedSource:
    """Frames of another source, each announced."""

    def __init__(self, source: FrameSource, on_frame: Callable[[], None]) -> None:
        self._source = source
        self._on_frame = on_frame

    @property
    def name(self) -> str:
        """A name for messages."""
        return self._source.name

    @property
    def size(self) -> Size:
        """Size of every image."""
        return self._source.size

    @property
    def num_frames(self) -> int | None:
        """Exact number of frames."""
        return self._source.num_frames

    @property
    def fps(self) -> float | None:
        """Average frames per second."""
        return self._source.fps

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        for frame in self._source:
            self._on_frame()
            yield frame

    def read(self, index: int) -> Frame:
        """One frame by index."""
        self._on_frame()
        return self._source.read(index)

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown."""
        return self._source.pts_s(index)

    def close(self) -> None:
        """Close the other source."""
        self._source.close()

    def __enter__(self) -> CountedSource:
        """Self."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the other source."""
        self.close()


@dataclass(slots=True)
class _Progress:
    """What the writing thread tells, and whether it should stop."""

    num_frames: int = 0
    is_stopped: bool = False
    is_over: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None
    lost: tuple[str, ...] = ()

    def tick(self) -> None:
        """One more frame was read."""
        if self.is_stopped:
            raise _Stopped
        self.num_frames += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """Labels as a file to be made.

    Attributes:
        media: Of which media.
        target: The format.
        path: The file; it is there only when all is written.
        with_pictures: Whether formats that may hold pictures beside the labels get them.
    """

    media: Sequence[MediaRow]
    target: Format
    path: Path
    with_pictures: bool = False


def write_labels_in_steps(
    store: Store, library: Library, opener: Opener, wanted: LabelFile
) -> Generator[int, None, tuple[str, ...]]:
    """Write labels, on a thread of their own because no format writes in steps.

    Args:
        store: Where labels are.
        library: Where media lie.
        opener: Who decodes them.
        wanted: The file.

    Yields:
        Now and then, how many frames were read since the last time.

    Returns:
        In words, what these labels hold and the format cannot.

    Raises:
        FormatError: When the labels do not fit the format or the disk refuses.
        MediaError: When a frame cannot be read.
    """
    labels = label_set(store, wanted.media)
    rows = dict(zip((one.name for one in labels.entries), wanted.media, strict=True))
    progress = _Progress()
    pictures = ProjectMedia(Path(), library, opener, rows, progress.tick)

    def work() -> None:
        try:
            _write(labels, wanted, pictures, progress)
        except _Stopped:
            return
        except Exception as error:  # noqa: BLE001 - raised again by whoever waits
            progress.error = error
        finally:
            progress.is_over.set()

    thread = threading.Thread(target=work, name="masklet-export", daemon=True)
    thread.start()
    told = 0
    try:
        while not progress.is_over.wait(_LOOK_S):
            num_new, told = progress.num_frames - told, progress.num_frames
            yield num_new
    finally:
        progress.is_stopped = True
    if progress.error is not None:
        raise progress.error
    return progress.lost


def _write(labels: LabelSet, wanted: LabelFile, media: Media, progress: _Progress) -> None:
    target = wanted.target
    ready, progress.lost = stripped(labels, target)
    with tempfile.TemporaryDirectory(dir=wanted.path.parent, prefix="labels-") as name:
        folder = Path(name)
        fresh = folder / ("labels" if target.shape == "folder" else f"labels{target.suffix}")
        if target.shape == "folder":
            fresh.mkdir()
        target.exporter(ready, fresh, media if target.needs_media or wanted.with_pictures else None)
        if target.shape == "folder":
            fresh = _packed(fresh, folder / "labels.zip", progress)
        if progress.is_stopped:
            raise _Stopped
        shutil.move(fresh, wanted.path)


def _packed(folder: Path, path: Path, progress: _Progress) -> Path:
    with zipfile.ZipFile(path, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for one in sorted(folder.rglob("*")):
            if progress.is_stopped:
                raise _Stopped
            if one.is_file():
                archive.write(one, one.relative_to(folder).as_posix())
    return path


def format_states() -> list[dict[str, object]]:
    """The table of formats as pages are told."""
    return [
        {
            "name": one.name,
            "title": one.title,
            "note": one.note,
            "suffix": suffix_of(one),
            "is_readable": one.is_readable,
            "is_single": one.is_single,
        }
        for one in FORMATS.values()
    ]
