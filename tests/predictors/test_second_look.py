"""Small objects are looked at again: where, from what, and what becomes of both answers."""

from dataclasses import replace

import numpy as np
import pytest

from masklet.geometry import Box
from masklet.predictors.image import Embedding, ImagePredictor
from masklet.predictors.second_look import Window, joined, window_around
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet


def mask_of(height, width, box):
    mask = np.zeros((height, width), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((100, 60, 140, 90), Window(left=80, top=35, width=80, height=80)),
        ((0, 0, 30, 20), Window(left=0, top=0, width=60, height=60)),
        ((390, 290, 400, 300), Window(left=352, top=252, width=48, height=48)),
        ((10, 10, 390, 290), None),
    ],
)
def test_the_window_is_twice_the_mask_and_stays_in_the_image(box, expected):
    centre = Click((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    assert window_around(mask_of(300, 400, box), PromptSet([centre])) == expected


def test_the_window_holds_every_positive_click():
    mask = mask_of(300, 400, (100, 60, 140, 90))
    prompts = PromptSet([Click(110, 70), Click(180, 150), Click(399, 299, positive=False)])
    window = window_around(mask, prompts)
    assert window is not None
    inside = window.inside(prompts)
    assert [click.positive for click in inside.clicks] == [True, True]
    assert (inside.clicks[1].x + window.left, inside.clicks[1].y + window.top) == (180, 150)


def test_a_box_is_looked_at_whatever_was_found_in_it():
    window = window_around(np.zeros((300, 400), bool), PromptSet(box=(100, 60, 140, 90)))
    assert window == Window(left=80, top=35, width=80, height=80)
    assert window.inside(PromptSet(box=(100, 60, 140, 90))).box == Box(20, 25, 60, 55)


@pytest.mark.parametrize("signs", [(True,), (False,), (True, True)])
def test_nothing_found_is_not_looked_at_again(signs):
    clicks = [Click(5, 5, positive) for positive in signs]
    assert window_around(np.zeros((300, 400), bool), PromptSet(clicks)) is None


def test_nothing_found_between_clicks_of_both_kinds_is_looked_at_again():
    prompts = PromptSet([Click(100, 80), Click(109, 84, positive=False)])
    window = window_around(np.zeros((300, 400), bool), prompts)
    assert window == Window(left=81, top=58, width=48, height=48)
    assert len(window.inside(prompts).clicks) == 2


def test_second_answer_counts_alone_where_the_first_finds_nothing():
    first = np.full((6, 8), -4.0, np.float32)
    window = Window(left=2, top=1, width=3, height=2)
    out = joined(first, np.full((2, 3), 2.0, np.float32), window, has_box=False)
    assert np.array_equal(out > 0, mask_of(6, 8, (2, 1, 5, 3)))


def test_a_given_mask_is_not_looked_at_again():
    mask = mask_of(300, 400, (100, 60, 140, 90))
    assert window_around(mask, PromptSet(mask=mask)) is None


def test_both_answers_count_in_the_window_and_nothing_outside():
    first = np.full((6, 8), 4.0, np.float32)
    window = Window(left=2, top=1, width=3, height=2)
    out = joined(first, np.full((2, 3), -2.0, np.float32), window, has_box=False)
    assert np.array_equal(out > 0, mask_of(6, 8, (2, 1, 5, 3)))
    assert set(window.cut(out).ravel()) == {1.0}
    assert set(
        window.cut(joined(first, np.full((2, 3), -2.0, np.float32), window, has_box=True)).ravel()
    ) == {-2}
    assert np.all(first == 4.0)


@pytest.fixture
def large(make_frames):
    return np.kron(make_frames(1)[0], np.ones((4, 4, 1), np.uint8))


def test_a_second_look_changes_small_objects_only(loaded, large):
    plain = ImagePredictor(loaded, second_look=False)
    again = ImagePredictor(loaded, second_look=True)
    small, whole = PromptSet(box=(20, 20, 50, 44)), PromptSet(box=(0, 0, 250, 190))
    before = plain.predict_objects(plain.embed(large), [small, whole])
    after = again.predict_objects(again.embed(large), [small, whole])
    assert np.abs(before[0].logits - after[0].logits).max() > 1e-3
    assert np.array_equal(before[1].logits, after[1].logits)
    assert after[0].masks.shape == before[0].masks.shape
    assert after[0].low_res_logits.shape == before[0].low_res_logits.shape
    assert not after[0].masks[0][:, 80:].any()


def test_of_several_candidates_the_best_is_looked_at(loaded, large):
    plain = ImagePredictor(loaded, second_look=False)
    again = ImagePredictor(loaded, second_look=True)
    before = plain.predict(plain.embed(large), PromptSet(box=(20, 20, 50, 44)), multimask=True)
    after = again.predict(again.embed(large), PromptSet(box=(20, 20, 50, 44)), multimask=True)
    assert after.masks.shape == before.masks.shape == (3, *large.shape[:2])
    assert np.array_equal(after.logits[1:], before.logits[1:])
    assert not np.array_equal(after.logits[0], before.logits[0])


def test_a_saved_embedding_keeps_its_picture(loaded, large, tmp_path):
    again = ImagePredictor(loaded, second_look=True)
    embedding = again.embed(large)
    embedding.save(tmp_path / "one.safetensors")
    prompts = PromptSet(box=(20, 20, 50, 44))
    first = again.predict(embedding, prompts)
    second = again.predict(Embedding.load(tmp_path / "one.safetensors"), prompts)
    assert np.array_equal(first.logits, second.logits)


def test_an_embedding_without_its_picture_is_answered_as_before(loaded, large):
    plain = ImagePredictor(loaded, second_look=False)
    again = ImagePredictor(loaded, second_look=True)
    prompts = PromptSet(box=(20, 20, 50, 44))
    assert plain.embed(large).picture is None
    one, other = again.predict(plain.embed(large), prompts), plain.predict(plain.embed(large), prompts)
    assert np.array_equal(one.logits, other.logits)


def test_the_model_says_whether_it_looks_again(loaded):
    for looks_again in (False, True):
        made = replace(loaded, config=replace(loaded.config, looks_again=looks_again))
        assert ImagePredictor(made).second_look is looks_again


def test_a_first_prompt_in_a_video_is_looked_at_again_before_it_is_remembered(loaded, large):
    small = PromptSet(box=(20, 20, 50, 44))
    frames = np.stack([large] * 3)
    logits = {}
    for looks_again in (False, True):
        made = replace(loaded, config=replace(loaded.config, looks_again=looks_again))
        with VideoSession(made, frames) as session:
            shown = session.prompt(1, 0, small)
            logits[looks_again] = [frame.logits[1] for frame in session.track()]
        assert np.allclose(shown.logits[1], logits[looks_again][0], atol=1e-2)
    assert not np.array_equal(logits[False][0], logits[True][0])
    assert not np.array_equal(logits[False][1], logits[True][1])
