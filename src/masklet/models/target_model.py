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
        weights = self._fit(self._columns(*remembered[:2]), share, apart, valid)
        enlarged = F.interpolate(coarse, size=fine.shape[2:], mode="bilinear")
        columns = self._columns(enlarged[:, None], fine[:, None])
        return _sums(columns, weights)[:, None].unflatten(2, fine.shape[2:])

    def _columns(
        self, coarse: Float[Tensor, "b m k h w"], fine: Float[Tensor, "b m f h w"]
    ) -> Float[Tensor, "b d n"]:
        """What regression sees of each place of all frames: both keys, scaled, and 1."""
        scales = self.log_scales.exp()
        parts = (coarse * scales[0], fine * scales[1], torch.ones_like(coarse[:, :, :1]))
        return torch.cat(parts, dim=2).float().transpose(1, 2).flatten(2)

    def _fit(
        self,
        columns: Float[Tensor, "#b d mn"],
        share: Float[Tensor, "b m n"],
        others: Float[Tensor, "b m n"] | None,
        valid: Bool[Tensor, "b m"] | None,
    ) -> Float[Tensor, "b d"]:
        """Ridge regression to 1 inside the object and -1 outside; in every frame both weigh the same."""
        rest = 1 - share if others is None else (1 - share) * (1 - others)
        inside = share / (share.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
        outside = rest / (rest.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
        weight = inside + outside
        if valid is not None:
            weight = weight * valid[..., None]
        # cells of which less than half is the object's count against it: a weak mask's faint surroundings are many
        wanted = (weight * (2 * share - 1)).flatten(1)
        gram = _weighted_gram(columns, weight.flatten(1))
        ridge = self.log_ridge.exp() * gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        gram = gram + ridge[:, None, None] * torch.eye(gram.shape[1], device=gram.device)
        return torch.linalg.solve(gram, _sums(columns.transpose(1, 2), wanted))


def _sums(columns: Float[Tensor, "#b d n"], factors: Float[Tensor, "b d"]) -> Float[Tensor, "b n"]:
    """Sums of the columns' rows, each with its factor; columns may be shared by the batch."""
    if len(columns) == len(factors):
        return (factors[:, None] @ columns)[:, 0]
    return factors @ columns[0]


def _weighted_gram(columns: Float[Tensor, "#b d n"], weight: Float[Tensor, "b n"]) -> Float[Tensor, "b d d"]:
    """Products of all pairs of rows of the columns, weighted; of shared columns in one product for all weights."""
    if len(columns) == len(weight):
        return (columns * weight[:, None]) @ columns.transpose(1, 2)
    only = columns[0]
    weighted = (only * weight[:, None]).flatten(0, 1)
    return (weighted @ only.T).unflatten(0, (len(weight), -1))
