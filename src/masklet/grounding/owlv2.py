"""OWLv2: each phrase is a query of its own, scored at every patch.

Source: Scaling Open-Vocabulary Object Detection (Minderer et al. 2023), through transformers.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.geometry import Size
from masklet.grounding.base import FoundBox, check_threshold, clipped_box, fill_template, keep_best
from masklet.grounding.transformers_models import TextModel

MODEL_TYPE = "owlv2"
USUAL_THRESHOLD = 0.2
USUAL_TEMPLATE = "a photo of a {}"
_GREY = 0.5
"""What fills the square beside the image, before normalisation, as in the publication."""
_MEAN, _STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)


class Owlv2:
    """Finds what phrases name. Holds a model and no other state."""

    def __init__(self, loaded: TextModel, *, template: str = USUAL_TEMPLATE) -> None:
        """Use a loaded model.

        Args:
            loaded: The model and its tokenizer.
            template: Sentence that each phrase is put into at its {}.
        """
        self._loaded = loaded
        self._template = template
        self._side = int(loaded.config["vision_config"]["image_size"])
        self._num_tokens = int(loaded.config["text_config"]["max_position_embeddings"])

    @property
    def name(self) -> str:
        """Folder or hub name of the model."""
        return self._loaded.name

    @torch.inference_mode()
    def find(
        self, image: np.ndarray, phrases: Sequence[str], *, threshold: float | None = None
    ) -> list[FoundBox]:
        """Objects that the phrases name, best first.

        Args:
            image: RGB uint8 (h, w, 3).
            phrases: What to look for.
            threshold: Least score; None for 0.2.

        Raises:
            PromptError: When the threshold lies outside [0, 1].
        """
        least = check_threshold(threshold, USUAL_THRESHOLD)
        size = Size(*image.shape[:2])
        device = self._loaded.model.device
        words = self._loaded.tokenizer(
            [fill_template(self._template, phrase) for phrase in phrases],
            padding="max_length",
            max_length=self._num_tokens,
            truncation=True,
            return_tensors="pt",
        )
        said = self._loaded.model(
            pixel_values=_to_pixels(image, self._side).to(device),
            input_ids=words["input_ids"].to(device),
            attention_mask=words["attention_mask"].to(device),
        )
        scores = said.logits[0].sigmoid().float().cpu()
        # Boxes are parts of the square that the image was padded to.
        boxes = said.pred_boxes[0].float().cpu() * max(size.hw)
        found: list[FoundBox] = []
        for row, number in (scores >= least).nonzero().tolist():
            x, y, width, height = boxes[row].tolist()
            box = clipped_box((x - width / 2, y - height / 2, x + width / 2, y + height / 2), size)
            if box is not None:
                found.append(FoundBox(box=box, score=float(scores[row, number]), label=phrases[int(number)]))
        return keep_best(found)


def _to_pixels(image: np.ndarray, side: int) -> Tensor:
    """RGB uint8 (h, w, 3) to normalised (1, 3, s, s): a grey square with the image at its top left."""
    height, width = image.shape[:2]
    square = torch.full((1, 3, max(height, width), max(height, width)), _GREY)
    pixels = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    square[0, :, :height, :width] = pixels
    square = F.interpolate(square, size=(side, side), mode="bilinear", antialias=True)
    return (square - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_STD)[:, None, None]
