"""Clicks on one image decoded in fewer operations: the answers of the decoder as published."""

import pytest
import torch

from masklet.models import sam2_clicks
from masklet.models.config import preset
from masklet.models.model import build


class Scene:
    """A model of lively weights, one image and seven clicks."""

    def __init__(self):
        self.model = build(preset("debug"), seed=3)
        generator = torch.Generator().manual_seed(1)
        with torch.no_grad():
            for name, values in self.model.named_parameters():
                spread = (
                    1.2 / values[0].numel() ** 0.5 if name.endswith("weight") and values.dim() > 1 else 0.3
                )
                values.copy_(spread * torch.randn(values.shape, generator=generator))
        config = self.model.config
        side = config.mask_side
        self.features = torch.randn(1, config.hidden_dim, config.grid, config.grid, generator=generator)
        self.skips = (
            torch.randn(1, config.skip_dims[0], side, side, generator=generator),
            torch.randn(1, config.skip_dims[1], side // 2, side // 2, generator=generator),
        )
        self.points = torch.rand(7, 2, 2, generator=generator) * config.image_size

    def encode(self, labels=(1, -1), mask=None):
        return self.model.encode_prompts(self.points, torch.tensor(labels).expand(7, -1), mask)

    def published(self, prompts):
        rows = self.features.expand(7, -1, -1, -1).contiguous()
        return self.model.decode(rows, self.skips, prompts)

    def shared(self, prompts):
        position = self.model.prompt_encoder.position.grid(self.model.config.grid)
        return sam2_clicks.prepare(self.model.decoder, self.features, self.skips, prompts.dense, position)


@pytest.fixture(scope="module")
def scene():
    return Scene()


@pytest.mark.parametrize("tile_rows", [5, 512])
@pytest.mark.parametrize("labels", [(1, -1), (1, 0), (2, 3)])
@torch.inference_mode()
def test_answers_and_masks_are_those_of_the_decoder(scene, monkeypatch, labels, tile_rows):
    monkeypatch.setattr(sam2_clicks, "_TILE_ROWS", tile_rows)
    prompts = scene.encode(labels)
    expected, image = scene.published(prompts), scene.shared(prompts)
    answers = sam2_clicks.answer(scene.model.decoder, image, prompts.tokens)
    assert expected.iou.std() > 0.01, "the clicks must differ for the comparison to see anything"
    for name in ("iou", "presence", "tokens"):
        torch.testing.assert_close(getattr(answers, name), getattr(expected, name), atol=1e-5, rtol=1e-4)
    everything = torch.ones(7, 4, dtype=torch.bool)
    drawn = sam2_clicks.draw(scene.model.decoder, image, answers, everything)
    torch.testing.assert_close(drawn.view_as(expected.logits), expected.logits, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_only_masks_that_are_wanted_are_drawn(scene, monkeypatch):
    prompts = scene.encode()
    image = scene.shared(prompts)
    answers = sam2_clicks.answer(scene.model.decoder, image, prompts.tokens)
    wanted = torch.zeros(7, 4, dtype=torch.bool)
    wanted[2, 1] = wanted[2, 3] = wanted[5, 0] = True
    drawn_for = []
    original = sam2_clicks._draw_one
    monkeypatch.setattr(
        sam2_clicks, "_draw_one", lambda *given: drawn_for.append(len(given[3])) or original(*given)
    )
    drawn = sam2_clicks.draw(scene.model.decoder, image, answers, wanted)
    assert drawn_for == [2, 1]
    torch.testing.assert_close(drawn, scene.published(prompts).logits[wanted], atol=1e-5, rtol=1e-4)
    none = sam2_clicks.draw(scene.model.decoder, image, answers, torch.zeros_like(wanted))
    assert none.shape == (0, 16, 16)


def test_what_is_not_plain_goes_the_published_way(scene):
    with torch.inference_mode():
        prompts = scene.encode()
        assert sam2_clicks.is_possible(scene.features, prompts)
        assert not sam2_clicks.is_possible(scene.features.expand(2, -1, -1, -1).contiguous(), prompts)
        assert not sam2_clicks.is_possible(scene.features.half(), prompts)
        assert not sam2_clicks.is_possible(scene.features, scene.encode((1, -10)))
        side = scene.model.config.mask_side
        assert not sam2_clicks.is_possible(scene.features, scene.encode(mask=torch.zeros(7, 1, side, side)))
    assert not sam2_clicks.is_possible(scene.features, prompts), "gradients go the published way"
