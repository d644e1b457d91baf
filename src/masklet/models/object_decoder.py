"""Objects through a small model's mask decoder on a CPU, one after the other: the same masks from fewer operations.

A small image (576 rows) asks for so little arithmetic that most of the time goes into moving it: into copies for attention,
maps in another order, sums of maps. Here rows stay rows. Every projection of the image is folded into the few tokens
(``joined_attention``). Convolutions whose stride is their size, up and down, are matrix products whose places stay side by
side until the masks are drawn, and what they are added to is added in the product.

Source: the decoder is SAM's (Kirillov et al. 2023) with SAM 2's skips (Ravi et al. 2024); the order of the products is ours.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from masklet.models import joined_attention
from masklet.models.derived import derived
from masklet.models.joined_attention import JoinedAttention, Rows, joined
from masklet.models.layers import LayerNorm2d
from masklet.models.mask_decoder import NUM_MASKS, DecodedMasks, MaskDecoder, TwoWayBlock
from masklet.models.prompt_encoder import EncodedPrompts
from masklet.models.prompt_maps import PromptMaps


def is_possible(prompts: EncodedPrompts, num_heads: int) -> bool:
    """Whether prompts can be decoded here: on a CPU, in float32, without gradients, with few tokens, all of them real.

    Args:
        prompts: The prompts.
        num_heads: Of the decoder's attention.
    """
    is_drawn = prompts.valid is None and prompts.drawn is not None
    num_tokens = 2 + NUM_MASKS + prompts.tokens.shape[1]
    return is_drawn and joined_attention.is_possible(prompts.tokens, num_heads, num_tokens)


def decode(
    decoder: MaskDecoder,
    maps: PromptMaps,
    features: Float[Tensor, "b c h w"],
    skips: tuple[Float[Tensor, "#b s4 h4 w4"], Float[Tensor, "#b s8 h8 w8"]],
    position: Float[Tensor, "c h w"],
    prompts: EncodedPrompts,
) -> DecodedMasks:
    """As ``MaskDecoder.forward`` for prompts that ``maps`` has drawn and not spread yet.

    Raises:
        ValueError: When they are not drawn; ``is_possible`` says so.
    """
    if prompts.drawn is None:
        raise ValueError("These prompts were not drawn as maps; MaskDecoder takes them.")
    height, width = features.shape[2:]
    kernels = derived(decoder, "kernels", _sources(decoder, maps), lambda: _Kernels.of(decoder, maps))
    beside = _last.of(skips, kernels)
    drawn = [_Drawn.of(one, kernels) for one in prompts.drawn]
    images = (features + prompts.dense).permute(0, 2, 3, 1).flatten(1, 2) + kernels.bias16
    rows = [torch.addmm(image, one.at16, kernels.to_dense) for image, one in zip(images, drawn, strict=True)]
    rows, tokens = _look(decoder, rows, position.flatten(1).T, prompts.tokens)
    mask_tokens = tokens[:, 2 : 2 + NUM_MASKS]
    weights = torch.stack([net(mask_tokens[:, k]) for k, net in enumerate(decoder.hypernetworks)], dim=1)
    masks = weights.new_empty(len(rows), weights.shape[1], 16 * height * width)
    for index, (row, one, own) in enumerate(zip(rows, drawn, weights, strict=True)):
        skip = beside[0] if len(beside) == 1 else beside[index]
        torch.mm(own, _upscaled(row, one, skip, decoder.upscale_norm, kernels).T, out=masks[index])
    # numpy takes columns ten times faster than torch selects them
    ordered = torch.from_numpy(np.take(masks.numpy(), _places(height, width), axis=2))
    logits = ordered.unflatten(2, (4 * height, 4 * width))
    if prompts.added_logits is not None:
        logits += prompts.added_logits
    presence = decoder.presence_head(tokens[:, 0]).squeeze(-1)
    if prompts.added_presence is not None:
        presence = presence + prompts.added_presence
    return DecodedMasks(logits, decoder.iou_head(tokens[:, 1]).sigmoid(), presence, mask_tokens)


def _look(
    decoder: MaskDecoder, rows: Rows, position: Float[Tensor, "n c"], prompt_tokens: Float[Tensor, "b p c"]
) -> tuple[Rows, Float[Tensor, "b t c"]]:
    """Tokens and images look at each other."""
    own = torch.cat((decoder.presence_token, decoder.iou_token, decoder.mask_tokens))
    start = torch.cat((own.expand(len(prompt_tokens), -1, -1), prompt_tokens), dim=1)
    tokens, placed = start, [row + position for row in rows]
    for block in _blocks(decoder):
        if block.is_first:
            tokens = block.self_attention(tokens, tokens, tokens)
        else:
            asked = tokens + start
            tokens = tokens + block.self_attention(asked, asked, tokens)
        tokens = block.norm1(tokens)
        to_rows = joined(block.token_to_image, JoinedAttention.of_tokens)
        tokens = block.norm2(tokens + to_rows.read(rows, placed, tokens + start))
        tokens = block.norm3(tokens + block.mlp(tokens))
        to_tokens = joined(block.image_to_token, JoinedAttention.of_rows)
        rows = [block.norm4(row) for row in to_tokens.look_back(rows, placed, tokens, tokens + start)]
        placed = [row + position for row in rows]
    transformer = decoder.transformer
    to_rows = joined(transformer.final_attention, JoinedAttention.of_tokens)
    return rows, transformer.final_norm(tokens + to_rows.read(rows, placed, tokens + start))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kernels:
    """Convolutions whose stride is their size, as matrices.

    Attributes:
        down8, down8_bias, down16, down16_bias: Of what was drawn, from stride 4 to 8, and on to 16.
        to_skip4, to_skip8, to_dense: Of what was drawn, at each stride, without biases.
        up8, up4: Of the image, from stride 16 to 8, and on to 4, without biases.
        bias4, bias8, bias16: Both biases at each stride.
    """

    down8: Tensor
    down8_bias: Tensor
    down16: Tensor
    down16_bias: Tensor
    to_skip4: Tensor
    to_skip8: Tensor
    to_dense: Tensor
    up8: Tensor
    up4: Tensor
    bias4: Tensor
    bias8: Tensor
    bias16: Tensor

    @classmethod
    def of(cls, decoder: MaskDecoder, maps: PromptMaps) -> _Kernels:
        """Those of a decoder and its maps."""
        return cls(
            down8=_matrix(maps.down8),
            down8_bias=_bias(maps.down8),
            down16=_matrix(maps.down16),
            down16_bias=_bias(maps.down16),
            to_skip4=_matrix(maps.to_skip4),
            to_skip8=_matrix(maps.to_skip8),
            to_dense=_matrix(maps.to_dense),
            up8=_matrix(decoder.upscale8),
            up4=_matrix(decoder.upscale4),
            bias4=_bias(maps.to_skip4) + _bias(decoder.upscale4),
            bias8=_bias(maps.to_skip8) + _bias(decoder.upscale8),
            bias16=_bias(maps.to_dense),
        )


class _LastSkips(threading.local):
    """Skips as rows, of the frame that this thread saw last: the objects of a frame share them."""

    kernels: _Kernels | None = None
    of_skips: tuple[weakref.ref[Tensor], ...] = ()
    rows: Sequence[tuple[Tensor, Tensor]] = ()

    def of(self, skips: tuple[Tensor, Tensor], kernels: _Kernels) -> Sequence[tuple[Tensor, Tensor]]:
        """Both skips of each object, or of all of them, with the biases added."""
        known = len(self.of_skips) == len(skips) and kernels is self.kernels
        if not known or any(ref() is not skip for ref, skip in zip(self.of_skips, skips, strict=True)):
            self.rows = [
                (_beside(s4, 2, kernels.bias4), _beside(s8, 1, kernels.bias8))
                for s4, s8 in zip(*skips, strict=True)
            ]
            self.kernels, self.of_skips = kernels, tuple(weakref.ref(skip) for skip in skips)
        return self.rows


_last = _LastSkips()


@dataclass(frozen=True, slots=True)
class _Drawn:
    """What was drawn of one object, as rows.

    Attributes:
        at4: Rows (16 n, d), the places of each row of ``at8`` one after the other.
        at8: Rows (4 n, d), the places of each row of ``at16`` one after the other.
        at16: Rows of the image's grid (n, d).
    """

    at4: Tensor
    at8: Tensor
    at16: Tensor

    @classmethod
    def of(cls, drawn: Float[Tensor, "d h4 w4"], kernels: _Kernels) -> _Drawn:
        """Brought to coarser strides."""
        at4 = _beside(drawn, 2)
        at8 = F.gelu(torch.addmm(kernels.down8_bias, at4.view(-1, len(kernels.down8)), kernels.down8))
        at16 = F.gelu(torch.addmm(kernels.down16_bias, at8.view(-1, len(kernels.down16)), kernels.down16))
        return cls(at4, at8, at16)


def _upscaled(
    image: Float[Tensor, "n c"],
    drawn: _Drawn,
    beside: tuple[Float[Tensor, "n4 c4"], Float[Tensor, "n8 c8"]],
    norm: LayerNorm2d,
    kernels: _Kernels,
) -> Float[Tensor, "n4 c4"]:
    """One image at stride 4, with skips and what was drawn added; rows in the order of ``_Drawn.at4``."""
    middle = torch.addmm(beside[1], drawn.at8, kernels.to_skip8)
    middle.view(len(image), -1).addmm_(image, kernels.up8)
    middle = F.gelu(F.layer_norm(middle, norm.weight.shape, norm.weight, norm.bias, norm.eps))
    fine = torch.addmm(beside[0], drawn.at4, kernels.to_skip4)
    fine.view(len(middle), -1).addmm_(middle, kernels.up4)
    return F.gelu(fine)


def _beside(
    maps: Float[Tensor, "c h w"], halvings: int, bias: Float[Tensor, " c"] | None = None
) -> Float[Tensor, "hw c"]:
    """A map as rows in which the four places of each place of the grid twice as coarse follow each other.

    Args:
        maps: The map.
        halvings: How often: after 2, the places of the grid twice as coarse are in such an order themselves.
        bias: Added to every row.
    """
    channels, height, width = maps.shape
    if halvings == 1:
        view = maps.view(channels, height // 2, 2, width // 2, 2).permute(1, 3, 2, 4, 0)
    else:
        view = maps.view(channels, height // 4, 2, 2, width // 4, 2, 2).permute(1, 4, 2, 5, 3, 6, 0)
    if bias is None:
        return view.reshape(-1, channels)
    rows = torch.empty(view.shape, dtype=maps.dtype, device=maps.device)
    return torch.add(view, bias, out=rows).view(-1, channels)


@cache
def _places(height: int, width: int) -> Int[np.ndarray, " m"]:
    """Where each cell of a mask at stride 4 lies among rows in the order of ``_Drawn.at4``, for a grid at stride 16."""
    order = np.arange(16 * height * width).reshape(height, width, 2, 2, 2, 2)
    return order.transpose(0, 2, 4, 1, 3, 5).ravel()


def _sources(decoder: MaskDecoder, maps: PromptMaps) -> list[Tensor]:
    """The weights that ``_Kernels`` are made of."""
    layers = (maps.down8, maps.down16, maps.to_skip4, maps.to_skip8, maps.to_dense)
    layers = (*layers, decoder.upscale8, decoder.upscale4)
    return [weight for layer in layers for weight in (layer.weight, layer.bias) if weight is not None]


def _matrix(layer: nn.Conv2d | nn.ConvTranspose2d) -> Float[Tensor, "a b"]:
    """A convolution whose stride is its size: from the places of a row side by side, or to them."""
    if isinstance(layer, nn.ConvTranspose2d):
        return layer.weight.permute(0, 2, 3, 1).flatten(1)
    return layer.weight.permute(2, 3, 1, 0).flatten(0, 2).contiguous()


def _bias(layer: nn.Conv2d | nn.ConvTranspose2d) -> Float[Tensor, " d"]:
    return layer.weight.new_zeros(layer.out_channels) if layer.bias is None else layer.bias


def _blocks(decoder: MaskDecoder) -> list[TwoWayBlock]:
    return [block for block in decoder.transformer.blocks if isinstance(block, TwoWayBlock)]
