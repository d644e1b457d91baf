"""The network with its image encoder in another runtime than torch.

It encodes ahead as torch does, on half of the threads. Milliseconds on two cores (Xeon, AVX-512) for one object: the
encoder takes 35 of 69 in torch, 20 in ONNX Runtime and 22 in OpenVINO; on one core, where others work too, 74 in OpenVINO
and 108 in torch. The mask decoder and the writing of memory (6 and 4 in torch) were tried there too: a frame took as long,
because what one thread pool gains it loses waiting for the other. Memory is read and masks are carried (9 and 6)
slower in ONNX Runtime and no faster in OpenVINO than in torch's fused attention.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from masklet.errors import ConfigError, MissingExtraError
from masklet.export.by_threads import CompiledByThreads
from masklet.export.cache import EncoderCache
from masklet.export.check import check_encoder
from masklet.export.engine import Compiled, Engine
from masklet.export.to_onnx import to_onnx
from masklet.models.bounded_softmax import Compared
from masklet.models.config import ModelConfig
from masklet.models.mask_decoder import DecodedMasks
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import ImageFeatures, SegmentationModel
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

    The image encoder runs there, the rest stays with torch; masks are those of torch to within rounding. Exporting the
    encoder takes a second, once: it is kept in a cache folder.

    Args:
        loaded: A model on the CPU, in float32.
        runtime: "torch" (gives the model back as it is), "onnx" or "openvino".
        num_threads: Threads within one operation; None for as many as torch has whenever an image is encoded.
        cache: Folder of exported encoders; None for one in the user's cache.

    Raises:
        ConfigError: When there is no such runtime, it computes something else than torch, or the model is not on the
            CPU in float32.
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
    network, kept = loaded.model, EncoderCache.of(loaded, cache)

    def compile_for(count: int) -> Compiled:
        return make_engine(runtime, num_threads=count).compile(kept.get(lambda: to_onnx(network)))

    compiled = CompiledByThreads(compile_for) if num_threads is None else compile_for(num_threads)
    check_encoder(network, compiled, engine.name)
    return replace(loaded, model=RuntimeModel(network, compiled), runtime=runtime)


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


class RuntimeModel:
    """A Network whose images are encoded by an engine; everything else stays with torch."""

    def __init__(self, model: SegmentationModel, encode: Compiled) -> None:
        self._model, self._encode = model, encode

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
        """See SegmentationModel.encode_image; images go one by one, for which the engine has prepared itself."""
        images = [self._encode(one) for one in pixels.split(1)]
        return ImageFeatures(*(torch.cat(maps) for maps in zip(*images, strict=True)))

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
        return self._model.decode(features, skips, prompts)

    def point_at(self, tokens: Tensor, is_present: Tensor) -> Tensor:
        """See SegmentationModel.point_at."""
        return self._model.point_at(tokens, is_present)

    def point_at_mask(self, image: ImageFeatures, mask: Tensor) -> Tensor:
        """See SegmentationModel.point_at_mask."""
        return self._model.point_at_mask(image, mask)

    def write_memory(
        self, image: ImageFeatures, mask_logits: Tensor, is_present: Tensor, is_binary: Tensor
    ) -> Tensor:
        """See SegmentationModel.write_memory."""
        return self._model.write_memory(image, mask_logits, is_present, is_binary)

    def looks_of(self, image: ImageFeatures) -> Tensor | None:
        """See SegmentationModel.looks_of."""
        return self._model.looks_of(image)

    def compare(self, features: Tensor, looks: Tensor, rows: Tensor) -> Compared | None:
        """See SegmentationModel.compare."""
        return self._model.compare(features, looks, rows)

    def read_memory(self, features: Tensor, memory: MemoryBatch) -> Tensor:
        """See SegmentationModel.read_memory."""
        return self._model.read_memory(features, memory)

    def carry_mask(self, image: ImageFeatures, memory: MemoryBatch) -> Tensor | None:
        """See SegmentationModel.carry_mask."""
        return self._model.carry_mask(image, memory)
