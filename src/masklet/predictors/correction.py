"""What a prompt on a frame starts from: nothing, the mask tracked there, or what was said there before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor

from masklet.prompts import PromptSet
from masklet.tracking.bank import MemoryBank
from masklet.tracking.state import ObjectState


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a prompt builds on.

    Attributes:
        bank: Memory of the object; empty for a first word.
        start: The mask to start from (h4, w4), or None.
        is_backward: Whether the memory is of later frames.
    """

    bank: MemoryBank = field(default_factory=MemoryBank)
    start: Tensor | None = None
    is_backward: bool = False


def ground_of(
    state: ObjectState,
    frame: int,
    prompts: PromptSet,
    *,
    bank_at: Callable[[int, bool], MemoryBank],
    logits_of: Callable[[int], Tensor],
) -> Ground:
    """What a prompt that is not a whole mask builds on.

    Args:
        state: The object.
        frame: The frame that is prompted.
        prompts: All that is now said on it.
        bank_at: The memory that tracking had when it reached a frame; told whether it came against time.
        logits_of: The decoder's logits of a result.
    """
    known = state.results.get(frame)
    if known is None:
        return Ground()
    if not known.is_prompted:
        bank = bank_at(frame, known.is_backward)
        return Ground(bank=bank, start=logits_of(frame), is_backward=known.is_backward)
    earlier = state.prompts.get(frame)
    if earlier is None:  # a mask that was drawn elsewhere: nothing was said here that could be extended
        return Ground()
    is_extended = prompts.clicks[: len(earlier.clicks)] == earlier.clicks and prompts.box == earlier.box
    if not is_extended or prompts.mask is not None:
        return Ground()
    is_backward = state.approach_to(frame, 0).is_backward
    others = bank_at(frame, is_backward).without(frame)
    return Ground(bank=others, start=logits_of(frame), is_backward=is_backward)
