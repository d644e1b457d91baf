"""Fewer hidden units that say the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from masklet import Click, PromptSet, VideoSession
from masklet.errors import ConfigError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.training.slim import Moments, fewest_losses, slimmed, still_units, watching
from masklet.weights.load import load_model
from masklet.weights.save import save_weights


def moments_of(hidden: torch.Tensor) -> torch.Tensor:
    found = Moments()
    for part in hidden.split(50):
        found.add(part)
    return found.mean()


def test_units_that_others_can_speak_for_are_removed_without_a_difference() -> None:
    """Of eight units five are independent; the others are sums of these, and constant."""
    torch.manual_seed(0)
    own = torch.rand(200, 5)
    hidden = torch.cat((own, own[:, :1] + own[:, 1:2], 2 * own[:, 2:3], torch.full((200, 1), 3.0)), dim=1)
    weight = torch.randn(8, 4)
    fit = fewest_losses(moments_of(hidden), weight, 5)
    assert len(fit.units) == 5
    assert 7 not in fit.units
    assert fit.error < 1e-2
    torch.testing.assert_close(
        hidden[:, fit.units] @ fit.weight + fit.bias, hidden @ weight, rtol=1e-2, atol=2e-2
    )


def test_the_fit_of_what_stays_is_that_of_least_squares() -> None:
    torch.manual_seed(1)
    hidden, weight = torch.randn(400, 6) @ torch.randn(6, 6), torch.randn(6, 3)
    fit = fewest_losses(moments_of(hidden), weight, 3)
    rows = F.pad(hidden[:, fit.units], (0, 1), value=1.0)
    wanted = torch.linalg.lstsq(rows, hidden @ weight).solution
    torch.testing.assert_close(fit.weight, wanted[:-1], rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(fit.bias, wanted[-1], rtol=1e-3, atol=1e-3)
    off = rows @ wanted - hidden @ weight
    variance = (hidden @ weight).var(dim=0, correction=0).sum()
    assert fit.error == pytest.approx(float((off.square().sum(dim=1).mean() / variance).sqrt()), rel=1e-2)


def test_what_the_output_is_scaled_with_decides_what_stays() -> None:
    """Each unit has a channel of its own; the channel that counts keeps its unit."""
    torch.manual_seed(2)
    moments = moments_of(torch.randn(300, 3))
    fit = fewest_losses(moments, torch.eye(3), 1, scale=torch.tensor([0.1, 0.1, 5.0]))
    assert fit.units.tolist() == [2]


def test_numbers_of_units_that_cannot_be_are_refused() -> None:
    moments = moments_of(torch.randn(20, 3))
    with pytest.raises(ConfigError, match="from 1 to 3 can stay, got 4"):
        fewest_losses(moments, torch.eye(3), 4)
    with pytest.raises(ConfigError, match="has seen nothing"):
        Moments().mean()


def test_units_that_never_change_are_found() -> None:
    hidden = torch.rand(100, 4)
    hidden[:, 1], hidden[:, 3] = 0.0, 6.0
    assert still_units(moments_of(hidden)).tolist() == [1, 3]


@pytest.fixture(params=[12, 10])
def model(request):
    """A model whose stem has two channels that never change; of ten one stays, as eight are the first block's outputs."""
    config = preset("debug-compact")
    made = build(replace(config, encoder=replace(config.encoder, stem_channels=request.param)), seed=0)
    with torch.no_grad():
        for layer in (made.encoder.stem.conv, made.encoder.blocks[0].depthwise.conv):
            layer.bias.fill_(1.0)  # all others move
        made.encoder.stem.conv.weight[[2, 5]] = 0
        made.encoder.stem.conv.bias[[2, 5]] = torch.tensor([-1.0, 2.0])
        made.encoder.blocks[0].depthwise.conv.weight[[2, 5]] = 0
        made.encoder.blocks[0].depthwise.conv.bias[[2, 5]] = torch.tensor([-1.0, 2.0])
        for block in (made.memory.blocks[0].spatial, made.memory_encoder.blocks[0]):
            # twins: half of the units say what the others say
            half = len(block.expand.weight) // 2
            block.expand.weight[half:], block.expand.bias[half:] = (
                block.expand.weight[:half],
                block.expand.bias[:half],
            )
    return made


def pictures(number: int) -> np.ndarray:
    draws = np.random.default_rng(0)
    return draws.integers(0, 255, (number, 48, 64, 3)).astype(np.uint8)


def masks_of(made, clip: np.ndarray) -> np.ndarray:
    with VideoSession(made, clip) as session:
        session.prompt(object_id=1, frame=0, prompts=PromptSet(clicks=[Click(30, 20)]))
        return np.stack([found.masks[1] for found in session.track()])


def test_a_slim_model_answers_as_it_did(model, tmp_path) -> None:
    save_weights(tmp_path / "thick.safetensors", model, dtype=torch.float32)
    thick, clip = load_model(tmp_path / "thick.safetensors", device="cpu"), pictures(5)
    pixels = torch.randn(1, 3, 64, 64)
    with torch.inference_mode(), watching(thick.model) as watched:
        wanted = masks_of(thick, clip)
        thick.model.encode_image(pixels)
    slim, errors = slimmed(thick.model, watched, expansion=2)
    save_weights(tmp_path / "slim.safetensors", slim, dtype=torch.float32)
    thin = load_model(tmp_path / "slim.safetensors", device="cpu")
    assert thin.config.memory.expansion == thin.config.memory_encoder.expansion == 2
    assert thin.config.encoder.stem_channels == {12: 10, 10: 9}[thick.config.encoder.stem_channels]
    assert sorted(errors) == ["memory.blocks.0.spatial", "memory_encoder.blocks.0"]
    assert max(errors.values()) < 0.05
    with torch.inference_mode():
        before, after = (one.model.encode_image(pixels).features for one in (thick, thin))
    torch.testing.assert_close(after, before, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(masks_of(thin, clip), wanted)


def test_a_stem_that_is_added_again_stays_whole() -> None:
    made = build(preset("debug-compact"), seed=0)
    with torch.inference_mode(), watching(made) as watched:
        made.encode_image(torch.zeros(1, 3, 64, 64))
        for seen in watched.blocks.values():
            seen.add(torch.rand(300, 128))
    slim, _ = slimmed(made, watched, expansion=2)
    assert slim.config.encoder.stem_channels == made.config.encoder.stem_channels


def test_models_of_another_kind_are_refused() -> None:
    with pytest.raises(ConfigError, match="no compact one"), watching(build(preset("debug"), seed=0)):
        pass
