"""Media of projects as files: taken in from uploads and from the command line, opened, and removed."""

from __future__ import annotations

import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from masklet.errors import MediaError
from masklet.studio.decoding import Opener
from masklet.studio.paths import contain, new_id
from masklet.studio.probing import Probed, Prober
from masklet.studio.refusals import RefusedError
from masklet.studio.settings import StudioSettings
from masklet.studio.store import MediaRow, Store
from masklet.studio.uploads import Uploads, file_digest
from masklet.video.source import FrameSource

SAMPLE_NAME = "cup_shuffle.mp4"
_SAMPLE_PLACES = (
    Path(__file__).parent / "sample" / SAMPLE_NAME,
    Path(__file__).parents[3] / "samples" / "cup_shuffle" / "clip.mp4",
)


class Library:
    """The media folder and what the database knows of it."""

    def __init__(self, settings: StudioSettings, store: Store, uploads: Uploads) -> None:
        self._settings = settings
        self._store = store
        self._uploads = uploads
        self._prober = Prober(settings.limits)

    def expect(self) -> None:
        """A file is on its way: get ready to open it."""
        self._prober.warm()

    def close(self) -> None:
        """Give back what waits for a file."""
        self._prober.close()

    def add_upload(self, project_id: str, upload_id: str, *, allow_damaged: bool = False) -> MediaRow:
        """Make a finished upload a medium of a project.

        Raises:
            RefusedError: When the upload is not whole or the project is gone.
            MediaError: When the file cannot be used; the upload stays, so that it can be tried again.
        """
        self._store.projects.get(project_id)
        upload, content = self._uploads.complete(upload_id)
        media = self._add(project_id, content, upload.name, allow_damaged=allow_damaged)
        self._uploads.remove(upload_id)
        return media

    def add_file(self, project_id: str, path: Path) -> MediaRow:
        """Copy a file of this machine into a project; only the command line asks for that.

        Raises:
            MediaError: When the file cannot be used.
        """
        if not path.is_file():
            raise MediaError(f"{path} is not a file; the studio opens image and video files.")
        with tempfile.TemporaryDirectory(dir=self._settings.uploads_folder, prefix="copy-") as folder:
            copy = Path(folder) / "content"
            shutil.copyfile(path, copy)
            return self._add(project_id, copy, path.name, allow_damaged=False)

    def add_sample(self, project_id: str) -> MediaRow:
        """The clip that comes with masklet.

        Raises:
            RefusedError: When this installation has none.
        """
        found = next((path for path in _SAMPLE_PLACES if path.is_file()), None)
        if found is None:
            raise RefusedError(
                404, "no_sample", "This installation came without the sample clip; open a file of yours."
            )
        with tempfile.TemporaryDirectory(dir=self._settings.uploads_folder, prefix="copy-") as folder:
            copy = Path(folder) / "content"
            shutil.copyfile(found, copy)
            return self._add(project_id, copy, SAMPLE_NAME, allow_damaged=False)

    def add_found(self, project_id: str, content: Path, name: str) -> MediaRow:
        """Take over a file out of an imported project.

        Raises:
            MediaError: When the file cannot be used.
        """
        return self._add(project_id, content, name, allow_damaged=True)

    def _add(self, project_id: str, content: Path, name: str, *, allow_damaged: bool) -> MediaRow:
        is_refused = threading.Event()
        with ThreadPoolExecutor(1) as beside:
            digest = beside.submit(file_digest, content, is_refused.is_set)
            try:
                facts = self._prober.probe(content, name, allow_damaged=allow_damaged)
            except BaseException:
                is_refused.set()
                raise
        media = self._row(project_id, content, name, facts, sha256=digest.result())
        target = contain(self._settings.media_folder, media.file)
        content.replace(target)
        try:
            self._store.projects.add_media(media)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
        return media

    @staticmethod
    def _row(project_id: str, content: Path, name: str, facts: Probed, *, sha256: str) -> MediaRow:
        media_id = new_id()
        known = {key: value for key, value in asdict(facts).items() if key != "suffix"}
        return MediaRow(
            id=media_id,
            project_id=project_id,
            name=name,
            file=f"{media_id}.{facts.suffix}",
            sha256=sha256,
            num_bytes=content.stat().st_size,
            created_s=time.time(),
            **known,
        )

    def path(self, media: MediaRow) -> Path:
        """The file of a medium."""
        return contain(self._settings.media_folder, media.file)

    def open(self, media: MediaRow, opener: Opener) -> FrameSource:
        """The frames of a medium, as somebody opens them.

        Raises:
            MediaError: When the file is gone or damaged.
        """
        return opener.open(self.path(media), media.name, allow_damaged=media.damage is not None)

    def remove_file(self, media: MediaRow) -> None:
        """Remove the file of a medium that left the database."""
        self.path(media).unlink(missing_ok=True)

    def remove_orphans(self) -> None:
        """Remove files that a crash left without a row."""
        used = self._store.projects.files()
        for path in self._settings.media_folder.iterdir():
            if path.name not in used:
                path.unlink(missing_ok=True)
