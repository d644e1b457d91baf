"""What tells an object from its surroundings, learned from memory on every frame."""

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from masklet.errors import ConfigError
from masklet.models import derived, target_model
from masklet.models.config import AffinityMemoryConfig, ModelConfig, preset
from masklet.models.mask_carry import MaskCarry
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import build
from masklet.models.target_model import TargetModel, moments_of

GRID, CHANNELS, FINE = 6, 8, 4
CLOSE = {"rtol": 1e-4, "atol": 1e-4}


@pytest.fixture
def target():
    return TargetModel().eval()


def looks(seed, *shape):
    """Keys of unit length, different everywhere."""
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(*shape, generator=generator), dim=-3)


def scene(place):
    """Keys of a frame whose object is a block at this column; one channel tells it from a background of random looks."""
    share = torch.zeros(GRID, GRID)
    share[2:5, place : place + 2] = 1
    coarse = looks(place, CHANNELS, GRID, GRID)
    coarse[0] = 0.6 * (2 * share - 1)
    coarse = F.normalize(coarse, dim=0)
    fine = looks(50 + place, FINE, GRID, GRID)
    return coarse, fine, share


def memory_of(*places):
    parts = zip(*(scene(place) for place in places), strict=True)
    return tuple(torch.stack(part)[None] for part in parts)


def frame_of(place):
    coarse, fine, share = scene(place)
    return coarse[None], F.interpolate(fine[None], scale_factor=2.0), share


def scores_of(target, coarse, fine, remembered, others=None):
    """Of a frame, with all frames remembered."""
    return target(coarse, fine, moments_of(remembered, others).sum(dim=1))


@torch.inference_mode()
def test_finds_what_alone_tells_the_object_apart(target):
    coarse, fine, share = frame_of(3)
    scores = scores_of(target, coarse, fine, memory_of(0, 1, 2))
    assert scores.shape == (1, 1, 2 * GRID, 2 * GRID)
    cells = F.avg_pool2d(scores, 2)[0, 0]
    assert float(cells[share > 0].min()) > float(cells[share == 0].max())
    assert float(cells[share > 0].mean()) > 0.3
    assert float(cells[share == 0].mean()) < -0.3


@torch.inference_mode()
def test_frames_without_the_object_show_what_it_is_not(target):
    coarse, fine, _ = frame_of(3)
    remembered = memory_of(0, 1, 2)
    unseen = (*remembered[:2], torch.zeros_like(remembered[2]))
    scores = F.avg_pool2d(scores_of(target, coarse, fine, unseen), 2)[0, 0]
    assert float(scores.mean()) < -0.5
    assert bool(torch.isfinite(scores).all())


@torch.inference_mode()
def test_each_object_has_its_own(target):
    coarse, fine, _ = frame_of(3)
    first, second = memory_of(0, 1), memory_of(2, 4)
    both = tuple(torch.cat(pair) for pair in zip(first, second, strict=True))
    together = scores_of(target, coarse, fine, both)
    torch.testing.assert_close(together[:1], scores_of(target, coarse, fine, first), **CLOSE)
    torch.testing.assert_close(together[1:], scores_of(target, coarse, fine, second), **CLOSE)


@torch.inference_mode()
def test_shared_keys_give_what_each_object_gives_alone(target):
    coarse, fine, _ = frame_of(3)
    keys, means, share = memory_of(0, 1)
    shares = torch.cat((share, share.roll(2, dims=3), torch.zeros_like(share)))
    together = scores_of(target, coarse, fine, (keys, means, shares))
    for row in range(3):
        alone = scores_of(target, coarse, fine, (keys, means, shares[row : row + 1]))
        torch.testing.assert_close(together[row : row + 1], alone, **CLOSE)


@torch.inference_mode()
def test_rivals_are_not_told_from_each_other_but_from_the_rest(target):
    """Twins: what one has the other has too, so that each is a counterexample of itself."""
    share = torch.zeros(2, 1, GRID, GRID)
    share[0, 0, 2:5, 0:2], share[1, 0, 2:5, 3:5] = 1, 1
    coarse = looks(7, CHANNELS, GRID, GRID)
    coarse[0] = 0.6 * (2 * share.sum(dim=0)[0] - 1)
    coarse, fine = F.normalize(coarse, dim=0)[None], looks(8, 1, FINE, GRID, GRID)
    remembered = (coarse[None], fine[None], share)
    frame = (coarse, F.interpolate(fine, scale_factor=2.0))
    alone, rivals = (
        F.avg_pool2d(scores_of(target, *frame, remembered, others), 2)[:, 0]
        for others in (None, share.flip(0))
    )
    own, rest = share[:, 0] > 0, share.sum(dim=0).expand(2, -1, -1, -1)[:, 0] == 0
    assert float(rivals[own].mean()) > float(alone[own].mean())
    assert float(rivals[rest].max()) < float(rivals[own].min())


