"""Files on this machine and in object stores by one set of calls; fsspec is imported here only, and only for addresses.

A path without "://" is a local file and needs no extra package. Everything else (``memory://``, ``http://``, ``s3://``,
``gs://`` ...) goes through fsspec.
"""

from __future__ import annotations

import glob
import hashlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from masklet.annotations import write_atomically
from masklet.errors import MediaError, MediaLimitError, MissingExtraError
from masklet.formats.paths import safe_name

MAX_BYTES = 64 * 2**30
"""Most bytes of one remote input that are copied to this machine."""

_BLOCK_BYTES = 1 << 20


def is_remote(uri: str) -> bool:
    """Whether it is an address of an object store or a web server."""
    return "://" in uri


def join(base: str, name: str) -> str:
    """A name inside a folder."""
    return f"{base.rstrip('/')}/{name}" if is_remote(base) else str(Path(base) / name)


def name_of(uri: str) -> str:
    """The last part of a path or address; that of a web address is what people read, without its query (which may be a key)."""
    if uri.startswith(("http://", "https://")):
        parts = urlsplit(uri)
        name = unquote(PurePosixPath(parts.path).name).replace(
            "\\", "/"
        )  # a slash may have been written as %2F
        return PurePosixPath(name).name or parts.netloc
    return PurePosixPath(uri.replace("\\", "/")).name


def expand(given: str, suffixes: frozenset[str]) -> list[tuple[str, str]]:
    """The files that a source stands for.

    Args:
        given: A file, a folder (searched with everything below it), or a pattern with ``*``, local or remote.
        suffixes: Endings in lower case, with their dot, of the files that a folder or pattern gives.

    Returns:
        Address and short name of each file, by name. The short name is the path below the folder.

    Raises:
        MediaError: When there is no such file, or none of these kinds in it.
    """
    found = _expand_remote(given) if is_remote(given) else _expand_local(given)
    if found is None:
        return [(given, name_of(given))]
    kept = sorted(
        (name, uri)
        for uri, name in found
        if PurePosixPath(name).suffix.lower() in suffixes and not _is_hidden(name)
    )
    if not kept:
        raise MediaError(f"{given} holds no image and no video; check the path.")
    return [(uri, name) for name, uri in kept]


def _expand_local(given: str) -> list[tuple[str, str]] | None:
    """Address and name of every file, or None when it is one file."""
    path = Path(given)
    if path.is_dir():
        return [(str(one), one.relative_to(path).as_posix()) for one in path.rglob("*") if one.is_file()]
    if path.is_file():
        return None
    if not glob.has_magic(given):
        raise MediaError(f"There is no {given}; check the path.")
    names = [Path(one) for one in glob.glob(given, recursive=True)]  # noqa: PTH207 - a pattern may be absolute
    return [(str(one), one.name) for one in names if one.is_file()]


def _expand_remote(given: str) -> list[tuple[str, str]] | None:
    scheme = given.split("://", maxsplit=1)[0]
    files, path = _system(given)
    if scheme in ("http", "https"):
        return None
    try:
        if glob.has_magic(given):
            return [(files.unstrip_protocol(one), PurePosixPath(one).name) for one in files.glob(path)]
        if files.isfile(path):
            return None
        inside = files.find(path)
    except OSError as error:
        raise _unreadable(given, error) from error
    top = path.rstrip("/") + "/"
    return [(files.unstrip_protocol(one), str(one).removeprefix(top)) for one in inside]


