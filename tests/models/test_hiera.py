"""SAM 2's encoder: what is kept between images, and layers that are computed as one."""

import pytest
import torch

from masklet.models import blocked_attention
from masklet.models.config import preset
from masklet.models.model import build


@pytest.fixture
def model():
    network = build(preset("debug"), seed=3)
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for values in network.encoder.parameters():
            values.add_(0.3 * torch.randn(values.shape, generator=generator))
    return network


def counted(encoder, monkeypatch):
    made = []
    original = encoder._embed_position
    monkeypatch.setattr(encoder, "_embed_position", lambda *size: made.append(size) or original(*size))
    return made


@torch.inference_mode()
def test_positions_are_embedded_once_for_each_size_and_weights(model, monkeypatch):
    encoder = model.encoder
    made = counted(encoder, monkeypatch)
    first = encoder.position_embedding(16, 16)
    assert encoder.position_embedding(16, 16) is first
    assert encoder.position_embedding(8, 16).shape[1:3] == (8, 16)
    assert made == [(16, 16), (8, 16)]
    for weight in (encoder.position, encoder.window_position):
        before = encoder.position_embedding(16, 16)
        weight.add_(1.0)
        torch.testing.assert_close(encoder.position_embedding(16, 16), before + 1.0)
    state = {name: torch.zeros_like(value) for name, value in encoder.state_dict().items()}
    encoder.load_state_dict(state)
    assert encoder.position_embedding(16, 16).abs().max() == 0


def test_positions_take_part_in_training(model):
    with torch.no_grad():
        model.encoder.position_embedding(16, 16)
    model.encoder.position_embedding(16, 16).sum().backward()
    assert model.encoder.position.grad.abs().sum() > 0


@torch.inference_mode()
def test_the_neck_joins_its_convolutions_into_the_same_skips(model, monkeypatch):
    pixels = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for values in model.neck.parameters():
            values.add_(0.2 * torch.randn(values.shape, generator=torch.Generator().manual_seed(4)))
    joined = model.encode_image(pixels)
    monkeypatch.setattr(blocked_attention, "is_possible", lambda _values: False)
    apart = model.encode_image(pixels)
    assert apart.skip4.std() > 0.1
    for name in ("features", "skip4", "skip8"):
        torch.testing.assert_close(getattr(joined, name), getattr(apart, name), atol=1e-5, rtol=1e-4)
