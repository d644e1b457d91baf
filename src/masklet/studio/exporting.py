"""Exports: jobs that write one file each, a frame at a time, on a thread of their own."""

from __future__ import annotations

import time
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from masklet.effects import EffectSettings
from masklet.studio.decoding import Opener
from masklet.studio.exports.effects import write_effects
from masklet.studio.exports.masks import write_coco, write_overlay, write_png
from masklet.studio.exports.native import write_project
from masklet.studio.http_errors import describe
from masklet.studio.jobs import Job, Kind
from masklet.studio.library import Library
from masklet.studio.paths import contain
from masklet.studio.refusals import RefusedError
from masklet.studio.settings import StudioSettings
from masklet.studio.store import MediaRow
from masklet.studio.tracking import Workshop

SUFFIXES: dict[Kind, str] = {
    "png": "zip",
    "coco": "json",
    "overlay": "mp4",
    "effects": "mp4",
    "project": "zip",
}
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

    def task(
        self, project_id: str, media: MediaRow | None, kind: Kind, effects: EffectSettings
    ) -> ExportTask:
        """Put up a job that writes a file.

        Args:
            project_id: Whose file it is.
            media: The medium; None for the whole project.
            kind: What to write.
            effects: What a video with effects gets.

        Raises:
            RefusedError: When the medium is missing or belongs elsewhere, or too many jobs run.
        """
        if kind != "project" and (media is None or media.project_id != project_id):
            raise RefusedError(422, "no_media", "Say which image or video of this project to export.")
        self._remove_old()
        media_id = None if media is None else media.id
        job = self._workshop.jobs.add(Job(project_id=project_id, media_id=media_id, kind=kind))
        wanted = Wanted(media=media, path=self.path(job), effects=effects)
        return ExportTask(self._workshop, self._library, self._opener, job, wanted)

    def path(self, job: Job) -> Path:
        """Where the file of a job is or will be."""
        return contain(self._settings.exports_folder, f"{job.id}.{SUFFIXES[job.kind]}")

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
                if path.stat().st_mtime < oldest:
                    path.unlink()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an export writes, and where; no medium means the whole project."""

    media: MediaRow | None
    path: Path
    effects: EffectSettings


class ExportTask:
    """One export."""

    def __init__(
        self, workshop: Workshop, library: Library, opener: Opener, job: Job, wanted: Wanted
    ) -> None:
        self.job = job
        self._workshop = workshop
        self._library = library
        self._opener = opener
        self._media = wanted.media
        self._path = wanted.path
        self._effects = wanted.effects
        self._steps: Generator[None] | None = None

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
            next(self._steps)
        except StopIteration:
            if self.job.is_over:
                return True
            self._workshop.jobs.end(self.job, "done")
            return True
        if not self.job.is_over:
            self._workshop.jobs.advance(self.job)
        return self.job.is_over

    def _write(self) -> Generator[None]:
        store, media = self._workshop.store, self._media
        if self.job.kind == "project" or media is None:
            self._workshop.jobs.begin(self.job, len(store.projects.media_of(self.job.project_id)))
            yield from write_project(store, self._library, self.job.project_id, self._path)
            return
        self._workshop.jobs.begin(self.job, media.num_frames)
        if self.job.kind == "coco":
            yield from write_coco(store, media, self._path)
        elif self.job.kind == "png":
            yield from write_png(store, media, self._path)
        else:
            with self._library.open(media, self._opener) as source:
                if self.job.kind == "effects":
                    yield from write_effects(store, media, source, self._path, self._effects)
                else:
                    yield from write_overlay(store, media, source, self._path)
