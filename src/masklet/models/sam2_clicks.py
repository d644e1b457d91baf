"""Clicks on one image through SAM 2's mask decoder on a CPU: the same masks from fewer operations.

A click brings few tokens (eight), an image many (4,096). Whatever the decoder multiplies with the image is therefore first
multiplied with the tokens: with heads h, tokens t and image rows x,

    (x W_k)_h q_ht = x (W_k,h q_ht)        softmax(...)_ht (x W_v)_h = (softmax(...)_ht x) W_v,h
    (x W_q + b)_h k_ht = x (W_q,h k_ht) + b_h k_ht        sum_h p_h (v_h W_o,h) in place of (p_h v_h)_h W_o

so that every projection of the image, 128 columns wide, becomes a product with 64 columns that is at the same time the score
or the read. In the first block the image is the same for all clicks and is projected once. Up-sampling by transposed
convolutions whose stride is their size is a matrix product per place; it is done tile by tile in the second-level cache, and
only for masks that are asked for.

Source: the decoder is SAM's (Kirillov et al. 2023) with SAM 2's skips (Ravi et al. 2024); the order of the products is ours.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from masklet.models import blocked_attention
from masklet.models.attention import Attention, split_heads
from masklet.models.mask_decoder import NUM_MASKS, DecodedMasks, MaskDecoder, TwoWayBlock
from masklet.models.prompt_encoder import EncodedPrompts

_TILE_ROWS = 512
"""Image rows that are brought to mask size together: 1 MiB of the finest map."""


@dataclass(frozen=True, slots=True)
class SharedImage:
    """What the decoder needs of an image, whatever is clicked.

    Attributes:
        rows: Features with the mark of no mask (n, c).
        position: Their places (n, c).
        queries: Of the first block's image-to-token attention, scaled (heads, n, d).
        keys: Of the first block's token-to-image attention (heads, n, d).
        values: Of the same (heads, n, d).
        skip8: Skip and bias at stride 8, the four places of a row side by side (n, 4 * c8).
        skip4: The same at stride 4 (4 * n, 4 * c4).
        grid_hw: Height and width of the rows' grid.
    """

    rows: Tensor
    position: Tensor
    queries: Tensor
    keys: Tensor
    values: Tensor
    skip8: Tensor
    skip4: Tensor
    grid_hw: tuple[int, int]


@dataclass(frozen=True, slots=True)
class ClickAnswers:
    """What the decoder says of b clicks before a mask is drawn.

    Attributes:
        iou: Predicted IoU (b, 4).
        presence: Presence logit (b,).
        tokens: Output tokens of the masks (b, 4, c).
        rows: The image as each click leaves it, b of (n, c).
    """

    iou: Tensor
    presence: Tensor
    tokens: Tensor
    rows: list[Tensor]


def is_possible(features: Float[Tensor, "#b c h w"], prompts: EncodedPrompts) -> bool:
    """Whether prompts can be decoded here: plain points on one image, on a CPU, in float32, without gradients."""
    is_one_image = _is_one_row(features) and _is_one_row(prompts.dense)
    is_plain = prompts.drawn is None and prompts.fine is None and prompts.valid is None
    is_followed = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage] - documented
    return is_one_image and is_plain and not is_followed and blocked_attention.is_possible(features)


def _is_one_row(values: Tensor) -> bool:
    """Whether a batch is one row, or one that is repeated without a copy."""
    return len(values) == 1 or values.stride(0) == 0


def prepare(
    decoder: MaskDecoder,
    features: Float[Tensor, "1 c h w"],
    skips: tuple[Float[Tensor, "1 c4 h4 w4"], Float[Tensor, "1 c8 h8 w8"]],
    dense: Float[Tensor, "b c h w"],
    position: Float[Tensor, "c h w"],
) -> SharedImage:
    """Everything that does not depend on the clicks.

    Args:
        decoder: The decoder.
        features: The image, with the mark of a frame without memory.
        skips: At strides 4 and 8.
        dense: The dense map of the prompts, the same for all; its first row is read.
        position: Places of the grid.
    """
    height, width = features.shape[2:]
    rows = (features[0] + dense[0]).flatten(1).T.contiguous()
    places = position.flatten(1).T.contiguous()
    first = _blocks(decoder)[0]
    to_tokens, to_image = first.image_to_token, first.token_to_image
    placed = rows + places
    skip4 = skips[0][0].unflatten(1, (height, 2, 2)).unflatten(4, (width, 2, 2)).permute(1, 4, 2, 5, 3, 6, 0)
    skip8 = skips[1][0].unflatten(1, (height, 2)).unflatten(3, (width, 2)).permute(1, 3, 2, 4, 0)
    return SharedImage(
        rows=rows,
        position=places,
        queries=_by_head(to_tokens, to_tokens.query(placed)) * _scale(to_tokens),
        keys=_by_head(to_image, to_image.key(placed)),
        values=_by_head(to_image, to_image.value(rows)),
        skip8=(skip8 + _bias(decoder.upscale8)).reshape(height * width, -1),
        skip4=(skip4 + _bias(decoder.upscale4)).reshape(4 * height * width, -1),
        grid_hw=(height, width),
    )


def answer(decoder: MaskDecoder, image: SharedImage, prompt_tokens: Float[Tensor, "b p c"]) -> ClickAnswers:
    """Let b clicks and the image look at each other; nothing is drawn yet."""
    own = torch.cat((decoder.presence_token, decoder.iou_token, decoder.mask_tokens))
    start = torch.cat((own.expand(len(prompt_tokens), -1, -1), prompt_tokens), dim=1)
    first, *others = _blocks(decoder)
    tokens = _read_shared(first, image, start)
    rows = [_first_look_back(first, image, one, placed) for one, placed in _pairs(tokens, start)]
    for block in others:
        placed = tokens + start
        tokens = block.norm1(tokens + block.self_attention(placed, placed, tokens))
        tokens = block.norm2(tokens + _read(block.token_to_image, rows, image.position, tokens + start))
        tokens = block.norm3(tokens + block.mlp(tokens))
        _look_back(block, rows, image.position, tokens, start)
    transformer = decoder.transformer
    read = _read(transformer.final_attention, rows, image.position, tokens + start)
    tokens = transformer.final_norm(tokens + read)
    return ClickAnswers(
        iou=decoder.iou_head(tokens[:, 1]).sigmoid(),
        presence=decoder.presence_head(tokens[:, 0]).squeeze(-1),
        tokens=tokens[:, 2 : 2 + NUM_MASKS],
        rows=rows,
    )


def decode(decoder: MaskDecoder, image: SharedImage, prompt_tokens: Float[Tensor, "b p c"]) -> DecodedMasks:
    """All four candidates of b prompts."""
    answers = answer(decoder, image, prompt_tokens)
    return draw_all(decoder, image, answers)


def draw_all(decoder: MaskDecoder, image: SharedImage, answers: ClickAnswers) -> DecodedMasks:
    """All four candidates of each click."""
    logits = draw(decoder, image, answers, torch.ones_like(answers.iou, dtype=torch.bool))
    return DecodedMasks(
        logits=logits.unflatten(0, answers.iou.shape),
        iou=answers.iou,
        presence=answers.presence,
        tokens=answers.tokens,
    )


def draw(
    decoder: MaskDecoder, image: SharedImage, answers: ClickAnswers, wanted: Bool[Tensor, "b 4"]
) -> Float[Tensor, "m h4 w4"]:
    """Logits at stride 4 of the masks that are wanted, click by click."""
    height, width = image.grid_hw
    weights = torch.stack(
        [net(answers.tokens[:, kind]) for kind, net in enumerate(decoder.hypernetworks)], dim=1
    )
    drawn = weights.new_empty(int(wanted.sum()), 16 * height * width)
    start = 0
    for own, rows, chosen in zip(weights, answers.rows, wanted, strict=True):
        stop = start + int(chosen.sum())
        if stop > start:
            _draw_one(decoder, image, rows, own[chosen], drawn[start:stop])
        start = stop
    return (
        drawn.view(-1, height, width, 2, 2, 2, 2)
        .permute(0, 1, 3, 5, 2, 4, 6)
        .reshape(-1, 4 * height, 4 * width)
    )


def _draw_one(decoder: MaskDecoder, image: SharedImage, rows: Tensor, weights: Tensor, out: Tensor) -> None:
    """Up-sample one click's image and multiply it with the weights (k, c4) of its masks, into ``out`` (k, 16 n)."""
    norm = decoder.upscale_norm
    kernel8, kernel4 = _kernel(decoder.upscale8), _kernel(decoder.upscale4)
    for start in range(0, len(rows), _TILE_ROWS):
        stop = min(start + _TILE_ROWS, len(rows))
        middle = torch.addmm(image.skip8[start:stop], rows[start:stop], kernel8).view(-1, len(norm.weight))
        middle = F.gelu(F.layer_norm(middle, norm.weight.shape, norm.weight, norm.bias, norm.eps))
        fine = F.gelu(torch.addmm(image.skip4[4 * start : 4 * stop], middle, kernel4))
        out[:, 16 * start : 16 * stop] = weights @ fine.view(-1, weights.shape[1]).T


