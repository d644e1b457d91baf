"""Exported encoders are kept, found again, thrown away when damaged, and never taken for those of another model."""

from dataclasses import replace

import pytest

from masklet.export import cache as cache_module
from masklet.export.cache import EncoderCache


def counted(content=b"an encoder\nof two lines"):
    """An export that counts how often it is asked."""
    calls = []

    def export():
        calls.append(1)
        return content

    return export, calls


@pytest.fixture
def known(compact):
    return replace(compact, weights_sha256="0" * 64)


def test_an_encoder_is_exported_once(known, tmp_path):
    export, calls = counted()
    for _ in range(2):
        assert EncoderCache.of(known, tmp_path).get(export) == b"an encoder\nof two lines"
    assert len(calls) == 1


@pytest.mark.parametrize(
    "damage", [lambda content: content[:-1], lambda _: b"", lambda content: b"x" + content]
)
def test_a_damaged_file_is_made_again(known, tmp_path, damage):
    export, calls = counted()
    EncoderCache.of(known, tmp_path).get(export)
    (path,) = tmp_path.iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert EncoderCache.of(known, tmp_path).get(export) == b"an encoder\nof two lines"
    assert len(calls) == 2
    assert path.read_bytes() == whole


def test_other_weights_sizes_and_code_have_other_files(known, tmp_path, monkeypatch):
    keys = {EncoderCache.of(known, tmp_path).key}
    keys.add(EncoderCache.of(replace(known, weights_sha256="1" * 64), tmp_path).key)
    keys.add(EncoderCache.of(replace(known, config=known.config.resized(96)), tmp_path).key)
    monkeypatch.setattr(cache_module, "_code", lambda: "edited")
    keys.add(EncoderCache.of(known, tmp_path).key)
    assert len(keys) == 4


def test_random_weights_are_not_kept(compact, tmp_path):
    export, calls = counted()
    for _ in range(2):
        EncoderCache.of(compact, tmp_path).get(export)
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_costs_time_only(known, tmp_path):
    export, calls = counted()
    gone = tmp_path / "gone"
    assert EncoderCache.of(known, gone).get(export)
    assert len(calls) == 1


def test_without_a_cache_folder_nothing_is_kept(known, monkeypatch):
    def refuse(kind):
        raise OSError(f"no place for {kind}")

    monkeypatch.setattr(cache_module, "assets_folder", refuse)
    assert EncoderCache.of(known).folder is None


def test_the_oldest_files_go_first(known, tmp_path, monkeypatch):
    monkeypatch.setattr(cache_module, "MAX_FILES", 3)
    export, _ = counted()
    for digit in range(5):
        EncoderCache.of(replace(known, weights_sha256=str(digit) * 64), tmp_path).get(export)
    assert len(list(tmp_path.iterdir())) == 3
    last = EncoderCache.of(replace(known, weights_sha256="4" * 64), tmp_path).key
    assert (tmp_path / f"{last[:32]}.encoder").is_file()
