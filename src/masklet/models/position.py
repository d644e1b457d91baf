"""Position encodings: sine maps, sine of scalars, random Fourier features and rotary angles."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models.derived import derived

_TEMPERATURE = 10_000.0


def sine_map(channels: int, height: int, width: int) -> Float[Tensor, "c h w"]:
    """Sine encoding of a grid, rows in the first half of the channels, columns in the second.

    Source: DETR (Carion et al. 2020), normalised to 2 pi as in SAM 2.
    """
    half = channels // 2
    index = torch.arange(half, dtype=torch.float32)
    wavelength = _TEMPERATURE ** (2 * torch.div(index, 2, rounding_mode="floor") / half)

    def encode(length: int) -> Tensor:
        place = torch.arange(1, length + 1, dtype=torch.float32) / (length + 1e-6) * (2 * math.pi)
        angles = place[:, None] / wavelength
        return torch.stack((angles[:, 0::2].sin(), angles[:, 1::2].cos()), dim=-1).flatten(1)

    rows = encode(height).T[:, :, None].expand(half, height, width)
    columns = encode(width).T[:, None, :].expand(half, height, width)
    return torch.cat((rows, columns)).contiguous()


def sine_scalar(values: Float[Tensor, "*n"], channels: int) -> Float[Tensor, "*n c"]:
    """Sine encoding of scalars, all sines first, then all cosines. Source: SAM 2's pointer ages."""
    half = channels // 2
    index = torch.arange(half, dtype=torch.float32, device=values.device)
    wavelength = _TEMPERATURE ** (2 * torch.div(index, 2, rounding_mode="floor") / half)
    angles = values.float().unsqueeze(-1) / wavelength
    return torch.cat((angles.sin(), angles.cos()), dim=-1)


class FourierPosition(nn.Module):
    """Random Gaussian Fourier features of points in the unit square.

    Source: Tancik et al. 2020, as in SAM's prompt encoder.
    """

    frequencies: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("frequencies", torch.randn(2, channels // 2))

    def forward(self, unit_xy: Float[Tensor, "*n 2"]) -> Float[Tensor, "*n c"]:
        """Encode points (x, y) in [0, 1]."""
        angles = 2 * math.pi * ((2 * unit_xy - 1) @ self.frequencies.to(unit_xy.dtype))
        return torch.cat((angles.sin(), angles.cos()), dim=-1)

    def grid(self, side: int) -> Float[Tensor, "c h w"]:
        """Encode the cell centres of a square grid."""

        def encode() -> Tensor:
            centres = (torch.arange(side, device=self.frequencies.device, dtype=torch.float32) + 0.5) / side
            rows, columns = torch.meshgrid(centres, centres, indexing="ij")
            return self(torch.stack((columns, rows), dim=-1)).permute(2, 0, 1)

        return derived(self, f"grid {side}", [self.frequencies], encode)


def rotary_angles(channels: int, height: int, width: int) -> Float[Tensor, "n half"]:
    """Angles of the axial rotary encoding for a grid in row-major order: x pairs first, then y pairs.

    Source: RoPE for vision (Heo et al. 2024), as in SAM 2's memory attention.
    """
    inverse = 1.0 / _TEMPERATURE ** (
        torch.arange(0, channels, 4, dtype=torch.float32)[: channels // 4] / channels
    )
    cells = torch.arange(height * width, dtype=torch.float32)
    columns, rows = cells % width, torch.div(cells, width, rounding_mode="floor")
    return torch.cat((torch.outer(columns, inverse), torch.outer(rows, inverse)), dim=-1)


def rotate(
    values: Float[Tensor, "b heads n c"], angles: Float[Tensor, "n half"]
) -> Float[Tensor, "b heads n c"]:
    """Turn neighbouring channel pairs by the given angles, in float32."""
    pairs = values.float().unflatten(-1, (-1, 2))
    cosine, sine = angles.cos(), angles.sin()
    first, second = pairs[..., 0], pairs[..., 1]
    turned = torch.stack((first * cosine - second * sine, first * sine + second * cosine), dim=-1)
    return turned.flatten(-2).to(values.dtype)
