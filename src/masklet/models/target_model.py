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
from jaxtyping import Float
from torch import Tensor, nn

from masklet.models.derived import found_in
from masklet.models.mask_carry import MaskCarry
from masklet.models.memory_batch import MemoryBatch

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
        moments: Float[Tensor, "b d e"],
    ) -> Float[Tensor, "b 1 h8 w8"]:
        """Fit to memory, and score a frame.

        Args:
            coarse: Unit-length keys of the frame at stride 16; may be shared by the batch.
            fine: Unit-length keys of the frame at stride 8; as well.
            moments: What is remembered: the sum over frames of what ``moments_of`` gives.
        """
        num_coarse = coarse.shape[1]
        weights = self._fit(moments, num_coarse)
        # scores are a sum over features, so those of coarse ones can be summed before they are enlarged
        scores = _projected(coarse, weights[:, :num_coarse])
        enlarged = F.interpolate(scores, size=fine.shape[2:], mode="bilinear")
        return enlarged + _projected(fine, weights[:, num_coarse:-1]) + weights[:, -1, None, None, None]

    def _scales(self, num_coarse: int, num_fine: int) -> Float[Tensor, " d"]:
        """By what regression scales the features of a place: both keys, and 1."""
        scales = self.log_scales.exp()
        return torch.cat((scales[:1].expand(num_coarse), scales[1:].expand(num_fine), scales.new_ones(1)))

    def _fit(self, moments: Float[Tensor, "b d e"], num_coarse: int) -> Float[Tensor, "b d"]:
        """Ridge regression to 1 inside the object and -1 outside.

        Returns:
            What features are multiplied with, those of coarse and of fine keys, and what is added.
        """
        scales = self._scales(num_coarse, moments.shape[1] - num_coarse - 1)
        gram = moments[:, :, :-1] * scales[:, None] * scales
        ridge = self.log_ridge.exp() * gram.diagonal(dim1=1, dim2=2).mean(dim=1)
        gram = gram + ridge[:, None, None] * torch.eye(gram.shape[1], device=gram.device)
        return torch.linalg.solve(gram, moments[:, :, -1] * scales) * scales


def moments_of(
    remembered: tuple[Float[Tensor, "#b m k h w"], Float[Tensor, "#b m f h w"], Float[Tensor, "b m h w"]],
    others: Float[Tensor, "b m h w"] | None = None,
) -> Float[Tensor, "b m d e"]:
    """All that regression needs to know of remembered frames, in each of which object and surroundings weigh the same.

    It holds no weights of the model, so what was found for a frame stays true while the frame is remembered.

    Args:
        remembered: Of frames at stride 16: coarse keys, means of fine keys, and the object's share; keys may be shared by
            the batch.
        others: Share of the cells that belongs to objects from which something else tells this one; they do not count,
            neither for it nor against it. None where there are none.

    Returns:
        Weighted products of all pairs of features (both keys, and 1), and beside them those with what is wanted.
    """
    coarse, fine, share = remembered[0], remembered[1], remembered[2].flatten(2).float()
    rest = 1 - share if others is None else (1 - share) * (1 - others.flatten(2))
    inside = share / (share.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
    outside = rest / (rest.sum(dim=2, keepdim=True) + _LEAST_CELLS) / 2
    weight = inside + outside
    # cells of which less than half is the object's count against it: a weak mask's faint surroundings are many
    wanted = 2 * share - 1
    features = [part.flatten(3).transpose(2, 3).float() for part in (coarse, fine)]
    rows = torch.cat((*features, torch.ones_like(features[0][..., :1])), dim=3)
    rows = rows.expand(len(share), -1, -1, -1)
    beside = torch.cat((rows, wanted[..., None]), dim=3)
    # one frame after the other: its rows stay in the processor's cache
    pairs = zip((rows * weight[..., None]).flatten(0, 1), beside.flatten(0, 1), strict=True)
    return torch.stack([one.T @ other for one, other in pairs]).unflatten(0, share.shape[:2])


def recalled(memory: MemoryBatch, carry: MaskCarry, key_dim: int) -> Float[Tensor, "b d e"]:
    """Moments of all that objects remember; what was found in entries that are kept is kept with them.

    Args:
        memory: What they remember.
        carry: Knows how keys and masks were packed.
        key_dim: Channels of the coarse keys, the first ones of an entry.
    """

    def found(entries: Tensor, others: Tensor | None = None) -> Tensor:
        keys, share = carry.unpack(entries, is_shared=memory.is_shared)
        return moments_of((entries[: len(keys), :, :key_dim], keys, share), others)

    if memory.sources is not None and memory.others is None:
        each = [
            torch.stack(
                [found_in(entry, lambda one: found(_laid(one)[None, None])[0, 0]) for entry in own]
            ).sum(dim=0)
            for own in memory.sources
        ]
        return torch.stack(each).to(memory.spatial.device)
    moments = found(memory.spatial, memory.others)
    if memory.spatial_valid is not None:
        moments = moments * memory.spatial_valid[..., None, None]
    return moments.sum(dim=1)


def _laid(entry: Float[Tensor, "c h w"]) -> Float[Tensor, "c h w"]:
    """Places before channels, as entries are written: read from a file they may lie otherwise, and sums would round otherwise."""
    return entry.permute(1, 2, 0).contiguous().permute(2, 0, 1)


def _projected(
    features: Float[Tensor, "#b d h w"], weights: Float[Tensor, "b d"]
) -> Float[Tensor, "b 1 h w"]:
    """Sum of each place's features, each times its weight, in float32."""
    rows = features.flatten(2).transpose(1, 2).float()
    is_shared = len(rows) < len(weights)
    found = weights @ rows[0].T if is_shared else (rows @ weights[..., None])[..., 0]
    return found[:, None].unflatten(2, features.shape[2:])
