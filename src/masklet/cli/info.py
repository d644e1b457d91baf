"""``masklet info``: what a video, an image, a folder, labels or a weights file is."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from PIL import Image
from rich.table import Table

from masklet.cli.console import print_result, print_table
from masklet.cli.options import JsonOption
from masklet.errors import MediaError
from masklet.formats import Source, read_labels
from masklet.formats.native import is_native
from masklet.pipeline.run import Manifest, RunFolder
from masklet.pipeline.statistics import of_projects
from masklet.video.boundary import checked_file, media_errors
from masklet.video.facts import probe
from masklet.video.folder import IMAGE_SUFFIXES, open_folder
from masklet.video.image import IMAGE_FORMATS, read_image

_WEIGHTS_SUFFIXES = frozenset((".pt", ".pth", ".safetensors", ".bin", ".ckpt"))

_CHECKSUM = 64
"""Characters of a SHA-256 in hexadecimal digits."""
Facts = dict[str, object]


def info(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A video, an image, a folder of images, a folder of masklet track, labels, or weights.",
        ),
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Say what a file is and whether masklet can use it."""
    facts = describe(path)
    if json:
        print_result("", facts, as_json=True)
        return
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, value in facts.items():
        table.add_row(name.replace("_", " "), _in_words(value))
    print_table(table)


def describe(path: Path) -> Facts:
    """Facts of a file or folder by name.

    Args:
        path: The file or folder; its kind is told by what it is and by the end of its name.

    Raises:
        MaskletError: When it is not there, not of a known kind, or damaged.
    """
    if not path.exists():
        raise MediaError(f"There is no file or folder {str(path)!r}; check the path.")
    suffix = path.suffix.lower()
    if path.is_dir() and (path / "model.safetensors").is_file():
        return _weights_facts(path)
    if path.is_dir():
        run = RunFolder(path).look()
        if run is not None and not run.is_complete:
            return _run_facts(path, run)
        return _label_facts(path) if is_native(Source(path)) else _folder_facts(path)
    if suffix == ".json":
        return _label_facts(path)
    if suffix in _WEIGHTS_SUFFIXES:
        return _weights_facts(path)
    if suffix in IMAGE_SUFFIXES - {".gif"}:
        return _image_facts(path)
    return _video_facts(path)


def _video_facts(path: Path) -> Facts:
    facts = probe(path, allow_damaged=True)
    return {
        "kind": "video",
        "name": facts.name,
        "frames": facts.num_frames,
        "width": facts.size.width,
        "height": facts.size.height,
        "fps": None if facts.fps is None else round(facts.fps, 3),
        "seconds": round(facts.duration_s, 3),
        "variable_frame_rate": facts.is_variable_frame_rate,
        "rotation": facts.rotation,
        "codec": facts.codec,
        "container": facts.container,
        "keyframes": len(facts.keyframes),
        "damage": facts.damage,
    }


def _image_facts(path: Path) -> Facts:
    height, width = read_image(path).shape[:2]
    file = checked_file(path)
    with media_errors(repr(file.name)), Image.open(file, formats=IMAGE_FORMATS) as image:
        return {
            "kind": "image",
            "name": file.name,
            "width": width,
            "height": height,
            "format": image.format,
            "mode": image.mode,
            "pictures": getattr(image, "n_frames", 1),
        }


def _folder_facts(path: Path) -> Facts:
    with open_folder(path) as source:
        return {
            "kind": "folder of images",
            "name": source.name,
            "frames": source.num_frames,
            "width": source.size.width,
            "height": source.size.height,
        }


def _run_facts(path: Path, run: Manifest) -> Facts:
    masks = RunFolder(path).masks
    return {
        "kind": "unfinished run of masklet track",
        "name": path.name,
        "frames_written": sum(1 for _ in masks.glob("*.png")) if masks.is_dir() else 0,
        "frames_that_are_safe": run.num_steps,
        # what is told apart by checksums says nothing to people
        **{topic.replace(" ", "_"): said for topic, said in run.asked.items() if len(said) < _CHECKSUM},
        "to_go_on": "give masklet track the same words and --resume",
    }


def _label_facts(path: Path) -> Facts:
    format_name, labels = read_labels(path)
    counted = of_projects((one.project, one.is_image) for one in labels.entries)
    objects = counted.objects
    return {
        "kind": "labels",
        "name": path.name,
        "format": format_name,
        "images": counted.num_images,
        "videos": counted.num_videos,
        "frames": counted.num_frames,
        "objects": sum(objects.values()),
        "masks": sum(counted.masks.values()),
        "classes": ", ".join(sorted(name for name in objects if name)) or None,
    }


def _weights_facts(path: Path) -> Facts:
    # The reader imports torch, which nothing else here needs.
    from masklet.grounding.network_file import is_network
    from masklet.models.config import PRESETS
    from masklet.weights.read import read_weights

    if is_network(path):
        return _detector_facts(path)
    read = read_weights(path)
    types = Counter(str(tensor.dtype).removeprefix("torch.") for tensor in read.tensors.values())
    return {
        "kind": "weights",
        "name": read.path.name,
        "layout": read.layout or "masklet",
        "model": read.config.name,
        "is_preset": read.config.name in PRESETS,
        "image_size": read.config.image_size,
        "keys": len(read.tensors),
        "parameters": sum(tensor.numel() for tensor in read.tensors.values()),
        "number_types": ", ".join(sorted(types)),
        "megabytes": round(read.path.stat().st_size / 1e6, 1),
    }


def _detector_facts(path: Path) -> Facts:
    from masklet.grounding.network_file import read_network

    read = read_network(path)
    return {
        "kind": "embedded detector",
        "name": path.name,
        "classes": ", ".join(read.network.classes),
        "parameters": sum(tensor.numel() for tensor in read.network.state_dict().values()),
        "megabytes": round(path.stat().st_size / 1e6, 1),
        **read.metadata,
    }


def _in_words(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)
