"""Exports: jobs that write one file each, a frame at a time, on a thread of their own."""

from __future__ import annotations

import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from masklet.effects import EffectSettings
from masklet.formats import Format
from masklet.studio.decoding import Opener
from masklet.studio.exports.effects import write_effects
from masklet.studio.exports.labels import LabelFile, suffix_of, write_labels_in_steps
from masklet.studio.exports.native import write_project
from masklet.studio.exports.overlay import write_overlay
from masklet.studio.http_errors import describe
from masklet.studio.jobs import Job, Kind
from masklet.studio.library import Library
from masklet.studio.paths import contain
from masklet.studio.refusals import RefusedError
from masklet.studio.settings import StudioSettings
from masklet.studio.store import MediaRow
from masklet.studio.tracking import Workshop
from masklet.video.source import FrameSource

_SUFFIXES: dict[Kind, str] = {"overlay": "mp4", "effects": "mp4", "project": "zip"}
_KEPT_S = 24 * 3600.0


class Exporter:
    """Makes export jobs and finds their files."""

    def __init__(
        self, settings: StudioSettings, workshop: Workshop, library: Library, opener: Opener
    ) -> None:
        self._settings = settings
        self._workshop = workshop
        self._library = library
        self._opener = opener

    def task(self, project_id: str, media: MediaRow | None, request: ExportRequest) -> ExportTask:
        """Put up a job that writes a file.

        Args:
            project_id: Whose file it is.
            media: The medium; None for the whole project.
            request: What to write.

        Raises:
            RefusedError: When the medium is missing or belongs elsewhere, the format cannot hold several, or too many
                jobs run.
        """
        chosen = self._chosen(project_id, media, request)
        self._remove_old()
        target = request.target
        job = Job(
            project_id=project_id,
            media_id=None if media is None else media.id,
            kind=request.kind,
            format="" if target is None else target.name,
            suffix=_suffix(request.kind, chosen) if target is None else suffix_of(target),
        )
        self._workshop.jobs.add(job)
        wanted = Wanted(media=chosen, path=self.path(job), request=request)
        return ExportTask(self._workshop, self._library, self._opener, job, wanted)

    def _chosen(self, project_id: str, media: MediaRow | None, request: ExportRequest) -> list[MediaRow]:
        """The media that an export is about."""
        is_whole = media is None and request.kind in ("project", "labels")
        chosen = self._workshop.store.projects.media_of(project_id) if is_whole else [media]
        found = [one for one in chosen if one is not None and one.project_id == project_id]
        if len(found) != len(chosen) or (not found and request.kind != "project"):
            raise RefusedError(422, "no_media", "Say which image or video of this project to export.")
        target = request.target
        if target is not None and target.is_single and len(found) > 1:
            raise RefusedError(
                422, "single", f"{target.title}: one file holds one video; export them one by one."
            )
        return found

    def path(self, job: Job) -> Path:
        """Where the file of a job is or will be."""
        return contain(self._settings.exports_folder, f"{job.id}.{job.suffix}")

    def finished(self, job_id: str) -> tuple[Job, Path]:
        """A finished file.

        Raises:
            RefusedError: When it is not finished, or was removed.
        """
        job = self._workshop.jobs.get(job_id)
        if job.kind == "track" or job.status != "done" or not self.path(job).is_file():
            raise RefusedError(409, "not_ready", "There is no finished file of this job; export again.")
        return job, self.path(job)

    def _remove_old(self) -> None:
        oldest = time.time() - _KEPT_S
        for path in self._settings.exports_folder.iterdir():
            with suppress(OSError):  # another export may be removing it too
                if path.stat().st_mtime >= oldest:
                    continue
                if path.is_dir():  # left behind by a crash
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink()


def _suffix(kind: Kind, media: Sequence[MediaRow]) -> str:
    """Ending of a file: what is drawn over an image is a picture again."""
    is_picture = kind in ("overlay", "effects") and media[0].num_frames == 1
    return "png" if is_picture else _SUFFIXES[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequest:
    """What to write.

    Attributes:
        kind: What it is.
        effects: What a video with effects gets.
        target: The format of labels; None for everything else.
        with_pictures: Whether the pictures go beside the labels, where the format has a place for them.
    """

    kind: Kind
    effects: EffectSettings = field(default_factory=EffectSettings)
    target: Format | None = None
    with_pictures: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an export writes, of which media, and where."""

    media: list[MediaRow]
    path: Path
    request: ExportRequest


class ExportTask:
    """One export."""

    def __init__(
        self, workshop: Workshop, library: Library, opener: Opener, job: Job, wanted: Wanted
    ) -> None:
        self.job = job
        self._workshop = workshop
        self._library = library
        self._opener = opener
        self._wanted = wanted
        self._path = wanted.path
        self._message = ""
        self._steps: Generator[int] | None = None

    def step(self) -> bool:
        """Write one frame; True when the file is whole or the job has ended otherwise."""
        try:
            return self._advance()
        except Exception as error:  # noqa: BLE001 - whatever happens is told to the page; the thread goes on
            if self.job.is_over:
                return True
            self._path.unlink(missing_ok=True)
            self._workshop.jobs.end(self.job, "failed", describe(error)[2])
            return True

    def abandon(self, message: str) -> None:
        """Fail: the frame at work does not end."""
        self._path.unlink(missing_ok=True)
        self._workshop.jobs.end(self.job, "failed", message)

    def _advance(self) -> bool:
        if self._steps is None:
            self._steps = self._write()
        if self.job.is_cancelled:
            self._steps.close()
            self._path.unlink(missing_ok=True)
            self._workshop.jobs.end(self.job, "cancelled")
            return True
        try:
            num_frames = next(self._steps)
        except StopIteration:
            if self.job.is_over:
                return True
            self._workshop.jobs.end(self.job, "done", self._message)
            return True
        if num_frames and not self.job.is_over:
            self._workshop.jobs.advance(self.job, num_frames)
        return self.job.is_over

    def _write(self) -> Generator[int]:
        """The file, bit by bit; each time how many steps that were."""
        store, media, request = self._workshop.store, self._wanted.media, self._wanted.request
        if request.target is not None:
            self._workshop.jobs.begin(self.job, self._num_read(request.target))
            wanted = LabelFile(
                media=media, target=request.target, path=self._path, with_pictures=request.with_pictures
            )
            lost = yield from write_labels_in_steps(store, self._library, self._opener, wanted)
            self._message = f"This format cannot hold {'; '.join(lost)}." if lost else ""
        elif request.kind == "project":
            self._workshop.jobs.begin(self.job, len(media))
            for _ in write_project(store, self._library, self.job.project_id, self._path):
                yield 1
        else:
            self._workshop.jobs.begin(self.job, media[0].num_frames)
            with self._library.open(media[0], self._opener) as source:
                for _ in self._video(source):
                    yield 1

    def _num_read(self, target: Format) -> int:
        """Frames that a format reads; 0 for those that need no pictures, whose end is not known beforehand."""
        is_read = target.needs_media or self._wanted.request.with_pictures
        return sum(one.num_frames for one in self._wanted.media) if is_read else 0

    def _video(self, source: FrameSource) -> Iterator[None]:
        store, media, request = self._workshop.store, self._wanted.media[0], self._wanted.request
        if request.kind == "effects":
            return write_effects(store, media, source, self._path, request.effects)
        return write_overlay(store, media, source, self._path)
