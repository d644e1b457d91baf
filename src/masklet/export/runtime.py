"""The network with its heavy calls in another runtime than torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import Tensor

from masklet.errors import ConfigError, MissingExtraError
from masklet.export.cache import GraphCache
from masklet.export.check import check_graph
from masklet.export.engine import Compiled, Engine
from masklet.export.to_onnx import to_onnx
from masklet.export.wrappers import GraphName, make_graph
from masklet.models.config import ModelConfig
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.model import ImageFeatures, MemoryBatch, SegmentationModel, resize_logits
from masklet.models.prompt_encoder import EncodedPrompts
from masklet.weights.load import LoadedModel

PACKAGES: Mapping[str, tuple[str, ...]] = {
    "torch": (),
    "onnx": ("onnx", "onnxruntime"),
    "openvino": ("onnx", "openvino"),
}
"""The packages each runtime needs beside torch; the extra that installs them has the runtime's name."""


def accelerate(
    loaded: LoadedModel, runtime: str, *, num_threads: int | None = None, cache: Path | None = None
) -> LoadedModel:
    """The same model in another runtime, for predictors to use in its place.

    Calls of the network are compiled when they are first used, which takes a second or two; exported graphs are kept
    in a cache folder. Masks are those of torch to within rounding.

    Args:
        loaded: A model on the CPU, in float32.
        runtime: "torch" (gives the model back as it is), "onnx" or "openvino".
        num_threads: Threads within one operation; None for as many as torch uses.
        cache: Folder of exported graphs; None for one in the user's cache.

    Raises:
        ConfigError: When there is no such runtime, or the model is not on the CPU in float32.
        MissingExtraError: When a package of the runtime is not installed.
    """
    if runtime == "torch":
        return loaded
    engine = make_engine(runtime, num_threads=num_threads or torch.get_num_threads())
    if not isinstance(loaded.model, SegmentationModel):
        raise ConfigError(
            f"The model {loaded.name!r} already runs in {loaded.runtime!r}; accelerate the one that was loaded."
        )
    if loaded.device.type != "cpu" or loaded.precision.dtype != torch.float32:
        raise ConfigError(
            f"The runtime {runtime!r} takes a float32 model on the CPU, got {loaded.precision.dtype} on "
            f"{loaded.device}; load it for the device 'cpu' or use the runtime 'torch'."
        )
    graphs = CompiledGraphs(loaded.model, engine, GraphCache.of(loaded, cache))
    return replace(loaded, model=RuntimeModel(loaded.model, graphs), runtime=runtime)


def make_engine(runtime: str, *, num_threads: int) -> Engine:
    """The engine of a runtime other than torch.

    Args:
        runtime: "onnx" or "openvino".
        num_threads: Threads within one operation.

    Raises:
        ConfigError: When there is no such runtime.
        MissingExtraError: When one of its packages is not installed.
    """
    if not PACKAGES.get(runtime):
        raise ConfigError(f"There is no runtime {runtime!r}; the runtimes are {', '.join(PACKAGES)}.")
    missing = [package for package in PACKAGES[runtime] if find_spec(package) is None]
    if missing:
        raise MissingExtraError(
            f"The runtime {runtime!r} needs {' and '.join(missing)}, which cannot be found; "
            f"run: pip install 'masklet[{runtime}]'."
        )
    if runtime == "onnx":
        from masklet.export.onnx_engine import OnnxEngine

        return OnnxEngine(num_threads=num_threads)
    from masklet.export.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(num_threads=num_threads)


class CompiledGraphs:
    """Graphs of one network in one engine, compiled when they are first asked for."""

    def __init__(self, model: SegmentationModel, engine: Engine, cache: GraphCache) -> None:
        self._model, self._engine, self._cache = model, engine, cache
        self._compiled: dict[GraphName, tuple[tuple[str, ...], Compiled]] = {}
        self._lock = Lock()

    def run(self, name: GraphName, *inputs: Tensor) -> tuple[Tensor, ...]:
        """Compute a call.

        Args:
            name: Which.
            inputs: The inputs of its graph, in order.

        Raises:
            ConfigError: When the engine turns out to compute it otherwise than torch.
        """
        with self._lock:
            if name not in self._compiled:
                self._compiled[name] = self._compile(name)
        names, compiled = self._compiled[name]
        return compiled(dict(zip(names, inputs, strict=True)))

    def _compile(self, name: GraphName) -> tuple[tuple[str, ...], Compiled]:
        graph = make_graph(self._model, name)
        compiled = self._engine.compile(self._cache.get(name, lambda: to_onnx(graph)))
        check_graph(graph, compiled, self._engine.name)
        return tuple(graph.inputs), compiled


class RuntimeModel:
    """A Network whose heavy calls run in an engine; the others stay with torch."""

    def __init__(self, model: SegmentationModel, graphs: CompiledGraphs) -> None:
        self._model, self._graphs = model, graphs

    @property
    def config(self) -> ModelConfig:
        """What it was built from."""
        return self._model.config

    @property
    def device(self) -> torch.device:
        """The CPU."""
        return self._model.device

    def state_dict(self) -> dict[str, Any]:
        """The weights by name."""
        return self._model.state_dict()

    def encode_image(self, pixels: Tensor) -> ImageFeatures:
        """See SegmentationModel.encode_image."""
        return ImageFeatures(*self._graphs.run("encode", pixels))

    def no_memory(self, features: Tensor) -> Tensor:
        """See SegmentationModel.no_memory."""
        return self._model.no_memory(features)

    def encode_prompts(
        self,
        points_xy: Tensor,
        labels: Tensor,
        mask_logits: Tensor | None = None,
        mask_given: Tensor | None = None,
        carried: Tensor | None = None,
    ) -> EncodedPrompts:
        """See SegmentationModel.encode_prompts."""
        return self._model.encode_prompts(points_xy, labels, mask_logits, mask_given, carried)

    def decode(self, features: Tensor, skips: tuple[Tensor, Tensor], prompts: EncodedPrompts) -> DecodedMasks:
        """See SegmentationModel.decode."""
        valid = prompts.valid
        if valid is None:
            valid = torch.ones(prompts.tokens.shape[:2], dtype=torch.bool)
        inputs = (features, *skips, prompts.tokens, valid, prompts.dense, *(prompts.fine or ()))
        return DecodedMasks(*self._graphs.run("decode", *inputs))

    def point_at(self, tokens: Tensor, is_present: Tensor) -> Tensor:
        """See SegmentationModel.point_at."""
        return self._model.point_at(tokens, is_present)

    def point_at_mask(self, image: ImageFeatures, mask: Tensor) -> Tensor:
        """See SegmentationModel.point_at_mask."""
        return self._model.point_at_mask(image, mask)

    def write_memory(
        self, image: ImageFeatures, mask_logits: Tensor, is_present: Tensor, is_binary: Tensor
    ) -> Tensor:
        """See SegmentationModel.write_memory; masks of another size are resized here, which is no ONNX operator."""
        side = self.config.image_size // self.config.memory_encoder.mask_stride
        logits = resize_logits(mask_logits, side)
        return self._graphs.run("remember", image.features, image.skip8, logits, is_present, is_binary)[0]

    def read_memory(self, features: Tensor, memory: MemoryBatch) -> Tensor:
        """See SegmentationModel.read_memory."""
        return self._model.read_memory(features, memory)

    def carry_mask(self, image: ImageFeatures, memory: MemoryBatch) -> Tensor | None:
        """See SegmentationModel.carry_mask."""
        return self._model.carry_mask(image, memory)
