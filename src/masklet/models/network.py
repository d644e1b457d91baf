"""What predictors and tracking need of a network, whichever runtime computes it."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor

from masklet.models.bounded_softmax import Compared
from masklet.models.config import ModelConfig
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import ImageFeatures
from masklet.models.prompt_encoder import EncodedPrompts


class Network(Protocol):
    """The calls of SegmentationModel; see there for shapes."""

    @property
    def config(self) -> ModelConfig:
        """What it was built from."""
        ...

    @property
    def device(self) -> torch.device:
        """Where tensors go in and come out."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """The weights by name."""
        ...

    def encode_image(self, pixels: Tensor) -> ImageFeatures:
        """Encode normalised pixels of the model's size."""
        ...

    def no_memory(self, features: Tensor) -> Tensor:
        """Mark features as coming without memory."""
        ...

    def encode_prompts(
        self,
        points_xy: Tensor,
        labels: Tensor,
        mask_logits: Tensor | None = None,
        mask_given: Tensor | None = None,
        carried: Tensor | None = None,
    ) -> EncodedPrompts:
        """Embed prompts."""
        ...

    def decode(self, features: Tensor, skips: tuple[Tensor, Tensor], prompts: EncodedPrompts) -> DecodedMasks:
        """All four mask candidates."""
        ...

    def point_at(self, tokens: Tensor, is_present: Tensor) -> Tensor:
        """The object pointer of a chosen mask token."""
        ...

    def point_at_mask(self, image: ImageFeatures, mask: Tensor) -> Tensor:
        """The object pointer of a given mask."""
        ...

    def write_memory(
        self, image: ImageFeatures, mask_logits: Tensor, is_present: Tensor, is_binary: Tensor
    ) -> Tensor:
        """Encode a frame and its mask as a memory entry."""
        ...

    def looks_of(self, image: ImageFeatures) -> Tensor | None:
        """What memory keeps of a frame whatever the object."""
        ...

    def compare(self, features: Tensor, looks: Tensor, rows: Tensor) -> Compared | None:
        """What ``read_memory`` can do before it needs masks."""
        ...

    def read_memory(self, features: Tensor, memory: MemoryBatch) -> Tensor:
        """Condition features on the memories of each object."""
        ...

    def carry_mask(self, image: ImageFeatures, memory: MemoryBatch) -> Tensor | None:
        """The newest mask of each object where it should be on this frame."""
        ...
