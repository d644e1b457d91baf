"""Clicks on one image share what does not depend on them, and answer as alone."""

import pytest
import torch

from masklet.models.config import preset
from masklet.models.model import build


@pytest.fixture(scope="module")
def model():
    return build(preset("debug"), seed=3)


def decode(model, features, skips, points):
    labels = torch.tensor([1, -1]).expand(len(points), -1)
    return model.decode(features, skips, model.encode_prompts(points, labels))


@torch.inference_mode()
def test_clicks_on_one_image_answer_as_alone(model, monkeypatch):
    config = model.config
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(1, config.hidden_dim, config.grid, config.grid, generator=generator)
    side = config.mask_side
    skips = (
        torch.randn(1, config.skip_dims[0], side, side, generator=generator),
        torch.randn(1, config.skip_dims[1], side // 2, side // 2, generator=generator),
    )
    points = torch.rand(5, 2, 2, generator=generator) * config.image_size
    rows = []
    first = model.decoder.transformer.blocks[0]
    original = first.forward
    monkeypatch.setattr(first, "forward", lambda *given: rows.append(len(given[1])) or original(*given))
    shared = decode(model, features.expand(5, -1, -1, -1), skips, points)
    apart = decode(model, features.expand(5, -1, -1, -1).contiguous(), skips, points)
    assert rows == [1, 5]
    for name in ("logits", "iou", "presence", "tokens"):
        torch.testing.assert_close(getattr(shared, name), getattr(apart, name), atol=1e-5, rtol=1e-4)
    alone = decode(model, features, skips, points[3:4])
    torch.testing.assert_close(shared.logits[3:4], alone.logits, atol=1e-5, rtol=1e-4)
