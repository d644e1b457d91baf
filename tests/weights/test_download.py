"""Published weights are fetched once, pinned, and then read without a network."""

import hashlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from masklet.errors import DamagedWeightsError, DownloadError
from masklet.models.config import PRESETS
from masklet.weights.download import fetch
from masklet.weights.load import load_model
from masklet.weights.registry import SOURCES

FIRST, SECOND = "1" * 40, "2" * 40
DATA = b"weights"
SOURCE = replace(SOURCES["sam2.1-tiny"], revision=FIRST, sha256=hashlib.sha256(DATA).hexdigest())


class Hub:
    """Behaves as the hub's download does, with its cache layout: blobs by checksum, snapshots by commit."""

    def __init__(self, data=DATA, commit=FIRST):
        self.data, self.commit, self.is_online, self.asked = data, commit, True, []

    def __call__(self, repo, file, *, revision, cache_dir, local_files_only=False):
        commit = self.commit if revision == "main" else revision
        snapshot = Path(cache_dir) / f"models--{repo.replace('/', '--')}" / "snapshots" / commit / file
        if snapshot.exists():
            return str(snapshot)
        if local_files_only or not self.is_online:
            raise LocalEntryNotFoundError(f"no {file}")
        self.asked.append(revision)
        blob = snapshot.parents[2] / "blobs" / hashlib.sha256(self.data).hexdigest()
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(self.data)
        snapshot.parent.mkdir(parents=True, exist_ok=True)
        snapshot.symlink_to(blob)
        return str(snapshot)


def test_a_fetched_file_needs_no_network_afterwards(tmp_path):
    hub = Hub()
    first = fetch(SOURCE, cache=tmp_path, download=hub)
    assert first.sha256 == SOURCE.sha256
    hub.is_online, hub.commit = False, SECOND
    assert fetch(SOURCE, cache=tmp_path, download=hub) == first
    assert hub.asked == [FIRST]


def test_a_moved_branch_does_not_change_what_is_asked_for(tmp_path):
    hub = Hub(commit=SECOND)
    assert fetch(SOURCE, cache=tmp_path, download=hub).path.parent.name == FIRST


def test_a_file_another_program_fetched_from_the_branch_is_found(tmp_path):
    hub = Hub(commit=SECOND)
    path = hub(SOURCE.repo, SOURCE.file, revision="main", cache_dir=tmp_path)
    hub.is_online = False
    assert fetch(SOURCE, cache=tmp_path, download=hub).path == Path(path)


def test_a_file_changed_in_the_cache_is_refused(tmp_path):
    hub = Hub()
    path = fetch(SOURCE, cache=tmp_path, download=hub).path
    path.resolve().write_bytes(b"weighty")
    with pytest.raises(DamagedWeightsError, match="delete it"):
        fetch(SOURCE, cache=tmp_path, download=hub)


def test_other_content_on_the_hub_is_refused(tmp_path):
    with pytest.raises(DamagedWeightsError, match="checksum"):
        fetch(SOURCE, cache=tmp_path, download=Hub(b"weighs"))


def test_offline_names_what_to_do(tmp_path):
    hub = Hub()
    hub.is_online = False
    with pytest.raises(DownloadError, match=r"sam2\.1-tiny.*facebook/sam2\.1-hiera-tiny \(156 MB.*'compact'"):
        fetch(SOURCE, cache=tmp_path, download=hub)


def test_offline_with_the_real_client(tmp_path, monkeypatch):
    monkeypatch.setattr("masklet.weights.download.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DownloadError, match="connect to the internet once"):
        load_model("sam2.1-tiny", device="cpu")


def test_every_preset_has_a_source():
    assert list(SOURCES) == list(PRESETS)
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.licence
        assert (source.kind == "hub") == bool(source.repo)
        assert (source.kind == "hub") == (source.sha256 is not None)
        assert (source.kind == "random") == (not source.file)
    published = [source for source in SOURCES.values() if source.kind == "hub"]
    assert all(re.fullmatch("[0-9a-f]{64}", source.sha256) for source in published)
    assert len({source.sha256 for source in published}) == len(published)
    assert all(re.fullmatch("[0-9a-f]{40}|main", source.revision) for source in published)
    assert SOURCES["sam2-base-plus"].repo == "facebook/sam2-hiera-base-plus"
    assert SOURCES["sam2-base-plus"].file == "sam2_hiera_base_plus.pt"
    assert SOURCES["sam2.1-large"].file == "sam2.1_hiera_large.pt"
