"""The heavy calls of the network as graphs of tensors only, with names and free axes for inputs and outputs.

CPU milliseconds on one core, one object, in torch, ONNX Runtime and OpenVINO: encode 88, 42, 34; decode 10.5, 6.9, 7.8;
remember 6.2, 4.5, 5.3. What is not here gains nothing: torch reads memory and carries masks in one fused kernel of
attention (16 and 9, against 26 and 34 in ONNX Runtime, 15 and 8 in OpenVINO) and embeds prompts about as fast (2.8,
against 2.5 and 4.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from masklet.models.model import ImageFeatures, SegmentationModel
from masklet.models.prompt_encoder import EncodedPrompts

GraphName = Literal["encode", "decode", "remember"]
Axes = Mapping[int, str]
"""Names of the axes whose length may vary, by index."""

_OBJECTS: Axes = {0: "objects"}
_IMAGES: Axes = {0: "images"}
_POINTS: Axes = {0: "objects", 1: "points"}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """One call of the network, ready to be exported.

    Attributes:
        name: Which call.
        module: Computes it from tensors alone.
        inputs: Free axes of each input by its name, in order.
        outputs: Free axes of each output by its name, in order.
        example: One tensor per input; two objects share an image, so that the two lengths are told apart.
    """

    name: GraphName
    module: nn.Module
    inputs: Mapping[str, Axes]
    outputs: Mapping[str, Axes]
    example: tuple[Tensor, ...]


class _Encode(nn.Module):
    def __init__(self, model: SegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        image = self.model.encode_image(pixels)
        return image.features, image.skip4, image.skip8


class _Decode(nn.Module):
    def __init__(self, model: SegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self,
        features: Tensor,
        skip4: Tensor,
        skip8: Tensor,
        tokens: Tensor,
        valid: Tensor,
        dense: Tensor,
        *fine: Tensor,
    ) -> tuple[Tensor, ...]:
        drawn = (fine[0], fine[1]) if fine else None
        decoded = self.model.decode(features, (skip4, skip8), EncodedPrompts(tokens, valid, dense, drawn))
        return decoded.logits, decoded.iou, decoded.presence, decoded.tokens


class _Remember(nn.Module):
    def __init__(self, model: SegmentationModel) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, features: Tensor, skip8: Tensor, logits: Tensor, present: Tensor, binary: Tensor
    ) -> Tensor:
        # OpenVINO 2026.4 adds one shared row to rows of an open number wrongly, so the image is repeated first
        features = features.expand(logits.shape[0], -1, -1, -1)
        return self.model.write_memory(ImageFeatures(features, skip8, skip8), logits, present, binary)


def make_graph(model: SegmentationModel, name: GraphName) -> Graph:
    """The graph of one call.

    Args:
        model: The network, on the CPU, in float32.
        name: Which call.
    """
    makers = {"encode": _encode_graph, "decode": _decode_graph, "remember": _remember_graph}
    return makers[name](model)


def _encode_graph(model: SegmentationModel) -> Graph:
    side = model.config.image_size
    return Graph(
        name="encode",
        module=_Encode(model).eval(),
        inputs={"pixels": _IMAGES},
        outputs={"features": _IMAGES, "skip4": _IMAGES, "skip8": _IMAGES},
        example=(_noise(1, 3, side, side),),
    )


def _decode_graph(model: SegmentationModel) -> Graph:
    dim, (dim4, dim8) = model.config.hidden_dim, model.config.skip_dims
    grid = model.config.grid
    inputs = {"features": _OBJECTS, "skip4": _IMAGES, "skip8": _IMAGES, "tokens": _POINTS, "valid": _POINTS}
    inputs |= {"dense": _OBJECTS}
    example = (
        _noise(2, dim, grid, grid),
        _noise(1, dim4, 4 * grid, 4 * grid),
        _noise(1, dim8, 2 * grid, 2 * grid),
        _noise(2, 3, dim),
        torch.tensor([[True, True, True], [True, False, True]]),
        _noise(2, dim, grid, grid),
    )
    if model.config.has_prompt_maps:
        inputs |= {"fine4": _OBJECTS, "fine8": _OBJECTS}
        example = (*example, _noise(2, dim4, 4 * grid, 4 * grid), _noise(2, dim8, 2 * grid, 2 * grid))
    return Graph(
        name="decode",
        module=_Decode(model).eval(),
        inputs=inputs,
        outputs={"logits": _OBJECTS, "iou": _OBJECTS, "presence": _OBJECTS, "mask_tokens": _OBJECTS},
        example=example,
    )


def _remember_graph(model: SegmentationModel) -> Graph:
    config = model.config
    grid, side = config.grid, config.image_size // config.memory_encoder.mask_stride
    inputs = {"features": _IMAGES, "skip8": _IMAGES, "logits": _OBJECTS, "present": _OBJECTS}
    return Graph(
        name="remember",
        module=_Remember(model).eval(),
        inputs=inputs | {"binary": _OBJECTS},
        outputs={"memory": _OBJECTS},
        example=(
            _noise(1, config.hidden_dim, grid, grid),
            _noise(1, config.skip_dims[1], 2 * grid, 2 * grid),
            4 * _noise(2, 1, side, side),
            torch.tensor([True, False]),
            torch.tensor([False, True]),
        ),
    )


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(sum(shape)))
