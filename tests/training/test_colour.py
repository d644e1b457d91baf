import numpy as np

from masklet.training.colour import ColourConfig, change_colours, draw_colour_change

NOTHING = ColourConfig(jitter=0, gray=0, blur=0, noise=0, jpeg=0, drift=0)


def _frames(num_frames=3):
    one = np.random.default_rng(0).integers(0, 256, (1, 24, 24, 3), dtype=np.uint8)
    return np.repeat(one, num_frames, 0)


def test_no_change_leaves_every_pixel():
    change = draw_colour_change(np.random.default_rng(0), NOTHING, num_frames=3)
    np.testing.assert_array_equal(change_colours(_frames(), change), _frames())


def test_a_gray_change_makes_the_channels_equal():
    config = ColourConfig(jitter=0, gray=1, blur=0, noise=0, jpeg=0, drift=0)
    changed = change_colours(_frames(), draw_colour_change(np.random.default_rng(0), config, num_frames=3))
    assert np.ptp(changed.astype(int), axis=-1).max() <= 1


def test_a_jitter_is_the_same_on_every_frame():
    config = ColourConfig(jitter=1, gray=0, blur=0.5, noise=0, jpeg=0, drift=0)
    for seed in range(5):
        changed = change_colours(
            _frames(), draw_colour_change(np.random.default_rng(seed), config, num_frames=3)
        )
        assert (changed == changed[0]).all()
        assert (changed != _frames()).any()


def test_drifting_light_changes_from_frame_to_frame():
    config = ColourConfig(jitter=0, gray=0, blur=0, noise=0, jpeg=0, drift=1)
    changed = change_colours(_frames(), draw_colour_change(np.random.default_rng(0), config, num_frames=3))
    means = changed.mean((1, 2, 3))
    assert means[0] != means[1] != means[2]
