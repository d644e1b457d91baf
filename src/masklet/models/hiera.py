"""The Hiera image encoder: a transformer in four stages with local windows and a few global blocks.

Source: Hiera (Ryali et al. 2023) with the windowed position embedding of Bolya et al. 2023, as in SAM 2.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models import fused
from masklet.models.attention import join_heads, split_heads
from masklet.models.config import HieraConfig
from masklet.models.layers import Perceptron


def split_windows(tokens: Float[Tensor, "b h w c"], window: int) -> tuple[Tensor, tuple[int, int]]:
    """Cut a map into windows, padding right and bottom with zeros.

    Returns:
        Windows (b * num_windows, window, window, c) and the padded (h, w).
    """
    batch, height, width, channels = tokens.shape
    padded_h = -(-height // window) * window
    padded_w = -(-width // window) * window
    if (padded_h, padded_w) != (height, width):
        tokens = F.pad(tokens, (0, 0, 0, padded_w - width, 0, padded_h - height))
    tiles = tokens.view(batch, padded_h // window, window, padded_w // window, window, channels)
    return tiles.transpose(2, 3).reshape(-1, window, window, channels), (padded_h, padded_w)


def join_windows(windows: Tensor, padded_hw: tuple[int, int], size_hw: tuple[int, int]) -> Tensor:
    """Undo split_windows and cut the padding off: (b, h, w, c)."""
    padded_h, padded_w = padded_hw
    window, channels = windows.shape[1], windows.shape[-1]
    tiles = windows.view(-1, padded_h // window, padded_w // window, window, window, channels)
    joined = tiles.transpose(2, 3).reshape(-1, padded_h, padded_w, channels)
    return joined[:, : size_hw[0], : size_hw[1]]


def halve(tokens: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 c"]:
    """2x2 max pooling with stride 2."""
    return F.max_pool2d(tokens.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


class PooledAttention(nn.Module):
    """Self-attention whose queries may be max-pooled 2x2."""

    def __init__(self, dim_in: int, dim_out: int, num_heads: int, *, is_pooling: bool) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.is_pooling = is_pooling
        self.qkv = nn.Linear(dim_in, 3 * dim_out)
        self.out = nn.Linear(dim_out, dim_out)

    def forward(self, tokens: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 d"]:
        """Attend within each map of the batch."""
        query, key, value = fused.linear(tokens, self.qkv).chunk(3, dim=-1)
        if self.is_pooling:
            query = halve(query)
        height, width = query.shape[1:3]
        read = F.scaled_dot_product_attention(
            split_heads(query.flatten(1, 2), self.num_heads),
            split_heads(key.flatten(1, 2), self.num_heads),
            split_heads(value.flatten(1, 2), self.num_heads),
        )
        return self.out(join_heads(read)).unflatten(1, (height, width))


class HieraBlock(nn.Module):
    """One transformer block; the first of stages 2 to 4 halves the map and doubles the channels."""

    def __init__(self, dim_in: int, dim_out: int, num_heads: int, *, window: int, is_pooling: bool) -> None:
        super().__init__()
        self.window = window
        self.is_pooling = is_pooling
        self.norm1 = nn.LayerNorm(dim_in, eps=1e-6)
        self.attention = PooledAttention(dim_in, dim_out, num_heads, is_pooling=is_pooling)
        self.norm2 = nn.LayerNorm(dim_out, eps=1e-6)
        self.mlp = Perceptron((dim_out, 4 * dim_out, dim_out), activation=F.gelu)
        self.projection = nn.Linear(dim_in, dim_out) if dim_in != dim_out else None

    def forward(self, tokens: Float[Tensor, "b h w c"]) -> Float[Tensor, "b h2 w2 d"]:
        """Attend in windows (or globally) and transform."""
        normed = self.norm1(tokens)
        shortcut = tokens
        if self.projection is not None:
            shortcut = self.projection(normed)
            if self.is_pooling:
                shortcut = halve(shortcut)
        tokens = shortcut + self._attend(normed)
        return tokens + self._transform(self.norm2(tokens))

    def _transform(self, normed: Tensor) -> Tensor:
        expand, contract = (layer for layer in self.mlp.layers if isinstance(layer, nn.Linear))
        return contract(fused.linear_gelu(normed, expand))

    def _attend(self, normed: Tensor) -> Tensor:
        if self.window == 0:
            return self.attention(normed)
        height, width = normed.shape[1:3]
        windows, (padded_h, padded_w) = split_windows(normed, self.window)
        read = self.attention(windows)
        factor = 2 if self.is_pooling else 1
        # after pooling the windows, the padding and the map all shrink by the same factor
        return join_windows(
            read, (padded_h // factor, padded_w // factor), (height // factor, width // factor)
        )


class Hiera(nn.Module):
    """The encoder; returns the map at the end of each stage."""

    def __init__(self, config: HieraConfig) -> None:
        super().__init__()
        first = config.embed_dim
        self.patch = nn.Conv2d(3, first, 7, stride=4, padding=3)
        self.position = nn.Parameter(torch.zeros(1, first, *config.background_size))
        self.window_position = nn.Parameter(
            torch.zeros(1, first, config.window_sizes[0], config.window_sizes[0])
        )
        self.stage_ends = [sum(config.stage_depths[: stage + 1]) - 1 for stage in range(4)]
        self.blocks = nn.ModuleList(self._blocks(config))
        self._embedded: tuple[tuple[int, ...], Tensor] | None = None

    def _blocks(self, config: HieraConfig) -> list[HieraBlock]:
        blocks: list[HieraBlock] = []
        channels, heads = config.embed_dim, config.num_heads
        stage = 0
        for index in range(sum(config.stage_depths)):
            # the window of the finished stage still holds in the block that pools into the next one
            window = 0 if index in config.global_blocks else config.window_sizes[stage]
            is_pooling = index - 1 in self.stage_ends
            dim_out = channels
            if is_pooling:
                stage += 1
                dim_out, heads = 2 * channels, 2 * heads
            blocks.append(HieraBlock(channels, dim_out, heads, window=window, is_pooling=is_pooling))
            channels = dim_out
        return blocks

    def position_embedding(self, height: int, width: int) -> Float[Tensor, "1 h w c"]:
        """The background grid interpolated, plus the window grid tiled; kept until the weights change."""
        weights = (self.position, self.window_position)
        is_traced = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage] - documented
        if torch.is_grad_enabled() or is_traced or any(weight.is_inference() for weight in weights):
            return self._embed_position(height, width)
        state = (height, width, *(fact for one in weights for fact in (one.data_ptr(), one._version)))
        kept = self._embedded
        if kept is None or kept[0] != state:
            kept = self._embedded = (state, self._embed_position(height, width))
        return kept[1]

    def _embed_position(self, height: int, width: int) -> Tensor:
        background = F.interpolate(self.position, size=(height, width), mode="bicubic")
        window = self.window_position
        repeat = (1, 1, -(-height // window.shape[-2]), -(-width // window.shape[-1]))
        tiled = window.repeat(repeat)[..., :height, :width]
        return (background + tiled).permute(0, 2, 3, 1)

    def forward(self, pixels: Float[Tensor, "b 3 h w"]) -> list[Tensor]:
        """Encode normalised pixels.

        Returns:
            Four maps (b, c, h, w) at strides 4, 8, 16 and 32.
        """
        tokens = self.patch(pixels).permute(0, 2, 3, 1)
        tokens = tokens + self.position_embedding(tokens.shape[1], tokens.shape[2])
        maps: list[Tensor] = []
        for index, block in enumerate(self.blocks):
            tokens = block(tokens)
            if index in self.stage_ends:
                maps.append(tokens.permute(0, 3, 1, 2))
        return maps
