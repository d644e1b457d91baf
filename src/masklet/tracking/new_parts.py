"""Parts of a tracked mask that appear apart from where the object should be are something else that looks like it.

A small model finds both of two like cups wherever memory shows one, and what it found once it remembers. Where the last
mask should be now is known from the frames themselves (see MaskCarry); a part of the new mask that does not lie near it
came from what was background a moment ago. Source: ours.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
import torch
from torch import Tensor

from masklet.masks.morphology import grown

_CARRIED = 0.5
"""Share from which a cell counts as one of the last mask's."""
_REACH = 0.2
"""How far new parts may lie from these cells, as a share of the root of their number; at least one cell."""
_SIZE_WEIGHT = 0.3
_EDGE_LOGIT, _APART_LOGIT = -0.5, -2.0


def without_new_parts(logits: Tensor, carried: Tensor) -> Tensor:
    """Switch off the parts of masks that lie apart from where the last mask should be.

    Of an object that was not there on the last frame the most likely part stays, by its best score and by its size. A
    mask of which no part lies near stays as it is.

    Args:
        logits: Mask logits (b, h4, w4).
        carried: The last masks where they should be now, and the scores of the target model: see
            ``SegmentationModel.carry_mask`` (b, 3, h4, w4).

    Returns:
        The logits; those that lose nothing are the same.
    """
    rows = [_without(one, maps) for one, maps in zip(logits, carried, strict=True)]
    return torch.stack(rows)


def _without(logits: Tensor, carried: Tensor) -> Tensor:
    is_on = (logits > 0).cpu().numpy()
    count, parts = cv2.connectedComponents(is_on.astype(np.uint8), connectivity=8)
    if count <= 2:
        return logits
    share, was_there, scores = carried.float().cpu().numpy()
    if was_there.any():
        core = share > 2 * _CARRIED - 1
        near = np.unique(parts[grown(core, max(1, int(_REACH * math.sqrt(core.sum()))))])
        wanted = set(near.tolist()) - {0}
    else:
        wanted = {max(range(1, count), key=lambda part: _likeliness(scores[parts == part]))}
    if not wanted or len(wanted) == count - 1:
        return logits
    kept = np.isin(parts, list(wanted))
    # step by step, because smooth enlarging overshoots beside a cliff
    off, far = (torch.from_numpy(~grown(kept, by)).to(logits.device) for by in (1, 2))
    falling = torch.where(off, logits.clamp(max=_EDGE_LOGIT), logits)
    return torch.where(far, falling.clamp(max=_APART_LOGIT), falling)


def _likeliness(scores: np.ndarray) -> float:
    return float(scores.max()) + _SIZE_WEIGHT * math.log(scores.size)
