"""The notebook of automatic masks, and what the documentation says of arguments and records."""

import numpy as np
import pytest

from masklet.compat.sam2 import SAM2AutomaticMaskGenerator, build_sam2
from masklet.compat.sam2.found_masks import crops_with_overlap, is_cut_off, without_duplicates
from masklet.errors import ConfigError
from masklet.geometry import Box, Size
from masklet.masks import rle
from masklet.masks.morphology import clean
from masklet.predictors.auto_grid import Crop

KEYS = {"segmentation", "area", "bbox", "predicted_iou", "point_coords", "stability_score", "crop_box"}
EASY = {"points_per_side": 4, "pred_iou_thresh": 0.0, "stability_score_thresh": 0.0}


@pytest.fixture(params=["debug", "debug-compact"])
def model(request, checkpoint):
    return build_sam2(request.param, checkpoint(request.param), device="cpu")


@pytest.fixture
def photo(frames):
    return frames[0]


def generate(model, photo, **options):
    return SAM2AutomaticMaskGenerator(model, **{**EASY, **options}).generate(photo)


def test_the_notebook_of_automatic_masks(model, photo):
    masks = generate(model, photo)
    assert masks
    for record in masks:
        mask = record["segmentation"]
        assert set(record) == KEYS
        assert (mask.shape, mask.dtype) == ((48, 64), np.dtype(bool))
        assert record["area"] == mask.sum()
        x, y, width, height = record["bbox"]
        columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
        assert (x, y, x + width, y + height) == (columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)
        assert record["crop_box"] == [0, 0, 64, 48]
        ((point_x, point_y),) = record["point_coords"]
        assert (point_x - 8) % 16 == 0
        assert (point_y - 6) % 12 == 0
    scores = [record["predicted_iou"] for record in masks]
    assert scores == sorted(scores, reverse=True)
    assert sorted(masks, key=lambda record: record["area"], reverse=True)


def test_thresholds_hold(model, photo):
    every = generate(model, photo, box_nms_thresh=1.0)
    middle_iou = float(np.median([one["predicted_iou"] for one in every]))
    middle_stability = float(np.median([one["stability_score"] for one in every]))
    strict = generate(
        model,
        photo,
        box_nms_thresh=1.0,
        pred_iou_thresh=middle_iou,
        stability_score_thresh=middle_stability,
    )
    assert 0 < len(strict) < len(every)
    assert all(one["predicted_iou"] >= middle_iou for one in strict)
    assert all(one["stability_score"] >= middle_stability for one in strict)


def test_thresholds_that_nothing_reaches_are_told(model, photo, caplog):
    assert generate(model, photo, pred_iou_thresh=1.1) == []
    assert "pred_iou_thresh=1.1" in caplog.text
    caplog.clear()
    assert generate(model, photo)
    assert not caplog.records


def test_boxes_that_overlap_a_better_one_are_left_out(model, photo):
    few, many = generate(model, photo, box_nms_thresh=0.7), generate(model, photo, box_nms_thresh=1.0)
    assert 0 < len(few) < len(many)


def test_batches_change_nothing(model, photo):
    one, other = generate(model, photo, points_per_batch=3), generate(model, photo, points_per_batch=64)
    assert len(one) == len(other)
    for mine, theirs in zip(one, other, strict=True):
        assert (mine["segmentation"] != theirs["segmentation"]).mean() < 0.01


def test_one_mask_per_click(model, photo):
    assert len(generate(model, photo, multimask_output=False, box_nms_thresh=1.0)) <= 16


def test_refined_masks_are_others(model, photo):
    plain, refined = generate(model, photo), generate(model, photo, use_m2m=True)
    assert refined
    assert [one["predicted_iou"] for one in plain] != [one["predicted_iou"] for one in refined]


def test_run_lengths_say_the_same_as_masks(model, photo):
    masks = generate(model, photo)
    for mode in ("coco_rle", "uncompressed_rle"):
        records = generate(model, photo, output_mode=mode)
        for record, expected in zip(records, masks, strict=True):
            decoded = rle.decode(rle.from_json(record["segmentation"]))
            np.testing.assert_array_equal(decoded, expected["segmentation"])


def test_small_regions_are_removed(model, photo):
    masks = generate(model, photo, min_mask_region_area=40)
    assert masks
    for record in masks:
        mask = record["segmentation"]
        np.testing.assert_array_equal(clean(mask, 39, 39), mask)


def test_crops_are_searched(model, photo, monkeypatch):
    # masks of random weights reach every edge of what they see, and would all count as cut off
    monkeypatch.setattr("masklet.compat.sam2.automatic_mask_generator.is_cut_off", lambda *_: False)
    records = generate(model, photo, crop_n_layers=1, crop_n_points_downscale_factor=2, crop_nms_thresh=1.0)
    assert {tuple(one["crop_box"][:2]) for one in records} == {(0, 0), (0, 16), (24, 0), (24, 16)}
    for record in records:
        x, y, width, height = (int(value) for value in record["crop_box"])
        outside = record["segmentation"].copy()
        outside[y : y + height, x : x + width] = False
        assert not outside.any()


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        (Box(100, 100, 200, 200), False),
        (Box(0, 0, 100, 100), False),
        (Box(100, 100, 290, 200), True),
        (Box(100, 100, 200, 300), True),
    ],
)
def test_masks_at_inner_edges_are_cut_off(box, expected):
    crop = Crop(left=0, top=0, size=Size(300, 300), image=Size(600, 600), points_per_side=1)
    assert is_cut_off(box, crop) is expected


def test_points_may_be_given(model, photo):
    grid = np.array([[0.25, 0.5], [0.75, 0.5]])
    records = generate(model, photo, points_per_side=None, point_grids=[grid])
    assert {tuple(one["point_coords"][0]) for one in records} <= {(16, 24), (48, 24)}


@pytest.mark.parametrize(
    "options",
    [
        {"points_per_side": None},
        {"point_grids": [np.zeros((1, 2))]},
        {"output_mode": "png"},
        {"points_per_batch": 0},
        {"crop_n_layers": 1, "points_per_side": 1, "crop_n_points_downscale_factor": 2},
    ],
)
def test_settings_that_are_not_possible_are_refused(model, options):
    with pytest.raises(ConfigError):
        SAM2AutomaticMaskGenerator(model, **options)


def test_crops_cover_the_image_and_overlap():
    crops = crops_with_overlap(Size(90, 150), 2, 0.3)
    assert [layer for layer, _ in crops] == [0] + [1] * 4 + [2] * 16
    for layer in (1, 2):
        covered = np.zeros((90, 150), int)
        for at, crop in crops:
            if at == layer:
                crop.cut(covered)[:] += 1
        assert covered.min() == 1
        assert covered.max() > 1


def test_the_better_of_two_alike_boxes_stays():
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [20, 20, 30, 30]], float)
    assert without_duplicates(boxes, np.array([0.5, 0.9, 0.1]), 0.7) == [1, 2]
    assert without_duplicates(boxes, np.array([0.5, 0.9, 0.1]), 0.9) == [1, 0, 2]


def test_from_pretrained_takes_the_arguments_of_both(checkpoint):
    generator = SAM2AutomaticMaskGenerator.from_pretrained(
        "debug", ckpt_path=checkpoint("debug"), device="cpu", points_per_batch=7
    )
    assert generator.points_per_batch == 7
