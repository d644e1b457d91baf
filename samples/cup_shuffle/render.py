"""Makes the sample clip again: ``python samples/cup_shuffle/render.py`` (Blender 3.4 is the tool that draws it).

Blender renders each picture with few light samples and, apart from that, the number of the object in the centre of
every pixel. This script smooths the light, develops the picture, and writes ``clip.mp4``, ``masks.json`` and
``prompts.json``. Pictures that are in the work folder already are not rendered again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeAlias

import av
import choreography  # beside this file
import denoise
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from steady import Layer, steady

from masklet.masks import rle

HERE = Path(__file__).resolve().parent
logger = logging.getLogger("cup_shuffle")

Picture: TypeAlias = NDArray[np.uint8]

OBJECTS = (*choreography.CUPS, choreography.BALL)
EXPOSURE = 1.2
REACH = 4  # pictures before and after whose light counts
FAR = 50.0
CONTRAST = 0.28
SATURATION = 1.12
NOTES = (
    "Visible pixels only, at the pixel's centre, without blending at edges; an empty string means not visible. "
    "Objects 1, 2, 3: the cups, from left to right as first seen. Object 4: the ball."
)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description="Render the sample clip and its exact masks.")
    parser.add_argument(
        "--output", type=Path, default=HERE, help="folder for clip.mp4, masks.json, prompts.json"
    )
    parser.add_argument(
        "--work", type=Path, default=Path(tempfile.gettempdir()) / "cup_shuffle", help="raw pictures"
    )
    parser.add_argument("--width", type=int, default=640, help="pixels, even")
    parser.add_argument("--height", type=int, default=360, help="pixels, even")
    parser.add_argument(
        "--frames", type=int, default=choreography.NUM_STORY_FRAMES, help="pictures in the clip"
    )
    parser.add_argument("--samples", type=int, default=12, help="light samples per pixel")
    parser.add_argument("--threads", type=int, default=2, help="threads of the renderer")
    parser.add_argument("--crf", type=int, default=19, help="H.264 quality: smaller is better and larger")
    parser.add_argument("--blender", default="blender", help="command that starts Blender 3.4")
    options = parser.parse_args(arguments)
    if options.width % 2 or options.height % 2 or options.frames < 2:
        parser.error("width and height must be even and there must be at least 2 frames")
    return options


def scene_version() -> str:
    """A short name for what is rendered: it changes with any change of the scene, so that no old picture is kept."""
    files = ("blender_scene.py", "choreography.py", "materials.py")
    return hashlib.sha256(b"".join((HERE / file).read_bytes() for file in files)).hexdigest()[:8]


def run_blender(options: argparse.Namespace, raw: Path) -> None:
    """Render the pictures that are missing.

    Raises:
        FileNotFoundError: When Blender is not there.
        subprocess.CalledProcessError: When it fails.
    """
    program = shutil.which(options.blender)
    if program is None:
        raise FileNotFoundError(
            f"No program {options.blender!r}; install Blender 3.4 or name it with --blender."
        )
    raw.mkdir(parents=True, exist_ok=True)
    command = [program, "-b", "--factory-startup", "--python-exit-code", "1", "--python"]
    command += [str(HERE / "blender_scene.py"), "--", "--output", str(raw)]
    for name in ("width", "height", "frames", "samples", "threads"):
        command += [f"--{name}", str(getattr(options, name))]
    with (raw / "blender.log").open("w", encoding="utf-8") as log:
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)


def develop(light: NDArray[np.float32]) -> Picture:
    """Turn linear light into a picture: a film's shoulder, a little contrast and colour, sRGB.

    Args:
        light: Linear light, (h, w, 3), 0 or more.

    Returns:
        RGB uint8 (h, w, 3).
    """
    film = 1.0 - np.exp(-EXPOSURE * np.maximum(light, 0.0))
    grey = film @ np.array([0.2126, 0.7152, 0.0722], np.float32)
    film = np.clip(grey[..., None] + SATURATION * (film - grey[..., None]), 0.0, 1.0)
    shown = np.where(film < 0.0031308, 12.92 * film, 1.055 * np.maximum(film, 1e-6) ** (1 / 2.4) - 0.055)
    curve = shown * shown * (3.0 - 2.0 * shown)
    return np.rint(255.0 * (shown + CONTRAST * (curve - shown))).clip(0, 255).astype(np.uint8)


def read_layer(raw: Path, index: int, num_frames: int) -> Layer:
    """One picture as Blender left it, with its light smoothed.

    Args:
        raw: Folder with Blender's array files.
        index: Number of the picture.
        num_frames: Pictures in the clip.
    """
    with np.load(raw / f"beauty_{index:04d}.npz") as passes:
        guides = denoise.Guides(
            albedo=passes["albedo"].astype(np.float32),
            normal=passes["normal"].astype(np.float32),
            depth=np.minimum(passes["depth"][..., 0].astype(np.float32), FAR),
        )
        light = denoise.denoise(passes["light"].astype(np.float32), guides)
    with np.load(raw / f"index_{index:04d}.npz") as passes:
        numbers = np.rint(passes["index"][..., 0]).astype(np.uint8)
    return Layer(
        light=light, guides=guides, numbers=numbers, frame=choreography.story_frame(index, num_frames)
    )


def finished(raw: Path, indices: range, num_frames: int) -> Iterator[tuple[int, Picture, Picture]]:
    """Finished pictures.

    Args:
        raw: Folder with Blender's array files.
        indices: Which pictures, without gaps.
        num_frames: Pictures in the clip.

    Yields:
        Number of the picture, RGB uint8 (h, w, 3), object numbers uint8 (h, w), 0 for the room.
    """
    layers: dict[int, Layer] = {}
    for index in indices:
        near = range(max(index - REACH, 0), min(index + REACH + 1, num_frames))
        layers = {n: layers[n] if n in layers else read_layer(raw, n, num_frames) for n in near}
        layer = layers[index]
        light = steady(list(layers.values()), index - near.start)
        yield index, develop(denoise.colour_in(light, layer.guides)), layer.numbers


def write_clip(pictures: Iterator[Picture], target: Path, *, size_hw: tuple[int, int], crf: int) -> None:
    """Write H.264 in an MP4, with the colour space said in the file and the index at its front."""
    with av.open(str(target), "w", options={"movflags": "faststart"}) as container:
        settings = {"crf": str(crf), "preset": "veryslow", "tune": "animation", "threads": "1"}
        stream = container.add_stream("libx264", rate=Fraction(choreography.FPS), options=settings)
        stream.height, stream.width = size_hw
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.color_range, context.colorspace, context.color_trc, context.color_primaries = 1, 1, 1, 1
        for picture in pictures:
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            container.mux(stream.encode(frame.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode(None))


def click_on(mask: NDArray[np.bool_]) -> list[int]:
    """A positive click in the middle of an object: ``[x, y, 1]``.

    Args:
        mask: Visible pixels, (h, w), at least one.
    """
    rows, columns = np.nonzero(mask)
    nearest = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    return [int(columns[nearest]), int(rows[nearest]), 1]


def box_around(mask: NDArray[np.bool_]) -> list[int]:
    """The box of an object: ``[x0, y0, x1, y1]``, right and bottom edge exclusive.

    Args:
        mask: Visible pixels, (h, w), at least one.
    """
    rows, columns = np.nonzero(mask)
    return [int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1]


def prompt_for(number: int, first: Picture) -> dict[str, object]:
    """How an object is pointed out on the first picture: a box around a cup, a click on the ball."""
    mask, is_cup = first == number, number in choreography.CUPS
    return {
        "object": number,
        "frame": 0,
        "clicks": [] if is_cup else [click_on(mask)],
        "box": box_around(mask) if is_cup else None,
        "mask": None,
    }


def write_documents(masks: Sequence[Picture], target: Path) -> None:
    """Write ``masks.json`` and ``prompts.json``.

    Args:
        masks: Object numbers per picture, (h, w) each.
        target: Folder to write to.
    """
    objects = {
        str(number): [
            rle.encode(m == number).counts.decode("ascii") if (m == number).any() else "" for m in masks
        ]
        for number in OBJECTS
    }
    document = {
        "size": list(masks[0].shape),
        "frames": len(masks),
        "fps": choreography.FPS,
        "notes": NOTES,
        "objects": objects,
    }
    (target / "masks.json").write_text(json.dumps(document, indent=0) + "\n", encoding="utf-8")
    lines = ",\n  ".join(json.dumps(prompt_for(number, masks[0])) for number in OBJECTS)
    (target / "prompts.json").write_text(f'{{"prompts": [\n  {lines}\n]}}\n', encoding="utf-8")


def write_still(picture: Picture, target: Path) -> None:
    """Write one picture as PNG, to be looked at."""
    Image.fromarray(picture).save(target)


def main() -> None:
    """Render what is missing and write the three files."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    options = parse()
    name = f"{options.width}x{options.height}_{options.frames}_{options.samples}_{scene_version()}"
    raw = options.work / name
    logger.info("Rendering into %s; minutes to an hour, see blender.log there.", raw)
    run_blender(options, raw)
    options.output.mkdir(parents=True, exist_ok=True)
    masks: list[Picture] = []

    def pictures() -> Iterator[Picture]:
        for index, picture, numbers in finished(raw, range(options.frames), options.frames):
            write_still(picture, raw / f"picture_{index:04d}.png")
            masks.append(numbers)
            yield picture

    clip = options.output / "clip.mp4"
    write_clip(pictures(), clip, size_hw=(options.height, options.width), crf=options.crf)
    write_documents(masks, options.output)
    logger.info("Wrote %s (%d bytes) with its masks and prompts.", clip, clip.stat().st_size)


if __name__ == "__main__":
    main()
