"""An answer to clear prompts is decoded again, starting from itself; both together are better than either.

Decoders are trained to take their last answer beside the next click; given it at once, they mend what the clicks alone
left out. It costs one more decoding, beside which an image's encoding is long. Source: ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch

from masklet.models.mask_decoder import DecodedMasks
from masklet.tracking.model_prompt import ModelPrompt

Decode = Callable[[Sequence[int], Sequence[ModelPrompt]], DecodedMasks]
"""Decodes some rows of a batch with other prompts than at first."""


def with_second_thought(
    decoded: DecodedMasks, prompts: Sequence[ModelPrompt], is_clear: Sequence[bool], decode: Decode
) -> DecodedMasks:
    """Means of first and second answers where prompts are clear; the first ones elsewhere.

    Args:
        decoded: First answers, one row per prompt.
        prompts: What was said of each object.
        is_clear: Whether the single mask answers a prompt.
        decode: Decodes these rows again, with these prompts.
    """
    rows = [row for row, is_one in enumerate(is_clear) if is_one]
    if not rows:
        return decoded
    again = [replace(prompts[row], start_logits=decoded.logits[row, 0].float()) for row in rows]
    second = decode(rows, again)
    logits, iou, presence = decoded.logits.clone(), decoded.iou.clone(), decoded.presence.clone()
    at = torch.tensor(rows, device=logits.device)
    logits[at] = (logits[at] + second.logits) / 2
    iou[at] = (iou[at] + second.iou) / 2
    presence[at] = (presence[at] + second.presence) / 2
    return DecodedMasks(logits, iou, presence, decoded.tokens)
