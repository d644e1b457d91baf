"""Coordinates and masks between the image and the model's square."""

import numpy as np
import pytest
import torch

from masklet.geometry import Size
from masklet.models.config import preset
from masklet.models.prompt_encoder import PointLabel
from masklet.predictors.preprocess import (
    PostProcess,
    mask_to_logits,
    to_image_logits,
    to_image_masks,
    to_model_prompt,
    to_pixels,
)
from masklet.prompts import Click, PromptSet

CONFIG = preset("debug")
SIDE = 16
PLAIN = PostProcess(hole_area=0, speck_area=0)


def logits_of(*boxes, inside=5.0, outside=-5.0):
    """One map (SIDE, SIDE) with rectangles (x0, y0, x1, y1)."""
    logits = torch.full((SIDE, SIDE), outside)
    for x0, y0, x1, y1 in boxes:
        logits[y0:y1, x0:x1] = inside
    return logits


def test_pixels_are_normalised_and_square():
    image = np.zeros((10, 30, 3), np.uint8)
    image[..., 0] = 255
    pixels = to_pixels(image, CONFIG, torch.device("cpu"))
    assert pixels.shape == (1, 3, 64, 64)
    expected = [
        (value - mean) / std
        for value, mean, std in zip((1, 0, 0), CONFIG.pixel_mean, CONFIG.pixel_std, strict=True)
    ]
    assert pixels.mean(dim=(0, 2, 3)).tolist() == pytest.approx(expected, abs=1e-5)


def test_points_are_scaled_and_the_box_comes_first():
    made = to_model_prompt(
        PromptSet([Click(10, 5), Click(0, 0, positive=False)], box=(-5, 0, 16, 8)), Size(16, 32), CONFIG
    )
    assert made.points_xy.tolist() == [[0, 0], [32, 32], [20, 20], [0, 0]]
    assert made.labels.tolist() == [
        PointLabel.BOX_TOP_LEFT,
        PointLabel.BOX_BOTTOM_RIGHT,
        PointLabel.POSITIVE,
        PointLabel.NEGATIVE,
    ]
    assert made.given_mask is None
    assert made.start_logits is None


def test_a_mask_alone_is_the_answer_and_with_clicks_a_start():
    mask = np.zeros((16, 32), bool)
    mask[4:12, 8:24] = True
    alone = to_model_prompt(PromptSet(mask=mask), Size(16, 32), CONFIG)
    assert alone.given_mask.shape == (64, 64)
    assert alone.given_mask[17:47, 17:47].all()
    assert abs(alone.given_mask.sum() - 32 * 32) <= 4  # corners are rounded off
    started = to_model_prompt(PromptSet([Click(9, 9)], mask=mask), Size(16, 32), CONFIG)
    assert started.given_mask is None
    assert started.start_logits.shape == (16, 16)
    assert started.start_logits.min() == -10
    assert started.start_logits.max() == 10


def test_masks_become_logits_of_the_same_mask():
    mask = np.zeros((16, 16), bool)
    mask[4:9, 2:7] = True
    assert torch.equal(mask_to_logits(mask, 16) > 0, torch.from_numpy(mask))


def test_small_holes_are_filled_and_large_ones_stay():
    logits = logits_of((2, 2, 14, 14))
    logits[4:6, 4:6] = -5
    logits[8:12, 8:12] = -5
    (found,) = to_image_masks(logits[None], Size(SIDE, SIDE), PostProcess(hole_area=4))
    assert found[4:6, 4:6].all()
    assert not found[8:12, 8:12].any()
    (plain,) = to_image_masks(logits[None], Size(SIDE, SIDE), PLAIN)
    assert not plain[4:6, 4:6].any()


def test_small_specks_are_removed_and_large_parts_stay():
    logits = logits_of((2, 2, 9, 9), (12, 12, 14, 14))
    (found,) = to_image_masks(logits[None], Size(SIDE, SIDE), PostProcess(hole_area=0, speck_area=4))
    assert found[2:9, 2:9].all()
    assert found.sum() == 49
    assert to_image_masks(logits[None], Size(SIDE, SIDE), PLAIN).sum() == 53


def test_areas_are_in_pixels_of_the_decoder_at_every_image_size():
    logits = logits_of((2, 2, 9, 9), (12, 12, 13, 13))
    for size in (Size(16, 16), Size(64, 64), Size(160, 80)):
        post = PostProcess(hole_area=0, speck_area=4)
        (found,) = to_image_masks(logits[None], size, post)
        assert not found[int(0.7 * size.height) :, int(0.7 * size.width) :].any()


def test_exclusive_masks_give_each_pixel_to_the_surer_object():
    logits = torch.stack([logits_of((2, 2, 10, 10), inside=3.0), logits_of((6, 6, 14, 14), inside=6.0)])
    both = to_image_masks(logits, Size(SIDE, SIDE), PLAIN)
    assert (both[0] & both[1]).sum() == 16
    post = PostProcess(hole_area=0, is_exclusive=True)
    first, second = to_image_masks(logits, Size(SIDE, SIDE), post)
    assert not (first & second).any()
    assert second[6:14, 6:14].all()
    assert first.sum() == 64 - 16


def test_a_small_object_in_a_hole_of_another_keeps_its_pixels():
    outer = logits_of((2, 2, 14, 14))
    outer[7:9, 7:9] = -5
    inner = logits_of((7, 7, 9, 9), inside=2.0)
    post = PostProcess(hole_area=8, is_exclusive=True)
    first, second = to_image_masks(torch.stack([outer, inner]), Size(SIDE, SIDE), post)
    assert second[7:9, 7:9].all()
    assert not first[7:9, 7:9].any()
    assert not (first & second).any()


def test_no_objects_give_no_masks():
    assert to_image_masks(torch.zeros(0, SIDE, SIDE), Size(9, 9), PostProcess(is_exclusive=True)).shape == (
        0,
        9,
        9,
    )


def test_smooth_masks_are_enlarged_by_the_bicubic_kernel():
    logits = torch.randn(2, 12, 12, generator=torch.Generator().manual_seed(0))
    smooth = to_image_logits(logits, Size(31, 45), is_smooth=True)
    expected = torch.nn.functional.interpolate(logits[:, None], (31, 45), mode="bicubic")[:, 0]
    torch.testing.assert_close(smooth, expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(smooth, to_image_logits(logits, Size(31, 45)), atol=1e-2)
    assert to_image_logits(logits[:0], Size(31, 45), is_smooth=True).shape == (0, 31, 45)
