"""Phrases, templates, thresholds and which of several boxes stay."""

import pytest

from masklet.errors import PromptError
from masklet.geometry import Box, Size
from masklet.grounding.base import (
    MAX_PHRASES,
    FoundBox,
    box_iou,
    check_threshold,
    clipped_box,
    fill_template,
    keep_best,
    split_phrases,
)


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("dog . ball", ("dog", "ball")),
        ("dog.ball", ("dog", "ball")),
        ("dog. ball.", ("dog", "ball")),
        ("dog .ball", ("dog", "ball")),
        ("  a  red   car ,dog;cat\nbus ", ("a red car", "dog", "cat", "bus")),
        ("dog . dog", ("dog",)),
        ("no.5 bottle", ("no.5 bottle",)),
        ("Hündin . 犬", ("Hündin", "犬")),
    ],
)
def test_phrases_are_cut_at_signs(text, phrases):
    assert split_phrases(text) == phrases


@pytest.mark.parametrize("text", ["", " . ", "...", ", ;", "?!"])
def test_a_text_without_words_is_refused(text):
    with pytest.raises(PromptError, match="names nothing to look for"):
        split_phrases(text)


def test_too_many_and_too_long_phrases_are_refused():
    with pytest.raises(PromptError, match="the most is 64"):
        split_phrases(" . ".join(f"thing {index}" for index in range(MAX_PHRASES + 1)))
    with pytest.raises(PromptError, match="say it"):
        split_phrases("x" * 201)


def test_templates():
    assert fill_template("a photo of a {}", "dog") == "a photo of a dog"
    for wrong in ("dog", "{} and {}"):
        with pytest.raises(PromptError, match="exactly one"):
            fill_template(wrong, "dog")


def test_thresholds():
    assert check_threshold(None, 0.3) == 0.3
    assert check_threshold(0, 0.3) == 0
    with pytest.raises(PromptError, match=r"\[0, 1\]"):
        check_threshold(1.5, 0.3)


def found(x0, score, label="dog", width=10):
    return FoundBox(box=Box(x0, 0, x0 + width, 10), score=score, label=label)


def test_of_boxes_on_one_object_the_best_stays():
    kept = keep_best([found(1, 0.6), found(0, 0.9), found(40, 0.5)])
    assert [(one.box.x0, one.score) for one in kept] == [(0, 0.9), (40, 0.5)]


def test_boxes_of_different_labels_may_share_more():
    half, same = found(3, 0.6, "tail"), found(0, 0.5, "animal")
    assert keep_best([found(0, 0.9), half, same]) == [found(0, 0.9), half]


def test_iou_and_clipping():
    assert box_iou(Box(0, 0, 10, 10), Box(5, 0, 15, 10)) == pytest.approx(1 / 3)
    assert box_iou(Box(0, 0, 10, 10), Box(20, 0, 30, 10)) == 0
    assert clipped_box((-5, -5, 30, 8), Size(10, 20)) == Box(0, 0, 20, 8)
    assert clipped_box((25, 0, 30, 8), Size(10, 20)) is None
