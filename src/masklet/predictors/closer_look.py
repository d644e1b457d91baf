"""A second look at what is prompted on a frame of a video, before it is remembered."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from masklet.predictors.image import ImagePredictor
from masklet.predictors.results import Masks
from masklet.prompts import PromptSet


class CloserLook:
    """Looks again at a small object that is prompted for the first time, before it is remembered."""

    def __init__(self, predictor: ImagePredictor, picture: np.ndarray, prompts: PromptSet) -> None:
        self._predictor, self._picture, self._prompts = predictor, picture, prompts
        self.answer: Masks | None = None

    def __call__(self, logits: Tensor) -> Tensor:
        """Logits (1, h4, w4) after a second look; the same where there is none."""
        self.answer = self._predictor.look_again(self._picture, self._prompts, logits[0].cpu().numpy())
        if self.answer is None:
            return logits
        return torch.from_numpy(self.answer.low_res_logits).to(logits)