def _is_hidden(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


@contextmanager
def local_copy(uri: str, *, max_bytes: int = MAX_BYTES, is_named: bool = False) -> Iterator[Path]:
    """The file on this machine: itself when it is local, a copy for as long as the block runs otherwise.

    Args:
        uri: Local path or address.
        max_bytes: Most bytes that are copied.
        is_named: Whether the copy is named as the input is, made safe, rather than "input".

    Raises:
        MediaError: When it cannot be read.
        MediaLimitError: When it is larger.
    """
    if not is_remote(uri):
        yield Path(uri)
        return
    with tempfile.TemporaryDirectory(prefix="masklet-") as folder:
        # the ending says what kind of file it is; nothing else of a foreign name reaches the disk unasked
        name = name_of(uri.split("?", maxsplit=1)[0])
        suffix = PurePosixPath(name).suffix[:10]
        plain = f"input{suffix if suffix.isascii() else ''}"
        path = Path(folder) / (safe_name(name) if is_named else plain)
        _fetch(uri, path, max_bytes)
        yield path


def _fetch(uri: str, path: Path, max_bytes: int) -> None:
    files, inside = _system(uri)
    try:
        with files.open(inside, "rb") as source, path.open("wb") as target:
            left = max_bytes
            while block := source.read(_BLOCK_BYTES):
                left -= len(block)
                if left < 0:
                    raise MediaLimitError(
                        f"{uri} is larger than {max_bytes} bytes, the most that is copied here."
                    )
                target.write(block)
    except OSError as error:
        raise _unreadable(uri, error) from error


def read(uri: str) -> bytes | None:
    """All bytes of a small file, or None when there is none.

    Raises:
        MediaError: When it is there and cannot be read.
    """
    try:
        if not is_remote(uri):
            return Path(uri).read_bytes()
        files, inside = _system(uri)
        return bytes(files.cat_file(inside))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unreadable(uri, error) from error


def write(uri: str, content: bytes) -> None:
    """Replace a file: whole or not at all; folders are made.

    Raises:
        MediaError: When it cannot be written.
        FormatError: When a local disk refuses.
    """
    try:
        if not is_remote(uri):
            Path(uri).parent.mkdir(parents=True, exist_ok=True)
            write_atomically(Path(uri), content)
            return
        files, inside = _system(uri)
        files.makedirs(PurePosixPath(inside).parent.as_posix(), exist_ok=True)
        files.pipe_file(inside, content)
    except (OSError, NotImplementedError) as error:
        raise MediaError(f"{uri} cannot be written ({error}); check the address and your rights.") from error


def upload(path: Path, uri: str) -> None:
    """Copy a local file or folder to an address, which must not be local.

    Raises:
        MediaError: When it cannot be written.
    """
    for one in [path] if path.is_file() else sorted(path.rglob("*")):
        if one.is_file():
            name = "" if one == path else one.relative_to(path).as_posix()
            write(join(uri, name) if name else uri, one.read_bytes())


def digest_of(path: Path) -> tuple[str, int]:
    """SHA-256 and number of bytes of a local file.

    Raises:
        MediaError: When it cannot be read.
    """
    digest, count = hashlib.sha256(), 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                digest.update(block)
                count += len(block)
    except OSError as error:
        raise _unreadable(str(path), error) from error
    return digest.hexdigest(), count


def remove_folder(path: Path) -> None:
    """Remove a local folder with everything in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)


def shared_folder(sources: Sequence[str]) -> Path | None:
    """The only local folder or file among the sources, or None when there are several or remote ones."""
    if len(sources) != 1 or is_remote(sources[0]) or glob.has_magic(sources[0]):
        return None
    path = Path(sources[0])
    return path if path.is_dir() else path.parent


def _system(uri: str) -> tuple[Any, str]:
    """The file system of an address and the path in it."""
    try:
        import fsspec
    except ImportError as error:
        raise MissingExtraError(
            f"Reading {uri} needs fsspec, which is not installed; run: pip install 'masklet[remote]'."
        ) from error
    try:
        files, path = fsspec.core.url_to_fs(uri)
    except (ImportError, ValueError) as error:
        raise MissingExtraError(f"{uri} cannot be opened: {error}") from error
    return files, str(path)


def _unreadable(uri: str, error: OSError) -> MediaError:
    reason = "not found" if isinstance(error, FileNotFoundError) else error.strerror or error
    return MediaError(f"{uri} cannot be read ({reason}); check the address and your rights.")
