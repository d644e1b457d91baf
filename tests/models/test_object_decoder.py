"""Objects decoded as rows, one after the other, get what the plain decoder gives them."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from masklet.models import bounded_softmax, object_decoder
from masklet.models.attention import Attention
from masklet.models.config import preset
from masklet.models.derived import derived
from masklet.models.joined_attention import JoinedAttention
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.model import SegmentationModel, build
from masklet.models.prompt_encoder import EncodedPrompts


def enliven(module: torch.nn.Module, seed: int) -> None:
    """Weights large enough that every term counts."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for values in module.parameters():
            spread = 1.2 / values[0].numel() ** 0.5 if values.dim() > 1 else 0.3
            values.copy_(spread * torch.randn(values.shape, generator=generator))


class Scene:
    """A model, a frame and what three objects bring to it."""

    def __init__(self) -> None:
        self.model: SegmentationModel = build(preset("debug-compact"), seed=3)
        for part in (self.model.decoder, self.model.prompt_encoder):
            enliven(part, seed=1)
        config, draws = self.model.config, torch.Generator().manual_seed(2)
        side = config.mask_side
        self.features = torch.randn(3, config.hidden_dim, config.grid, config.grid, generator=draws)
        self.skips = (
            torch.randn(1, config.skip_dims[0], side, side, generator=draws),
            torch.randn(1, config.skip_dims[1], side // 2, side // 2, generator=draws),
        )
        self.points = torch.rand(3, 2, 2, generator=draws) * config.image_size
        self.carried = torch.randn(3, 3, side, side, generator=draws)

    def prompts(self, labels: tuple[int, int], *, is_tracked: bool) -> EncodedPrompts:
        carried = self.carried if is_tracked else None
        return self.model.encode_prompts(self.points, torch.tensor(labels).expand(3, -1), None, None, carried)

    def plain(self, prompts: EncodedPrompts) -> DecodedMasks:
        encoder = self.model.prompt_encoder
        position = encoder.position.grid(self.model.config.grid)
        return self.model.decoder(self.features, self.skips, position, encoder.spread(prompts))


@pytest.fixture
def scene() -> Scene:
    return Scene()


def check(found: DecodedMasks, wanted: DecodedMasks) -> None:
    for name in ("logits", "iou", "presence", "tokens"):
        torch.testing.assert_close(getattr(found, name), getattr(wanted, name), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("labels", "is_tracked"), [((-1, -1), True), ((1, -1), False), ((1, 0), True)])
@torch.inference_mode()
def test_answers_are_those_of_the_plain_decoder(
    scene: Scene, labels: tuple[int, int], *, is_tracked: bool
) -> None:
    prompts = scene.prompts(labels, is_tracked=is_tracked)
    assert object_decoder.is_possible(prompts, scene.model.config.decoder.num_heads)
    wanted = scene.plain(prompts)
    assert wanted.logits.std(dim=0).mean() > 0.01, "objects must differ for the comparison to see anything"
    check(scene.model.decode(scene.features, scene.skips, prompts), wanted)


@torch.inference_mode()
def test_objects_may_have_skips_of_their_own(scene: Scene) -> None:
    scene.skips = (torch.randn(3, *scene.skips[0].shape[1:]), torch.randn(3, *scene.skips[1].shape[1:]))
    prompts = scene.prompts((-1, -1), is_tracked=True)
    check(scene.model.decode(scene.features, scene.skips, prompts), scene.plain(prompts))


def test_a_tracked_frame_is_drawn_as_if_blank_maps_had_been_looked_at(scene: Scene) -> None:
    with torch.inference_mode():
        short = scene.prompts((-1, -1), is_tracked=True).drawn
    long = scene.prompts((-1, -1), is_tracked=True).drawn
    assert short is not None
    assert long is not None
    assert long.requires_grad
    torch.testing.assert_close(short, long, rtol=1e-4, atol=1e-5)


def test_weights_that_change_are_seen(scene: Scene) -> None:
    with torch.inference_mode():
        prompts = scene.prompts((-1, -1), is_tracked=True)
        before = scene.model.decode(scene.features, scene.skips, prompts)
    with torch.no_grad():
        scene.model.decoder.upscale4.weight.mul_(2)
        scene.model.decoder.transformer.final_attention.value.weight.mul_(2)
    with torch.inference_mode():
        after = scene.model.decode(scene.features, scene.skips, prompts)
        assert (after.logits - before.logits).abs().max() > 0.1
        assert (after.iou - before.iou).abs().max() > 1e-3
        check(after, scene.plain(prompts))


def test_prompts_of_many_points_are_left_to_the_plain_decoder(scene: Scene) -> None:
    heads = scene.model.config.decoder.num_heads
    with torch.inference_mode():
        points, labels = torch.rand(1, 40, 2) * 60, torch.ones(1, 40, dtype=torch.long)
        prompts = scene.model.encode_prompts(points, labels)
        assert not object_decoder.is_possible(prompts, heads)
        decoded = scene.model.decode(scene.features[:1], scene.skips, prompts)
    assert decoded.logits.shape[:2] == (1, 4)


@torch.inference_mode()
def test_joined_attention_is_attention() -> None:
    attention = Attention(32, 4, inner_dim=16)
    enliven(attention, seed=5)
    tokens, places, rows, position = (torch.randn(2, n, 32) for n in (5, 5, 50, 50))
    asks = JoinedAttention.of_tokens(attention).read(list(rows), list(rows + position), tokens + places)
    torch.testing.assert_close(asks, attention(tokens + places, rows + position, rows), rtol=1e-4, atol=1e-5)
    looked = JoinedAttention.of_rows(attention).look_back(
        list(rows), list(rows + position), tokens, tokens + places
    )
    wanted = rows + attention(rows + position, tokens + places, tokens)
    torch.testing.assert_close(torch.stack(looked), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [5, 40])
@pytest.mark.parametrize("num_queries", [10, 96, 200])
def test_bounded_softmax_is_softmax(num_queries: int, width: int) -> None:
    draws = torch.Generator().manual_seed(6)
    queries, keys = torch.randn(num_queries, 8, generator=draws), torch.randn(300, 8, generator=draws)
    values = torch.randn(2, 300, width, generator=draws)
    far = torch.where(torch.rand(300, 1, generator=draws) < 0.3, -400.0, 0.0)
    queries, keys = torch.cat((queries, torch.ones(num_queries, 1)), 1), torch.cat((keys, far), 1)
    wanted = (queries @ keys.T).softmax(dim=1) @ values
    torch.testing.assert_close(bounded_softmax.read(queries, keys, values), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("width", [4, 40])
def test_comparing_before_reading_gives_the_same_numbers(width: int) -> None:
    torch.manual_seed(0)
    queries, keys, values = torch.randn(150, 20), torch.randn(300, 20), torch.randn(2, 300, width)
    compared = bounded_softmax.compare(queries, keys)
    assert torch.equal(bounded_softmax.read_by(compared, values), bounded_softmax.read(queries, keys, values))


@pytest.mark.parametrize(("height", "width"), [(20, 9), (7, 40), (5, 4), (24, 24)])
def test_places_out_of_reach_of_a_tile_are_not_read(height: int, width: int) -> None:
    torch.manual_seed(0)
    queries, keys = torch.randn(height, width, 6), torch.randn(height, width, 6)
    values, reach = torch.randn(3, height, width), 2
    found = bounded_softmax.read_near(queries, keys, values, reach=reach)
    rows = torch.arange(height).repeat_interleave(width)
    columns = torch.arange(width).repeat(height)
    is_near = torch.ones(height * width, height * width, dtype=torch.bool)
    for places in (rows, columns):
        first = places // 12 * 12
        is_near &= (places[None] >= first[:, None] - reach) & (places[None] < first[:, None] + 12 + reach)
    scores = (queries.flatten(0, 1) @ keys.flatten(0, 1).T).masked_fill(~is_near, -torch.inf)
    wanted = scores.softmax(dim=1) @ values.flatten(1).T
    torch.testing.assert_close(found.flatten(1).T, wanted, rtol=1e-4, atol=1e-5)


def test_bounded_softmax_refuses_scores_that_may_be_large() -> None:
    with torch.inference_mode():
        values = torch.zeros(1)
        assert bounded_softmax.is_possible(values, torch.tensor(3.0))
        assert not bounded_softmax.is_possible(values, torch.tensor(4.5))
    assert not bounded_softmax.is_possible(values, torch.tensor(3.0))


def test_derived_values_are_kept_until_their_weights_change() -> None:
    layer, calls = torch.nn.Linear(2, 2), []

    def compute() -> Tensor:
        calls.append(1)
        return layer.weight * 2

    def ask() -> Tensor:
        return derived(layer, "double", [layer.weight], compute)

    with torch.no_grad():
        first = ask()
        assert ask() is first
        layer.weight.add_(1)
        assert torch.equal(ask(), layer.weight * 2)
    assert len(calls) == 2
    assert ask().requires_grad, "under gradients nothing is kept"
