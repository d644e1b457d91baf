"""What a batch of objects remembers, as the network reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float, Int
from torch import Tensor

from masklet.models.bounded_softmax import Compared


@dataclass(frozen=True, slots=True)
class MemoryBatch:
    """Padded memories of a batch of objects.

    Attributes:
        spatial: Memory entries (b, m, c, h, w).
        rows: Age row of each entry (b, m): 0 is the frame before, the last row a conditioning frame.
        spatial_valid: False for padding (b, m), or None.
        pointers: Object pointers (b, p, c); p may be 0.
        pointer_ages: Signed frame distance over the pointer span (b, p).
        pointer_valid: False for padding (b, p), or None.
        newest: Slot of each object's newest entry (b,), or None when no mask is to be carried over.
        is_shared: Whether all objects remember the same frames at the same ages: then what comes from the images alone is
            the same for all.
        others: Share of each cell (b, m, h, w) that other objects have, where these exclude each other; else None.
        recency: How much new entries are preferred to old ones by models that read by affinity; 0 as they were trained.
        compared: What ``compare`` found for the same frames; only with recency 0 and without padding.
        sources: The entries of each object, as they are kept from frame to frame and never changed; what was found in them
            is not computed again. None where they are not kept.
    """

    spatial: Float[Tensor, "b m c h w"]
    rows: Int[Tensor, "b m"]
    spatial_valid: Bool[Tensor, "b m"] | None
    pointers: Float[Tensor, "b p d"]
    pointer_ages: Float[Tensor, "b p"]
    pointer_valid: Bool[Tensor, "b p"] | None
    newest: Int[Tensor, " b"] | None = None
    is_shared: bool = False
    others: Float[Tensor, "b m h w"] | None = None
    recency: float = 0.0
    compared: Compared | None = None
    sources: Sequence[Sequence[Float[Tensor, "c h w"]]] | None = None
