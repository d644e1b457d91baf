import numpy as np

from masklet.training.layers import Layer, compose, line_kernel, masked_sprite, premultiplied, resized_sprite


def _square_sprite(side, colour):
    picture = np.full((side, side, 3), colour, np.uint8)
    return premultiplied(picture, np.full((side, side), 255, np.uint8))


def _layer(x, y, *, side=10, colour=(200, 0, 0), is_tracked=True):
    matrices = np.array([[[1.0, 0.0, at_x], [0.0, 1.0, at_y]] for at_x, at_y in zip(x, y, strict=True)])
    return Layer(sprite=_square_sprite(side, colour), matrices=matrices, is_tracked=is_tracked)


def _blank(num_frames=1, side=32):
    return np.zeros((num_frames, side, side, 3), np.uint8), np.zeros((num_frames, 0, side, side), bool)


def test_a_sprite_lands_where_its_matrix_says():
    frames, masks = compose(*_blank(), [_layer([5], [7])])
    expected = np.zeros((32, 32), bool)
    expected[7:17, 5:15] = True
    np.testing.assert_array_equal(masks[0, 0], expected)
    np.testing.assert_array_equal(frames[0][expected], np.tile([200, 0, 0], (100, 1)))
    assert not frames[0][~expected].any()


def test_a_layer_in_front_is_cut_out_of_everything_behind():
    blank, _ = _blank()
    base = np.zeros((1, 1, 32, 32), bool)
    base[0, 0, 5:20, 5:20] = True
    frames, masks = compose(blank, base, [_layer([5], [7]), _layer([10], [7], colour=(0, 0, 250))])
    assert masks.shape == (1, 3, 32, 32)
    assert masks[0].sum(0).max() == 1
    assert masks[0, 1].sum() == 50
    assert masks[0, 2].sum() == 100
    assert masks[0, 0].sum() == 225 - 150
    assert (frames[0][masks[0, 2]] == (0, 0, 250)).all()


def test_an_untracked_layer_hides_but_has_no_mask():
    _, masks = compose(*_blank(), [_layer([5], [5]), _layer([5], [5], side=20, is_tracked=False)])
    assert masks.shape == (1, 1, 32, 32)
    assert not masks.any()


def test_a_sprite_outside_the_frame_has_an_empty_mask_and_comes_back():
    frames, masks = compose(*_blank(num_frames=3), [_layer([5, 60, 5], [5, 5, -4])])
    assert masks[:, 0].sum((1, 2)).tolist() == [100, 0, 60]
    assert not frames[1].any()


def test_the_frames_given_are_left_as_they_are():
    frames, masks = _blank()
    compose(frames, masks, [_layer([5], [5])])
    assert not frames.any()


def test_a_half_transparent_pixel_is_mixed():
    sprite = premultiplied(np.full((4, 4, 3), 200, np.uint8), np.full((4, 4), 128, np.uint8))
    layer = Layer(sprite=sprite, matrices=np.array([[[1.0, 0, 4], [0, 1.0, 4]]]))
    frames, masks = compose(np.full((1, 16, 16, 3), 100, np.uint8), np.zeros((1, 0, 16, 16), bool), [layer])
    assert np.abs(frames[0, 5, 5].astype(int) - 150).max() <= 2
    assert masks[0, 0, 5, 5]


def test_a_sprite_cut_by_a_mask_carries_nothing_of_its_old_background():
    picture = np.full((40, 40, 3), 255, np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 12:32] = 1
    picture[mask > 0] = (200, 10, 10)
    sprite, (x, y) = masked_sprite(picture, mask)
    solid = sprite[..., 3] > 200
    assert (x, y) == (12, 10)
    assert sprite.shape[:2] == (20, 20)
    assert sprite[..., 1][solid].max() <= 20


def test_shrinking_a_sprite_keeps_its_colours_premultiplied():
    sprite = resized_sprite(_square_sprite(30, (250, 100, 0)), 0.5)
    assert sprite.shape == (15, 15, 4)
    assert (sprite[..., :3] <= sprite[..., 3:]).all()


def test_a_motion_blur_keeps_brightness_and_points_along_the_motion():
    kernel = line_kernel(np.array([6.0, 0.0]))
    assert np.isclose(kernel.sum(), 1)
    assert np.count_nonzero(kernel.sum(1)) == 1
    assert np.count_nonzero(kernel.sum(0)) == 7
