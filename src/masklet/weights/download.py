"""Fetches published weights once; afterwards they are read from the cache without a network.

The hub's own cache is used, so files fetched by other programs are found and interrupted downloads go on where they
stopped. Each file is held to the checksum its source names, on every use.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import cached_assets_path, constants, hf_hub_download
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError

from masklet.errors import DamagedWeightsError, DownloadError
from masklet.weights.card import file_sha256
from masklet.weights.registry import WeightsSource

_BRANCH = "main"


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
    path = _cached(source, cache, download) or _downloaded(source, cache, download)
    sha256 = file_sha256(path)
    if source.sha256 is not None and sha256 != source.sha256:
        raise DamagedWeightsError(
            f"The file {path} has the checksum {sha256[:12]}... but must have {source.sha256[:12]}...; "
            f"delete it and load {source.name!r} again."
        )
    return FetchedWeights(path=path, sha256=sha256)


def assets_folder(kind: str) -> Path:
    """Folder in the user's cache for files of one kind that masklet makes itself; it is there afterwards."""
    return cached_assets_path("masklet", namespace=kind)


def find_cached(source: WeightsSource) -> Path | None:
    """The file of a published model when it is on this machine; asks nobody."""
    return _cached(source, Path(constants.HF_HUB_CACHE), hf_hub_download)


def _cached(source: WeightsSource, cache: Path, download: Callable[..., str]) -> Path | None:
    """At the named commit, or where the branch stood when another program fetched the same file."""
    for revision in dict.fromkeys((source.revision, _BRANCH)):
        try:
            return Path(
                download(source.repo, source.file, revision=revision, cache_dir=cache, local_files_only=True)
            )
        except (EntryNotFoundError, OSError, ValueError):
            continue
    return None


def _downloaded(source: WeightsSource, cache: Path, download: Callable[..., str]) -> Path:
    try:
        return Path(download(source.repo, source.file, revision=source.revision, cache_dir=cache))
    except (EntryNotFoundError, HfHubHTTPError, OSError, ValueError) as error:
        raise DownloadError(
            f"The weights {source.name!r} are not in the cache and could not be fetched from {source.repo} "
            f"({source.num_megabytes} MB; {type(error).__name__}); connect to the internet once, pass the path of a "
            "checkpoint, or use 'compact', which needs no download."
        ) from error
