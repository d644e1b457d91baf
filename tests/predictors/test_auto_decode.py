"""Clicks pass the decoder in parts that fit a cache, and answer the same in any parts."""

import numpy as np
import pytest
import torch

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
