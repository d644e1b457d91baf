"""The model that passes between SAM 2's names, and what their names of configurations mean here."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import torch

from masklet.errors import ConfigError, MismatchedWeightsError
from masklet.models.config import PRESETS, preset, with_widths_of
from masklet.models.model import SegmentationModel
from masklet.models.precision import PrecisionPolicy, choose_device
from masklet.weights.load import LoadedModel, load_model

if TYPE_CHECKING:
    from typing import Self  # Python 3.11; only type checkers read it

_SIZES = {
    "t": "tiny",
    "tiny": "tiny",
    "s": "small",
    "small": "small",
    "b+": "base-plus",
    "base-plus": "base-plus",
    "l": "large",
    "large": "large",
}
_CONFIG_NAME = re.compile(r"(sam2(?:\.1)?)[_-]hiera[_-](.+)")


def preset_of(name: str) -> str:
    """The preset that a configuration file or a repository of the hub stands for.

    Args:
        name: "configs/sam2.1/sam2.1_hiera_t.yaml", "sam2_hiera_l", "facebook/sam2.1-hiera-base-plus", or the name of
            one of our presets.

    Raises:
        ConfigError: When it stands for none.
    """
    if name in PRESETS:
        return name
    stem = re.sub(r"\.ya?ml$", "", PurePosixPath(name.replace("\\", "/")).name)
    found = _CONFIG_NAME.fullmatch(stem)
    size = None if found is None else _SIZES.get(found.group(2).replace("_", "-"))
    if found is None or size is None:
        raise ConfigError(
            f"{name!r} is not a configuration known here; give one like 'configs/sam2.1/sam2.1_hiera_t.yaml' with "
            f"the size t, s, b+ or l, a repository like 'facebook/sam2.1-hiera-tiny', or one of {', '.join(PRESETS)}."
        )
    return f"{found.group(1)}-{size}"


class Sam2Model:
    """What ``build_sam2`` returns: a loaded model with the few attributes that existing code asks for."""

    def __init__(self, loaded: LoadedModel) -> None:
        self.loaded = loaded

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return self.loaded.device

    @property
    def image_size(self) -> int:
        """Side of the square input in pixels."""
        return self.loaded.config.image_size

    def eval(self) -> Self:
        """Itself; it is always in evaluation mode."""
        return self

    def to(self, device: str | torch.device) -> Self:
        """Itself, moved to a device.

        Raises:
            ConfigError: When the device is not there.
        """
        place, network = choose_device(str(device)), self.loaded.model
        if not isinstance(network, SegmentationModel):
            raise ConfigError("This model is computed by another runtime and cannot be moved; load it again.")
        self.loaded = replace(
            self.loaded,
            model=network.to(place),
            device=place,
            precision=PrecisionPolicy.choose(place),
        )
        return self


def load(
    config_file: str,
    ckpt_path: str | None,
    device: str | torch.device | None,
    *,
    image_size: int | None = None,
    answers_when_unstable: bool = True,
) -> LoadedModel:
    """Load the model that a configuration file and a checkpoint stand for.

    Args:
        config_file: What ``preset_of`` takes.
        ckpt_path: A checkpoint; None for the weights that belong to the configuration.
        device: A device; None for the best that is there.
        image_size: Side of the input in pixels; None for the usual one.
        answers_when_unstable: Whether an unstable single mask gives way to the best of three.

    Raises:
        ConfigError: When the configuration or the device is not known.
        MismatchedWeightsError: When the checkpoint is of another configuration.
        WeightsError: When the checkpoint cannot be read.
    """
    name = preset_of(config_file)
    loaded = load_model(ckpt_path or name, device=str(device or "auto"), image_size=image_size)
    usual = with_widths_of(loaded.config, preset(name).resized(loaded.config.image_size))
    if replace(loaded.config, name=usual.name) != usual:
        raise MismatchedWeightsError(
            f"The checkpoint {ckpt_path!r} is of {loaded.config.name}, but {config_file!r} stands for {name}; "
            "give the configuration that belongs to the checkpoint."
        )
    if answers_when_unstable or not isinstance(loaded.model, SegmentationModel):
        return loaded
    config = replace(loaded.config, least_stability=0.0)
    loaded.model.config = config
    return replace(loaded, config=config)
