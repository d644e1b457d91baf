"""Attention between few tokens and many image rows with projections joined, for small models.

With heads h, tokens a_t and image rows x, scores and reads are

    (a_t Q_h + q_h)(x K_h + k_h)^T        sum_h p_h (x V_h + v_h) O_h + o

Whatever stands between a token and a row is one matrix of weights: Q_h K_h^T, and V_h O_h. Each is as wide as the rows, which
pays where these are few and narrow; for SAM 2's sizes see ``sam2_clicks``. Terms that are the same for all that a softmax
runs over are left out. Exact; only sums are taken in another order. Source: the attention is that of SAM's mask decoder
(Kirillov et al. 2023); the order of the products is ours.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models import blocked_attention
from masklet.models.attention import Attention
from masklet.models.derived import derived

_LEAST_PROBABILITY = 1e-30
Rows = list[Float[Tensor, "n c"]]
"""The image as each of several objects has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinedAttention:
    """The weights of an attention, joined.

    Attributes:
        num_heads: Heads.
        ask: From a token to what its scores multiply rows with, all heads side by side (c, heads * c).
        ask_bias: Added to it (heads * c).
        answer: From what was read, all heads side by side, to the output (heads * c, c).
        answer_bias: Added to it (c).
    """

    num_heads: int
    ask: Tensor
    ask_bias: Tensor
    answer: Tensor
    answer_bias: Tensor

    @classmethod
    def of_tokens(cls, attention: Attention) -> JoinedAttention:
        """Tokens ask rows."""
        weight, bias = _by_head(attention, attention.query)
        keys, _ = _by_head(attention, attention.key)
        scale = weight.shape[1] ** -0.5
        ask = (weight.transpose(1, 2) @ keys * scale).transpose(0, 1).flatten(1)
        ask_bias = (bias[:, None] @ keys * scale).flatten()
        return cls(
            num_heads=attention.num_heads, ask=ask, ask_bias=ask_bias, **_answer(attention, is_split=False)
        )

    @classmethod
    def of_rows(cls, attention: Attention) -> JoinedAttention:
        """Rows ask tokens; ``ask`` has one column more for each head, for what the bias of the queries gives."""
        weight, bias = _by_head(attention, attention.query)
        keys, _ = _by_head(attention, attention.key)
        scale = weight.shape[1] ** -0.5
        folded = keys.transpose(1, 2) @ torch.cat((weight, bias[..., None]), dim=2) * scale
        ask = torch.cat((folded[..., :-1].transpose(0, 1).flatten(1), folded[..., -1].T), dim=1)
        return cls(
            num_heads=attention.num_heads,
            ask=ask.contiguous(),
            ask_bias=ask.new_zeros(0),
            **_answer(attention, is_split=True),
        )

    def read(self, rows: Rows, placed: Rows, asked: Float[Tensor, "b t c"]) -> Float[Tensor, "b t c"]:
        """What tokens read of images, each of its own.

        Args:
            rows: The images.
            placed: The images with their places.
            asked: The tokens with their places.
        """
        batch, num_tokens, width = asked.shape
        folded = torch.addmm(self.ask_bias, asked.flatten(0, 1), self.ask).view(batch, -1, width)
        found = folded.new_empty(batch, folded.shape[1], width)
        for index, (one, row, place) in enumerate(zip(folded, rows, placed, strict=True)):
            torch.mm(_ordinary(torch.softmax(one @ place.T, dim=1)), row, out=found[index])
        read = torch.addmm(self.answer_bias, found.view(batch * num_tokens, -1), self.answer)
        return read.view(batch, num_tokens, -1)

    def look_back(
        self,
        rows: Rows,
        placed: Rows,
        tokens: Float[Tensor, "b t c"],
        asked: Float[Tensor, "b t c"] | None = None,
    ) -> Rows:
        """Images with what they read of the tokens added, each of its own.

        Args:
            rows: The images.
            placed: What asks in their stead: the images with their places, or normed.
            tokens: The tokens.
            asked: The tokens with their places; None where they have none.
        """
        batch, num_tokens, width = tokens.shape
        said = (tokens if asked is None else asked).flatten(0, 1) @ self.ask
        folded = said[:, : self.num_heads * width].reshape(batch, -1, width)
        offset = said[:, self.num_heads * width :].reshape(batch, -1, 1)
        answers = torch.addmm(self.answer_bias, tokens.flatten(0, 1), self.answer).view(batch, -1, width)
        looked: Rows = []
        for index, (row, place) in enumerate(zip(rows, placed, strict=True)):
            scores = torch.addmm(offset[index], folded[index], place.T).view(num_tokens, -1)
            probability = _ordinary(scores.softmax(dim=0)).view(-1, len(row))
            looked.append(torch.addmm(row, probability.T, answers[index]))
        return looked


def is_possible(values: Tensor, num_heads: int, num_tokens: int) -> bool:
    """Whether to join: on a CPU, in float32, without gradients or a compiler, with few tokens beside wide rows (..., c)."""
    is_followed = torch.jit.is_tracing() or torch.compiler.is_compiling()  # pyright: ignore[reportPrivateImportUsage] - documented
    are_few = num_heads * num_tokens <= values.shape[-1]
    return are_few and not is_followed and blocked_attention.is_possible(values)


def _ordinary(probability: Tensor) -> Tensor:
    """Probabilities without numbers too small for normal floats, in place: three in a hundred made products ten times as slow."""
    return probability.clamp_(min=_LEAST_PROBABILITY)


def joined(attention: Attention, join: Callable[[Attention], JoinedAttention]) -> JoinedAttention:
    """The joined weights of an attention, kept until its weights change.

    Args:
        attention: The attention; it is always joined in the same way.
        join: One of the ways of ``JoinedAttention``.
    """
    layers = (attention.query, attention.key, attention.value, attention.out)
    sources = [weight for layer in layers for weight in (layer.weight, layer.bias)]
    return derived(attention, "joined", sources, lambda: join(attention))


def _answer(attention: Attention, *, is_split: bool) -> dict[str, Tensor]:
    """Values and output in one; split, every head has its own answer and its part of the bias."""
    values, bias = _by_head(attention, attention.value)
    out = attention.out.weight.unflatten(1, (attention.num_heads, -1)).permute(1, 2, 0)
    joined = values.transpose(1, 2) @ out
    whole_bias = attention.out.bias + (bias[:, None] @ out).sum(dim=(0, 1))
    if not is_split:
        return {"answer": joined.flatten(0, 1), "answer_bias": whole_bias}
    # the probabilities of a head sum to one
    share = (whole_bias / attention.num_heads).repeat(attention.num_heads)
    return {"answer": joined.transpose(0, 1).flatten(1), "answer_bias": share}


def _by_head(
    attention: Attention, projection: nn.Linear
) -> tuple[Float[Tensor, "h d c"], Float[Tensor, "h d"]]:
    """Weight and bias of a projection, head by head."""
    shape = (attention.num_heads, -1)
    return projection.weight.unflatten(0, shape), projection.bias.unflatten(0, shape)
