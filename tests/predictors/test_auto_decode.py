"""Clicks pass the decoder in parts that fit a cache, and answer the same in any parts."""

import numpy as np
import pytest
import torch

from masklet.models import sam2_clicks
from masklet.models.config import preset
from masklet.predictors import auto_decode
from masklet.predictors.image import ImagePredictor


@pytest.mark.parametrize(("name", "expected"), [("sam2.1-tiny", 5), ("sam2.1-large", 5), ("compact", 71)])
def test_how_many_clicks_pass_together(name, expected):
    assert auto_decode.clicks_per_pass(preset(name), torch.device("cpu")) == expected
    assert auto_decode.clicks_per_pass(preset(name), torch.device("cuda")) is None


@torch.inference_mode()
def test_clicks_in_parts_answer_as_together(loaded, photo, monkeypatch):
    features = ImagePredictor(loaded, second_look=False).embed(photo).features
    places = np.random.default_rng(0).uniform(0, loaded.config.image_size, (7, 2))
    together = auto_decode.decode_clicks(loaded, features, places)
    monkeypatch.setattr(auto_decode, "clicks_per_pass", lambda *_: 3)
    parts = auto_decode.decode_clicks(loaded, features, places)
    for name in ("logits", "iou", "presence", "tokens"):
        assert len(getattr(parts, name)) == 7
        torch.testing.assert_close(getattr(parts, name), getattr(together, name), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("least_iou", [0.0, 0.4, 0.55, 1.0])
@torch.inference_mode()
def test_likely_masks_are_those_of_all_that_reach_the_least(loaded, photo, monkeypatch, least_iou):
    monkeypatch.setattr(auto_decode, "clicks_per_pass", lambda *_: 3)
    features = ImagePredictor(loaded, second_look=False).embed(photo).features
    places = np.random.default_rng(0).uniform(0, loaded.config.image_size, (8, 2))
    every = auto_decode.decode_clicks(loaded, features, places)
    likely = auto_decode.find_masks(loaded, features, places, least_iou=least_iou)
    reach = (every.iou >= least_iou) & torch.tensor([False, True, True, True])
    assert likely.click.tolist() == reach.nonzero()[:, 0].tolist()
    torch.testing.assert_close(likely.iou, every.iou[reach])
    torch.testing.assert_close(likely.logits, every.logits[reach], atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_a_click_of_which_nothing_is_likely_is_not_drawn(make_lively, photo, monkeypatch):
    loaded = make_lively("debug")
    features = ImagePredictor(loaded, second_look=False).embed(photo).features
    places = np.random.default_rng(0).uniform(0, loaded.config.image_size, (8, 2))
    best = auto_decode.decode_clicks(loaded, features, places).iou[:, 1:].amax(dim=1)
    drawn = []
    original = sam2_clicks._draw_one
    monkeypatch.setattr(sam2_clicks, "_draw_one", lambda *given: drawn.append(1) or original(*given))
    auto_decode.find_masks(loaded, features, places, least_iou=float(best.median()))
    assert len(drawn) == 5
