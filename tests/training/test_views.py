import numpy as np
import pytest

from masklet.training.views import (
    MIN_AREA,
    ViewConfig,
    draw_by_area,
    draw_crop,
    draw_view_matrix,
    render_view,
    warp_image,
    warp_masks,
)

PLAIN = ViewConfig(whole=1.0, focus=0.0, flip=0.0, tilt=0.0)


def _matrix(crop_xyxy, size_wh, config=PLAIN):
    return draw_view_matrix(np.random.default_rng(0), crop_xyxy, size_wh, config=config, is_turnable=False)


def test_a_whole_view_at_the_same_size_changes_nothing():
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    matrix = _matrix((0.0, 0.0, 32.0, 24.0), (32, 24))
    np.testing.assert_allclose(matrix, np.eye(3), atol=1e-9)
    np.testing.assert_array_equal(warp_image(image, matrix, (32, 24)), image)


def test_shrinking_by_two_averages_blocks_of_four():
    image = np.random.default_rng(0).integers(0, 256, (24, 32, 3), dtype=np.uint8)
    expected = image.reshape(12, 2, 16, 2, 3).mean((1, 3))
    small = warp_image(image, _matrix((0.0, 0.0, 32.0, 24.0), (16, 12)), (16, 12))
    assert np.abs(small - expected).max() <= 1


def test_a_mirrored_view_is_the_mirror_image():
    image = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    matrix = _matrix((0.0, 0.0, 16.0, 16.0), (16, 16), ViewConfig(whole=1, focus=0, flip=1, tilt=0))
    np.testing.assert_array_equal(warp_image(image, matrix, (16, 16)), image[:, ::-1])


@pytest.mark.parametrize("num_masks", [0, 1, 4, 5, 9])
def test_masks_move_exactly_as_their_image(num_masks):
    rng = np.random.default_rng(1)
    masks = []
    for _ in range(num_masks):
        mask = np.zeros((40, 60), np.uint8)
        y, x = rng.integers(0, 20, 2)
        mask[y : y + 15, x : x + 25] = 1
        masks.append(mask)
    matrix = _matrix((3.0, 2.0, 50.0, 39.0), (64, 64))
    warped = warp_masks(masks, matrix, (64, 64))
    assert warped.shape == (num_masks, 64, 64)
    assert warped.dtype == bool
    for mask, found in zip(masks, warped, strict=True):
        np.testing.assert_array_equal(found, warp_image(mask * np.uint8(255), matrix, (64, 64)) > 127)


def test_every_window_lies_inside_the_still_and_shows_an_object(shards):
    record = shards.stills["boxes"][0]
    for seed in range(60):
        rng = np.random.default_rng(seed)
        x0, y0, x1, y1 = draw_crop(rng, record, (32, 32), ViewConfig(whole=0.2, focus=0.4))
        assert 0 <= x0 < x1 <= 80
        assert 0 <= y0 < y1 <= 60
        left, top, width, height = record.boxes_xywh.T
        assert ((left < x1) & (left + width > x0) & (top < y1) & (top + height > y0)).any()


def test_the_mask_of_a_view_covers_the_pixels_of_its_object(shards):
    record = shards.stills["people"][0]
    for seed in range(20):
        image, masks = render_view(
            np.random.default_rng(seed), record, (64, 64), config=ViewConfig(), limit=3
        )
        bright = image[..., 0] > 155
        if masks.any() or bright.any():
            assert (masks[0] & bright).sum() / (masks[0] | bright).sum() > 0.9


def test_small_objects_are_never_drawn_and_none_is_drawn_twice():
    areas = np.array([MIN_AREA - 1, MIN_AREA, 5000, 0, 90], float)
    for seed in range(20):
        drawn = draw_by_area(np.random.default_rng(seed), areas, 10, exponent=0.3)
        assert sorted(drawn) == [1, 2, 4]


def test_a_higher_exponent_favours_large_objects():
    areas = np.array([20.0] * 50 + [5000.0])
    rng = np.random.default_rng(0)
    uniform = sum(50 in draw_by_area(rng, areas, 1, exponent=0.0) for _ in range(400))
    weighted = sum(50 in draw_by_area(rng, areas, 1, exponent=0.6) for _ in range(400))
    assert weighted > 5 * max(uniform, 1)
