"""Reading memory by affinity."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from masklet.models.config import AffinityMemoryConfig
from masklet.models.memory_affinity import AffinityMemory

DIM, VALUE_DIM, GRID, NUM_ROWS, KEY_DIM = 16, 1, 4, 3, 8


@pytest.fixture
def memory() -> AffinityMemory:
    torch.manual_seed(0)
    config = AffinityMemoryConfig(key_dim=KEY_DIM, num_blocks=1, num_heads=2)
    return AffinityMemory(DIM, VALUE_DIM, GRID, NUM_ROWS, config).eval()


def affinity(memory: AffinityMemory, keys: Tensor, rows: list[int], recency: float = 0.0) -> Tensor:
    """How much each place of a frame (n,) reads from each place of each entry (m, n), as (n, m, n)."""
    entries = keys[None, None].expand(1, len(rows), -1, -1, -1)
    queries = memory._queries(keys[None])
    read = torch.softmax(
        queries[0] @ memory._memory_keys(entries, torch.tensor([rows]), recency)[0].T, dim=-1
    )
    return read.unflatten(1, (len(rows), -1))


def test_nearness_is_the_same_everywhere(memory: AffinityMemory) -> None:
    """Scores fall with the distance from where a thing was; where in the picture it was makes no difference."""
    keys = torch.nn.functional.normalize(torch.ones(KEY_DIM, GRID, GRID), dim=0)
    memory.row_bias.data.zero_()
    scores = (
        memory._queries(keys[None])[0]
        @ memory._memory_keys(keys[None, None].expand(1, 2, -1, -1, -1), torch.tensor([[0, 2]]), 0.0)[0].T
    )
    distance = torch.cdist(memory.places, memory.places).square()
    nearness = memory.log_nearness.exp()
    looks = memory.log_sharpness.exp()
    wanted = torch.cat([looks - nearness[row] * distance for row in (0, 2)], dim=1)
    torch.testing.assert_close(scores, wanted, rtol=1e-4, atol=1e-4)


def test_old_entries_are_read_as_much_in_every_corner(memory: AffinityMemory) -> None:
    """In a picture that stands still, the share of the prompted frame is the same in opposite corners."""
    keys = torch.nn.functional.normalize(torch.randn(KEY_DIM, 1, 1).expand(-1, GRID, GRID), dim=0)
    old = affinity(memory, keys, [0, 2]).sum(dim=2)[:, 1]
    torch.testing.assert_close(old[0], old[-1], rtol=1e-3, atol=1e-4)


def test_recency_prefers_the_newest(memory: AffinityMemory) -> None:
    """The more recency, the less is read from what is old."""
    keys = torch.nn.functional.normalize(torch.randn(KEY_DIM, GRID, GRID), dim=0)
    shares = [affinity(memory, keys, [0, 2], recency)[:, 1].sum(dim=1) for recency in (0.0, 0.6, 2.0)]
    assert bool((shares[0] > shares[1]).all())
    assert bool((shares[1] > shares[2]).all())
