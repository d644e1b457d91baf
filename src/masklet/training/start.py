"""Where a run's weights come from: nothing, a public backbone, or a file of ours."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from masklet.errors import MismatchedWeightsError, TrainingError
from masklet.models.model import SegmentationModel
from masklet.models.prompt_maps import NUM_CARRIED, NUM_MAPS, NUM_SCORED
from masklet.training.config import TrainingConfig
from masklet.training.loop import build_for
from masklet.weights.load import load_model
from masklet.weights.mobilenet import load_mobilenet

_DRAWN = "prompt_encoder.maps.draw.weight"
_NEWER = ("carry.", "target.")


def start_weights(config: TrainingConfig, path: Path | None) -> SegmentationModel:
    """The model of a run with the weights it starts from.

    Args:
        config: The run.
        path: A file that masklet saved, or a MobileNetV2 backbone; None for seeded random weights.

    Raises:
        TrainingError: When the file is neither.
    """
    model = build_for(config)
    if path is None:
        return model
    if not path.is_file():
        raise TrainingError(f"There are no starting weights at {path}; give a safetensors file.")
    try:
        load_mobilenet(model, path)
    except MismatchedWeightsError:
        loaded = load_model(path, device="cpu", image_size=config.side)
        model = build_for(config, widths=loaded.config)
        model.load_state_dict(adopted(model.state_dict(), loaded.model.state_dict()))
    return model


def adopted(fresh: Mapping[str, Tensor], trained: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Trained weights in the shape of a newer model: parts it does not know start fresh.

    The maps of a carried mask, which older files lack, start as the maps of a given mask; the map of a target model's
    scores starts without effect.

    Args:
        fresh: Weights of the model to be trained.
        trained: Weights of the file.

    Raises:
        TrainingError: When the two differ in more than that.
    """
    weights = {name: trained.get(name, value) for name, value in fresh.items()}
    maps = weights.get(_DRAWN)
    if maps is not None:
        wanted = fresh[_DRAWN].shape[1]
        if maps.shape[1] == NUM_MAPS and wanted >= NUM_MAPS + NUM_CARRIED:
            maps = torch.cat((maps, maps[:, -NUM_CARRIED:]), dim=1)
        if maps.shape[1] == NUM_MAPS + NUM_CARRIED and wanted == maps.shape[1] + NUM_SCORED:
            maps = torch.cat((maps, torch.zeros_like(maps[:, :NUM_SCORED])), dim=1)
        weights[_DRAWN] = maps
    strange = [name for name in trained if name not in fresh]
    strange += [name for name, value in weights.items() if value.shape != fresh[name].shape]
    new = [name for name in fresh if name not in trained and not name.startswith(_NEWER)]
    if strange or new:
        raise TrainingError(
            f"The starting weights do not fit the recipe's model at {(strange + new)[0]}; choose another file or recipe."
        )
    return weights
