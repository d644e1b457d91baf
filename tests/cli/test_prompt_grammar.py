"""The short form of prompts: what it means, that it survives being written and read, and how mistakes are answered."""

import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masklet.cli.prompt_grammar import format_prompt, parse_image_prompt, parse_target, parse_video_prompt
from masklet.errors import PromptError
from masklet.geometry import Box
from masklet.pipeline import ObjectPrompt
from masklet.prompts import Click, PromptSet

COORDINATES = st.integers(-99_999, 99_999).map(float) | st.integers(0, 10**7).map(lambda tenths: tenths / 100)
CLICKS = st.builds(
    lambda x, y, positive: Click(x, y, positive=positive), COORDINATES, COORDINATES, st.booleans()
)
BOXES = st.builds(
    lambda x, y, width, height: Box(x, y, x + width, y + height),
    st.integers(-500, 5000),
    st.integers(-500, 5000),
    st.integers(1, 5000),
    st.integers(1, 5000),
)
PROMPTS = st.builds(
    lambda object_id, frame, clicks, box: ObjectPrompt(
        object_id=object_id, frame=frame, prompts=PromptSet(clicks or ([] if box else [Click(1, 2)]), box)
    ),
    st.integers(1, 255),
    st.integers(0, 999_999_999),
    st.lists(CLICKS, max_size=5),
    st.none() | BOXES,
)


@given(PROMPTS)
def test_what_is_written_is_read_again(prompt):
    assert parse_video_prompt(format_prompt(prompt)) == prompt


@given(PROMPTS, st.sampled_from(["  ", "\t", " \n "]))
def test_spaces_do_not_matter(prompt, space):
    loose = format_prompt(prompt).replace(" ", space).replace(",", f" ,{space}")
    assert parse_video_prompt(f"{space}{loose}{space}") == prompt


@given(st.text(max_size=40) | st.text("0123456789@:+-,. box", max_size=40))
def test_any_text_is_a_prompt_or_a_prompt_error(text):
    for parse in (parse_video_prompt, parse_image_prompt):
        with suppress(PromptError):
            assert isinstance(parse(text), ObjectPrompt)


def test_clicks_on_and_off():
    found = parse_video_prompt("1@0: +320,240 -100,50")
    assert (found.object_id, found.frame) == (1, 0)
    assert found.prompts == PromptSet([Click(320, 240), Click(100, 50, positive=False)])


def test_a_box():
    found = parse_video_prompt("2@15: box 10,20,200,240")
    assert (found.object_id, found.frame, found.prompts) == (2, 15, PromptSet(box=(10, 20, 200, 240)))


@pytest.mark.parametrize("text", ["3@7: +1.5,2 BOX 0,0,4,4 -3,3", "3@7:box 0, 0, 4, 4 +1.5, 2 -3,3"])
def test_clicks_and_a_box_in_one(text):
    found = parse_video_prompt(text)
    assert found.prompts == PromptSet([Click(1.5, 2), Click(3, 3, positive=False)], (0, 0, 4, 4))


@pytest.mark.parametrize(
    ("text", "object_id"), [("+3,4", 1), ("2: +3,4", 2), ("2@0:+3,4", 2), (" 12 : +3,4 ", 12)]
)
def test_an_image_prompt_may_name_an_object(text, object_id):
    found = parse_image_prompt(text)
    assert (found.object_id, found.frame, found.prompts) == (object_id, 0, PromptSet([Click(3, 4)]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "does not say which object and frame"),
        ("+320,240", 'write for example "1@0: +320,240 -100,50"'),
        ("1: +320,240", "'1' is not an object and a frame"),
        ("one@0: +1,1", "'one@0' is not an object and a frame"),
        ("1@-1: +1,1", "'1@-1' is not"),
        ("1@0:", "has no click and no box"),
        ("1@0: 320,240", "'320,240' in the prompt '1@0: 320,240' is neither a click"),
        ("1@0: +320", "'+320' in the prompt"),
        ("1@0: +320,240,1", "'+320,240,1' in the prompt"),
        ("1@0: +a,b", "is neither a click"),
        ("1@0: +1e3,2", "is neither a click"),
        ("1@0: +nan,2", "is neither a click"),
        ("1@0: box", "The box '' in the prompt"),
        ("1@0: box 1,2,3", "The box '1,2,3' in the prompt '1@0: box 1,2,3' is not four numbers"),
        ("1@0: box 1,2,3,4 box 1,2,3,4", "two boxes"),
        ("1@0: box 5,5,1,9", "A box needs x1 > x0"),
        ("0@0: +1,1", "must be 1 to 255, got 0"),
        ("256@0: +1,1", "must be 1 to 255, got 256"),
        ("1@0: +1,1 \N{FULLWIDTH PLUS SIGN}2,2", "is neither a click"),
        (f"1@{'9' * 5000}: +1,1", "is not an object and a frame"),
    ],
)
def test_mistakes_are_answered_with_what_came_and_what_is_allowed(text, words):
    with pytest.raises(PromptError, match=re.escape(words)):
        parse_video_prompt(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no click and no box"),
        ("cat: +1,1", "names the object 'cat'"),
        ("1@3: +1,1", "names the object '1@3'"),
        ("320,240", 'write for example "+320,240 -100,50"'),
    ],
)
def test_mistakes_in_image_prompts(text, words):
    with pytest.raises(PromptError, match=re.escape(words)):
        parse_image_prompt(text)


def test_a_target_is_an_object_and_a_frame():
    assert parse_target(" 12@345 ") == (12, 345)


def test_a_mask_has_no_short_form():
    with pytest.raises(PromptError, match="give it as a file"):
        format_prompt(ObjectPrompt(object_id=1, frame=0, prompts=PromptSet(mask=[[True]])))
