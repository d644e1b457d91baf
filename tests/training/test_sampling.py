import numpy as np
import pytest

from masklet.errors import ConfigError, TrainingError
from masklet.training.data import Shards
from masklet.training.sampling import DataConfig, TrainingData, draw_frames, still_probabilities
from masklet.training.views import MIN_AREA


@pytest.mark.parametrize("num_frames", [1, 2, 4])
def test_samples_keep_the_contract(shards, num_frames):
    data = TrainingData(DataConfig(side=48, num_frames=num_frames, max_objects=2), shards)
    sources = set()
    for index in range(40):
        clip = data[index]
        assert clip.frames.shape == (num_frames, 48, 48, 3)
        assert clip.frames.dtype == np.uint8
        assert clip.masks.dtype == bool
        assert clip.masks.shape[0] == num_frames
        assert 1 <= clip.masks.shape[1] <= 2
        assert (clip.masks[0].sum((1, 2)) >= MIN_AREA).all()
        sources.add(clip.source)
    assert {"boxes", "people", "synthetic"} <= sources
    assert ("davis" in sources) == (num_frames > 1)


@pytest.mark.parametrize("num_frames", [1, 3])
def test_a_sample_depends_on_seed_and_index_alone(shards, num_frames):
    config = DataConfig(side=48, num_frames=num_frames, seed=7)
    first, second = TrainingData(config, shards), TrainingData(config, shards)
    wanted = {index: first[index] for index in range(8)}
    for index in (6, 2, 7, 0):  # another order, as after a restart
        again = second[index]
        np.testing.assert_array_equal(again.frames, wanted[index].frames)
        np.testing.assert_array_equal(again.masks, wanted[index].masks)
        assert again.source == wanted[index].source
    other = TrainingData(DataConfig(side=48, num_frames=num_frames, seed=8), shards)
    assert any((other[index].frames != wanted[index].frames).any() for index in range(4))


def test_objects_are_hidden_and_come_back_in_clips(shards):
    data = TrainingData(DataConfig(side=48, num_frames=6, max_objects=3), shards)
    is_shown = [clip.masks.any((2, 3)) for clip in (data[index] for index in range(60))]
    hidden_then_back = [(~shown[1:-1] & shown[2:]).any() for shown in is_shown]
    assert any(hidden_then_back)


def test_real_clips_run_both_ways_with_all_skips(shards):
    clip = shards.clips["davis"][0]
    steps = set()
    for seed in range(80):
        order = draw_frames(np.random.default_rng(seed), clip, num_frames=3, max_skip=3)
        assert all(0 <= at < clip.num_frames for at in order)
        assert order[2] - order[1] == order[1] - order[0]
        steps.add(order[1] - order[0])
    assert steps == {-3, -2, -1, 1, 2, 3}


def test_a_clip_shorter_than_the_sample_rests_at_its_end(shards):
    order = draw_frames(np.random.default_rng(0), shards.clips["davis"][0], num_frames=12, max_skip=5)
    assert len(order) == 12
    assert set(order) == set(range(9))


def test_a_real_clip_shows_its_object_where_it_is(shards):
    only_clips = Shards(clips=shards.clips, backgrounds=shards.backgrounds)
    data = TrainingData(DataConfig(side=48, num_frames=3, clip_share=1.0, composite_share=0.0), only_clips)
    assert {data[index].source for index in range(10)} == {"davis"}


def test_tempered_weights_grow_slowly_and_are_capped(shards):
    record = shards.stills["boxes"][0]
    stills = {"few": (record,) * 10, "middle": (record,) * 100, "many": (record,) * 100_000}
    names, weights = still_probabilities(DataConfig(temper=0.5, largest_ratio=2.0), stills)
    by_name = dict(zip(names, weights, strict=True))
    assert np.isclose(weights.sum(), 1)
    assert np.isclose(by_name["middle"] / by_name["few"], np.sqrt(10))
    assert np.isclose(by_name["many"] / by_name["middle"], 2.0)


def test_given_weights_are_kept(shards):
    config = DataConfig(source_weights={"boxes": 3, "people": 0}, still_composite_share=0.0, side=48)
    data = TrainingData(config, shards)
    assert {data[index].source for index in range(12)} == {"boxes"}


@pytest.mark.parametrize("weights", [{"horses": 1.0}, {"boxes": 0.0}])
def test_weights_that_cannot_be_drawn_are_refused(shards, weights):
    with pytest.raises(TrainingError, match="Source weights"):
        TrainingData(DataConfig(source_weights=weights), shards)


@pytest.mark.parametrize(
    "changes", [{"side": 8}, {"num_frames": 0}, {"max_objects": 0}, {"clip_share": 0.8}, {"seed": -1}]
)
def test_settings_that_cannot_be_drawn_are_refused(changes):
    with pytest.raises(ConfigError):
        DataConfig(**changes)


def test_nothing_to_draw_from_is_refused():
    with pytest.raises(TrainingError, match="nothing to draw"):
        TrainingData(DataConfig(), Shards())


def test_an_index_outside_the_virtual_length_is_refused(shards):
    data = TrainingData(DataConfig(side=48), shards)
    with pytest.raises(IndexError):
        data[len(data)]
    with pytest.raises(IndexError):
        data[-1]
