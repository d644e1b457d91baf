"""``masklet image --like``: examples instead of prompts."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from masklet.cli.prompt_files import read_mask
from masklet.cli.prompt_grammar import parse_image_prompt
from masklet.errors import PromptError
from masklet.pipeline.job import MAX_OBJECT_ID
from masklet.prompts import PromptSet
from masklet.video.image import read_image

if TYPE_CHECKING:
    from masklet.pipeline.similar import SimilarObject
    from masklet.weights.load import LoadedModel

LikeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--like",
        metavar="EXAMPLE",
        help='Find all that looks like this: "box 10,20,80,90", clicks as in --prompt, or the file of a mask. May be '
        "given several times.",
    ),
]
ExemplarOption = Annotated[
    Path | None,
    typer.Option(
        "--exemplar", metavar="IMAGE", help="The image that the examples are on; IMAGE if left out."
    ),
]
_EXAMPLE = "box 10,20,80,90"


def read_examples(texts: list[str]) -> list[PromptSet]:
    """Examples as they stand on the command line.

    Raises:
        PromptError: When one is neither a prompt nor a file.
        MediaError: When a mask cannot be read.
    """
    return [
        PromptSet(mask=read_mask(Path(text), 1)) if Path(text).suffix else parse_image_prompt(text).prompts
        for text in texts
    ]


def find_alike(
    model: LoadedModel,
    pixels: np.ndarray,
    examples: list[PromptSet],
    *,
    exemplar: Path | None,
    threshold: float | None,
) -> list[SimilarObject]:
    """Objects of an image that look like the examples, best first.

    Args:
        model: The model.
        pixels: RGB uint8 (h, w, 3).
        examples: On the exemplar image.
        exemplar: That image; None for the searched one.
        threshold: Least likeness; None for the usual one.

    Raises:
        PromptError: When an example does not fit its image, or nothing looks like it.
    """
    from masklet.pipeline.similar import SimilarFinder
    from masklet.predictors.image import ImagePredictor

    finder = SimilarFinder(ImagePredictor(model, second_look=False))
    known = examples if exemplar is None else finder.learn(read_image(exemplar), examples)
    found = finder.find(pixels, known, threshold=threshold)
    if not found:
        raise PromptError(
            "Nothing in the image looks like the example; lower --threshold (0.5 if left out) or give more examples."
        )
    return found[:MAX_OBJECT_ID]


def check_alone(*others: object) -> None:
    """Refuse examples beside prompts.

    Raises:
        PromptError: When there are others.
    """
    if any(others):
        raise PromptError(
            f'--like searches the whole image, so it stands alone: leave out --prompt, --text and --all, as in --like "{_EXAMPLE}".'
        )
