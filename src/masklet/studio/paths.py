"""Names of files that the server makes, and the one way to join a name to a folder."""

from __future__ import annotations

import re
import secrets
from pathlib import Path

from masklet.studio.refusals import not_found

ID_PATTERN = r"^[0-9a-f]{16}$"
_SAFE_NAME = re.compile(r"[0-9a-z][0-9a-z_-]{0,63}(\.[0-9a-z]{1,11}){0,2}")


def new_id() -> str:
    """Sixteen hexadecimal digits that nobody can guess."""
    return secrets.token_hex(8)


def contain(root: Path, name: str) -> Path:
    """The path of a name inside a folder, whatever the name was made from.

    Args:
        root: A folder of the server.
        name: A name that the server made: lower-case letters, digits, ``-``, ``_`` and at most two endings.

    Raises:
        RefusedError: When the name could mean anything else than a file right in that folder.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise not_found("file")
    return root / name