def test_learns_through_its_fit(target):
    coarse, fine, _ = frame_of(3)
    remembered = memory_of(0, 1)
    remembered[0].requires_grad_()
    scores_of(target, coarse, fine, remembered).square().sum().backward()
    assert bool((remembered[0].grad != 0).any())
    assert target.log_ridge.grad is not None
    assert float(target.log_scales.grad.abs().min()) > 0


@torch.inference_mode()
def test_packed_memory_holds_what_it_needs():
    carry = MaskCarry(8, 4, GRID).eval()
    skip8 = torch.randn(1, 8, 2 * GRID, 2 * GRID)
    mask = torch.zeros(1, 1, 4 * GRID, 4 * GRID)
    mask[:, :, :2, :4] = 1
    entry = torch.cat((torch.randn(1, 5, GRID, GRID), carry.pack(skip8, mask)), dim=1)
    keys, share = carry.unpack(entry[:, None])
    torch.testing.assert_close(keys[0], F.avg_pool2d(carry.encode_keys(skip8), 2), **CLOSE)
    torch.testing.assert_close(share[0], F.avg_pool2d(mask, 4)[0], **CLOSE)


def memory_batch(config, num_objects, num_entries, **others):
    side = config.grid
    return MemoryBatch(
        torch.rand(num_objects, num_entries, config.memory_channels, side, side),
        torch.zeros(num_objects, num_entries, dtype=torch.long),
        others.pop("spatial_valid", None),
        torch.zeros(num_objects, 0, config.hidden_dim),
        torch.zeros(num_objects, 0),
        None,
        torch.zeros(num_objects, dtype=torch.long),
        **others,
    )


@torch.inference_mode()
def test_padding_counts_for_nothing():
    model = build(preset("debug-compact"), seed=0)
    image = model.encode_image(torch.randn(1, 3, model.config.image_size, model.config.image_size))
    memory = memory_batch(model.config, 2, 3, spatial_valid=torch.tensor([[True] * 3, [True, True, False]]))
    alone = replace(memory, spatial=memory.spatial[:, :2], rows=memory.rows[:, :2], spatial_valid=None)
    carried, shorter = model.carry_mask(image, memory), model.carry_mask(image, alone)
    torch.testing.assert_close(carried[1], shorter[1], **CLOSE)
    assert not torch.allclose(carried[0], shorter[0], **CLOSE)


@torch.inference_mode()
def test_what_was_found_in_entries_is_kept_with_them(monkeypatch):
    model = build(preset("debug-compact"), seed=0)
    image = model.encode_image(torch.randn(1, 3, model.config.image_size, model.config.image_size))
    memory = memory_batch(model.config, 2, 3)
    entries = [[one.clone() for one in own] for own in memory.spatial]
    counted, find = [], target_model.moments_of
    monkeypatch.setattr(target_model, "moments_of", lambda *given: counted.append(1) or find(*given))
    wanted = model.carry_mask(image, memory)
    counted.clear()
    for _ in range(2):
        found = model.carry_mask(image, replace(memory, sources=entries))
        torch.testing.assert_close(found, wanted, **CLOSE)
    assert len(counted) == 6
    entries[0][0] = entries[0][0].roll(1, dims=2)
    model.carry_mask(image, replace(memory, sources=entries))
    assert len(counted) == 7


@torch.inference_mode()
def test_what_was_found_goes_with_its_tensor():
    before = len(derived._found)
    source = torch.ones(3)
    assert derived.found_in(source, lambda one: one + 1) is derived.found_in(source, lambda one: one + 2)
    assert len(derived._found) == before + 1
    del source
    assert len(derived._found) == before


@torch.inference_mode()
def test_scores_count_among_the_logits_of_tracked_masks_alone():
    model = build(preset("debug-compact"), seed=0)
    config = model.config
    image = model.encode_image(torch.randn(1, 3, config.image_size, config.image_size))
    memory = memory_batch(config, 2, 1)
    carried = model.carry_mask(image, memory)
    assert carried.shape == (2, 3, config.mask_side, config.mask_side)
    points, labels = torch.zeros(2, 1, 2), torch.full((2, 1), -1)
    tracked = model.encode_prompts(points, labels, carried=carried)
    assert model.encode_prompts(points, labels).added_logits is None
    torch.testing.assert_close(tracked.added_logits, model.target.strength * carried[:, 2:])
    features = image.features.expand(2, -1, -1, -1)
    with_scores = model.decode(features, image.skips, tracked).logits
    tracked.added_logits.zero_()
    without = model.decode(features, image.skips, tracked).logits
    difference = with_scores - without
    torch.testing.assert_close(
        difference, (model.target.strength * carried[:, 2:]).expand_as(difference), **CLOSE
    )


def test_a_target_needs_carried_keys():
    with pytest.raises(ConfigError, match="carry_dim"):
        ModelConfig(
            name="odd",
            image_size=64,
            encoder=preset("debug-compact").encoder,
            memory=AffinityMemoryConfig(has_target=True),
        )
