"""What tells an object from its surroundings, learned from its memory anew on every frame.

Affinity asks which remembered place a place looks most like, and goes wrong where the object and what is beside it look
alike in most respects. Ridge regression from the keys of remembered frames to their masks finds the few respects in which
they differ; it has a closed form and costs a few milliseconds. Source: ours, after target models fitted while tracking
(Robinson et al. 2020; Bhat et al. 2020).
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

_INITIAL_SCALE = 8.0
_INITIAL_RIDGE = 0.1
_INITIAL_STRENGTH = 3.0
_INITIAL_EVIDENCE, _INITIAL_DOUBT = 3.0, 0.5
_TELLING_CELLS = 16
"""So many cells of stride 4, those of the highest scores, say whether the object is there."""
_LEAST_CELLS = 0.25
"""Weight of object and surroundings is shared by their cells, but never by fewer than this: slivers are not trusted."""


class TargetModel(nn.Module):
    """Scores places of a frame: towards 1 where they look like the object, towards -1 where they look like the rest."""

    def __init__(self) -> None:
        super().__init__()
        self.log_scales = nn.Parameter(torch.full((2,), math.log(_INITIAL_SCALE)))
        self.log_ridge = nn.Parameter(torch.tensor(math.log(_INITIAL_RIDGE)))
        self.log_strength = nn.Parameter(torch.tensor(math.log(_INITIAL_STRENGTH)))

        self.log_evidence = nn.Parameter(torch.tensor(math.log(_INITIAL_EVIDENCE)))
        self.doubt = nn.Parameter(torch.tensor(_INITIAL_DOUBT))

    @property
    def strength(self) -> Tensor:
        """How much a score counts among the logits of a mask."""
        return self.log_strength.exp()

    def presence_of(self, scores: Float[Tensor, "b 1 h4 w4"]) -> Float[Tensor, " b"]:
        """What scores add to the presence logit: whether any place looks like the object at all."""
        best = scores.flatten(1).topk(_TELLING_CELLS, dim=1).values.mean(dim=1)
        return self.log_evidence.exp() * (best - self.doubt)

    def forward(
        self,
        coarse: Float[Tensor, "#b k h w"],
        fine: Float[Tensor, "#b f h8 w8"],
        remembered: tuple[Float[Tensor, "#b m k h w"], Float[Tensor, "#b m f h w"], Float[Tensor, "b m h w"]],
        valid: Bool[Tensor, "b m"] | None,
        others: Float[Tensor, "b m h w"] | None = None,
    ) -> Float[Tensor, "b 1 h8 w8"]:
        """Fit to memory, and score a frame.

        Args:
            coarse: Unit-length keys of the frame at stride 16; may be shared by the batch.
            fine: Unit-length keys of the frame at stride 8; as well.
            remembered: Of remembered frames at stride 16: coarse keys, means of fine keys, and the object's share; keys
                may be shared by the batch.
            valid: False for padding entries.
            others: Share of the cells that belongs to objects from which something else tells this one; they do not count,
                neither for it nor against it. None where there are none.
        """
        share, apart = remembered[2].flatten(2).float(), None if others is None else others.flatten(2)
        weights = self._fit(_rows_of(*remembered[:2]), share, apart, valid)
        num_coarse = coarse.shape[1]
        # scores are a sum over features, so those of coarse ones can be summed before they are enlarged
        scores = _projected(coarse, weights[:, :num_coarse])
        enlarged = F.interpolate(scores, size=fine.shape[2:], mode="bilinear")
        return enlarged + _projected(fine, weights[:, num_coarse:-1]) + weights[:, -1, None, None, None]

    def _scales(self, num_coarse: int, num_fine: int) -> Float[Tensor, " d"]:
        """By what regression scales the features of a place: both keys, and 1."""
        scales = self.log_scales.exp()
        return torch.cat((scales[:1].expand(num_coarse), scales[1:].expand(num_fine), scales.new_ones(1)))

    def _fit(
        self,
        features: tuple[Float[Tensor, "#b mn k"], Float[Tensor, "#b mn f"]],
        share: Float[Tensor, "b m n"],
        others: Float[Tensor, "b m n"] | None,
        valid: Bool[Tensor, "b m"] | None,
    ) -> Float[Tensor, "b d"]:
        """Ridge regression to 1 inside the object and -1 outside; in every frame both weigh the same.

        Returns:
            What features are multiplied with, those of coarse and of fine keys, and what is added.
        """
        rest = 1 - share if others is None else (1 - share) * (1 - others)
        inside = share / (share.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
        outside = rest / (rest.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
        weight = inside + outside
        if valid is not None:
            weight = weight * valid[..., None]
        # cells of which less than half is the object's count against it: a weak mask's faint surroundings are many
        wanted = (weight * (2 * share - 1)).flatten(1)
        coarse, fine = features
        rows = torch.cat((coarse, fine, torch.ones_like(fine[..., :1])), dim=2).float()
        scales = self._scales(coarse.shape[2], fine.shape[2])
        gram = _weighted_gram(rows, weight.flatten(1)) * scales[:, None] * scales
        ridge = self.log_ridge.exp() * gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        gram = gram + ridge[:, None, None] * torch.eye(gram.shape[1], device=gram.device)
        return torch.linalg.solve(gram, _sums(rows, wanted) * scales) * scales


def _rows_of(
    coarse: Float[Tensor, "b m k h w"], fine: Float[Tensor, "b m f h w"]
) -> tuple[Float[Tensor, "b mhw k"], Float[Tensor, "b mhw f"]]:
    """Features of the places of all frames."""
    return (
        coarse.flatten(3).transpose(2, 3).flatten(1, 2),
        fine.flatten(3).transpose(2, 3).flatten(1, 2),
    )


def _projected(
    features: Float[Tensor, "#b d h w"], weights: Float[Tensor, "b d"]
) -> Float[Tensor, "b 1 h w"]:
    """Sum of each place's features, each times its weight, in float32."""
    rows = features.flatten(2).transpose(1, 2).float()
    is_shared = len(rows) < len(weights)
    found = weights @ rows[0].T if is_shared else (rows @ weights[..., None])[..., 0]
    return found[:, None].unflatten(2, features.shape[2:])


def _sums(rows: Float[Tensor, "#b n d"], factors: Float[Tensor, "b n"]) -> Float[Tensor, "b d"]:
    """Sums of the rows, each times its factor; rows may be shared by the batch."""
    if len(rows) == len(factors):
        return (factors[:, None] @ rows)[:, 0]
    return factors @ rows[0]


def _weighted_gram(rows: Float[Tensor, "#b n d"], weight: Float[Tensor, "b n"]) -> Float[Tensor, "b d d"]:
    """Products of all pairs of columns, weighted; one object after the other, whose rows stay in the processor's cache."""
    shared = rows.expand(len(weight), -1, -1)
    products = [(one * own[:, None]).T @ one for one, own in zip(shared, weight, strict=True)]
    return torch.stack(products)
