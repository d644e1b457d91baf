"""Layers joined with what follows them, so that values pass through memory once; plain layers wherever that cannot be.

PyTorch's CPU builds carry oneDNN's joined kernels for its compiler; they are called here as they are, without compiling.
They give the same values as the plain layers and know no gradient. Weights stay in the order in which these kernels read
them, for the sizes seen last: putting them in order takes up to a third of a small convolution.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_MANY_ROWS = 32_768
"""From here on the plain layer's copies of its bias take longer than what its product gains."""
_KERNELS = ("_convolution_pointwise", "_linear_pointwise", "_reorder_convolution_weight")
_MOST_ORDERS = 3
"""Sizes of inputs for which a layer keeps its weight in order; one more, and it begins anew."""


def _has_kernels() -> bool:
    return torch.backends.mkldnn.is_available() and all(hasattr(torch.ops.mkldnn, name) for name in _KERNELS)


_IS_OFFERED = _has_kernels()


@dataclass(slots=True)
class _Orders:
    """A layer's weight in the orders its kernels read, by the shape of the input.

    Attributes:
        of: What the weight was when it was put in order: its place, and how often it was changed in place.
        weights: By shape of the input.
    """

    of: tuple[int, int]
    weights: dict[tuple[int, ...], Tensor] = field(default_factory=dict)


_orders: weakref.WeakKeyDictionary[nn.Conv2d, _Orders] = weakref.WeakKeyDictionary()


def _in_order(layer: nn.Conv2d, features: Tensor, pads: list[int]) -> Tensor:
    """The layer's weight as its kernel reads it for such an input."""
    weight = layer.weight
    if weight.is_inference():  # changes of such a weight are not counted
        return weight
    state = (weight.data_ptr(), weight._version)
    orders = _orders.get(layer)
    if orders is None or orders.of != state or len(orders.weights) > _MOST_ORDERS:
        orders = _orders[layer] = _Orders(of=state)
    shape = tuple(features.shape)
    found = orders.weights.get(shape)
    if found is None:
        strides, dilations = list(layer.stride), list(layer.dilation)
        found = orders.weights[shape] = torch.ops.mkldnn._reorder_convolution_weight(
            weight, pads, strides, dilations, layer.groups, list(shape)
        )
    return found


def is_joined(values: Tensor) -> bool:
    """Whether layers before these values were joined: on a CPU, in float32, without gradients, compiler or exporter."""
    return _can_join(values, values)


def _can_join(values: Tensor, weight: Tensor) -> bool:
    return (
        _IS_OFFERED
        and values.device.type == "cpu"
        and values.dtype == weight.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.is_autocast_enabled("cpu")
        and not torch.jit.is_tracing()  # pyright: ignore[reportPrivateImportUsage] - documented
        and not torch.compiler.is_compiling()
        and bool(torch.backends.mkldnn.enabled)
    )


def conv(
    features: Tensor,
    layer: nn.Conv2d,
    *,
    clip_at: float | None = None,
    kernel: Tensor | None = None,
    padding: int | None = None,
) -> Tensor:
    """Convolve, and cut the result to [0, clip_at] in the same pass (6 is ReLU6).

    Args:
        features: (b, c, h, w).
        layer: The convolution, with zeros for padding.
        clip_at: Upper limit; None leaves values as they are.
        kernel: Stands in for the layer's weight.
        padding: Stands in for the layer's padding, on both sides of both axes.
    """
    weight = layer.weight if kernel is None else kernel
    pads = [padding] * 2 if padding is not None else [int(side) for side in layer.padding]
    strides, dilations = list(layer.stride), list(layer.dilation)
    if _can_join(features, weight):
        name, scalars = ("none", []) if clip_at is None else ("hardtanh", [0.0, clip_at])
        ordered = _in_order(layer, features, pads) if kernel is None else kernel
        return torch.ops.mkldnn._convolution_pointwise(
            features, ordered, layer.bias, pads, strides, dilations, layer.groups, name, scalars, ""
        )
    out = F.conv2d(features, weight, layer.bias, strides, pads, dilations, layer.groups)
    return out if clip_at is None else F.hardtanh(out, 0.0, clip_at, inplace=True)


class Conv2d(nn.Conv2d):
    """``torch.nn.Conv2d`` with zeros for padding, whose weight stays in order."""

    def forward(self, input: Tensor) -> Tensor:
        """Convolve (b, c, h, w)."""
        return conv(input, self)


def linear_gelu(values: Tensor, layer: nn.Linear) -> Tensor:
    """GELU of a linear layer's values (..., c)."""
    if _can_join(values, layer.weight):
        return torch.ops.mkldnn._linear_pointwise(values, layer.weight, layer.bias, "gelu", [], "none")
    return F.gelu(layer(values))


def gelu(features: Tensor) -> Tensor:
    """GELU of maps (b, c, h, w). Where channels lie together it is taken of rows: torch takes these in one piece."""
    if is_joined(features) and features.is_contiguous(memory_format=torch.channels_last):
        return F.gelu(features.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    return F.gelu(features)


def linear(values: Tensor, layer: nn.Linear) -> Tensor:
    """A linear layer's values (..., c): with many rows, its bias is added in the same pass."""
    many = values.numel() >= _MANY_ROWS * values.shape[-1]
    if many and _can_join(values, layer.weight):
        return torch.ops.mkldnn._linear_pointwise(values, layer.weight, layer.bias, "none", [], "")
    return layer(values)
