"""From a name or a path to a model that is ready to use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from masklet.errors import DamagedWeightsError, UnknownModelError
from masklet.models.allocator import keep_freed_memory
from masklet.models.config import PRESETS, ModelConfig, preset
from masklet.models.model import SegmentationModel, build
from masklet.models.network import Network
from masklet.models.precision import PrecisionName, PrecisionPolicy, choose_device
from masklet.weights.card import WeightsCard, file_sha256, read_card
from masklet.weights.read import ReadWeights, read_weights
from masklet.weights.registry import SOURCES, WeightsSource

_RANDOM_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model with its weights, on its device, and what they are.

    Attributes:
        model: The network, in evaluation mode, weights in float32.
        config: What it was built from.
        device: Where it is.
        precision: In what its heavy operations run.
        name: The preset, or the name in the file's configuration.
        weights_sha256: Checksum of the weights file; None for random weights.
        runtime: What computes the network; "torch" unless ``accelerate`` changed it.
    """

    model: Network
    config: ModelConfig
    device: torch.device
    precision: PrecisionPolicy
    name: str
    weights_sha256: str | None
    runtime: str = "torch"


class _KeepUnset(TorchFunctionMode):
    """Skips random initialisation, which takes ten seconds for the largest model and is overwritten anyway."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: tuple[type, ...],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> object:
        """Return the tensor as it is for functions of torch.nn.init; run all others."""
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


def build_empty(config: ModelConfig) -> SegmentationModel:
    """Build a model whose weights are not set; every one must be loaded before use."""
    with _KeepUnset():
        return build(config)


def load_model(
    name_or_path: str | Path = "compact",
    *,
    device: str = "auto",
    precision: PrecisionName = "auto",
    image_size: int | None = None,
) -> LoadedModel:
    """Load a model by name or from a file.

    Args:
        name_or_path: A preset ("compact", "sam2.1-tiny", ...), a file masklet saved, a published ``.pt``, or a file
            or folder that transformers wrote. A preset's name is never taken for a path.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps".
        precision: In what heavy operations run; "auto" is bfloat16 where it is fast, else float32.
        image_size: Side of the square input, a multiple of 32; None for the one the weights were made for.

    Raises:
        UnknownModelError: When it is neither a preset nor a file.
        DownloadError: When published weights are not in the cache and cannot be fetched.
        DamagedWeightsError: When the bytes are wrong; says which.
        MismatchedWeightsError: When names or shapes do not fit; names them.
        ConfigError: When the device is not there or the size is not a multiple of 32.
    """
    place = choose_device(device)
    if place.type == "cpu":
        keep_freed_memory()
    policy = PrecisionPolicy.choose(place, precision)
    name = str(name_or_path)
    if name in PRESETS:
        weights, sha256 = _preset_weights(SOURCES[name])
    else:
        weights, sha256 = _file_weights(Path(name_or_path))
    config = preset(name) if weights is None else weights.config
    if image_size is not None:
        config = config.resized(image_size)
    if weights is None:
        model = build(config, seed=_RANDOM_SEED)
    else:
        model = build_empty(config)
        weights.fill(model)
    return LoadedModel(
        model=model.to(place).eval(),
        config=config,
        device=place,
        precision=policy,
        name=config.name,
        weights_sha256=sha256,
    )


def _preset_weights(source: WeightsSource) -> tuple[ReadWeights | None, str | None]:
    if source.kind == "random":
        return None, None
    if source.kind == "hub":
        # the hub's client is slow to import, and embedded weights do without
        from masklet.weights.download import fetch

        fetched = fetch(source)
        return read_weights(fetched.path), fetched.sha256
    with resources.as_file(resources.files("masklet.weights") / "embedded") as folder:
        return read_embedded(folder / source.file)


def read_embedded(path: Path) -> tuple[ReadWeights, str]:
    """Weights that lie in the package, held to the checksum in their card.

    Raises:
        DamagedWeightsError: When they are missing or are not those of the card.
    """
    if not path.is_file():
        raise DamagedWeightsError(
            f"The embedded weights {path} are missing from this installation; reinstall masklet."
        )
    card, sha256 = read_card(path), file_sha256(path)
    if sha256 != card.sha256:
        raise DamagedWeightsError(
            f"The embedded weights {path} have the checksum {sha256[:12]}... but their card says "
            f"{card.sha256[:12]}...; reinstall masklet."
        )
    return read_weights(path), sha256


def embedded_card(name: str = "compact") -> WeightsCard:
    """The card of embedded weights, without reading the weights.

    Raises:
        DamagedWeightsError: When it is missing or unreadable.
    """
    with resources.as_file(resources.files("masklet.weights") / "embedded") as folder:
        return read_card(folder / SOURCES[name].file)


def _file_weights(path: Path) -> tuple[ReadWeights, str]:
    if not path.exists():
        raise UnknownModelError(
            f"There is no model or file {str(path)!r}; the models are {', '.join(PRESETS)}, or pass the path of a "
            "checkpoint."
        )
    weights = read_weights(path)
    return weights, file_sha256(weights.path)
