"""Memory is read in blocks and with fewer operations on a CPU, and to the same result as by the plain formula."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
import torch.nn.functional as F

from masklet.models import blocked_attention
from masklet.models.config import AttentionMemoryConfig
from masklet.models.memory_attention import MemoryAttention
from masklet.models.position import sine_map

DIM, VALUE_DIM, GRID = 32, 16, 4
CELLS = GRID * GRID


@pytest.fixture
def attention():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        made = MemoryAttention(DIM, VALUE_DIM, GRID, AttentionMemoryConfig(num_layers=3, mlp_dim=48)).eval()
        for parameter in made.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        return made


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def plain(attention, *arguments, monkeypatch, **options):
    """The formula as it is written in the paper: no blocks, nothing shared."""
    with monkeypatch.context() as patch:
        patch.setattr(blocked_attention, "is_possible", lambda _: False)
        return attention(*arguments, **options)


@pytest.mark.parametrize(
    ("queries", "keys"), [(1, 1), (5, 7), (512, 1024), (513, 1025), (700, 2500)], ids=str
)
def test_blocks_read_as_the_plain_formula(queries, keys):
    asked, compared, values = drawn(queries, 8), 3 * drawn(keys, 8, seed=1), drawn(keys, 5, seed=2)
    expected = F.softmax(asked @ compared.T * 8**-0.5, dim=1) @ values
    found = blocked_attention.read_in_blocks(asked, compared, values)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@pytest.fixture
def three_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("three_threads")
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_threads_share_the_blocks_and_leave_their_number_as_it_was(monkeypatch, mode):
    monkeypatch.setattr(blocked_attention, "QUERY_ROWS", 8)
    used = []
    original = blocked_attention._read_all
    monkeypatch.setattr(
        blocked_attention,
        "_read_all",
        lambda work: used.append((len(work), torch.get_num_threads())) or original(work),
    )
    asked, compared, values = drawn(60, 8), drawn(90, 8, seed=1), drawn(90, 5, seed=2)
    with mode():
        found = blocked_attention.read_in_blocks(asked, compared, values)
        assert found.is_inference() == (mode is torch.inference_mode)
        found += 0
    assert sorted(used) == [(2, 1), (3, 1), (3, 1)]
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(torch.get_num_threads).result() == torch.get_num_threads() == 3
    expected = F.softmax(asked @ compared.T * 8**-0.5, dim=1) @ values
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


def test_scores_far_apart_neither_overflow_nor_vanish():
    keys = torch.cat((torch.full((1024, 1), -400.0), torch.full((1024, 1), 400.0), torch.zeros(600, 1)))
    values = torch.arange(len(keys), dtype=torch.float32)[:, None]
    found = blocked_attention.read_in_blocks(torch.tensor([[1.0], [-1.0]]), keys, values)
    torch.testing.assert_close(found, torch.tensor([[1535.5], [511.5]]))


@pytest.mark.parametrize("is_padded", [False, True])
@pytest.mark.parametrize("batch", [1, 3])
@torch.inference_mode()
def test_memory_is_read_as_by_the_plain_formula(attention, monkeypatch, batch, is_padded):
    frame = drawn(1, DIM, GRID, GRID).expand(batch, -1, -1, -1)
    keys, values = (
        drawn(batch, 2 * CELLS + 3, VALUE_DIM, seed=1),
        drawn(batch, 2 * CELLS + 3, VALUE_DIM, seed=2),
    )
    valid = None
    if is_padded:
        valid = torch.ones(batch, 2 * CELLS + 3, dtype=torch.bool)
        valid[-1, CELLS : 2 * CELLS] = False
        valid[0, -2:] = False
    options = {"num_pointers": 3, "key_valid": valid}
    arguments = (frame, sine_map(DIM, GRID, GRID), (keys, values))
    expected = plain(attention, frame.contiguous(), *arguments[1:], monkeypatch=monkeypatch, **options)
    for found in (
        attention(*arguments, **options),
        attention(frame.contiguous(), *arguments[1:], **options),
        plain(attention, *arguments, monkeypatch=monkeypatch, **options),
    ):
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-4)


@torch.inference_mode()
def test_what_does_not_depend_on_the_object_is_computed_once(attention, monkeypatch):
    batches = []
    layer = attention.layers[0]
    original = layer.look_around
    monkeypatch.setattr(
        layer, "look_around", lambda tokens, angles: batches.append(len(tokens)) or original(tokens, angles)
    )
    frame = drawn(1, DIM, GRID, GRID).expand(4, -1, -1, -1)
    memory = (drawn(4, CELLS, VALUE_DIM), drawn(4, CELLS, VALUE_DIM))
    attention(frame, sine_map(DIM, GRID, GRID), memory, num_pointers=0, key_valid=None)
    attention(frame.contiguous(), sine_map(DIM, GRID, GRID), memory, num_pointers=0, key_valid=None)
    assert batches == [1, 4]


def test_gradients_flow_through_the_plain_formula(attention):
    frame = drawn(2, DIM, GRID, GRID)
    memory = (drawn(2, CELLS, VALUE_DIM), drawn(2, CELLS, VALUE_DIM))
    out = attention(frame, sine_map(DIM, GRID, GRID), memory, num_pointers=0, key_valid=None)
    out.square().mean().backward()
    assert all(parameter.grad is not None for parameter in attention.parameters())
