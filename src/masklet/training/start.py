"""Where a run's weights come from: nothing, a public backbone, or a file of ours."""

from __future__ import annotations

from pathlib import Path

from masklet.errors import MismatchedWeightsError, TrainingError
from masklet.models.model import SegmentationModel
from masklet.training.config import TrainingConfig
from masklet.training.loop import build_for
from masklet.weights.load import load_model
from masklet.weights.mobilenet import load_mobilenet


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
        model.load_state_dict(loaded.model.state_dict())
    return model
