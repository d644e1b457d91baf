"""Click an object, get it cut out and followed through the whole video.

The public names stand in ``__all__`` and are imported when they are first used, so that ``import masklet`` stays
quick and does not import torch.
"""

import os
from typing import TYPE_CHECKING

from masklet.lazy import names_on_first_use

if TYPE_CHECKING:
    from masklet.errors import MaskletError
    from masklet.export.runtime import accelerate
    from masklet.geometry import Box
    from masklet.predictors.auto import AutoMasks
    from masklet.predictors.image import ImagePredictor
    from masklet.predictors.video import VideoSession
    from masklet.prompts import BoxPrompt, Click, MaskPrompt, PromptSet
    from masklet.scale.label import label
    from masklet.weights.load import load_model

__version__ = "0.1.0"

# How often torch's idle threads look for work before they sleep. The default of its OpenMP (milliseconds) takes the
# cores from a browser or another program and, where several threads share an operation, from torch itself. It is read
# when torch is loaded; who has set one of the two keeps it.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "4000")

__all__ = [
    "AutoMasks",
    "Box",
    "BoxPrompt",
    "Click",
    "ImagePredictor",
    "MaskPrompt",
    "MaskletError",
    "PromptSet",
    "VideoSession",
    "__version__",
    "accelerate",
    "label",
    "load_model",
]

_HOME_OF_NAME = {
    "AutoMasks": "masklet.predictors.auto",
    "Box": "masklet.geometry",
    "BoxPrompt": "masklet.prompts",
    "Click": "masklet.prompts",
    "ImagePredictor": "masklet.predictors.image",
    "MaskPrompt": "masklet.prompts",
    "MaskletError": "masklet.errors",
    "PromptSet": "masklet.prompts",
    "VideoSession": "masklet.predictors.video",
    "accelerate": "masklet.export.runtime",
    "label": "masklet.scale.label",
    "load_model": "masklet.weights.load",
}

__getattr__, __dir__ = names_on_first_use(__name__, _HOME_OF_NAME)
