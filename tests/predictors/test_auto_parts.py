"""Crops, grids of clicks, presets and overlaps of an automatic search, without a network."""

import numpy as np
import pytest
import torch

from masklet.errors import ConfigError
from masklet.geometry import Size
from masklet.predictors.auto_grid import Crop, crops_of, grid_points
from masklet.predictors.auto_overlap import (
    Proposal,
    draw_on_canvas,
    keep_best,
    overlaps,
    touches_inner_edge,
)
from masklet.predictors.auto_presets import AUTO_PRESETS, AutoPreset

WHOLE = Crop(left=0, top=0, size=Size(48, 64), image=Size(48, 64), points_per_side=4)
CORNER = Crop(left=32, top=24, size=Size(24, 32), image=Size(48, 64), points_per_side=2)


def test_presets_grow_finer():
    made = [make() for make in AUTO_PRESETS.values()]
    assert [preset.name for preset in made] == ["fast", "balanced", "fine"] == list(AUTO_PRESETS)
    assert [preset.points_per_side for preset in made] == [16, 24, 32]
    assert [preset.crop_layers for preset in made] == [0, 0, 1]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("points_per_side", 0),
        ("points_per_batch", 0),
        ("crop_layers", 4),
        ("crop_overlap", 1.0),
        ("max_overlap", 1.2),
        ("min_share", -0.1),
    ],
)
def test_presets_that_cannot_be_searched_with_are_refused(setting, value):
    with pytest.raises(ConfigError, match=setting):
        AutoPreset(**{"name": "bad", "points_per_side": 4, setting: value})


@pytest.mark.parametrize("points_per_side", [1, 2, 3, 16, 24])
def test_a_grid_has_every_point_once(points_per_side):
    points = grid_points(points_per_side)
    cells = np.floor(points * points_per_side).astype(int)
    assert len(np.unique(cells, axis=0)) == len(points) == points_per_side**2
    assert np.allclose(points * points_per_side - cells, 0.5)


def test_every_beginning_of_a_grid_covers_the_whole():
    points = grid_points(16)
    for side in (2, 4, 8):
        boxes = np.floor(points[: side * side] * side).astype(int)
        assert len(np.unique(boxes, axis=0)) == side * side


def test_crops_cover_the_image_and_overlap():
    preset = AutoPreset(name="crops", points_per_side=16, crop_layers=2)
    crops = crops_of(Size(100, 160), preset)
    assert [crop.points_per_side for crop in crops] == [16, *[8] * 4, *[4] * 16]
    for layer in (crops[1:5], crops[5:]):
        count = np.zeros((100, 160), int)
        for crop in layer:
            count[crop.top : crop.top + crop.size.height, crop.left : crop.left + crop.size.width] += 1
        assert count.min() == 1
        assert count.max() > 1
    assert crops[0].is_whole
    assert crops[0].inner_edges == (False, False, False, False)
    assert crops[1].inner_edges == (False, False, True, True)


def test_tiny_images_are_not_cut():
    crops = crops_of(Size(1, 1), AutoPreset(name="crops", points_per_side=4, crop_layers=3))
    assert [crop.is_whole for crop in crops] == [True]


def test_masks_that_a_crop_cuts_off_are_found():
    masks = torch.zeros(4, 8, 8, dtype=torch.bool)
    masks[0, 2:5, 2:5] = True
    masks[1, 0, 3] = True
    masks[2, 3, 0] = True
    masks[3, 7, 7] = True
    assert touches_inner_edge(masks, CORNER).tolist() == [False, True, True, False]
    assert touches_inner_edge(masks, WHOLE).tolist() == [False] * 4


def unpack(packed, side=16):
    return np.unpackbits(packed, axis=1).reshape(-1, side, side).astype(bool)


def test_masks_of_a_crop_are_drawn_where_the_crop_lies():
    masks = torch.ones(1, 16, 16, dtype=torch.bool)
    (drawn,) = unpack(draw_on_canvas(masks, CORNER))
    assert drawn[8:, 8:].all()
    assert drawn.sum() == 64
    assert unpack(draw_on_canvas(masks, WHOLE)).all()


def packed_square(left, width=8):
    mask = torch.zeros(1, 16, 16, dtype=torch.bool)
    mask[0, 4:12, left : left + width] = True
    return draw_on_canvas(mask, WHOLE)


def test_overlaps_are_intersections_over_unions():
    squares = np.concatenate([packed_square(0), packed_square(4), packed_square(8), packed_square(0, 0)])
    found = overlaps(squares, squares)
    assert found[0].tolist() == pytest.approx([1, 1 / 3, 0, 0])
    assert found[3].tolist() == [0, 0, 0, 0]
    assert overlaps(squares[:1], np.repeat(squares[1:2], 300, axis=0)).shape == (1, 300)


def proposal(left, predicted_iou):
    return Proposal(
        logits=torch.zeros(16, 16, dtype=torch.half),
        packed=packed_square(left)[0],
        predicted_iou=predicted_iou,
        stability=0.5,
        point_xy=(float(left), 0.0),
        crop=WHOLE,
    )


def test_of_masks_that_say_the_same_the_best_stays():
    found = keep_best(
        [proposal(0, 0.6), proposal(1, 0.9), proposal(8, 0.7), proposal(2, 0.8)], max_overlap=0.5
    )
    assert [one.point_xy[0] for one in found] == [1, 8]
    assert [one.quality for one in found] == [0.45, 0.35]
    assert keep_best([], max_overlap=0.5) == []


def test_equally_good_masks_stay_in_the_order_they_came():
    found = keep_best([proposal(8, 0.5), proposal(0, 0.5), proposal(1, 0.5)], max_overlap=0.5)
    assert [one.point_xy[0] for one in found] == [8, 0]
