"""From a name, a folder or a name on the hub to a detector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from masklet.errors import UnknownModelError
from masklet.grounding.base import Grounder
from masklet.grounding.embedded import SIDES, EmbeddedGrounder
from masklet.grounding.grounding_dino import MODEL_TYPE as DINO_TYPE
from masklet.grounding.grounding_dino import GroundingDino
from masklet.grounding.owlv2 import MODEL_TYPE as OWL_TYPE
from masklet.grounding.owlv2 import Owlv2
from masklet.grounding.sentences import installed_matcher
from masklet.grounding.transformers_models import TextModel, load_detector, read_folder_config
from masklet.models.precision import choose_device

EMBEDDED = "embedded"
PUBLISHED: Mapping[str, str] = MappingProxyType(
    {
        "grounding-dino": "IDEA-Research/grounding-dino-tiny",
        "grounding-dino-base": "IDEA-Research/grounding-dino-base",
        "owlv2": "google/owlv2-base-patch16-ensemble",
        "owlv2-large": "google/owlv2-large-patch14-ensemble",
    }
)
"""Short names of published detectors, all Apache-2.0."""
_KINDS = (DINO_TYPE, OWL_TYPE)


def load_grounder(
    name: str | Path = EMBEDDED, *, device: str = "auto", template: str | None = None
) -> Grounder:
    """Load a detector.

    Args:
        name: A name in ``SIDES``, such as "embedded"; one in ``PUBLISHED``; "owner/name" on the hub; or a folder that transformers wrote.
        device: "auto", "cpu", "cuda", "cuda:N" or "mps"; the embedded ones run on the CPU.
        template: Sentence that phrases are put into at its {}; None for what the detector was made for. The embedded
            detectors take words as they are.

    Raises:
        UnknownModelError: When there is no such detector.
        MissingExtraError: When its packages are not installed; says how to get them.
        DownloadError: When it is on the hub and cannot be fetched.
        DamagedWeightsError: When its files cannot be used.
    """
    text = str(name)
    if text in SIDES:
        return EmbeddedGrounder(name=text, resembling=installed_matcher())
    source = PUBLISHED.get(text, text)
    if Path(source).is_dir():
        _check_kind(read_folder_config(Path(source)).get("model_type"), text)
    elif text not in PUBLISHED and text.count("/") != 1:
        raise UnknownModelError(
            f"There is no detector {text!r}; the detectors are {', '.join((*SIDES, *PUBLISHED))}, a folder that "
            "transformers wrote, or OWNER/NAME on the hub."
        )
    loaded = load_detector(source, device=choose_device(device))
    return _wrapped(loaded, text, template)


def _wrapped(loaded: TextModel, name: str, template: str | None) -> Grounder:
    kind = loaded.config.get("model_type")
    _check_kind(kind, name)
    if kind == DINO_TYPE:
        return GroundingDino(loaded) if template is None else GroundingDino(loaded, template=template)
    return Owlv2(loaded) if template is None else Owlv2(loaded, template=template)


def _check_kind(kind: object, name: str) -> None:
    if kind not in _KINDS:
        raise UnknownModelError(
            f"The detector {name!r} is of the kind {kind!r}; masklet reads the kinds {' and '.join(_KINDS)}."
        )
