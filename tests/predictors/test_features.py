"""Encoded frames within a budget of memory and disk."""

import numpy as np
import pytest
import torch

from masklet.models.model import ImageFeatures
from masklet.predictors.features import CacheBudget, FeatureCache
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet


def features(frame):
    maps = [torch.full((1, 2, 4, 4), float(frame)), torch.zeros(1, 1, 4, 4), torch.zeros(1, 1, 2, 2)]
    return ImageFeatures(*maps)


SIZE = features(0).num_bytes


def test_the_least_recently_used_frame_leaves_first():
    cache = FeatureCache(CacheBudget(memory_bytes=3 * SIZE))
    for frame in range(3):
        cache.put(frame, features(frame))
    assert cache.get(0) is not None
    cache.put(3, features(3))
    assert [cache.get(frame) is None for frame in range(4)] == [False, True, False, False]


def test_memory_stays_within_its_budget():
    cache = FeatureCache(CacheBudget(memory_bytes=3 * SIZE + 5))
    for frame in range(50):
        cache.put(frame, features(frame))
        cache.put(frame, features(frame))
        assert cache.num_bytes <= 3 * SIZE
    assert cache.num_bytes == 3 * SIZE


def test_maps_come_back_from_disk_as_they_lay_in_memory():
    """The order of a map decides which kernels compute with it: other ones are slower, and differ in the last digits."""
    together = torch.arange(24.0).reshape(1, 2, 3, 4).contiguous(memory_format=torch.channels_last)
    apart = torch.arange(24.0).reshape(1, 2, 3, 4)
    with_one_channel = torch.arange(12.0).reshape(1, 1, 3, 4)
    cache = FeatureCache(CacheBudget(memory_bytes=0, disk_bytes=10_000))
    given = ImageFeatures(together, apart, with_one_channel)
    cache.put(0, given)
    cache.put(1, features(1))
    found = cache.get(0)
    assert found is not None
    assert found is not given
    for name in ("features", "skip4", "skip8"):
        one, other = getattr(found, name), getattr(given, name)
        assert torch.equal(one, other)
        assert one.stride() == other.stride()
    cache.close()


def test_the_frame_at_work_is_kept_whatever_the_budget():
    cache = FeatureCache(CacheBudget(memory_bytes=0))
    cache.put(0, features(0))
    assert cache.get(0) is not None
    cache.put(1, features(1))
    assert cache.get(0) is None
    assert cache.num_bytes == SIZE


def test_frames_that_leave_memory_are_read_back_from_disk():
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE, disk_bytes=3 * SIZE))
    for frame in range(6):
        cache.put(frame, features(frame))
    found = [cache.get(frame) for frame in range(6)]
    assert [one is None for one in found] == [True, True, False, False, False, False]
    assert all(
        torch.equal(one.features, features(frame).features)
        for frame, one in enumerate(found)
        if one is not None
    )
    cache.close()


def test_files_on_disk_stay_within_their_budget_and_go_at_the_end(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE, disk_bytes=2 * SIZE + 1))
    for frame in range(8):
        cache.put(frame, features(frame))
    assert len(list(tmp_path.rglob("*.safetensors"))) == 2
    cache.close()
    assert list(tmp_path.iterdir()) == []
    assert cache.num_bytes == 0


def test_without_a_disk_budget_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE))
    for frame in range(4):
        cache.put(frame, features(frame))
    assert list(tmp_path.iterdir()) == []


def test_frames_go_to_the_folder_that_was_chosen(tmp_path):
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE, disk_bytes=2 * SIZE, folder=tmp_path))
    cache.put(0, features(0))
    cache.put(1, features(1))
    assert [path.name for path in tmp_path.rglob("*.safetensors")] == ["0.safetensors"]
    cache.close()
    assert list(tmp_path.iterdir()) == []


def test_a_frame_whose_file_is_gone_is_not_there(tmp_path):
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE, disk_bytes=2 * SIZE, folder=tmp_path))
    for frame in range(3):
        cache.put(frame, features(frame))
    next(tmp_path.rglob("1.safetensors")).unlink()
    assert cache.get(0) is not None
    assert cache.get(1) is None
    assert cache.get(1) is None
    cache.close()


def test_a_full_disk_costs_no_more_than_the_cache(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("masklet.predictors.features.save_file", fail)
    cache = FeatureCache(CacheBudget(memory_bytes=SIZE, disk_bytes=2 * SIZE, folder=tmp_path))
    cache.put(0, features(0))
    cache.put(1, features(1))
    assert cache.get(0) is None
    assert cache.get(1) is not None
    cache.close()


@pytest.mark.parametrize(
    "budget", [CacheBudget(memory_bytes=0), CacheBudget(memory_bytes=0, disk_bytes=2**20)]
)
def test_results_do_not_depend_on_the_budget(loaded, make_frames, budget):
    found = []
    for chosen in (CacheBudget(), budget):
        with VideoSession(loaded, make_frames(8), options=SessionOptions(features=chosen)) as session:
            session.prompt(1, 0, PromptSet([Click(12, 18)]))
            list(session.track())
            session.prompt(1, 3, PromptSet([Click(30, 18)]))
            found.append([frame.masks[1] for frame in session.track()])
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))
