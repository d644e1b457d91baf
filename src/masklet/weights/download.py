"""Fetches published weights once; afterwards they are read from the cache without a network.

The hub's own cache is used, so files fetched by other programs are found and interrupted downloads go on where they
stopped. What a name meant the first time, commit and checksum, is written to ``masklet-lock.json`` in that cache, and
the file is held to it on every later use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import cached_assets_path, constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from masklet.errors import DamagedWeightsError, DownloadError
from masklet.weights.card import file_sha256
from masklet.weights.registry import WeightsSource

LOCK_NAME = "masklet-lock.json"
_SHA256_LENGTH = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedWeights:
    """A file on this machine and its checksum."""

    path: Path
    sha256: str


def fetch(
    source: WeightsSource, *, cache: Path | None = None, download: Callable[..., str] = hf_hub_download
) -> FetchedWeights:
    """The file of a published model, from the cache or else from the hub.

    Args:
        source: What to fetch.
        cache: The hub's cache folder; None for the usual one.
        download: Fetches one file as huggingface_hub's hf_hub_download does.

    Raises:
        DownloadError: When it is not in the cache and cannot be fetched.
        DamagedWeightsError: When the checksum is not the one it must be.
    """
    cache = cache or Path(constants.HF_HUB_CACHE)
    pins = _read_pins(cache)
    pin = pins.get(source.name, {})
    revision = pin.get("revision", source.revision)
    path = _cached(source, cache, revision, download) or _downloaded(source, cache, revision, download)
    sha256 = file_sha256(path)
    expected = source.sha256 or pin.get("sha256") or _published_sha256(path)
    if expected is not None and sha256 != expected:
        raise DamagedWeightsError(
            f"The file {path} has the checksum {sha256[:12]}... but must have {expected[:12]}...; "
            f"delete it and load {source.name!r} again."
        )
    if not pin:
        _write_pins(cache, {**pins, source.name: {"revision": path.parent.name, "sha256": sha256}})
    return FetchedWeights(path=path, sha256=sha256)


def assets_folder(kind: str) -> Path:
    """Folder in the user's cache for files of one kind that masklet makes itself; it is there afterwards."""
    return cached_assets_path("masklet", namespace=kind)


def find_cached(source: WeightsSource) -> Path | None:
    """The file of a published model when it is on this machine; asks nobody."""
    cache = Path(constants.HF_HUB_CACHE)
    pin = _read_pins(cache).get(source.name, {})
    return _cached(source, cache, pin.get("revision", source.revision), hf_hub_download)


def _cached(source: WeightsSource, cache: Path, revision: str, download: Callable[..., str]) -> Path | None:
    try:
        return Path(
            download(source.repo, source.file, revision=revision, cache_dir=cache, local_files_only=True)
        )
    except (EntryNotFoundError, OSError, ValueError):
        return None


def _downloaded(source: WeightsSource, cache: Path, revision: str, download: Callable[..., str]) -> Path:
    try:
        return Path(download(source.repo, source.file, revision=revision, cache_dir=cache))
    except (EntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise DownloadError(
            f"The weights {source.name!r} are not in the cache and could not be fetched from {source.repo} "
            f"({source.num_megabytes} MB; {type(error).__name__}); connect to the internet once, pass the path of a "
            "checkpoint, or use 'compact', which needs no download."
        ) from error


def _published_sha256(path: Path) -> str | None:
    """The hub names the blobs of large files by their checksum."""
    blob = path.resolve().name
    return blob if len(blob) == _SHA256_LENGTH and set(blob) <= set("0123456789abcdef") else None


def _read_pins(cache: Path) -> dict[str, dict[str, str]]:
    path = cache / LOCK_NAME
    if not path.is_file():
        return {}
    try:
        return {name: dict(pin) for name, pin in json.loads(path.read_text(encoding="utf-8")).items()}
    except (ValueError, AttributeError, TypeError) as error:
        raise DamagedWeightsError(
            f"The file {path}, which pins downloaded weights, cannot be read ({error}); delete it to pin them anew."
        ) from error


def _write_pins(cache: Path, pins: dict[str, dict[str, str]]) -> None:
    part = cache / f".{LOCK_NAME}.{os.getpid()}.part"
    part.write_text(json.dumps(pins, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(cache / LOCK_NAME)
