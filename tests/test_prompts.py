"""Prompts: frozen values that are checked when they are made and again against the image."""

import dataclasses
import math

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.geometry import Box, Size
from masklet.prompts import MAX_CLICKS, BoxPrompt, Click, MaskPrompt, PromptSet, TextPrompt

IMAGE = Size(height=100, width=200)


@pytest.mark.parametrize(("x", "y"), [(math.nan, 0), (0, math.nan), (math.inf, 0), (0, -math.inf)])
def test_a_click_that_is_no_number_is_refused(x, y):
    with pytest.raises(PromptError, match="finite pixel coordinates"):
        Click(x, y)


def test_a_click_is_positive_unless_said_otherwise():
    assert Click(1, 2).positive
    assert not Click(1, 2, positive=False).positive


def test_prompts_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Click(1, 2).x = 3
    with pytest.raises(dataclasses.FrozenInstanceError):
        PromptSet([Click(1, 2)]).clicks = ()
    with pytest.raises(ValueError, match="read-only"):
        MaskPrompt(np.ones((2, 2))).mask[0, 0] = False


@pytest.mark.parametrize("shape", [(4,), (1, 4, 4), (0, 4), (4, 0)])
def test_a_mask_prompt_that_is_no_image_is_refused(shape):
    with pytest.raises(PromptError, match=r"must be an \(h, w\) array"):
        MaskPrompt(np.zeros(shape))


def test_a_mask_prompt_copies_what_it_is_given():
    array = np.array([[0.0, 0.5], [2.0, 0.0]])
    prompt = MaskPrompt(array)
    array[:] = 0
    assert prompt.mask.tolist() == [[False, True], [True, False]]
    assert prompt.size == Size(2, 2)


def test_mask_prompts_are_equal_by_their_pixels():
    one, same, other = (MaskPrompt(np.array(rows)) for rows in ([[1, 0]], [[7, 0]], [[0, 1]]))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert one != "a mask"
    assert repr(one) == "MaskPrompt(size=(1, 2), on=1)"


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_a_text_prompt_needs_a_word(text):
    with pytest.raises(PromptError, match="at least one word"):
        TextPrompt(text)


def test_a_text_prompt_keeps_its_words():
    assert TextPrompt("the left cup").text == "the left cup"


def test_an_empty_prompt_set_is_refused():
    with pytest.raises(PromptError, match="empty"):
        PromptSet()


def test_too_many_clicks_are_refused():
    assert len(PromptSet([Click(1, 1)] * MAX_CLICKS).clicks) == MAX_CLICKS
    with pytest.raises(PromptError, match=f"{MAX_CLICKS + 1} clicks, the most is {MAX_CLICKS}"):
        PromptSet([Click(1, 1)] * (MAX_CLICKS + 1))


def test_a_prompt_set_takes_plain_values():
    prompts = PromptSet(iter([Click(1, 2)]), box=(1, 2, 3, 4), mask=np.eye(3))
    assert prompts.clicks == (Click(1, 2),)
    assert prompts.box == BoxPrompt(1, 2, 3, 4)
    assert prompts.mask == MaskPrompt(np.eye(3))


def test_box_prompt_is_the_box_of_geometry():
    assert BoxPrompt is Box


@pytest.mark.parametrize(
    ("prompts", "mask_only"),
    [
        (PromptSet(mask=np.eye(2)), True),
        (PromptSet([Click(0, 0)], mask=np.eye(2)), False),
        (PromptSet(box=(0, 0, 1, 1), mask=np.eye(2)), False),
        (PromptSet([Click(0, 0)]), False),
    ],
)
def test_only_a_mask_alone_is_the_answer_too(prompts, mask_only):
    assert prompts.is_mask_only is mask_only


def test_one_more_click_leaves_the_first_set_as_it_was():
    first = PromptSet([Click(1, 1)], box=(0, 0, 9, 9))
    second = first.with_click(Click(2, 2, positive=False))
    assert first.clicks == (Click(1, 1),)
    assert second.clicks == (Click(1, 1), Click(2, 2, positive=False))
    assert second.box == first.box


@pytest.mark.parametrize(
    "prompts",
    [
        PromptSet([Click(0, 0), Click(199, 99), Click(199.9, 99.9)]),
        PromptSet(box=(-50, -50, 1, 1)),
        PromptSet(box=(199, 99, 900, 900)),
        PromptSet(mask=np.zeros((100, 200))),
    ],
)
def test_prompts_that_fit_the_image_pass(prompts):
    prompts.check_inside(IMAGE)
    assert prompts.clicks or prompts.box or prompts.mask


@pytest.mark.parametrize(
    ("prompts", "sentence"),
    [
        (PromptSet([Click(200, 0)]), r"click \(200, 0\) lies outside the image of 200 x 100"),
        (PromptSet([Click(0, 100)]), r"click \(0, 100\) lies outside"),
        (PromptSet([Click(5, 5), Click(-0.1, 5)]), r"click \(-0.1, 5\) lies outside"),
        (PromptSet(box=(200, 0, 210, 10)), "does not touch the image of 200 x 100"),
        (PromptSet(box=(0, -9, 10, 0)), "does not touch"),
        (PromptSet(mask=np.zeros((200, 100))), "mask prompt is 100 x 200 pixels but the image is 200 x 100"),
    ],
)
def test_prompts_that_do_not_fit_the_image_are_refused(prompts, sentence):
    with pytest.raises(PromptError, match=sentence):
        prompts.check_inside(IMAGE)
