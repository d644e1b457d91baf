"""Videos being worked on: opened when first needed, put to sleep on disk when not, and always what the database says.

Everything here runs on the engine's thread. The database is the truth; a session is a cache of it that can track.
"""

from __future__ import annotations

import json
import logging
import math
import shutil
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from masklet.annotations import prompts_from_json
from masklet.errors import MaskletError
from masklet.geometry import Size
from masklet.masks.rle import RLE
from masklet.predictors.engine import probability
from masklet.predictors.features import CacheBudget
from masklet.predictors.options import SessionOptions
from masklet.predictors.restore import KnownObject, known_object, restore_object
from masklet.predictors.video import VideoSession
from masklet.studio.decoding import Opener
from masklet.studio.library import Library
from masklet.studio.paths import contain
from masklet.studio.settings import StudioSettings
from masklet.studio.store import MediaRow, ResultRow, Store
from masklet.tracking.bank import MaskScore
from masklet.tracking.state import StoredMask
from masklet.weights.load import LoadedModel

_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Open:
    """A session with what has changed in the database since it last looked, and who needs it."""

    session: VideoSession
    media: MediaRow
    stale: set[int] = field(default_factory=set)
    num_pins: int = 0
    used_s: float = field(default_factory=time.monotonic)


class SessionPool:
    """Sessions by medium."""

    def __init__(
        self,
        settings: StudioSettings,
        store: Store,
        library: Library,
        model: Callable[[], LoadedModel],
        *,
        opener: Opener,
        check_current: Callable[[], None] = lambda: None,
    ) -> None:
        """Remember how to open sessions.

        Args:
            settings: How many, how long and where.
            store: What is true.
            library: Where frames come from.
            model: Gives the model; loads it at the first call.
            opener: Who decodes the frames.
            check_current: Raises on a thread that was given up, before that changes anything.
        """
        self._check_current = check_current
        self._opener = opener
        self._settings = settings
        self._store = store
        self._library = library
        self._model = model
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._lost: list[VideoSession] = []

    @property
    def num_open(self) -> int:
        """Sessions held in memory."""
        return len(self._open)

    @property
    def look_ahead(self) -> int | None:
        """How far the model looks ahead to prompted frames.

        Raises:
            MaskletError: When the model cannot be loaded.
        """
        return self._model().config.look_ahead

    def get(self, media: MediaRow) -> VideoSession:
        """The session of a medium, as the database has it.

        Raises:
            MaskletError: When model or medium cannot be opened.
        """
        found = self._open.get(media.id)
        if found is None:
            woken = self._wake(media)
            self._check_current()
            found = self._open[media.id] = woken
        found.used_s = time.monotonic()
        self._open.move_to_end(media.id)
        self._take_over(found)
        self._check_current()
        self._make_room()
        return found.session

    def tidy(self) -> None:
        """Remove encoded frames that a killed process left behind."""
        for path in self._settings.cache_folder.iterdir():
            shutil.rmtree(path, ignore_errors=True)

    def touch(self, media_id: str, object_ids: Iterable[int]) -> None:
        """Objects changed in the database by another way than through the session."""
        found = self._open.get(media_id)
        if found is not None:
            found.stale.update(object_ids)

    def pin(self, media_id: str) -> None:
        """Keep a session in memory while a tracking runs on it."""
        self._open[media_id].num_pins += 1

    def unpin(self, media_id: str) -> None:
        """Take a pin back."""
        found = self._open.get(media_id)
        if found is not None:
            found.num_pins -= 1

    def abandon(self) -> None:
        """Let go of every session, since one of them hangs; the database has all that is needed to open them again."""
        self._lost += [found.session for found in self._open.values()]
        self._open = OrderedDict()

    def forget(self, media_id: str) -> None:
        """Close a session for good."""
        found = self._open.pop(media_id, None)
        if found is not None:
            found.session.close()
        self._file(media_id).unlink(missing_ok=True)

    def expire(self) -> None:
        """Put sessions to sleep that nobody used for a while."""
        oldest = time.monotonic() - self._settings.session_idle_s
        for media_id, found in list(self._open.items()):
            if found.used_s < oldest and found.num_pins == 0:
                self.sleep(media_id)

    def close(self) -> None:
        """Put all sessions to sleep."""
        for media_id in list(self._open):
            self.sleep(media_id)
        for session in self._lost:
            session.close()
        self._lost.clear()

    def sleep(self, media_id: str) -> None:
        """Save a session and free its memory."""
        found = self._open.pop(media_id)
        try:
            self._take_over(found)
            found.session.save(self._file(media_id))
        except MaskletError as error:  # it can be made again from the database
            _log.warning("a session was not saved: %s", error)
        finally:
            found.session.close()

    def _make_room(self) -> None:
        for media_id, found in list(self._open.items()):
            if len(self._open) <= self._settings.num_sessions:
                return
            if found.num_pins == 0 and media_id != next(reversed(self._open)):
                self.sleep(media_id)

    def _wake(self, media: MediaRow) -> _Open:
        """A saved session if there is one that fits, or a new one; either is then held against the database."""
        model, source, path = self._model(), self._library.open(media, self._opener), self._file(media.id)
        session: VideoSession | None = None
        if path.is_file():
            try:
                session = VideoSession.load(path, model, source, options=self._options())
            except MaskletError as error:  # damaged, or of another model: the database has all that is needed
                _log.warning("a saved session was not used: %s", error)
            path.unlink(missing_ok=True)
        if session is None:
            session = VideoSession(model, source, options=self._options())
        found = _Open(session=session, media=media)
        found.stale.update(self._different(found))
        return found

    def _options(self) -> SessionOptions:
        """Encoded frames stay on disk while there is room, so that a correction only has to decode them again."""
        settings = self._settings
        spare = shutil.disk_usage(settings.home).free - settings.limits.reserve_bytes
        most = min(settings.feature_disk_bytes, max(0, spare // 4))
        return SessionOptions(features=CacheBudget(disk_bytes=most, folder=settings.cache_folder))

    def _different(self, found: _Open) -> set[int]:
        """Objects that session and database do not agree on."""
        stored = self._known(found.media)
        listed = set(found.session.object_ids)
        different = listed ^ set(stored)
        for object_id in listed & set(stored):
            mine, truth = known_object(found.session, object_id), stored[object_id]
            masks = {frame: one.rle for frame, one in mine.results.items()}
            if mine.prompts != truth.prompts or masks != {
                frame: one.rle for frame, one in truth.results.items()
            }:
                different.add(object_id)
        return different

    def _take_over(self, found: _Open) -> None:
        if not found.stale:
            return
        stored = self._known(found.media)
        for object_id in sorted(found.stale):
            if object_id in stored:
                restore_object(found.session, object_id, stored[object_id])
            elif object_id in found.session.object_ids:
                found.session.remove(object_id)
        found.stale.clear()

    def _known(self, media: MediaRow) -> dict[int, KnownObject]:
        """Prompted objects of a medium with their masks."""
        size = Size(media.height, media.width)
        prompts: dict[int, dict[int, str]] = {}
        for row in self._store.projects.prompts(media.id):
            prompts.setdefault(row.object_id, {})[row.frame] = row.prompts
        return {
            object_id: KnownObject(
                prompts={frame: prompts_from_json(json.loads(said)) for frame, said in frames.items()},
                results={
                    row.frame: to_stored_mask(row, size)
                    for row in self._store.results.of_object(media.id, object_id)
                },
            )
            for object_id, frames in prompts.items()
        }

    def _file(self, media_id: str) -> Path:
        return contain(self._settings.sessions_folder, f"{media_id}.safetensors")


def to_stored_mask(row: ResultRow, size: Size) -> StoredMask:
    """A row as a session holds it; the session numbers it anew."""
    presence = min(max(row.presence, 1e-12), 1 - 1e-12)
    return StoredMask(
        rle=RLE(size, row.counts.encode("ascii")),
        score=MaskScore(iou=row.score, presence=math.log(presence / (1 - presence)), stability=row.stability),
        area=row.area,
        is_prompted=row.is_prompted,
        is_backward=row.is_backward,
        is_kept=row.is_kept,
        version=0,
    )


def to_row(media_id: str, object_id: int, frame: int, found: StoredMask) -> ResultRow:
    """What a session holds as a row."""
    return ResultRow(
        media_id=media_id,
        object_id=object_id,
        frame=frame,
        counts=found.rle.counts.decode("ascii"),
        area=found.area,
        score=found.score.iou,
        presence=probability(found.score.presence),
        stability=found.score.stability,
        is_prompted=found.is_prompted,
        is_backward=found.is_backward,
        is_kept=found.is_kept,
    )
