"""``masklet image``: cut objects out of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from masklet.cli.console import print_result
from masklet.cli.loading import load_chosen
from masklet.cli.options import (
    DeviceOption,
    ImageArgument,
    JsonOption,
    ModelOption,
    OverlayImageOption,
    RuntimeOption,
)
from masklet.cli.picture import check_png, write_png
from masklet.cli.prompt_grammar import IMAGE_EXAMPLE, parse_image_prompt
from masklet.cli.similar import ExemplarOption, LikeOption, check_alone, find_alike, read_examples
from masklet.cli.text_options import DetectorOption, TextOption, ThresholdOption, load_detector
from masklet.errors import PromptError
from masklet.geometry import Size
from masklet.pipeline.job import ObjectPrompt, merge_prompts
from masklet.pipeline.labels import label_image
from masklet.pipeline.text import find_in_image
from masklet.video.image import read_image, write_indexed_png
from masklet.video.overlay import draw_overlay

if TYPE_CHECKING:
    from masklet.pipeline.similar import SimilarObject
    from masklet.weights.load import LoadedModel


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Candidate:
    """One mask for one object: bool (h, w), its predicted IoU, and its logits (h, w)."""

    mask: np.ndarray
    score: float
    logits: np.ndarray


def image(  # noqa: PLR0913 - each parameter is one option of the command
    path: ImageArgument,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.png", help="Indexed PNG; object ids are palette indices.")
    ],
    prompt: Annotated[
        list[str] | None,
        typer.Option(
            "--prompt",
            metavar="TEXT",
            help='"+320,240 -100,50" is a click on the object and one off it, "box 10,20,200,240" a box around it, '
            '"2: +50,60" a second object. May be given several times.',
        ),
    ] = None,
    text: TextOption = None,
    detector: DetectorOption = "embedded",
    threshold: ThresholdOption = None,
    like: LikeOption = None,
    exemplar: ExemplarOption = None,
    overlay: OverlayImageOption = None,
    write_all: Annotated[
        bool,
        typer.Option("--all", help="Also write each candidate as FILE-1.png, FILE-2.png, ..., best first."),
    ] = False,
    model: ModelOption = "compact",
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "torch",
    json: JsonOption = False,
) -> None:
    """Cut objects out of an image."""
    said = _gather_prompts(path, prompt or [], text=text, like=like)
    examples = read_examples(like or [])
    check_png(out, overlay)
    pixels = read_image(path)
    _check_inside(said, pixels)
    labels: Mapping[int, str] = {}
    if like:
        check_alone(prompt, text, write_all)
    if text is not None:
        grounder = load_detector(detector, device=device)
        first_id = 1 + max((one.object_id for one in said), default=0)
        named = find_in_image(pixels, text, grounder, threshold=threshold, first_id=first_id, name=path.name)
        said, labels = merge_prompts([*said, *named.prompts]), named.labels
    _check_alone_with_all(said, write_all=write_all)
    loaded = load_chosen(model, device=device, runtime=runtime)
    if examples:
        alike = find_alike(loaded, pixels, examples, exemplar=exemplar, threshold=threshold)
        found = {number: [_as_candidate(one)] for number, one in enumerate(alike, start=1)}
    else:
        found = predict_candidates(loaded, pixels, said, all_candidates=write_all)
    written = _write(found, out, pixels.shape[:2], write_all=write_all)
    if overlay is not None:
        _write_overlay(found, said, pixels, overlay)
    rows = [_row(object_id, best[0], labels) for object_id, best in found.items()]
    values = {
        "objects": rows,
        "model": loaded.name,
        "device": str(loaded.device),
        "out": [str(one) for one in written],
    }
    words = ", ".join(map(_row_in_words, rows))
    print_result(
        f"{words}: {', '.join(str(one) for one in written)}",
        {**values, "overlay": None if overlay is None else str(overlay)},
        as_json=json,
    )


def _check_alone_with_all(said: tuple[ObjectPrompt, ...], *, write_all: bool) -> None:
    if write_all and len(said) > 1:
        raise PromptError(
            f"--all writes the candidates of one object, got prompts for {len(said)}; prompt one of them."
        )


def _as_candidate(one: SimilarObject) -> Candidate:
    return Candidate(mask=one.mask, score=one.score, logits=one.logits)


def _row(object_id: int, best: Candidate, labels: Mapping[int, str]) -> dict[str, object]:
    row = {"object": object_id, "score": round(best.score, 6), "area": int(best.mask.sum())}
    return {**row, "label": labels[object_id]} if object_id in labels else row


def _row_in_words(row: Mapping[str, object]) -> str:
    name = f" ({row['label']})" if "label" in row else ""
    return f"object {row['object']}{name}: {row['area']} pixels, score {row['score']:.3f}"


def predict_candidates(
    model: LoadedModel, pixels: np.ndarray, prompts: tuple[ObjectPrompt, ...], *, all_candidates: bool
) -> dict[int, list[Candidate]]:
    """Candidates for each object, best first.

    Args:
        model: The model.
        pixels: RGB uint8 (h, w, 3).
        prompts: One entry per object.
        all_candidates: Whether to give three masks each instead of the best.
    """
    from masklet.predictors.image import ImagePredictor

    predictor = ImagePredictor(model)
    answers = predictor.predict_objects(
        predictor.embed(pixels),
        [one.prompts for one in prompts],
        # None leaves it to the prompts whether one mask says it all or the best of three is taken.
        multimask=True if all_candidates else None,
    )
    return {
        one.object_id: [
            Candidate(mask=mask, score=float(score), logits=logits)
            for mask, score, logits in zip(answer.masks, answer.scores, answer.logits, strict=True)
        ]
        for one, answer in zip(prompts, answers, strict=True)
    }


def _gather_prompts(
    path: Path, texts: list[str], *, text: str | None, like: list[str] | None
) -> tuple[ObjectPrompt, ...]:

    if not texts and text is None and not like:
        raise PromptError(
            f"Nothing says what to cut out; give a click on the object, for example masklet image {path} --out mask.png "
            f'--prompt "{IMAGE_EXAMPLE}" (on it at x 320, y 240, off it at x 100, y 50), or words, for example '
            '--text "dog . person", or use masklet auto.'
        )
    return merge_prompts(map(parse_image_prompt, texts))


def _check_inside(prompts: tuple[ObjectPrompt, ...], pixels: np.ndarray) -> None:

    for one in prompts:
        one.prompts.check_inside(Size(*pixels.shape[:2]))


def _write(
    found: dict[int, list[Candidate]], out: Path, size_hw: tuple[int, int], *, write_all: bool
) -> list[Path]:

    best = {object_id: candidates[0] for object_id, candidates in found.items()}
    labels = label_image(
        {object_id: one.mask for object_id, one in best.items()},
        {object_id: one.logits for object_id, one in best.items()},
        Size(*size_hw),
    )
    write_indexed_png(out, labels)
    written = [out]
    if write_all:
        for object_id, candidates in found.items():
            for number, one in enumerate(candidates, start=1):
                path = out.with_name(f"{out.stem}-{number}{out.suffix}")
                write_indexed_png(path, one.mask.astype(np.uint8) * object_id)
                written.append(path)
    return written


def _write_overlay(
    found: dict[int, list[Candidate]], prompts: tuple[ObjectPrompt, ...], pixels: np.ndarray, path: Path
) -> None:

    masks = {object_id: candidates[0].mask for object_id, candidates in found.items()}
    clicks = {one.object_id: one.prompts.clicks for one in prompts}
    write_png(path, draw_overlay(pixels, masks, clicks=clicks))
