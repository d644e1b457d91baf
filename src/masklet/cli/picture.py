"""Pictures for people, written as PNG."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from masklet.errors import MediaError
from masklet.video.boundary import media_errors, replacing


def check_png(*paths: Path | None) -> None:
    """Refuse results that are not PNG, or whose folder is missing, before any work is done.

    Args:
        paths: Files to be written; None for those that were not asked for.

    Raises:
        MediaError: Says which and what to do.
    """
    for path in paths:
        if path is not None and path.suffix.lower() != ".png":
            raise MediaError(f"The result {path} must be a PNG file; let its name end in .png.")
        check_folder(path)


def check_folder(path: Path | None) -> None:
    """Refuse a result whose folder is missing.

    Raises:
        MediaError: Says which and what to do.
    """
    if path is not None and not path.absolute().parent.is_dir():
        raise MediaError(f"The folder {path.parent} does not exist; make it first or choose another.")


def write_png(path: Path, pixels: np.ndarray) -> None:
    """Write RGB uint8 (h, w, 3); the file appears whole or not at all, and equal pixels give equal bytes.

    Raises:
        MediaError: When the folder or the disk refuses it.
    """
    with replacing(path) as temporary, media_errors(repr(path.name)):
        Image.fromarray(pixels).save(temporary, format="PNG", compress_level=6, optimize=False)
