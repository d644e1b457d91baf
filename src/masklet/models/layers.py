"""Small building blocks shared by the parts of the network."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.derived import derived

Activation = Callable[[Tensor], Tensor]


class LayerNorm2d(nn.Module):
    """Layer norm over the channels of a channels-first map."""

    def __init__(self, num_channels: int, *, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(num_channels))
        self.bias = nn.Parameter(torch.zeros(num_channels))
        self.eps = eps

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Normalise each pixel over its channels."""
        channels_last = features.permute(0, 2, 3, 1)
        normed = F.layer_norm(channels_last, self.weight.shape, self.weight, self.bias, self.eps)
        return normed.permute(0, 3, 1, 2)


class Perceptron(nn.Module):
    """Linear layers with one activation between them."""

    def __init__(self, dims: tuple[int, ...], *, activation: Activation = F.relu) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in pairwise(dims))
        self.activation = activation

    def forward(self, values: Float[Tensor, "*batch c"]) -> Float[Tensor, "*batch d"]:
        """Apply the layers; no activation after the last."""
        for layer in self.layers[:-1]:
            values = self.activation(layer(values))
        return self.layers[-1](values)


class ConvNextBlock(nn.Module):
    """Depthwise 7x7, layer norm, pointwise expansion, layer scale, residual.

    Source: ConvNeXt (Liu et al. 2022), as used in SAM 2's memory encoder.
    """

    def __init__(self, dim: int, *, scale: float = 1e-6, expansion: int = 4) -> None:
        super().__init__()
        self.depthwise = fused.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = LayerNorm2d(dim)
        self.expand = nn.Linear(dim, expansion * dim)
        self.contract = nn.Linear(expansion * dim, dim)
        self.scale = nn.Parameter(torch.full((dim,), scale))

    def forward(self, features: Float[Tensor, "b c h w"]) -> Float[Tensor, "b c h w"]:
        """Refine a map."""
        update = self.norm(self.depthwise(features)).permute(0, 2, 3, 1)
        hidden = fused.linear_gelu(update, self.expand)
        if fused.is_joined(hidden):
            weight, bias = derived(self, "contract", list(self._contracted), self._scaled)
            rows = features.permute(0, 2, 3, 1)
            added = torch.add(rows, bias, out=torch.empty(rows.shape, dtype=rows.dtype, device=rows.device))
            added.flatten(0, 2).addmm_(hidden.flatten(0, 2), weight)
            return added.permute(0, 3, 1, 2)
        return features + (self.scale * self.contract(hidden)).permute(0, 3, 1, 2)

    @property
    def _contracted(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.contract.weight, self.contract.bias, self.scale

    def _scaled(self) -> tuple[Tensor, Tensor]:
        """Contraction and layer scale in one: weight (e c, c) and bias (c,)."""
        weight, bias, scale = self._contracted
        return (scale[:, None] * weight).T.contiguous(), scale * bias


def unit_grid(side: int) -> Float[Tensor, "n 2"]:
    """Cell centres (x, y) in [0, 1], row-major."""
    centres = (torch.arange(side, dtype=torch.float32) + 0.5) / side
    rows, columns = torch.meshgrid(centres, centres, indexing="ij")
    return torch.stack((columns, rows), dim=-1).flatten(0, 1)
