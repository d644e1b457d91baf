"""Grounding DINO: all phrases in one sentence, and a score for every word at every box.

Source: Grounding DINO (Liu et al. 2023), through transformers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.geometry import Size
from masklet.grounding.base import FoundBox, check_threshold, clipped_box, fill_template, keep_best
from masklet.grounding.transformers_models import TextModel

MODEL_TYPE = "grounding-dino"
USUAL_THRESHOLD = 0.3
SHORT_SIDE, LONG_SIDE = 800, 1333
"""Pixels of the input's shorter and longer side, as in the publication."""
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """Phrases as one sentence of tokens.

    Attributes:
        token_ids: With the start, a full stop after each phrase, and the end.
        spans: Half-open range of each phrase's tokens.
    """

    token_ids: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]


class GroundingDino:
    """Finds what phrases name. Holds a model and no other state."""

    def __init__(self, loaded: TextModel, *, template: str = "{}", short_side: int = SHORT_SIDE) -> None:
        """Use a loaded model.

        Args:
            loaded: The model and its tokenizer.
            template: Sentence that each phrase is put into at its {}.
            short_side: Pixels of the input's shorter side; less is faster and finds less.
        """
        self._loaded = loaded
        self._template = template
        self._short_side = short_side
        self._max_tokens = int(loaded.config.get("max_text_len", 256))

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
            threshold: Least score of a phrase's surest word; None for 0.3.

        Raises:
            PromptError: When the threshold lies outside [0, 1].
        """
        least = check_threshold(threshold, USUAL_THRESHOLD)
        size = Size(*image.shape[:2])
        pixels = _to_pixels(image, self._short_side).to(self._loaded.model.device)
        found: list[FoundBox] = []
        for part, sentence in self._sentences(phrases):
            scores, boxes = self._ask(pixels, sentence)
            for number, phrase in enumerate(part):
                for row in (scores[:, number] >= least).nonzero()[:, 0].tolist():
                    box = clipped_box(_corners(boxes[row], size), size)
                    if box is not None:
                        found.append(FoundBox(box=box, score=float(scores[row, number]), label=phrase))
        return keep_best(found)

    def _sentences(self, phrases: Sequence[str]) -> Iterator[tuple[list[str], Sentence]]:
        """As few sentences as the model's text length allows."""
        part: list[str] = []
        for phrase in phrases:
            if part and len(self._sentence([*part, phrase]).token_ids) > self._max_tokens:
                yield part, self._sentence(part)
                part = []
            part.append(phrase)
        yield part, self._sentence(part)

    def _sentence(self, phrases: Sequence[str]) -> Sentence:
        tokenizer = self._loaded.tokenizer
        stop = tokenizer.convert_tokens_to_ids(".")
        token_ids, spans = [tokenizer.cls_token_id], []
        for phrase in phrases:
            said = fill_template(self._template, phrase).lower()
            words = tokenizer(said, add_special_tokens=False)["input_ids"][: self._max_tokens - 3]
            spans.append((len(token_ids), len(token_ids) + len(words)))
            token_ids += [*words, stop]
        return Sentence(token_ids=(*token_ids, tokenizer.sep_token_id), spans=tuple(spans))

    def _ask(self, pixels: Tensor, sentence: Sentence) -> tuple[Tensor, Tensor]:
        """Scores (q, phrases) and boxes (q, 4), centre and size as parts of the image."""
        token_ids = torch.tensor([sentence.token_ids], device=pixels.device)
        said = self._loaded.model(
            pixel_values=pixels,
            pixel_mask=torch.ones(1, *pixels.shape[-2:], dtype=torch.long, device=pixels.device),
            input_ids=token_ids,
            attention_mask=torch.ones_like(token_ids),
            token_type_ids=torch.zeros_like(token_ids),
        )
        words = said.logits[0].sigmoid().float().cpu()
        scores = [
            words[:, start:stop].amax(dim=1) if stop > start else words.new_zeros(len(words))
            for start, stop in sentence.spans
        ]
        return torch.stack(scores, dim=1), said.pred_boxes[0].float().cpu()


def _to_pixels(image: np.ndarray, short_side: int) -> Tensor:
    """RGB uint8 (h, w, 3) to normalised (1, 3, h2, w2), the aspect kept."""
    height, width = image.shape[:2]
    scale = min(short_side / min(height, width), short_side * LONG_SIDE / SHORT_SIDE / max(height, width))
    size = (max(32, round(height * scale)), max(32, round(width * scale)))
    tensor = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
    tensor = F.interpolate(tensor, size=size, mode="bilinear", antialias=True)
    return (tensor - torch.tensor(_MEAN)[:, None, None]) / torch.tensor(_STD)[:, None, None]


def _corners(box: Tensor, size: Size) -> tuple[float, float, float, float]:
    x, y, width, height = box.tolist()
    return (
        (x - width / 2) * size.width,
        (y - height / 2) * size.height,
        (x + width / 2) * size.width,
        (y + height / 2) * size.height,
    )