def _read_shared(block: TwoWayBlock, image: SharedImage, start: Tensor) -> Tensor:
    """The first block up to where the image looks back: all tokens of all clicks ask one image."""
    attention = block.token_to_image
    tokens = block.norm1(block.self_attention(start, start, start))
    asked = attention.query(tokens + start).flatten(0, 1)
    read = F.scaled_dot_product_attention(
        _by_head(attention, asked)[None], image.keys[None], image.values[None]
    )[0]
    found = attention.out(read.transpose(0, 1).flatten(1)).view(tokens.shape)
    tokens = block.norm2(tokens + found)
    return block.norm3(tokens + block.mlp(tokens))


def _first_look_back(block: TwoWayBlock, image: SharedImage, tokens: Tensor, placed: Tensor) -> Tensor:
    """The shared image (n, c) after it has looked at the tokens (t, c) of one click."""
    attention = block.image_to_token
    scores = _by_head(attention, attention.key(placed)) @ image.queries.transpose(1, 2)
    return _take_in(block, image.rows, scores.softmax(dim=1), tokens)


def _look_back(
    block: TwoWayBlock, rows: list[Tensor], position: Tensor, tokens: Tensor, start: Tensor
) -> None:
    """Every image looks at the tokens of its click; replaces the rows."""
    attention = block.image_to_token
    scale = _scale(attention)
    for index, (one, placed) in enumerate(_pairs(tokens, start)):
        keys = _by_head(attention, attention.key(placed)) * scale
        weight, bias = _head_weights(attention, attention.query)
        folded = (keys @ weight).flatten(0, 1)
        offset = (keys @ bias[:, :, None]).flatten(0, 1)
        scores = torch.addmm(offset, folded, (rows[index] + position).T)
        probability = scores.unflatten(0, keys.shape[:2]).softmax(dim=1)
        rows[index] = _take_in(block, rows[index], probability, one)


