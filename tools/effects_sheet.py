"""Draw every effect with every variant on a frame of the sample clip, as one picture for the guide.

usage: effects_sheet.py FILE.jpg
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from masklet.effects import BACKGROUNDS, OBJECTS, EffectChoice, EffectSettings, compose
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.video import open_video

SAMPLE = Path(__file__).parents[1] / "samples" / "cup_shuffle"
FRAME, OBJECT_ID = 40, 2
# The part of the frame that is shown, in pixels.
TOP, BOTTOM, LEFT, RIGHT = 60, 330, 80, 560
COLUMNS, CELL_WIDTH, CAPTION_HEIGHT = 6, 224, 20


def main(path: Path) -> None:
    """Write the picture."""
    image, mask = _scene()
    cells: list[tuple[str, np.ndarray]] = []
    for words, table in (("background", BACKGROUNDS), ("object", OBJECTS)):
        for effect in table.values():
            for variant in effect.variants:
                choice = EffectChoice(name=effect.id, variant=variant.id)
                settings = (
                    EffectSettings(background=choice)
                    if words == "background"
                    else EffectSettings(objects=choice)
                )
                drawn = compose(image, {OBJECT_ID: mask}, settings, FRAME)
                cells.append((f"{words}  {effect.id}:{variant.id}", drawn))
    _sheet(cells).save(path, quality=72, optimize=True)


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """A part of a frame, and one of its cups."""
    masks = json.loads((SAMPLE / "masks.json").read_text(encoding="utf-8"))
    counts = masks["objects"][str(OBJECT_ID)][FRAME]
    with open_video(SAMPLE / "clip.mp4") as video:
        image = video.read(FRAME).image
    mask = rle.decode(RLE(Size(*masks["size"]), counts.encode("ascii")))
    part = (slice(TOP, BOTTOM), slice(LEFT, RIGHT))
    return np.ascontiguousarray(image[part]), np.ascontiguousarray(mask[part])


def _sheet(cells: list[tuple[str, np.ndarray]]) -> Image.Image:
    """Pictures in rows, with their names above them."""
    height = CELL_WIDTH * (BOTTOM - TOP) // (RIGHT - LEFT)
    num_rows = -(-len(cells) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * CELL_WIDTH, num_rows * (height + CAPTION_HEIGHT)), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=13)
    for number, (words, picture) in enumerate(cells):
        x = number % COLUMNS * CELL_WIDTH
        y = number // COLUMNS * (height + CAPTION_HEIGHT)
        draw.text((x + 4, y + 2), words, fill="black", font=font)
        small = Image.fromarray(picture).resize((CELL_WIDTH - 4, height), Image.Resampling.LANCZOS)
        sheet.paste(small, (x + 2, y + CAPTION_HEIGHT))
    return sheet


if __name__ == "__main__":
    main(Path(sys.argv[1]))
