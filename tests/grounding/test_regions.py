"""Cells that point at the same box become one object."""

import numpy as np

from masklet.grounding.regions import RegionOptions, find_components, find_regions

SIDE = 24


def scene(*boxes):
    """Probability and true reach of rectangles (x0, y0, x1, y1) in cells; later ones lie on earlier ones."""
    probability = np.full((SIDE, SIDE), 0.05, np.float32)
    reach = np.full((4, SIDE, SIDE), 0.02, np.float32)
    x, y = np.meshgrid((np.arange(SIDE) + 0.5) / SIDE, (np.arange(SIDE) + 0.5) / SIDE)
    for x0, y0, x1, y1 in boxes:
        part = np.s_[y0:y1, x0:x1]
        probability[part] = 0.9
        edges = (x - x0 / SIDE, y - y0 / SIDE, x1 / SIDE - x, y1 / SIDE - y)
        for channel, edge in enumerate(edges):
            reach[channel][part] = edge[part]
    return probability, reach


def cells_of(regions):
    return sorted(tuple(np.round(one.box_xyxy * SIDE).astype(int).tolist()) for one in regions)


def test_nothing_is_found_in_nothing():
    assert find_regions(*scene()) == []


def test_one_object():
    (region,) = find_regions(*scene((3, 4, 13, 20)))
    assert cells_of([region]) == [(3, 4, 13, 20)]
    assert region.is_on.sum() == 160
    assert abs(region.score - 0.9) < 1e-5


def test_objects_that_touch_are_told_apart():
    boxes = [(2, 4, 10, 20), (10, 4, 20, 20)]
    assert cells_of(find_regions(*scene(*boxes))) == boxes


def test_an_object_cut_in_two_stays_one():
    probability, reach = scene((2, 4, 22, 12))
    probability[:, 10:13] = 0.05
    assert cells_of(find_regions(probability, reach)) == [(2, 4, 22, 12)]


def test_components_need_no_reach_and_join_what_touches():
    probability, _ = scene((2, 4, 10, 20), (10, 4, 14, 20), (17, 2, 22, 8))
    assert cells_of(find_components(probability)) == [(2, 4, 14, 20), (17, 2, 22, 8)]
    assert find_components(np.zeros((SIDE, SIDE), np.float32)) == []


def test_specks_are_dropped():
    assert find_regions(*scene((3, 3, 5, 5)), RegionOptions(least_cells=6)) == []
    assert len(find_regions(*scene((3, 3, 5, 5)), RegionOptions(least_cells=4))) == 1


def test_noise_in_the_reach_does_not_split_an_object():
    probability, reach = scene((3, 4, 15, 20))
    noisy = reach * np.random.default_rng(0).uniform(0.85, 1.15, reach.shape).astype(np.float32)
    assert cells_of(find_regions(probability, noisy)) == [(3, 4, 15, 20)]


def test_the_surest_cells_say_how_sure_an_object_is_and_the_others_how_far_it_reaches():
    probability, _ = scene((4, 4, 16, 12))
    probability[4:12, 4:12] = 0.3
    (region,) = find_components(probability)
    assert cells_of([region]) == [(4, 4, 16, 12)]
    assert abs(region.score - 0.9) < 1e-5
    (narrow,) = find_components(probability, RegionOptions(least_probability=0.5))
    assert cells_of([narrow]) == [(12, 4, 16, 12)]
