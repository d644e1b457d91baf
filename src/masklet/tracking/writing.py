"""Writing what is remembered of a frame: at once, when it is first read, or in another thread meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from masklet.models.model import ImageFeatures
from masklet.models.network import Network
from masklet.tracking.bank import LateFeatures, MaskScore

STORAGE = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
"""Types in which memory features are stored, by their name in a model's configuration."""
_Work = TypeVar("_Work")


class Beside(Protocol):
    """Works on something in another thread, meanwhile; what it gives back waits for it."""

    def __call__(self, work: Callable[[], _Work], /) -> Callable[[], _Work]:
        """Begin."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """How a frame is remembered.

    Attributes:
        is_prompted: Whether a person prompted it.
        is_late: Whether memory is written when it is first read; until then it holds the features of the frame.
        beside: Writes it in another thread; at once if not given.
    """

    is_prompted: bool
    is_late: bool = False
    beside: Beside | None = None


def write_features(
    network: Network,
    image: ImageFeatures,
    logits: Float[Tensor, "b 1 h w"],
    scores: Sequence[MaskScore],
    how: Writing,
) -> list[Tensor | LateFeatures]:
    """Memory features of a frame, for each object.

    Args:
        network: Writes them.
        image: Features of the frame.
        logits: Masks of the objects at any resolution.
        scores: Whether each is there.
        how: When, and where.
    """
    is_present = torch.tensor([score.is_present for score in scores], device=logits.device)
    is_binary = torch.full((len(scores),), how.is_prompted, device=logits.device)
    storage = STORAGE[network.config.memory_precision]

    def write() -> Tensor:
        return network.write_memory(image, logits, is_present, is_binary).to(storage)

    if how.beside is not None:
        written, num_bytes = how.beside(write), _num_bytes(network)
        return [LateFeatures(lambda row=row: written()[row].clone(), num_bytes) for row in range(len(scores))]
    if how.is_late and len(scores) == 1:
        return [LateFeatures(lambda: write()[0])]
    return [one.clone() for one in write()]


def _num_bytes(network: Network) -> int:
    """Bytes of the memory features of one object on one frame."""
    config = network.config
    return config.memory_channels * config.grid**2 * STORAGE[config.memory_precision].itemsize
