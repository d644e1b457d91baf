"""``masklet auto``: everything that looks like an object in one image."""

from __future__ import annotations

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from masklet.annotations import write_atomically
from masklet.cli.console import print_result, say
from masklet.cli.loading import load_chosen
from masklet.cli.options import (
    DeviceOption,
    ImageArgument,
    JsonOption,
    ModelOption,
    OverlayImageOption,
    RuntimeOption,
)
from masklet.cli.picture import check_folder, check_png, write_png
from masklet.masks import rle
from masklet.video.image import read_image
from masklet.video.overlay import draw_overlay

if TYPE_CHECKING:
    from masklet.predictors.auto import MaskCandidate


def auto(
    path: ImageArgument,
    *,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE.json", help="All masks as run lengths, with scores.")
    ],
    preset: Annotated[
        Literal["fast", "balanced", "fine"],
        typer.Option("--preset", help="How finely the image is searched."),
    ] = "balanced",
    overlay: OverlayImageOption = None,
    model: ModelOption = "compact",
    device: DeviceOption = "auto",
    runtime: RuntimeOption = "torch",
    json: JsonOption = False,
) -> None:
    """Find everything that looks like an object in an image."""
    check_folder(out)
    check_png(overlay)
    pixels = read_image(path)
    from masklet.predictors.auto import AutoMasks

    loaded = load_chosen(model, device=device, runtime=runtime)
    say(f"{path.name}: {pixels.shape[1]} x {pixels.shape[0]}, searching with preset {preset}")
    found = AutoMasks(loaded, preset=preset).generate(pixels)
    document = {
        "image": path.name,
        "size": list(pixels.shape[:2]),
        "model": loaded.name,
        "preset": preset,
        "masks": [_as_values(candidate) for candidate in found],
    }
    write_atomically(
        out, json_format.dumps(document, separators=(",", ":"), allow_nan=False).encode("ascii") + b"\n"
    )
    if overlay is not None:
        write_png(
            overlay, draw_overlay(pixels, {number: one.mask for number, one in enumerate(found, start=1)})
        )
    values = {
        "masks": len(found),
        "preset": preset,
        "model": loaded.name,
        "device": str(loaded.device),
        "out": str(out),
        "overlay": None if overlay is None else str(overlay),
    }
    print_result(
        f"Found {len(found)} masks with {loaded.name} on {loaded.device}: {out}", values, as_json=json
    )


def _as_values(candidate: MaskCandidate) -> dict[str, object]:
    """One mask as in COCO's results, with the measures of its quality."""
    return {
        "segmentation": rle.to_json(rle.encode(candidate.mask)),
        "area": int(candidate.area),
        "box": [float(edge) for edge in candidate.box.xyxy],
        "predicted_iou": round(float(candidate.predicted_iou), 6),
        "stability": round(float(candidate.stability), 6),
    }
