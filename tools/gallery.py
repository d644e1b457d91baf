"""Draws the pictures of docs/gallery.md again with the embedded model: ``python tools/gallery.py``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw

import masklet
from masklet.cli.prompt_files import read_prompts_file
from masklet.masks.arrays import BoolArray, ByteArray
from masklet.video.image import read_image
from masklet.video.overlay import draw_overlay
from masklet.weights.load import LoadedModel

ROOT = Path(__file__).resolve().parent.parent
INPUTS, SAMPLE, OUTPUT = (
    ROOT / "samples" / "gallery",
    ROOT / "samples" / "cup_shuffle",
    ROOT / "docs/images/gallery",
)
FRAME_WIDTH, NUM_SHOWN = 260, 5
Said = tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A photo and what is said of each object: clicks (x, y, is positive), or one box."""

    name: str
    clicks: tuple[Said, ...] = ()
    box: tuple[int, int, int, int] | None = None

    def prompts(self) -> list[masklet.PromptSet]:
        """One set per object."""
        if self.box is not None:
            return [masklet.PromptSet(box=self.box)]
        return [
            masklet.PromptSet([masklet.Click(x, y, positive=good) for x, y, good in said])
            for said in self.clicks
        ]


PICTURES = (
    Picture(name="flower", clicks=(((300, 210, True),),)),
    Picture(name="bird", clicks=(((318, 370, True),),)),
    Picture(name="nuthatch", clicks=(((288, 190, True),),)),
    Picture(name="astronaut", clicks=(((170, 300, True),), ((385, 400, True),))),
    Picture(name="camera", clicks=(((110, 280, True),),)),
    Picture(name="dogs", clicks=(((135, 150, True),), ((183, 250, True),))),
    Picture(name="fig", clicks=(((388, 240, True),), ((520, 330, True), (388, 240, False)))),
    Picture(name="coins", clicks=(((50, 55, True),), ((347, 186, True),), ((211, 124, True),))),
    Picture(name="china", box=(60, 30, 370, 400)),
    Picture(name="coffee", box=(165, 15, 420, 300)),
    Picture(name="rocket", clicks=(((318, 250, True),),)),
    Picture(name="chelsea", clicks=(((230, 180, True), (420, 60, False)),)),
)


def draw_pictures(model: LoadedModel) -> None:
    """One picture each, with what was said drawn on top."""
    predictor = masklet.ImagePredictor(model)
    for picture in PICTURES:
        pixels = read_image(INPUTS / f"{picture.name}.jpg")
        answers = predictor.predict_objects(predictor.embed(pixels), picture.prompts())
        masks: dict[int, BoolArray] = {number: one.masks[0] for number, one in enumerate(answers, start=1)}
        drawn = Image.fromarray(draw_overlay(pixels, masks))
        mark(drawn, [click for said in picture.clicks for click in said], picture.box)
        save(drawn, picture.name)


def mark(
    image: Image.Image, clicks: Sequence[tuple[int, int, bool]], box: tuple[float, float, float, float] | None
) -> None:
    """Dots at clicks, white for what belongs to the object and black for what does not; a line around a box."""
    pen = ImageDraw.Draw(image)
    if box is not None:
        pen.rectangle(box, outline=(255, 255, 255), width=3)
    for x, y, good in clicks:
        inside, around = ((255, 255, 255), (0, 0, 0)) if good else ((0, 0, 0), (255, 255, 255))
        pen.ellipse((x - 6, y - 6, x + 6, y + 6), fill=inside, outline=around, width=2)


def moving_view(pixels: ByteArray, *, num_frames: int, centre: tuple[float, float]) -> ByteArray:
    """A camera that turns and comes nearer over a photo, uint8 (t, 240, 320, 3)."""
    frames: list[ByteArray] = []
    for time in np.linspace(0, 1, num_frames).tolist():
        zoom, turn = 1.0 + 0.8 * time, 25 * math.sin(2 * math.pi * time)
        matrix = cv2.getRotationMatrix2D(centre, turn, zoom)
        matrix[:, 2] += np.array([160 + 60 * math.sin(3 * time), 120 - 40 * time]) - np.array(centre)
        frames.append(
            cv2.warpAffine(pixels, matrix, (320, 240), borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)
        )
    return np.stack(frames)


def clicked(*points: tuple[int, int]) -> dict[int, masklet.PromptSet]:
    """One click per object, numbered from 1."""
    return {
        number: masklet.PromptSet([masklet.Click(*point)]) for number, point in enumerate(points, start=1)
    }


def draw_strip(
    model: LoadedModel,
    name: str,
    source: Path | ByteArray,
    prompts: Mapping[int, masklet.PromptSet],
    policy: str = "recent",
) -> None:
    """Some frames of a clip side by side, with the masks of objects that were pointed out on frame 0."""
    with masklet.VideoSession(model, source, policy=policy) as session:
        for number, said in prompts.items():
            session.prompt(number, 0, said)
        tracked = [(frame.index, dict(frame.masks)) for frame in session.track()]
    shown = {round(at) for at in np.linspace(0, len(tracked) - 1, NUM_SHOWN).tolist()}
    pictures: list[Image.Image] = []
    for index, pixels in frames_of(source):
        if index in shown:
            drawn = Image.fromarray(draw_overlay(pixels, tracked[index][1]))
            for said in prompts.values() if index == 0 else ():
                clicks = [(round(click.x), round(click.y), click.positive) for click in said.clicks]
                mark(drawn, clicks, None if said.box is None else said.box.xyxy)
            pictures.append(drawn.resize((FRAME_WIDTH, round(FRAME_WIDTH * drawn.height / drawn.width))))
    strip = Image.new("RGB", (FRAME_WIDTH * len(pictures), pictures[0].height))
    for number, picture in enumerate(pictures):
        strip.paste(picture, (FRAME_WIDTH * number, 0))
    save(strip, name)


def frames_of(source: Path | ByteArray) -> Iterator[tuple[int, ByteArray]]:
    """Frames with their numbers."""
    from masklet.video.frames import open_source

    with open_source(source) as opened:
        for frame in opened:
            yield frame.index, frame.image


def save(image: Image.Image, name: str) -> None:
    """Write a picture of the page."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    image.save(OUTPUT / f"{name}.jpg", quality=82, optimize=True)


def main() -> None:
    """Draw all."""
    model = masklet.load_model("compact", device="cpu")
    draw_pictures(model)
    cups = {one.object_id: one.prompts for one in read_prompts_file(SAMPLE / "prompts.json")}
    draw_strip(model, "strip-cups", SAMPLE / "clip.mp4", cups, policy="rivals")
    draw_strip(model, "strip-bunny", INPUTS / "bunny.mp4", clicked((205, 230)))
    dogs = moving_view(read_image(INPUTS / "dogs.jpg"), num_frames=36, centre=(160.0, 200.0))
    draw_strip(model, "strip-dogs", dogs, clicked((135, 70), (184, 168)))
    flower = moving_view(read_image(INPUTS / "fig.jpg"), num_frames=36, centre=(390.0, 230.0))
    draw_strip(model, "strip-fig", flower, clicked((158, 130)))


if __name__ == "__main__":
    main()
