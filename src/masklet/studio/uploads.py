"""Files that arrive in parts: each part says where it belongs, so that a cut connection goes on where it was."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from masklet.studio.paths import contain, new_id
from masklet.studio.refusals import RefusedError, not_found, too_large
from masklet.studio.settings import StudioSettings

_FACTS = "upload.json"
_CONTENT = "content"
_READ_BYTES = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way."""

    id: str
    name: str
    num_bytes: int
    sha256: str | None
    num_received: int = 0


class Uploads:
    """Unfinished files, one folder each; they survive a restart."""

    def __init__(self, settings: StudioSettings) -> None:
        self._settings = settings
        self._folder = settings.uploads_folder
        self._busy: set[str] = set()
        self._lock = threading.Lock()

    def begin(self, name: str, num_bytes: int, sha256: str | None) -> Upload:
        """Make room for a file.

        Raises:
            RefusedError: When it is larger than the limit, or the disk has no room.
        """
        if num_bytes > self._settings.limits.upload_bytes:
            raise too_large("The file", self._settings.limits.upload_bytes)
        self._check_disk(num_bytes)
        self.remove_old()
        upload = Upload(id=new_id(), name=name, num_bytes=num_bytes, sha256=sha256)
        folder = contain(self._folder, upload.id)
        folder.mkdir(mode=0o700)
        facts = {key: value for key, value in asdict(upload).items() if key != "num_received"}
        (folder / _FACTS).write_text(json.dumps(facts), encoding="utf-8")
        (folder / _CONTENT).touch()
        return upload

    def get(self, upload_id: str) -> Upload:
        """How far a file is.

        Raises:
            RefusedError: When there is no such upload.
        """
        folder = contain(self._folder, upload_id)
        try:
            facts = json.loads((folder / _FACTS).read_text(encoding="utf-8"))
            return Upload(**facts, num_received=(folder / _CONTENT).stat().st_size)
        except (OSError, ValueError) as error:
            raise not_found("upload") from error

    async def append(self, upload_id: str, offset: int, chunks: AsyncIterator[bytes]) -> Upload:
        """Take one part; what arrived before a cut stays.

        Raises:
            RefusedError: When the part does not begin where the file ends, is too large, or the disk is full.
        """
        with self._claimed(upload_id):
            upload = self.get(upload_id)
            if offset != upload.num_received:
                raise RefusedError(
                    409,
                    "wrong_offset",
                    f"The next part begins at byte {upload.num_received}, not at {offset}; go on from there.",
                )
            self._check_disk(upload.num_bytes - offset)
            most = min(self._settings.limits.chunk_bytes, upload.num_bytes - offset)
            received = 0
            with (contain(self._folder, upload_id) / _CONTENT).open("ab") as file:
                async for chunk in chunks:
                    received += len(chunk)
                    if received > most:
                        file.truncate(offset)
                        raise too_large("The part", most)
                    file.write(chunk)
        return self.get(upload_id)

    def complete(self, upload_id: str) -> tuple[Upload, Path]:
        """The upload and its content, checked to be all there.

        Raises:
            RefusedError: When bytes are missing or the checksum differs.
        """
        upload = self.get(upload_id)
        if upload.num_received != upload.num_bytes:
            raise RefusedError(
                409,
                "incomplete",
                f"{upload.num_received} of {upload.num_bytes} bytes are here; send the rest first.",
            )
        path = contain(self._folder, upload_id) / _CONTENT
        if upload.sha256 is not None and file_digest(path) != upload.sha256:
            self.remove(upload_id)
            raise RefusedError(
                422, "checksum", "The file arrived with other bytes than were sent; send it again."
            )
        return upload, path

    def remove(self, upload_id: str) -> None:
        """Forget an upload."""
        shutil.rmtree(contain(self._folder, upload_id), ignore_errors=True)

    def remove_old(self) -> None:
        """Forget uploads that nobody touched for a day."""
        oldest = time.time() - self._settings.limits.upload_age_s
        for folder in self._folder.iterdir():
            with suppress(OSError):
                if max(one.stat().st_mtime for one in (folder, *folder.iterdir())) < oldest:
                    shutil.rmtree(folder, ignore_errors=True)

    def _check_disk(self, num_bytes: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if free - num_bytes < self._settings.limits.reserve_bytes:
            raise RefusedError(507, "disk", "The disk has too little room for this file; free some space.")

    def _claimed(self, upload_id: str) -> _Claim:
        return _Claim(self._busy, self._lock, upload_id)


class _Claim:
    """Two parts of one file never write at once."""

    def __init__(self, busy: set[str], lock: threading.Lock, upload_id: str) -> None:
        self._busy, self._lock, self._id = busy, lock, upload_id

    def __enter__(self) -> None:
        with self._lock:
            if self._id in self._busy:
                raise RefusedError(409, "busy", "Another part of this file is arriving; wait for it.")
            self._busy.add(self._id)

    def __exit__(self, *_details: object) -> None:
        with self._lock:
            self._busy.discard(self._id)


def file_digest(path: Path, is_cancelled: Callable[[], bool] = lambda: False) -> str:
    """SHA-256 of a file, in constant memory; of its beginning when it is cancelled."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while not is_cancelled() and (block := file.read(_READ_BYTES)):
            digest.update(block)
    return digest.hexdigest()
