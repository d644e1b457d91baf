"""Joined layers against the plain ones."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from masklet.models import fused

TOLERANCE = 1e-5


def random_map(*shape: int) -> torch.Tensor:
    """Values on both sides of both cuts of ReLU6."""
    return 8 * torch.randn(*shape, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("is_channels_last", [False, True])
@pytest.mark.parametrize("clip_at", [None, 6.0])
@pytest.mark.parametrize(
    "layer",
    [
        pytest.param(nn.Conv2d(8, 16, 1), id="pointwise"),
        pytest.param(nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8), id="dilated depthwise"),
        pytest.param(nn.Conv2d(8, 4, 3, stride=2, padding=1), id="strided"),
    ],
)
def test_conv_is_the_plain_layer(
    *, layer: nn.Conv2d, clip_at: float | None, is_channels_last: bool, batch: int
) -> None:
    features = random_map(batch, 8, 9, 12)
    if is_channels_last:
        features = features.contiguous(memory_format=torch.channels_last)
    plain = layer(features) if clip_at is None else F.relu6(layer(features))
    with torch.inference_mode():
        joined = fused.conv(features, layer, clip_at=clip_at)
    assert joined.shape == plain.shape
    torch.testing.assert_close(joined, plain.detach(), atol=TOLERANCE, rtol=TOLERANCE)


def test_conv_takes_another_kernel_and_padding() -> None:
    layer = nn.Conv2d(4, 4, 3, stride=2, groups=4)
    features = random_map(1, 4, 8, 8)
    kernel = F.pad(layer.weight.detach(), (1, 0, 1, 0))
    with torch.inference_mode():
        joined = fused.conv(features, layer, kernel=kernel, padding=1)
    torch.testing.assert_close(
        joined, layer(F.pad(features, (0, 1, 0, 1))).detach(), atol=TOLERANCE, rtol=TOLERANCE
    )


def test_linear_gelu_is_the_plain_layer() -> None:
    layer, values = nn.Linear(12, 48), random_map(2, 5, 7, 12)
    with torch.inference_mode():
        joined = fused.linear_gelu(values, layer)
    torch.testing.assert_close(joined, F.gelu(layer(values)).detach(), atol=TOLERANCE, rtol=TOLERANCE)


def test_gradients_flow_where_they_are_wanted() -> None:
    layer, features = nn.Conv2d(4, 4, 1), random_map(1, 4, 6, 6).requires_grad_()
    fused.conv(features, layer, clip_at=6.0).sum().backward()
    assert layer.weight.grad is not None
    assert bool(layer.weight.grad.abs().sum() > 0)
    assert features.grad is not None


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64])
def test_other_precisions_are_computed_as_they_were(dtype: torch.dtype) -> None:
    layer, features = nn.Conv2d(4, 4, 1).to(dtype), random_map(1, 4, 6, 6).to(dtype)
    with torch.inference_mode():
        assert torch.equal(fused.conv(features, layer, clip_at=6.0), F.relu6(layer(features)))


def test_plain_layers_answer_where_the_kernels_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fused, "_IS_OFFERED", False)
    layer, features = nn.Conv2d(4, 4, 1), random_map(1, 4, 6, 6)
    with torch.inference_mode():
        assert torch.equal(fused.conv(features, layer, clip_at=6.0), F.relu6(layer(features)))


@pytest.mark.parametrize("many_rows", [1, 1000])
def test_linear_is_the_plain_layer(monkeypatch: pytest.MonkeyPatch, many_rows: int) -> None:
    monkeypatch.setattr(fused, "_MANY_ROWS", many_rows)
    layer, values = nn.Linear(8, 6), random_map(2, 5, 8)
    with torch.inference_mode():
        joined = fused.linear(values, layer)
    assert joined.shape == (2, 5, 6)
    torch.testing.assert_close(joined, layer(values).detach(), atol=TOLERANCE, rtol=TOLERANCE)
    fused.linear(values, layer).sum().backward()
    assert layer.weight.grad is not None


def test_a_weight_that_is_changed_is_put_in_order_again() -> None:
    layer, features = nn.Conv2d(4, 6, 3, padding=1), torch.randn(1, 4, 9, 9)
    with torch.inference_mode():
        before = fused.conv(features, layer)
        assert torch.equal(before, fused.conv(features, layer))
    with torch.no_grad():
        layer.weight.mul_(2)
    with torch.inference_mode():
        torch.testing.assert_close(fused.conv(features, layer), layer(features))
    layer.weight = nn.Parameter(torch.randn(6, 4, 3, 3))
    with torch.inference_mode():
        torch.testing.assert_close(fused.conv(features, layer), layer(features))


def test_weights_are_kept_in_order_for_a_few_sizes_only_and_leave_with_their_layer() -> None:
    layer = nn.Conv2d(4, 6, 3, padding=1)
    with torch.inference_mode():
        for side in range(5, 25):
            features = torch.randn(1, 4, side, side)
            torch.testing.assert_close(fused.conv(features, layer), layer(features))
    assert len(fused._orders[layer].weights) <= fused._MOST_ORDERS + 1
    num_layers = len(fused._orders)
    del layer
    assert len(fused._orders) == num_layers - 1
