"""The document as a file: the same bytes for the same document, and never half a file."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path

from masklet.annotations.document import Project
from masklet.annotations.document_json import from_json, to_json
from masklet.errors import FormatError


def dumps(project: Project) -> bytes:
    """The document as JSON in ASCII with sorted keys and one final line break."""
    text = json.dumps(to_json(project), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii") + b"\n"


def loads(content: bytes | str) -> Project:
    """Read the document.

    Args:
        content: What dumps gave, in UTF-8 when bytes.

    Raises:
        FormatError: When it is not JSON or not a valid document.
    """
    try:
        value: object = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise FormatError(f"The document is not JSON: {error}.") from error
    return from_json(value)


def save(project: Project, path: Path) -> None:
    """Write the document so that a crash leaves the old file or the new one, whole.

    Raises:
        FormatError: When the folder is missing, or the disk is full or refuses.
    """
    write_atomically(path, dumps(project))


def load(path: Path) -> Project:
    """Read a document from a file.

    Raises:
        FormatError: When it cannot be read, is not JSON or not a valid document.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise FormatError(f"{path.name} cannot be read: {error.strerror}.") from error
    return loads(content)


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file in one step: write beside it, force it to the disk, rename.

    Args:
        path: The file; its folder must exist.
        content: Its new bytes.

    Raises:
        FormatError: When the folder is missing, or the disk is full or refuses; the old file is untouched
        then.
    """
    try:
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:100]}.", suffix=".part")
    except OSError as error:
        raise _not_written(path, error) from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(_mode_of(path))
        temporary.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _not_written(path, error) from error
    finally:
        temporary.unlink(missing_ok=True)


def _mode_of(path: Path) -> int:
    """Permissions of the file that is replaced, or readable by all for a new one."""
    return path.stat().st_mode & 0o777 if path.exists() else 0o644


def _sync_folder(folder: Path) -> None:
    """Force the rename itself to the disk, where the system lets a folder be opened."""
    with contextlib.suppress(PermissionError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _not_written(path: Path, error: OSError) -> FormatError:
    return FormatError(
        f"{path.name} cannot be written: {error.strerror}; free space or choose another folder."
    )


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
