"""Find all like this, with a small model of random weights."""

from dataclasses import replace

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.pipeline.similar import SimilarFinder, SimilarOptions
from masklet.predictors.image import ImagePredictor
from masklet.prompts import PromptSet

ANY = SimilarOptions(
    threshold=-9, least_iou=-1e9, least_score=-1, least_peak=-1.9, largest_ratio=1e9, most=12
)


@pytest.fixture(scope="module")
def predictor():
    return ImagePredictor("debug-compact", second_look=False)


@pytest.fixture
def picture():
    pixels = np.random.default_rng(3).integers(0, 60, (40, 56, 3), dtype=np.uint8)
    pixels[4:16, 4:16] = (230, 180, 40)
    pixels[20:32, 30:42] = (230, 180, 40)
    return pixels


def mask_prompt(shape):
    mask = np.zeros(shape, bool)
    mask[4:16, 4:16] = True
    return PromptSet(mask=mask)


def test_what_is_found_is_distinct_and_ordered(predictor, picture):
    found = SimilarFinder(predictor, ANY).find(picture, [mask_prompt((40, 56))])
    assert found
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    for index, one in enumerate(found):
        assert one.mask.shape == (40, 56)
        rows, columns = np.nonzero(one.mask)
        assert one.box.xyxy == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        for other in found[:index]:
            assert (one.mask & other.mask).sum() <= ANY.max_overlap * (one.mask | other.mask).sum()


def test_an_example_on_another_image(predictor, picture):
    finder = SimilarFinder(predictor, ANY)
    known = finder.learn(picture, [mask_prompt((40, 56))])
    assert known.area == pytest.approx(144 / (40 * 56), rel=0.3)
    assert finder.find(np.roll(picture, 7, axis=1)[:, :50], known)


def test_a_threshold_that_nothing_reaches(predictor, picture):
    assert SimilarFinder(predictor, ANY).find(picture, [mask_prompt((40, 56))], threshold=3) == []


def test_examples_are_needed_and_must_fit(predictor, picture):
    finder = SimilarFinder(predictor)
    with pytest.raises(PromptError, match="There is no example"):
        finder.find(picture, [])
    with pytest.raises(PromptError, match="resize the mask"):
        finder.find(picture, [mask_prompt((20, 20))])


def test_a_small_example_is_found_in_enlarged_parts(predictor, picture):
    mask = np.zeros((40, 56), bool)
    mask[5:8, 5:9] = True
    found = SimilarFinder(predictor, ANY).find(picture, [PromptSet(mask=mask)])
    assert found
    assert all(one.mask.shape == one.logits.shape == (40, 56) for one in found)
    assert all(one.mask.any() and not one.mask.all() for one in found)


def test_an_empty_example_is_refused(predictor, picture):
    with pytest.raises(PromptError, match="example is empty"):
        SimilarFinder(predictor).find(picture, [PromptSet(mask=np.zeros((40, 56), bool))])


def test_a_poor_match_is_left_out(predictor, picture):
    every = SimilarFinder(predictor, ANY).find(picture, [mask_prompt((40, 56))])
    most = max(one.score for one in every)
    strict = SimilarFinder(predictor, replace(ANY, least_score=most + 0.01))
    assert strict.find(picture, [mask_prompt((40, 56))]) == []
