"""Models that decode their answers again."""

from dataclasses import replace

import numpy as np

from masklet import Box, Click, ImagePredictor, PromptSet

PLAIN = {"looks_again": False, "keeps_clicked_parts": False}


def logits_of(loaded, prompts, start=None, **changes):
    """Logits (1, h4, w4) of the model with another configuration."""
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    predictor = ImagePredictor(replace(loaded, config=replace(loaded.config, **PLAIN, **changes)))
    found = predictor.predict(predictor.embed(image), prompts, multimask=False, start_logits=start)
    return found.low_res_logits


def test_clear_prompts_are_answered_by_the_mean_of_two_answers(compact):
    clear = (
        PromptSet(clicks=[Click(20, 20), Click(40, 40, False)]),
        PromptSet(box=Box(10, 10, 40, 50)),
    )
    for prompts in clear:
        first = logits_of(compact, prompts, thinks_again=False)
        second = logits_of(compact, prompts, first[0], thinks_again=False)
        both = logits_of(compact, prompts, thinks_again=True)
        assert np.abs(first - second).max() > 1e-4
        np.testing.assert_allclose(both, (first + second) / 2, atol=1e-4)


def test_one_click_is_answered_at_once(compact):
    prompts = PromptSet(clicks=[Click(20, 20)])
    once, twice = (logits_of(compact, prompts, thinks_again=value) for value in (False, True))
    np.testing.assert_array_equal(once, twice)
