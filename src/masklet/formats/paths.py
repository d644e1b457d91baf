"""Names that come from labels or archives, as files inside one folder and never anywhere else."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from masklet.errors import FormatError

_UNSAFE = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*\ud800-\udfff\u202a-\u202e\u2066-\u2069]')
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
_MOST_BYTES = 200


def safe_name(name: str) -> str:
    """A file name for a name that people gave; most names stay as they are.

    What no file name can hold on some system becomes "_"; long names are cut, keeping their ending.
    """
    plain = _UNSAFE.sub("_", name).rstrip(". ")
    if not plain or set(plain) <= {"."} or _RESERVED.fullmatch(plain):
        plain = f"_{plain}"
    if len(plain.encode()) > _MOST_BYTES:
        stem, dot, ending = plain.rpartition(".")
        kept = f"{dot}{ending}" if dot and len(ending.encode()) <= 8 else ""
        cut = (stem if kept else plain).encode()[: _MOST_BYTES - len(kept.encode())]
        plain = cut.decode(errors="ignore") + kept
    return plain


def unique_names(names: Iterable[str]) -> list[str]:
    """Safe names that differ from each other even where letters have no case."""
    taken: set[str] = set()
    found: list[str] = []
    for name in names:
        plain = candidate = safe_name(name)
        number = 2
        while candidate.casefold() in taken:
            stem, dot, ending = plain.rpartition(".")
            candidate = f"{stem}-{number}{dot}{ending}" if stem else f"{plain}-{number}"
            number += 1
        taken.add(candidate.casefold())
        found.append(candidate)
    return found


def safe_relative(name: str) -> PurePosixPath:
    """A relative path whose every part is a safe file name; parts that climb or mean nothing are left out."""
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".", "..")]
    return PurePosixPath(*(safe_name(part) for part in parts)) if parts else PurePosixPath("_")


def contain(root: Path, name: str) -> Path:
    """The path of a relative name inside a folder.

    Args:
        root: The folder.
        name: A name from a file of labels or an archive, folders with "/" or a backslash.

    Raises:
        FormatError: When the name is absolute or leads out of the folder.
    """
    parts = re.split(r"[/\\]", name)
    is_absolute = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) is not None
    if is_absolute or ".." in parts or "\0" in name or not name:
        raise FormatError(
            f"The file name {name[:80]!r} leads out of its folder; names must be relative and go down only."
        )
    found = root.joinpath(*[part for part in parts if part not in ("", ".")])
    # A link inside the folder could still lead away from it.
    if not found.resolve().is_relative_to(root.resolve()):
        raise FormatError(f"The file name {name[:80]!r} follows a link out of its folder; remove the link.")
    return found


def stem_of(name: str) -> str:
    """A relative name without the ending of its file."""
    head, dot, ending = name.rpartition(".")
    return head if dot and "/" not in ending and head and not head.endswith("/") else name
