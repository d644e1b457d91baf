import numpy as np
import pytest

from masklet.training.augment import AugmentConfig, StillSampler
from masklet.training.colour import ColourConfig
from masklet.training.sprites import build_pool
from masklet.training.views import MIN_AREA, ViewConfig

NO_COLOUR = ColourConfig(jitter=0, gray=0, blur=0, noise=0, jpeg=0, drift=0)


def _sampler(shards, **changes):
    config = AugmentConfig(
        **{"mosaic": 0.0, "small_mosaic": 0.0, "paste": 0.0, "colour": NO_COLOUR, **changes}
    )
    neighbour = shards.stills["people"][0]
    return StillSampler(
        config=config, side=64, max_objects=3, pool=build_pool(shards), neighbour=lambda _rng: neighbour
    )


@pytest.mark.parametrize("changes", [{}, {"small_mosaic": 1.0, "mosaic": 1.0}, {"paste": 1.0}])
def test_samples_have_the_promised_form(shards, changes):
    sampler = _sampler(shards, **changes)
    for seed in range(12):
        sample = sampler.sample(np.random.default_rng(seed), shards.stills["boxes"][0])
        assert sample is not None
        assert sample.frames.shape == (1, 64, 64, 3)
        assert sample.frames.dtype == np.uint8
        assert sample.masks.dtype == bool
        assert 1 <= sample.masks.shape[1] <= 3
        assert (sample.masks.sum((2, 3)) >= MIN_AREA).all()
        assert sample.source == "boxes"


def test_a_plain_whole_view_shows_the_still_unchanged(shards):
    sampler = _sampler(shards, view=ViewConfig(whole=1, focus=0, flip=0, tilt=0))
    sample = sampler.sample(np.random.default_rng(0), shards.stills["people"][0])
    y, x = np.nonzero(sample.masks[0, 0])
    # The object spans rows 8 to 48 of 60 and columns 6 to 50 of 80; the square has 64 of each.
    assert (y.min(), y.max() + 1) == (round(8 * 64 / 60), round(48 * 64 / 60))
    assert (x.min(), x.max() + 1) == (round(6 * 64 / 80), round(50 * 64 / 80))
    assert (sample.frames[0][sample.masks[0, 0]][:, 0] > 150).all()


def test_what_is_pasted_over_an_object_is_taken_out_of_its_mask(shards):
    whole = ViewConfig(whole=1, focus=0, flip=0, tilt=0)
    plain = _sampler(shards, view=whole).sample(np.random.default_rng(0), shards.stills["people"][0])
    full = plain.masks[0, 0]
    is_reduced = False
    for seed in range(20):
        sample = _sampler(shards, view=whole, paste=1.0).sample(
            np.random.default_rng(seed), shards.stills["people"][0]
        )
        masks = sample.masks[0]
        overlap = sum(mask.astype(int) for mask in masks)
        assert overlap.max() <= 1  # the still has one object, so nothing may be nested
        own = next((mask for mask in masks if (mask & ~full).sum() == 0 and (mask & full).any()), None)
        is_reduced |= own is not None and own.sum() < 0.9 * full.sum()
    assert is_reduced


def test_a_mosaic_shows_objects_of_several_stills(shards):
    sampler = _sampler(shards, small_mosaic=1.0, mosaic=1.0)
    sample = sampler.sample(np.random.default_rng(3), shards.stills["people"][1])
    quarters = {(y.mean() > 32, x.mean() > 32) for y, x in (np.nonzero(mask) for mask in sample.masks[0])}
    assert len(quarters) > 1


def test_equal_seeds_give_equal_samples(shards):
    sampler = _sampler(shards, paste=0.5, small_mosaic=0.5, colour=ColourConfig(noise=1.0, jpeg=1.0))
    first, second = (sampler.sample(np.random.default_rng(5), shards.stills["boxes"][1]) for _ in range(2))
    np.testing.assert_array_equal(first.frames, second.frames)
    np.testing.assert_array_equal(first.masks, second.masks)
