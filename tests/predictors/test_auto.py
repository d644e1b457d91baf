"""Automatic search: filters that run, what is left out as the same, and the order of what comes."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from masklet.errors import ConfigError, MediaError
from masklet.geometry import Box
from masklet.masks.morphology import clean
from masklet.models import sam2_clicks
from masklet.predictors import auto_decode
from masklet.predictors.auto import AutoMasks
from masklet.predictors.auto_presets import AutoPreset, fast, fine

# random weights are sure of nothing: floors of zero let their masks pass
OPEN = AutoPreset(
    name="open",
    points_per_side=8,
    points_per_batch=16,
    min_share=0.5,
    predicted_iou_floor=0.0,
    stability_floor=0.0,
    max_area_share=1.0,
    min_area=1,
    max_overlap=0.9,
)
CLOSED = replace(OPEN, min_share=0.0, min_predicted_iou=0.0, min_stability=0.0)


def search(loaded, image, preset):
    return AutoMasks(loaded, preset=preset).generate(image)


def overlap(one, other):
    return np.logical_and(one, other).sum() / max(np.logical_or(one, other).sum(), 1)


def facts(candidates):
    return [(one.mask.tobytes(), one.predicted_iou, one.stability, one.point, one.crop) for one in candidates]


def test_candidates_say_what_they_are(loaded, photo):
    found = search(loaded, photo, OPEN)
    assert found
    for one in found:
        rows, columns = np.nonzero(one.mask)
        assert one.mask.shape == photo.shape[:2]
        assert one.box == Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        assert one.area == one.mask.sum()
        assert 0 <= one.predicted_iou <= 1
        assert 0 <= one.stability <= 1
        assert 0 <= one.point[0] < 64
        assert 0 <= one.point[1] < 48
        assert one.crop == Box(0, 0, 64, 48)


def test_the_list_is_best_first_and_without_doubles(loaded, photo):
    found = search(loaded, photo, OPEN)
    qualities = [one.predicted_iou * one.stability for one in found]
    assert qualities == sorted(qualities, reverse=True)
    for index, one in enumerate(found):
        # judged at the decoder's size: a little more may show at image size
        assert all(overlap(one.mask, other.mask) < 0.97 for other in found[:index])


def test_a_lower_limit_of_overlap_leaves_fewer_that_overlap_less(loaded, photo):
    many = search(loaded, photo, CLOSED)
    few = search(loaded, photo, replace(CLOSED, max_overlap=0.3))
    assert 0 < len(few) < len(many)


def test_candidates_stream_while_the_search_goes_on(compact, photo):
    stream = AutoMasks(compact, preset=OPEN)(photo)
    first = next(stream)
    rest = list(stream)
    assert facts([first, *rest]) == facts(AutoMasks(compact, preset=OPEN)(photo))


def test_a_stream_has_no_doubles_and_begins_all_over_the_image(loaded, photo):
    found = list(AutoMasks(loaded, preset=replace(CLOSED, points_per_batch=4))(photo))
    for index, one in enumerate(found):
        assert all(overlap(one.mask, other.mask) < 0.97 for other in found[:index])
    # the first batch of four clicks is a grid of two by two
    assert all(one.point[0] in (4.0, 36.0) and one.point[1] in (3.0, 27.0) for one in found[:1])


def test_two_searches_find_the_same(loaded, photo):
    preset = replace(OPEN, crop_layers=1)
    assert facts(search(loaded, photo, preset)) == facts(search(loaded, photo, preset))


def test_batches_do_not_change_what_is_found(loaded, photo):
    one, other = (search(loaded, photo, replace(CLOSED, points_per_batch=size)) for size in (7, 64))
    best = {facts([one])[0][3] for one in one[:3]}
    assert best & {one.point for one in other[:6]}


@pytest.mark.parametrize(
    ("setting", "value_of"),
    [
        ("min_predicted_iou", lambda one: one.predicted_iou),
        ("min_stability", lambda one: one.stability),
        ("min_area", lambda one: one.area),
        ("max_area_share", lambda one: -one.area / (48 * 64)),
    ],
)
def test_every_filter_runs(loaded, photo, setting, value_of):
    found = search(loaded, photo, CLOSED)
    values = sorted(value_of(one) for one in found)
    middle = (values[0] + values[-1]) / 2
    limit = -middle if setting == "max_area_share" else int(middle) if setting == "min_area" else middle
    filtered = search(loaded, photo, replace(CLOSED, **{setting: limit}))
    assert 0 < len(filtered) < len(found)
    assert min(value_of(one) for one in filtered) >= (middle - 1 if setting == "min_area" else middle - 1e-9)


def test_thresholds_sink_to_what_the_model_reaches_but_not_beneath_their_floors(compact, photo):
    strict = replace(OPEN, min_predicted_iou=1.0, min_stability=1.0)
    assert search(compact, photo, replace(strict, min_share=0.0)) == []
    sunk = search(compact, photo, strict)
    assert sunk
    floor = replace(strict, predicted_iou_floor=1.0)
    assert search(compact, photo, floor) == []
    assert min(one.predicted_iou for one in sunk) < 1


def test_holes_and_specks_are_tidied(loaded, photo):
    def is_tidy(mask):
        return np.array_equal(clean(mask, 30, 30), mask)

    image = np.ascontiguousarray(
        photo[::3, ::4]
    )  # as large as the decoder's masks, so that nothing is rounded
    assert image.shape == (16, 16, 3)
    rough = search(loaded, image, replace(CLOSED, hole_area=0, speck_area=0))
    tidy = search(loaded, image, replace(CLOSED, hole_area=30, speck_area=30))
    assert not all(is_tidy(one.mask) for one in rough)
    assert all(is_tidy(one.mask) for one in tidy)


def test_crops_find_more_and_leave_out_what_they_cut_through(loaded, photo):
    whole = search(loaded, photo, CLOSED)
    found = search(loaded, photo, replace(CLOSED, crop_layers=1))
    of_crops = [one for one in found if one.crop != Box(0, 0, 64, 48)]
    assert {facts([one])[0] for one in found} != {facts([one])[0] for one in whole}
    for one in of_crops:
        x0, y0, x1, y1 = (int(edge) for edge in one.crop.xyxy)
        outside = one.mask.copy()
        outside[y0:y1, x0:x1] = False
        assert not outside.any()
        assert x0 <= one.point[0] < x1
        assert y0 <= one.point[1] < y1


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 90, 3), (90, 2, 3)])
def test_images_of_any_shape_are_searched(compact, shape):
    preset = replace(OPEN, crop_layers=2, points_per_side=4)
    for one in search(compact, np.full(shape, 120, np.uint8), preset):
        assert one.mask.shape == shape[:2]


def test_pictures_and_paths_are_searched_too(compact, photo, tmp_path):
    Image.fromarray(photo).save(tmp_path / "photo.png")
    expected = facts(search(compact, photo, OPEN))
    assert facts(search(compact, Image.fromarray(photo), OPEN)) == expected
    assert facts(search(compact, tmp_path / "photo.png", OPEN)) == expected
    with pytest.raises(MediaError):
        search(compact, photo.astype(float), OPEN)


def test_presets_are_chosen_by_name_or_value(compact):
    assert AutoMasks(compact, preset="fast").preset == fast()
    assert AutoMasks(compact).preset.name == "balanced"
    assert AutoMasks(compact, preset=OPEN).preset is OPEN
    with pytest.raises(ConfigError, match="fast, balanced, fine"):
        AutoMasks(compact, preset="best")


def test_presets_find_more_the_finer_they_are(compact, photo):
    found = {}
    for preset in (fast(), fine()):
        loose = replace(preset, min_share=0.9, predicted_iou_floor=0, stability_floor=0, max_overlap=0.9)
        found[preset.name] = len(search(compact, photo, loose))
    assert 0 < found["fast"] < found["fine"]


def published_way(monkeypatch):
    monkeypatch.setattr(sam2_clicks, "is_possible", lambda *_: False)
    monkeypatch.setattr(auto_decode, "clicks_per_pass", lambda *_: None)


@pytest.mark.parametrize("crop_layers", [0, 1])
def test_the_fast_way_finds_what_the_published_formula_finds(make_lively, photo, monkeypatch, crop_layers):
    loaded = make_lively("debug")
    preset = replace(OPEN, max_overlap=0.97, crop_layers=crop_layers)
    ours = search(loaded, photo, preset)
    with monkeypatch.context() as patch:
        published_way(patch)
        plain = search(loaded, photo, preset)
    assert len(plain) >= 5
    assert abs(len(ours) - len(plain)) <= 0.02 * len(plain)
    best = [max(overlap(one.mask, other.mask) for other in ours) for one in plain]
    assert np.mean(np.array(best) >= 0.98) >= 0.98
