"""Zip and tar files of labels, unpacked into a folder of their own with limits on everything.

Nothing outside of that folder is touched: absolute names, names that climb, links and devices are refused,
and so is a file that claims or turns out to hold too much.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO, cast

from masklet.errors import FormatError
from masklet.formats.paths import contain

_BLOCK = 1 << 20
_ERRORS = (
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
)
_OPENERS: dict[bytes, type[gzip.GzipFile] | type[bz2.BZ2File] | type[lzma.LZMAFile]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveLimits:
    """How much an archive may hold.

    Args:
        members: Most files and folders.
        bytes: Most bytes of all files together, unpacked.
        ratio: Most times that the files may be larger than the archive, once they are over a mebibyte.
        depth: Most folders in one name.
    """

    members: int = 100_000
    bytes: int = 50 * 2**30
    ratio: int = 200
    depth: int = 32


def is_archive(path: Path) -> bool:
    """Whether a file is a zip, or a tar that may be compressed; told by its ending and its first bytes."""
    if not path.is_file() or not path.name.lower().endswith((".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz")):
        return False
    return _is_zip(path) or path.name.lower().endswith((".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz"))


@contextmanager
def unpacked(path: Path, limits: ArchiveLimits | None = None) -> Iterator[Path]:
    """The files of an archive in a temporary folder, which is gone after the block.

    Args:
        path: The archive.
        limits: How much it may hold; the default limits when None.

    Raises:
        FormatError: When it is damaged, over a limit, encrypted, or holds a link or a name that leads out.
    """
    with TemporaryDirectory(prefix="masklet-labels-") as folder:
        root = Path(folder)
        unpack(path, root, limits or ArchiveLimits())
        yield root


def unpack(path: Path, root: Path, limits: ArchiveLimits) -> None:
    """Unpack an archive into an empty folder.

    Raises:
        FormatError: As ``unpacked``; what was unpacked until then stays in the folder.
    """
    budget = _Budget(path, limits)
    try:
        if _is_zip(path):
            _unpack_zip(path, root, budget)
        else:
            _unpack_tar(path, root, budget)
    except FormatError:
        raise
    except _ERRORS as error:
        raise FormatError(f"{path.name} cannot be unpacked ({error}); pack it again.") from error


class _Budget:
    """What is left of the limits."""

    def __init__(self, path: Path, limits: ArchiveLimits) -> None:
        self._name = path.name
        self._limits = limits
        self._num_members = 0
        self._num_bytes = 0
        self.most_bytes = min(limits.bytes, max(_BLOCK, limits.ratio * path.stat().st_size))

    def member(self, name: str, num_bytes: int) -> None:
        """Count a member by what it claims."""
        self._num_members += 1
        if self._num_members > self._limits.members:
            raise self.over(f"more than {self._limits.members} files")
        if name.count("/") + name.count("\\") > self._limits.depth:
            raise self.over(f"folders more than {self._limits.depth} deep")
        if num_bytes > self.most_bytes - self._num_bytes:
            raise self.over(f"more than {self.most_bytes} bytes when unpacked")

    def spend(self, num_bytes: int) -> None:
        """Count bytes that were really unpacked."""
        self._num_bytes += num_bytes
        if self._num_bytes > self.most_bytes:
            raise self.over(f"more than {self.most_bytes} bytes when unpacked")

    def over(self, what: str) -> FormatError:
        """The error for a limit."""
        return FormatError(
            f"{self._name} holds {what}, which is over the limit for archives; unpack it yourself if you "
            "trust it, and give the folder."
        )


def _is_zip(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


def _unpack_zip(path: Path, root: Path, budget: _Budget) -> None:
    _check_directory(path, budget)
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        for one in infos:
            mode = one.external_attr >> 16
            if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _refused(path, one.filename)
            budget.member(one.filename, one.file_size)
        for one in infos:
            if not one.is_dir():
                with archive.open(one) as file:
                    _copy(cast("BinaryIO", file), root, one.filename, budget)


def _check_directory(path: Path, budget: _Budget) -> None:
    """Refuse a zip whose list of files is huge before it is read; reading a million names takes seconds."""
    most = 1 << 24
    with path.open("rb") as file:
        file.seek(0, io.SEEK_END)
        file.seek(max(0, file.tell() - 65557))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    length = int.from_bytes(tail[at + 12 : at + 16], "little") if at >= 0 else 0
    large = tail.rfind(b"PK\x06\x06")
    if large >= 0:
        length = max(
            length if length != 0xFFFFFFFF else 0, int.from_bytes(tail[large + 40 : large + 48], "little")
        )
    if length > most:
        raise budget.over("too long a list of files")


def _unpack_tar(path: Path, root: Path, budget: _Budget) -> None:
    with _opened(path) as plain, tarfile.open(fileobj=_Limited(plain, budget), mode="r:") as archive:
        for one in archive:
            if not (one.isfile() or one.isdir()):
                raise _refused(path, one.name)
            budget.member(one.name, one.size)
            file = archive.extractfile(one) if one.isfile() else None
            if file is not None:
                _copy(cast("BinaryIO", file), root, one.name, budget)


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        start = file.read(6)
    for magic, opener in _OPENERS.items():
        if start.startswith(magic):
            return cast("BinaryIO", opener(path))
    return path.open("rb")


class _Limited(io.RawIOBase):
    """A tar's bytes, refused once they are more than allowed, so that its headers cannot eat the memory."""

    def __init__(self, plain: BinaryIO, budget: _Budget) -> None:
        super().__init__()
        self._plain = plain
        self._budget = budget
        # Headers and padding come on top of what the files hold.
        self._most = 2 * budget.most_bytes + (1 << 26)

    def read(self, size: int = -1, /) -> bytes:
        """So many bytes."""
        if size < 0 or size > 64 * _BLOCK:
            raise self._budget.over("a header that is too long")
        self._check(self._plain.tell() + size)
        return self._plain.read(size)

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        """Go to a place."""
        if whence == io.SEEK_SET:
            self._check(offset)
        return self._plain.seek(offset, whence)

    def tell(self) -> int:
        """The place."""
        return self._plain.tell()

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def _check(self, end: int) -> None:
        if end > self._most:
            raise self._budget.over("too many bytes when unpacked")


def _copy(file: BinaryIO, root: Path, name: str, budget: _Budget) -> None:
    target = contain(root, name)
    if target.exists():
        raise FormatError(f"The archive holds {name[:80]!r} twice; pack it again.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        while block := file.read(_BLOCK):
            budget.spend(len(block))
            out.write(block)


def _refused(path: Path, name: str) -> FormatError:
    return FormatError(
        f"{path.name} holds {name[:80]!r}, which is a link or device; pack plain files and folders only."
    )
