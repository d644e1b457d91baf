"""Published weights are fetched once, pinned, and then read without a network."""

import hashlib
import json
from pathlib import Path

import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from masklet.errors import DamagedWeightsError, DownloadError
from masklet.models.config import PRESETS
from masklet.weights.download import LOCK_NAME, fetch
from masklet.weights.load import load_model
from masklet.weights.registry import SOURCES

SOURCE = SOURCES["sam2.1-tiny"]
FIRST, SECOND = "1" * 40, "2" * 40


class Hub:
    """Behaves as the hub's download does, with its cache layout: blobs by checksum, snapshots by commit."""

    def __init__(self, data=b"weights", commit=FIRST):
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


def test_first_fetch_is_pinned_and_later_ones_need_no_network(tmp_path):
    hub = Hub()
    first = fetch(SOURCE, cache=tmp_path, download=hub)
    assert first.sha256 == hashlib.sha256(b"weights").hexdigest()
    pins = json.loads((tmp_path / LOCK_NAME).read_text())
    assert pins == {"sam2.1-tiny": {"revision": FIRST, "sha256": first.sha256}}
    hub.is_online, hub.commit = False, SECOND
    assert fetch(SOURCE, cache=tmp_path, download=hub) == first
    assert hub.asked == ["main"]


def test_a_moved_branch_does_not_change_what_is_loaded(tmp_path):
    hub = Hub()
    first = fetch(SOURCE, cache=tmp_path, download=hub)
    first.path.unlink()
    hub.commit, hub.data = SECOND, b"weights"
    again = fetch(SOURCE, cache=tmp_path, download=hub)
    assert hub.asked == ["main", FIRST]
    assert again == first


def test_other_content_under_the_same_pin_is_refused(tmp_path):
    hub = Hub()
    path = fetch(SOURCE, cache=tmp_path, download=hub).path
    path.resolve().write_bytes(b"weighty")
    with pytest.raises(DamagedWeightsError, match="delete it"):
        fetch(SOURCE, cache=tmp_path, download=hub)


def test_a_damaged_first_download_is_not_pinned(tmp_path):
    hub = Hub()
    path = Path(hub(SOURCE.repo, SOURCE.file, revision="main", cache_dir=tmp_path))
    path.resolve().write_bytes(b"weigh")
    with pytest.raises(DamagedWeightsError, match="checksum"):
        fetch(SOURCE, cache=tmp_path, download=hub)
    assert not (tmp_path / LOCK_NAME).exists()


def test_pins_of_other_models_stay(tmp_path):
    fetch(SOURCE, cache=tmp_path, download=Hub())
    fetch(SOURCES["sam2-large"], cache=tmp_path, download=Hub(b"other", SECOND))
    assert sorted(json.loads((tmp_path / LOCK_NAME).read_text())) == ["sam2-large", "sam2.1-tiny"]


def test_offline_names_what_to_do(tmp_path):
    hub = Hub()
    hub.is_online = False
    with pytest.raises(DownloadError, match=r"sam2\.1-tiny.*facebook/sam2\.1-hiera-tiny \(156 MB.*'compact'"):
        fetch(SOURCE, cache=tmp_path, download=hub)


def test_offline_with_the_real_client(tmp_path, monkeypatch):
    monkeypatch.setattr("masklet.weights.download.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(DownloadError, match="connect to the internet once"):
        load_model("sam2.1-tiny", device="cpu")


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 5}'])
def test_an_unreadable_lock_is_reported(tmp_path, text):
    (tmp_path / LOCK_NAME).write_text(text)
    with pytest.raises(DamagedWeightsError, match=LOCK_NAME):
        fetch(SOURCE, cache=tmp_path, download=Hub())


def test_every_preset_has_a_source():
    assert list(SOURCES) == list(PRESETS)
    for name, source in SOURCES.items():
        assert source.name == name
        assert source.licence
        assert (source.kind == "hub") == bool(source.repo)
        assert (source.kind == "random") == (not source.file)
    assert SOURCES["sam2-base-plus"].repo == "facebook/sam2-hiera-base-plus"
    assert SOURCES["sam2-base-plus"].file == "sam2_hiera_base_plus.pt"
    assert SOURCES["sam2.1-large"].file == "sam2.1_hiera_large.pt"