def _take_in(block: TwoWayBlock, rows: Tensor, probability: Tensor, tokens: Tensor) -> Tensor:
    """Rows (n, c) with the tokens' values added by probability (heads, t, n), normed."""
    attention, norm = block.image_to_token, block.norm4
    values = _by_head(attention, attention.value(tokens))
    weight = attention.out.weight.unflatten(1, (attention.num_heads, -1)).permute(1, 2, 0)
    # the probabilities of a head sum to one: every head carries its part of the bias
    folded = values @ weight + attention.out.bias / attention.num_heads
    mixed = torch.addmm(rows, probability.flatten(0, 1).T, folded.flatten(0, 1))
    return norm(mixed)


def _read(attention: Attention, rows: list[Tensor], position: Tensor, asked: Tensor) -> Tensor:
    """Token-to-image attention (b, t, c), each click from its own image."""
    queries = split_heads(attention.query(asked), attention.num_heads) * _scale(attention)
    # the bias of the keys shifts a whole row of scores and drops out of the softmax
    folded = (queries @ _head_weights(attention, attention.key)[0]).flatten(1, 2)
    read = torch.stack(
        [(one @ (row + position).T).softmax(dim=1) @ row for one, row in zip(folded, rows, strict=True)]
    )
    weight, bias = _head_weights(attention, attention.value)
    values = read.unflatten(1, queries.shape[1:3]) @ weight.transpose(1, 2) + bias[:, None]
    return attention.out(values.transpose(1, 2).flatten(2))


def _blocks(decoder: MaskDecoder) -> list[TwoWayBlock]:
    return [block for block in decoder.transformer.blocks if isinstance(block, TwoWayBlock)]


def _pairs(tokens: Tensor, start: Tensor) -> list[tuple[Tensor, Tensor]]:
    """The tokens of each click, and the same with their places added."""
    return list(zip(tokens, tokens + start, strict=True))


def _by_head(attention: Attention, values: Tensor) -> Tensor:
    """(n, heads * d) to (heads, n, d)."""
    return values.unflatten(-1, (attention.num_heads, -1)).transpose(0, 1)


def _scale(attention: Attention) -> float:
    return (attention.query.out_features // attention.num_heads) ** -0.5


def _head_weights(attention: Attention, projection: nn.Linear) -> tuple[Tensor, Tensor]:
    """Weight (heads, d, c) and bias (heads, d) of a projection."""
    shape = (attention.num_heads, -1)
    return projection.weight.unflatten(0, shape), projection.bias.unflatten(0, shape)


def _kernel(convolution: nn.ConvTranspose2d) -> Tensor:
    """A transposed convolution whose stride is its size, as a matrix (c, 4 * d)."""
    return convolution.weight.permute(0, 2, 3, 1).flatten(1)


def _bias(convolution: nn.ConvTranspose2d) -> Tensor:
    """Its bias; zeros where it has none."""
    bias = convolution.bias
    return convolution.weight.new_zeros(convolution.out_channels) if bias is None else bias
