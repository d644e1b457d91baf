"""The newest mask, carried over at stride 4."""

import pytest
import torch

from masklet.models import mask_carry
from masklet.models.mask_carry import MaskCarry

GRID, SIDE8, SIDE4 = 6, 12, 24
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.fixture
def carry():
    torch.manual_seed(0)
    carry = MaskCarry(8, 8, GRID).eval()
    carry.log_sharpness.data.fill_(5.0)
    return carry


def textured(shift=0):
    """Features at stride 8 that differ everywhere, moved to the right by whole cells."""
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, 8, SIDE8, SIDE8, generator=generator).roll(shift, dims=3)


def block(left, top=8, side=6):
    mask = torch.zeros(1, 1, SIDE4, SIDE4)
    mask[:, :, top : top + side, left : left + side] = 1
    return mask


@torch.inference_mode()
def test_mask_follows_what_it_lay_on(carry):
    carried = carry(textured(shift=2), carry.pack(textured(), block(6)))
    assert carried.shape == (1, 2, SIDE4, SIDE4)
    # two cells of stride 8 are four of stride 4; what was rolled in on the left was never near
    assert torch.equal(carried[0, 0, :, 4:] > 0, block(10)[0, 0, :, 4:] > 0)
    assert bool((carried[:, 1] == 1).all())


@torch.inference_mode()
def test_nearness_decides_between_twins(carry):
    same = torch.ones(1, 8, SIDE8, SIDE8)
    carried = carry(same, carry.pack(same, block(2, side=8)))
    assert float(carried[0, 0, 12, 5]) > 0
    assert float(carried[0, 0, 12, 20]) < -0.9


@torch.inference_mode()
def test_what_was_not_there_carries_nothing(carry):
    masks = torch.cat((block(6), torch.zeros(1, 1, SIDE4, SIDE4)))
    carried = carry(textured(), carry.pack(textured(), masks))
    assert bool((carried[1] == 0).all())
    assert float(carried[0, 0].max()) > 0.5


@torch.inference_mode()
def test_shared_keys_give_what_each_object_gives_alone(carry):
    masks = torch.cat((block(2), block(10), block(14, top=2)))
    packed = carry.pack(textured(), masks)
    together = carry(textured(shift=1), packed, is_shared=True)
    for row in range(3):
        alone = carry(textured(shift=1), packed[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone, **CLOSE)
    torch.testing.assert_close(carry(textured(shift=1), packed), together, **CLOSE)


def test_gradients_reach_the_keys(carry):
    carried = carry(textured(shift=1), carry.pack(textured(), block(6).requires_grad_()))
    carried[:, 0].square().sum().backward()
    assert float(carry.key.weight.grad.abs().sum()) > 0
    assert float(carry.log_sharpness.grad.abs()) > 0


@torch.inference_mode()
def test_what_is_too_far_to_count_is_not_looked_at(monkeypatch):
    """The mask is the same whether all cells are compared or those within reach."""
    torch.manual_seed(0)
    carry, side = MaskCarry(8, 8, 16).eval(), 64
    generator = torch.Generator().manual_seed(1)
    skip = torch.randn(1, 8, 32, 32, generator=generator)
    mask = torch.zeros(1, 1, side, side)
    mask[:, :, 20:44, 8:30] = 1
    packed = carry.pack(skip.roll(3, dims=2), mask)
    rows, read = [], mask_carry.bounded_softmax.read_near

    def noting(*given, reach):
        rows.append(reach)
        return read(*given, reach=reach)

    monkeypatch.setattr(mask_carry.bounded_softmax, "read_near", noting)
    near = carry(skip, packed)
    monkeypatch.setattr(mask_carry, "_FAR", 1e6)
    far = carry(skip, packed)
    assert rows[0] < 32 <= rows[1]
    torch.testing.assert_close(near, far, rtol=0, atol=1e-5)
