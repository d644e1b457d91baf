"""Options of commands that take words, and the detector they are asked of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from masklet.grounding.base import Grounder

TextOption = Annotated[
    str | None,
    typer.Option(
        "--text",
        metavar="WORDS",
        help='What to look for, with full stops between: "dog . person". Each object found gets its words as its class.',
    ),
]
DetectorOption = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="NAME|FOLDER",
        help="What finds the words: embedded (twenty classes, offline), embedded-fast (a fifth of the time, large objects), "
        "grounding-dino, owlv2, or the folder of such a model.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold", metavar="0..1", help="Least score of a find; the detector's own if left out."
    ),
]


def load_detector(name: str, *, device: str) -> Grounder:
    """The detector that --detector names; torch is imported here.

    Raises:
        MaskletError: When it cannot be found, fetched or read.
    """
    from masklet.grounding.registry import load_grounder

    return load_grounder(name, device=device)
