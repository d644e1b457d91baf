"""An image in overlapping tiles, with a small model of random weights."""

import numpy as np
import pytest
import torch

from masklet.geometry import Box, Size
from masklet.pipeline.tiled_image import TiledImage, num_tiles_for
from masklet.predictors.image import ImagePredictor
from masklet.prompts import Click, PromptSet


@pytest.fixture(scope="module")
def predictor():
    return ImagePredictor("debug-compact", second_look=False)


@pytest.fixture(scope="module")
def picture():
    return np.random.default_rng(0).integers(0, 255, (50, 83, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def tiled(predictor, picture):
    return TiledImage.encode(predictor, picture, 3)


@pytest.mark.parametrize(("extent", "tiles"), [(0.9, 1), (0.1, 1), (0.08, 2), (0.05, 3), (0.01, 3)])
def test_small_objects_are_searched_in_more_tiles(extent, tiles):
    assert num_tiles_for(extent) == tiles


def test_tiles_cover_the_image_and_overlap(tiled, picture):
    counts = np.zeros(picture.shape[:2], int)
    for one in tiled.tiles:
        counts += one.pasted(np.ones(one.size.hw, bool), tiled.size, outside=False)
    assert len(tiled.tiles) == 9
    assert counts.min() >= 1
    assert counts.max() == 4


def test_one_tile_is_the_image_itself(predictor, picture):
    whole = TiledImage.encode(predictor, picture, 1)
    assert [(one.left, one.top, one.size) for one in whole.tiles] == [(0, 0, Size(50, 83))]


def test_descriptors_of_the_whole_have_unit_length(tiled):
    assert tiled.descriptors.ndim == 3
    torch.testing.assert_close(tiled.descriptors.norm(dim=2), torch.ones(tiled.descriptors.shape[:2]))


def test_a_box_goes_to_the_tile_that_holds_it_and_a_click_to_the_one_it_is_most_in_the_middle_of(tiled):
    box = Box(30, 18, 50, 30)
    assert tiled.tile_of(PromptSet(box=box)).holds(box)
    corner = tiled.tile_of(PromptSet([Click(82, 49)]))
    assert (corner.left + corner.size.width, corner.top + corner.size.height) == (83, 50)


def test_prompts_are_moved_into_the_tile_and_answers_come_in_their_order(tiled, predictor):
    prompts = [PromptSet([Click(80, 45)]), PromptSet(box=(2, 2, 20, 12)), PromptSet([Click(81, 46)])]
    answers = tiled.predict(predictor, prompts, multimask=False)
    for prompt, (tile, answer) in zip(prompts, answers, strict=True):
        assert tile is tiled.tile_of(prompt)
        (alone,) = predictor.predict_objects(tile.embedding, [tile.inside(prompt)], multimask=False)
        np.testing.assert_allclose(answer.logits, alone.logits, atol=1e-4)
    assert tiled.tiles[-1].inside(prompts[0]).clicks[0] == Click(
        80 - tiled.tiles[-1].left, 45 - tiled.tiles[-1].top
    )


def test_a_mask_of_a_tile_is_empty_outside_of_it(tiled):
    tile = tiled.tiles[4]
    pasted = tile.pasted(np.ones(tile.size.hw, bool), tiled.size, outside=False)
    assert pasted.shape == (50, 83)
    assert pasted.sum() == tile.size.num_pixels
    assert pasted[tile.top, tile.left]
    assert not pasted[0, 0]
