"""One running studio: everything that lives as long as the process."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from masklet import __version__
from masklet.errors import StudioError
from masklet.grounding.base import Grounder
from masklet.grounding.registry import load_grounder
from masklet.studio.decoding import DecodeProcess, Opener
from masklet.studio.editing import Editor
from masklet.studio.exporting import Exporter, ExportRequest, ExportTask
from masklet.studio.frames import FrameServer
from masklet.studio.importing import LabelImporter
from masklet.studio.jobs import Job, JobBoard
from masklet.studio.library import Library
from masklet.studio.refusals import RefusedError
from masklet.studio.searching import Searcher
from masklet.studio.sessions import SessionPool
from masklet.studio.settings import Limits, StudioSettings
from masklet.studio.store import MediaRow, Store
from masklet.studio.stream import Hub
from masklet.studio.suggesting import Suggester
from masklet.studio.taking import Taker
from masklet.studio.tasks import STUCK_S, Engine, Patience
from masklet.studio.tracking import TrackRange, TrackTask, Workshop
from masklet.studio.uploads import Uploads
from masklet.weights.load import LoadedModel, load_model

_log = logging.getLogger(__name__)


class Studio:
    """Store, engine, sessions, jobs and streams of one data folder."""

    def __init__(
        self,
        settings: StudioSettings,
        *,
        model: LoadedModel | None = None,
        grounder: Grounder | None = None,
        make_opener: Callable[[Limits], Opener] = DecodeProcess,
    ) -> None:
        """Open the data folder; nothing is computed yet.

        Args:
            settings: How to run.
            model: A model that is loaded already; the one of the settings is loaded when None.
            grounder: A detector of words that is loaded already; the one of the settings when None.
            make_opener: Makes whoever decodes media: one for what is shown, one for the engine, one for exports.

        Raises:
            StudioError: When the data folder cannot be used.
        """
        try:
            settings.prepare()
        except OSError as error:
            raise StudioError(
                f"The data folder cannot be made ({error.strerror}); choose another MASKLET_HOME."
            ) from error
        self.settings = settings
        self.hub = Hub(settings.stream)
        self.store = Store(settings.home)
        self.uploads = Uploads(settings)
        self.library = Library(settings, self.store, self.uploads)
        self.openers = [make_opener(settings.limits) for _ in range(3)]
        shown, engine, exported = self.openers
        self.frames = FrameServer(self.library, shown)
        self.jobs = JobBoard(self.hub, most=settings.num_jobs)
        self.pool = SessionPool(
            settings,
            self.store,
            self.library,
            self.model,
            opener=engine,
            check_current=lambda: self.engine.check_current(),
        )
        self.workshop = Workshop(store=self.store, pool=self.pool, jobs=self.jobs, hub=self.hub)
        patience = Patience(blocked_s=settings.blocked_s, busy_s=settings.busy_s)
        self.engine = Engine(
            on_idle=self.pool.expire, on_replaced=self.pool.abandon, patience=patience, helpers=self._decoders
        )
        self.export_engine = Engine(on_idle=lambda: None, patience=patience, helpers=self._decoders)
        self.editor = Editor(self.workshop, self.engine)
        self.taker = Taker(self.workshop, self.engine, self.editor)
        self.exporter = Exporter(settings, self.workshop, self.library, exported)
        self.suggester = Suggester(self.frames, self.engine, self.model, self.pool)
        self.importer = LabelImporter(settings, self.editor, self.suggester)
        self.searcher = Searcher(self.store, self.frames, self.engine, self.model, self.grounder)
        self._model = model
        self._grounder = grounder
        self._model_lock = threading.Lock()

    def start(self) -> None:
        """Start the threads, tidy up after a crash, and begin to load the model."""
        self.library.remove_orphans()
        self.uploads.remove_old()
        self.pool.tidy()
        self.engine.start()
        self.export_engine.start()
        self.engine.submit(self._warm_up)

    def stop(self) -> None:
        """Stop after the frame at work and put everything to sleep."""
        self.jobs.cancel_all()
        if self.export_engine.is_alive:
            self.export_engine.stop()
        if self.engine.is_alive:
            self.engine.stop()
        self.editor.flush()
        self.pool.close()
        self.frames.close()
        self.library.close()
        for opener in self.openers:
            opener.close()
        self.store.close()

    def model(self) -> LoadedModel:
        """The model; loaded at the first call.

        Raises:
            WeightsError: When it cannot be found or fetched.
            ConfigError: When the device is not there.
        """
        with self._model_lock:
            if self._model is None:
                with self.engine.unhurried():  # weights may have to be fetched
                    self._model = load_model(self.settings.model, device=self.settings.device)
            return self._model

    def grounder(self) -> Grounder:
        """What finds words; loaded at the first call, on the engine's thread.

        Raises:
            UnknownModelError: When there is no such detector.
            MissingExtraError: When its packages are not installed.
            DownloadError: When it cannot be fetched.
        """
        if self._grounder is None:
            with self.engine.unhurried():  # weights may have to be fetched
                self._grounder = load_grounder(self.settings.detector, device=self.settings.device)
        return self._grounder

    def health(self) -> dict[str, object]:
        """Whether the engine's thread comes around; what the model is."""
        is_stuck = not self.engine.is_alive or self.engine.heartbeat_s > STUCK_S
        status = "starting" if self._model is None else "stuck" if is_stuck else "ok"
        device = self.settings.device if self._model is None else str(self._model.device)
        return {
            "status": status,
            "version": __version__,
            "model": Path(self.settings.model).name,
            "device": device,
            "heartbeat_s": round(self.engine.heartbeat_s, 3),
            "num_waiting": self.engine.num_waiting,
        }

    def track(self, media: MediaRow, frames: TrackRange, *, keeps_apart: bool | None = None) -> Job:
        """Begin to track the prompted objects of a medium.

        Args:
            media: The medium.
            frames: Which frames.
            keeps_apart: Whether objects exclude each other; None where there are two or more.

        Raises:
            RefusedError: When nothing was prompted, or it is being tracked already.
        """
        objects = {one.object_id for one in self.store.projects.prompts(media.id)}
        if not objects:
            raise RefusedError(409, "nothing", "Nothing says what to track; click an object first.")
        job = self.jobs.add(
            Job(project_id=media.project_id, media_id=media.id, kind="track", num_total=frames.num_steps)
        )
        are_apart = len(objects) > 1 if keeps_apart is None else keeps_apart
        task = TrackTask(self.workshop, media, job, frames, policy="rivals" if are_apart else "recent")
        self.engine.submit(lambda: self.editor.watch(task))
        self.engine.add(task)
        return job

    def export(self, project_id: str, media: MediaRow | None, request: ExportRequest) -> Job:
        """Begin to write a file.

        Args:
            project_id: Whose file it is.
            media: The medium; None for the whole project.
            request: What to write.

        Raises:
            RefusedError: When the request makes no sense or too many jobs run.
        """
        self.store.projects.get(project_id)
        self.editor.flush()
        task: ExportTask = self.exporter.task(project_id, media, request)
        self.export_engine.add(task)
        return task.job

    def remove_media(self, media: MediaRow) -> None:
        """Remove a medium with all that was said of it, and its file."""
        self.jobs.cancel_all(media_id=media.id)

        def work() -> None:
            self.store.projects.remove_media(media.id)
            self.pool.forget(media.id)

        self.engine.call(work)
        self.frames.forget(media.id)
        self.library.remove_file(media)
        self.hub.publish(media.project_id, {"type": "media"})

    def remove_project(self, project_id: str) -> None:
        """Remove a project with all its media."""
        self.store.projects.get(project_id)
        self.jobs.cancel_all(project_id=project_id)
        for media in self.store.projects.media_of(project_id):
            self.remove_media(media)
        self.store.projects.remove(project_id)
        self.hub.forget(project_id)

    def _decoders(self) -> list[int]:
        """The processes that decode."""
        return [one.process_id for one in self.openers if one.process_id is not None]

    def _warm_up(self) -> None:
        try:
            self.model()
        except Exception as error:
            _log.warning("the model is not ready: %s", error)
            raise
