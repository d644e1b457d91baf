"""The card beside embedded weights: their checksum, how they were made and how well they do."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from masklet.errors import DamagedWeightsError

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightsCard:
    """What is known about a weights file.

    Attributes:
        sha256: Checksum of the file, lower-case hexadecimal.
        recipe: How the weights were trained: recipe name, steps, data, starting weights.
        metrics: Measured scores by name.
    """

    sha256: str
    recipe: Mapping[str, str | int | float] = field(default_factory=dict[str, str | int | float])
    metrics: Mapping[str, float] = field(default_factory=dict[str, float])


def file_sha256(path: Path) -> str:
    """Checksum of a file in lower-case hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def write_card(
    weights: Path, *, recipe: Mapping[str, str | int | float], metrics: Mapping[str, float]
) -> WeightsCard:
    """Write the card of a weights file beside it, as ``<stem>.json``."""
    card = WeightsCard(sha256=file_sha256(weights), recipe=dict(recipe), metrics=dict(metrics))
    weights.with_suffix(".json").write_text(json.dumps(asdict(card), indent=2) + "\n", encoding="utf-8")
    return card


def read_card(weights: Path) -> WeightsCard:
    """The card beside a weights file.

    Raises:
        DamagedWeightsError: When it is missing or not a card.
    """
    path = weights.with_suffix(".json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return WeightsCard(sha256=content["sha256"], recipe=content["recipe"], metrics=content["metrics"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamagedWeightsError(
            f"The card {path} of the embedded weights is missing or unreadable ({error!r}); reinstall masklet."
        ) from error
