"""Likeness to an example, on features that are made up."""

import numpy as np
import pytest
import torch

from masklet.errors import PromptError
from masklet.grounding.exemplars import (
    descriptors_of,
    find_peaks,
    join_descriptors,
    likeness_map,
    likeness_of,
    make_prototypes,
)
from masklet.models.model import ImageFeatures

SIDE = 24
SQUARES = [(2, 2), (2, 14), (14, 3)]  # row and column of squares of six cells


def features_with(squares):
    """Features in which squares point one way and the rest another, with noise."""
    generator = torch.Generator().manual_seed(0)
    maps = []
    for channels, side in ((16, SIDE // 4), (12, SIDE // 2), (8, SIDE)):
        noise = 0.1 * torch.randn(1, channels, SIDE, SIDE, generator=generator)
        noise[:, 0] += 1
        for row, column in squares:
            noise[:, 0, row : row + 6, column : column + 6] -= 1
            noise[:, 1, row : row + 6, column : column + 6] += 1
        maps.append(torch.nn.functional.interpolate(noise, size=(side, side), mode="area"))
    return ImageFeatures(maps[0], maps[2], maps[1])


def mask_of(square):
    row, column = square
    mask = np.zeros((2 * SIDE, 3 * SIDE), bool)
    mask[2 * row : 2 * row + 12, 3 * column : 3 * column + 18] = True
    return mask


def test_every_square_is_a_peak_and_nothing_else():
    descriptors = descriptors_of(features_with(SQUARES))
    known = make_prototypes(descriptors, mask_of(SQUARES[0])[None])
    peaks = find_peaks(likeness_map(descriptors, known), known.area, least=0.1, most=10)
    found = sorted((round(one.y * SIDE), round(one.x * SIDE)) for one in peaks)
    assert len(found) == len(SQUARES)
    for (y, x), (row, column) in zip(found, sorted(SQUARES), strict=True):
        assert row < y < row + 6
        assert column < x < column + 6


def test_a_mask_like_the_example_is_liker_than_one_that_is_not():
    descriptors = descriptors_of(features_with(SQUARES))
    known = make_prototypes(descriptors, mask_of(SQUARES[0])[None])
    like, other = (likeness_of(descriptors, mask_of(place), known) for place in (SQUARES[1], (15, 15)))
    assert like > 0.5 > 0 > other


def test_an_example_of_one_image_finds_in_another():
    first, second = descriptors_of(features_with(SQUARES[:1])), descriptors_of(features_with(SQUARES[1:]))
    known = make_prototypes(first, mask_of(SQUARES[0])[None])
    likeness = likeness_map(second, known)
    assert likeness[4:6, 16:18].min() > 0.2 > likeness[4:6, 4:6].max()


def test_examples_of_two_images_join():
    descriptors = descriptors_of(features_with(SQUARES))
    first, second = (make_prototypes(descriptors, mask_of(place)[None]) for place in SQUARES[:2])
    both = first.joined(second)
    assert len(both.objects) == 2
    assert both.area == pytest.approx((first.area + second.area) / 2)


def test_empty_examples_are_refused():
    descriptors = descriptors_of(features_with(SQUARES))
    for masks in (np.zeros((1, 48, 72), bool), np.zeros((0, 48, 72), bool)):
        with pytest.raises(PromptError, match="An example is empty"):
            make_prototypes(descriptors, masks)


def test_a_tiny_example_keeps_a_cell():
    descriptors = descriptors_of(features_with(SQUARES))
    mask = np.zeros((240, 240), bool)
    mask[30:33, 30:33] = True
    assert make_prototypes(descriptors, mask[None]).area > 0


def test_tiles_of_the_same_features_join_to_the_whole():
    whole = features_with(SQUARES)
    halves = [
        ImageFeatures(*(level.chunk(2, dim=3)[half] for level in (whole.features, whole.skip4, whole.skip8)))
        for half in (0, 1)
    ]
    tall = join_descriptors(halves, [(0, 0, 0.5, 1), (0.5, 0, 1, 1)])
    known = make_prototypes(tall, mask_of(SQUARES[0])[None])
    peaks = find_peaks(likeness_map(tall, known), known.area, least=0.1, most=10)
    assert len(peaks) == len(SQUARES)


def test_examples_are_measured_by_their_own_likeness():
    descriptors = descriptors_of(features_with(SQUARES))
    known = make_prototypes(descriptors, mask_of(SQUARES[0])[None])
    assert likeness_of(descriptors, mask_of(SQUARES[0]), known) == pytest.approx(1, abs=1e-5)
    assert known.sides == pytest.approx((18 / 72, 12 / 48))
