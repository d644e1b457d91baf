"""Everything about the studio that can be set; the environment is read here and nowhere else in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

MEBIBYTE = 2**20
DEFAULT_PORT = 8427


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Caps on what one request, one client or one upload may take.

    Attributes:
        upload_bytes: Largest file.
        chunk_bytes: Largest part of an upload in one request.
        body_bytes: Largest JSON body.
        reserve_bytes: Free disk space that is left untouched.
        pixels: Largest height times width of a frame.
        live_frame_bytes: Largest picture of a live stream.
        probe_memory_bytes: Address space of each process that opens media.
        probe_seconds: Processor time of that process.
        decode_seconds: Processor time of one frame.
        labels_seconds: Processor time of the process that reads imported labels.
        upload_age_s: Uploads that nobody finished are removed after so many seconds.
        archive_entries: Files in an imported project.
    """

    upload_bytes: int = 16 * 1024 * MEBIBYTE
    chunk_bytes: int = 8 * MEBIBYTE
    body_bytes: int = 4 * MEBIBYTE
    reserve_bytes: int = 1024 * MEBIBYTE
    pixels: int = 64 * MEBIBYTE
    live_frame_bytes: int = 4 * MEBIBYTE
    probe_memory_bytes: int = 3 * 1024 * MEBIBYTE
    probe_seconds: int = 60
    decode_seconds: float = 120.0
    labels_seconds: int = 120
    upload_age_s: float = 24 * 3600.0
    archive_entries: int = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLimits:
    """What a stalled page may cost.

    Attributes:
        ring_bytes: Messages kept for each project, for pages that are behind or come back.
        send_seconds: A page that takes longer over one message is cut off.
        num_clients: Open streams at a time.
        live_queue: Frames of a live stream that may wait.
    """

    ring_bytes: int = 16 * MEBIBYTE
    send_seconds: float = 10.0
    num_clients: int = 32
    live_queue: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StudioSettings:
    """How one studio runs.

    Attributes:
        home: Folder of its database, media and sessions.
        host: Address to listen on.
        port: Port to listen on.
        model: Preset or weights file.
        device: Where the model runs.
        detector: What finds words: "embedded", a published detector's name, or the folder of one.
        limits: Caps on requests.
        stream: Caps on streams.
        num_sessions: Videos whose memories are held at a time; the least recently used goes to disk.
        session_idle_s: A video that nobody worked on for so long goes to disk too.
        feature_disk_bytes: Encoded frames that each open video may keep on disk, so that a correction need not encode
            them again; never more than a quarter of what the disk has to spare.
        blocked_s: A computation that stands still for so long is given up, and the engine's thread is replaced.
        busy_s: So is one that computes, but does not end. Time in which the machine had nothing to give counts for neither.
        num_jobs: Trackings and exports that may wait or run at a time.
    """

    home: Path
    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    model: str = "compact"
    device: str = "auto"
    detector: str = "embedded"
    limits: Limits = field(default_factory=Limits)
    stream: StreamLimits = field(default_factory=StreamLimits)
    num_sessions: int = 3
    session_idle_s: float = 900.0
    feature_disk_bytes: int = 2 * 1024 * MEBIBYTE
    blocked_s: float = 30.0
    busy_s: float = 900.0
    num_jobs: int = 16

    @property
    def media_folder(self) -> Path:
        """Where media lie."""
        return self.home / "media"

    @property
    def uploads_folder(self) -> Path:
        """Where unfinished uploads lie."""
        return self.home / "uploads"

    @property
    def sessions_folder(self) -> Path:
        """Where sleeping sessions lie."""
        return self.home / "sessions"

    @property
    def exports_folder(self) -> Path:
        """Where finished exports lie until they are fetched."""
        return self.home / "exports"

    @property
    def cache_folder(self) -> Path:
        """Where encoded frames lie while a video is open; emptied at every start."""
        return self.home / "cache"

    @property
    def folders(self) -> tuple[Path, ...]:
        """Every folder that must exist."""
        return (
            self.home,
            self.media_folder,
            self.uploads_folder,
            self.sessions_folder,
            self.exports_folder,
            self.cache_folder,
        )

    def prepare(self) -> None:
        """Make the folders, for this user only."""
        for folder in self.folders:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)


def default_home(environment: Mapping[str, str] | None = None, platform: str = sys.platform) -> Path:
    """The data folder: ``MASKLET_HOME``, or where the platform keeps data of programs.

    Args:
        environment: Variables; those of the process when None.
        platform: As ``sys.platform``.
    """
    given = os.environ if environment is None else environment
    if given.get("MASKLET_HOME"):
        return Path(given["MASKLET_HOME"]).expanduser()
    if platform == "win32" and given.get("LOCALAPPDATA"):
        return Path(given["LOCALAPPDATA"]) / "masklet"
    if platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "masklet"
    base = given.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "masklet"


def given_token(environment: Mapping[str, str] | None = None) -> str | None:
    """The token that whoever shares a studio chose in ``MASKLET_TOKEN``, or None.

    Args:
        environment: Variables; those of the process when None.
    """
    given = os.environ if environment is None else environment
    return given.get("MASKLET_TOKEN") or None
