"""Prompts drawn as small maps, for models too small to learn places from tokens alone.

Source: ours, after click maps in interactive segmentation (Sofiiuk et al. 2021).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from masklet.models import fused

NEAR, FAR = 0.012, 0.05
"""Widths of the bells around a click, as shares of the image's side."""
NUM_MAPS = 7
NUM_CARRIED = 2
"""More maps, where the mask of the frame before is carried over: the mask, and whether there was one."""
NUM_SCORED = 1
"""One more, where a target model scores the places of a frame."""
_LOGIT_SCALE = 4.0
_NEGATIVE, _POSITIVE, _TOP_LEFT, _BOTTOM_RIGHT = 0, 1, 2, 3


class PromptMaps(nn.Module):
    """Bells at clicks, the inside of the box and the mask so far, at strides 4, 8 and 16."""

    centres: Tensor

    def __init__(
        self, hidden_dim: int, skip_dims: tuple[int, int], side: int, *, num_carried: int = 0
    ) -> None:
        super().__init__()
        self.side, self.num_carried = side, num_carried
        self.draw = fused.Conv2d(NUM_MAPS + num_carried, 16, 3, padding=1)
        self.to_skip4 = fused.Conv2d(16, skip_dims[0], 1)
        self.down8 = fused.Conv2d(16, 32, 2, stride=2)
        self.to_skip8 = fused.Conv2d(32, skip_dims[1], 1)
        self.down16 = fused.Conv2d(32, 64, 2, stride=2)
        self.to_dense = fused.Conv2d(64, hidden_dim, 1)
        self.register_buffer(
            "centres", (torch.arange(side, dtype=torch.float32) + 0.5) / side, persistent=False
        )

    def forward(
        self,
        unit_xy: Float[Tensor, "b n 2"],
        labels: Int[Tensor, "b n"],
        mask_logits: Float[Tensor, "b 1 h w"] | None,
        mask_given: Tensor | None,
        carried: Float[Tensor, "b k h w"] | None = None,
    ) -> Float[Tensor, "b d h w"]:
        """Draw prompts given in the unit square, and what memory says of the object where the model carries it.

        Returns:
            What was drawn at stride 4; see ``spread``.
        """
        if carried is not None and mask_logits is None and _is_nothing(labels):
            # a tracked frame: the maps of prompts are blank, so only the others are looked at
            kernel = self.draw.weight[:, NUM_MAPS:].contiguous(memory_format=torch.channels_last)
            return F.gelu(fused.conv(carried.to(kernel.dtype), self.draw, kernel=kernel))
        maps = self._maps(unit_xy, labels, mask_logits, mask_given)
        if self.num_carried:
            blank = maps.new_zeros(len(maps), self.num_carried, self.side, self.side)
            maps = torch.cat((maps, blank if carried is None else carried.to(maps.dtype)), dim=1)
        return F.gelu(self.draw(maps))

    def spread(self, drawn: Float[Tensor, "b d h w"]) -> tuple[Tensor, Tensor, Tensor]:
        """What is added to the stride-4 skip, to the stride-8 skip and to the dense embedding, of what was drawn."""
        middle = F.gelu(self.down8(drawn))
        coarse = F.gelu(self.down16(middle))
        return self.to_skip4(drawn), self.to_skip8(middle), self.to_dense(coarse)

    def _maps(
        self, unit_xy: Tensor, labels: Tensor, mask_logits: Tensor | None, mask_given: Tensor | None
    ) -> Float[Tensor, "b 7 h w"]:
        batch, side = len(unit_xy), self.side
        blank = unit_xy.new_zeros(batch, side, side)
        clicks = [
            self._bells(unit_xy, labels == kind, width)
            for kind in (_POSITIVE, _NEGATIVE)
            for width in (NEAR, FAR)
        ]
        if mask_logits is None:
            mask, flag = blank, blank
        else:
            flag = blank + 1 if mask_given is None else blank + mask_given[:, None, None]
            mask = torch.tanh(mask_logits[:, 0].to(blank) / _LOGIT_SCALE) * flag
        return torch.stack((*clicks, self._boxes(unit_xy, labels), mask, flag), dim=1)

    def _bells(self, unit_xy: Tensor, is_drawn: Tensor, width: float) -> Float[Tensor, "b h w"]:
        offset = self.centres - unit_xy[..., None]
        profile = torch.exp(-offset.square() / (2 * width**2))
        bells = profile[:, :, 1, :, None] * profile[:, :, 0, None, :]
        return (bells * is_drawn[..., None, None]).amax(dim=1)

    def _boxes(self, unit_xy: Tensor, labels: Tensor) -> Float[Tensor, "b h w"]:
        after = self.centres >= unit_xy[..., None]
        first = (after & (labels == _TOP_LEFT)[..., None, None]).any(dim=1)
        before = (~after & (labels == _BOTTOM_RIGHT)[..., None, None]).any(dim=1)
        inside = first & before
        return (inside[:, 1, :, None] & inside[:, 0, None, :]).to(unit_xy.dtype)


def _is_nothing(labels: Int[Tensor, "b n"]) -> bool:
    """Whether no point is a prompt; not asked where the answer would have to be waited for, or gradients are wanted."""
    return labels.device.type == "cpu" and not torch.is_grad_enabled() and not bool((labels >= 0).any())
