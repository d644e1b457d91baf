"""Work that takes time: how far it is, how long it will take, and how to stop it."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any, Literal

from masklet.studio.paths import new_id
from masklet.studio.refusals import RefusedError, not_found
from masklet.studio.stream import Hub

Kind = Literal["track", "labels", "overlay", "effects", "project"]
Status = Literal["waiting", "running", "done", "cancelled", "failed"]
_KEPT = 200
_PUBLISH_EVERY_S = 0.25
_SMOOTHING = 0.2


@dataclass(slots=True, kw_only=True)
class Job:
    """One job; changed by the thread that works on it only, except for ``is_cancelled``.

    ``format`` is that of labels; ``suffix`` ends the name of the file that it writes.
    """

    project_id: str
    media_id: str | None
    kind: Kind
    format: str = ""
    suffix: str = ""
    num_total: int = 0
    num_done: int = 0
    status: Status = "waiting"
    message: str = ""
    is_cancelled: bool = False
    id: str = field(default_factory=new_id)
    step_s: float | None = None
    advanced_s: float = field(default_factory=time.monotonic)
    published_s: float = 0.0

    @property
    def is_over(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status in ("done", "cancelled", "failed")

    @property
    def seconds_left(self) -> float | None:
        """How long it will take, or None before the first step."""
        if self.is_over or self.step_s is None:
            return None
        return max(0.0, self.step_s * (self.num_total - self.num_done))

    def state(self) -> dict[str, Any]:
        """What pages are told."""
        return {
            "id": self.id,
            "project_id": self.project_id,
            "media_id": self.media_id,
            "kind": self.kind,
            "format": self.format,
            "status": self.status,
            "num_done": self.num_done,
            "num_total": self.num_total,
            "seconds_left": None if self.seconds_left is None else round(self.seconds_left, 2),
            "message": self.message,
        }


class JobBoard:
    """All jobs; every change is told to the pages of the project."""

    def __init__(self, hub: Hub, *, most: int) -> None:
        """Make an empty board.

        Args:
            hub: Who tells the pages.
            most: Jobs that may wait or run at a time.
        """
        self._hub = hub
        self._most = most
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, job: Job) -> Job:
        """Put up a job.

        Raises:
            RefusedError: When too many run, or the medium is being tracked already.
        """
        with self._lock:
            active = [one for one in self._jobs.values() if not one.is_over]
            if len(active) >= self._most:
                raise RefusedError(429, "busy", "Too many jobs run; wait for one to end.", retry_after_s=5)
            if job.kind == "track" and any(
                one.kind == "track" and one.media_id == job.media_id for one in active
            ):
                raise RefusedError(
                    409, "tracking", "This video is being tracked; cancel that or wait for it."
                )
            self._jobs[job.id] = job
            while len(self._jobs) > _KEPT:
                oldest = next((key for key, one in self._jobs.items() if one.is_over), None)
                if oldest is None:
                    break
                del self._jobs[oldest]
        self._tell(job)
        return job

    def get(self, job_id: str) -> Job:
        """A job.

        Raises:
            RefusedError: When there is none.
        """
        found = self._jobs.get(job_id)
        if found is None:
            raise not_found("job")
        return found

    def of_project(self, project_id: str) -> list[Job]:
        """Jobs of a project, oldest first."""
        with self._lock:
            return [one for one in self._jobs.values() if one.project_id == project_id]

    def cancel(self, job_id: str) -> Job:
        """Ask a job to stop after the frame at work."""
        job = self.get(job_id)
        job.is_cancelled = True
        return job

    def cancel_all(self, *, project_id: str | None = None, media_id: str | None = None) -> None:
        """Ask the jobs of a project, or of a medium, to stop."""
        with self._lock:
            for job in self._jobs.values():
                if project_id in (None, job.project_id) and media_id in (None, job.media_id):
                    job.is_cancelled = True

    def begin(self, job: Job, num_total: int) -> None:
        """A job has begun and will take so many steps."""
        job.status, job.num_total, job.advanced_s = "running", num_total, time.monotonic()
        self._tell(job)

    def advance(self, job: Job, num_steps: int = 1, *, is_fresh: bool = True) -> None:
        """A job did steps; those that cost nothing do not count for the time left."""
        now = time.monotonic()
        took, job.advanced_s = (now - job.advanced_s) / num_steps, now
        if is_fresh:
            job.step_s = took if job.step_s is None else (1 - _SMOOTHING) * job.step_s + _SMOOTHING * took
        job.num_done += num_steps
        if now - job.published_s > _PUBLISH_EVERY_S:
            self._tell(job)

    def end(self, job: Job, status: Status, message: str = "") -> None:
        """A job has ended."""
        job.status, job.message = status, message
        self._tell(job)

    def _tell(self, job: Job) -> None:
        job.published_s = time.monotonic()
        self._hub.publish(job.project_id, {"type": "job", "job": job.state()})
