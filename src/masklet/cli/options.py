"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

ModelOption = Annotated[
    str,
    typer.Option(
        "--model", metavar="NAME|FILE", help="A name that `masklet models` lists, or a weights file."
    ),
]
DeviceOption = Annotated[
    str, typer.Option("--device", metavar="auto|cpu|cuda|mps", help="Where the model runs.")
]
RuntimeOption = Annotated[
    Literal["torch", "onnx", "openvino"],
    typer.Option(
        "--runtime", help="What computes the model; onnx and openvino are faster, on the CPU alone."
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one line of JSON, and nothing else, on standard output.")
]
ImageArgument = Annotated[Path, typer.Argument(metavar="IMAGE", help="PNG, JPEG, WebP, BMP, TIFF or GIF.")]
OverlayImageOption = Annotated[
    Path | None, typer.Option("--overlay", metavar="FILE.png", help="Also draw the masks over the image.")
]
