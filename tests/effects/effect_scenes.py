"""Small scenes with masks, the same on every machine, and every effect with every variant to render on them."""

from dataclasses import dataclass

import numpy as np

from masklet.effects import BACKGROUNDS, OBJECTS, EffectChoice, EffectSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class SmallScene:
    """A frame, masks by object id, and the index the frame has."""

    name: str
    frame: np.ndarray
    masks: dict
    index: int


def scenes():
    """Two small frames and one of the size of a preview."""
    return [
        _scene("small", 64, 96, 3, [(34, 30, 17, 21), (70, 34, 12, 12)], 7),
        _scene("rim", 50, 75, 4, [(2, 8, 15, 12), (68, 46, 20, 9), (40, 20, 1, 1)], 41),
        _scene("preview", 180, 320, 5, [(120, 84, 38, 52), (196, 92, 40, 30), (300, 170, 30, 40)], 100),
    ]


def _scene(name, height, width, seed, ellipses, index):
    """Slopes of colour with noise on them, and ellipses that may overlap or leave the picture."""
    rows, columns = np.mgrid[:height, :width]
    noise = np.random.default_rng(seed).integers(0, 48, (height, width, 3))
    slopes = np.stack([rows * 200 // height, columns * 200 // width, (rows + columns) * 4 % 200], axis=2)
    frame = (slopes + noise).astype(np.uint8)
    masks = {}
    for number, (x, y, radius_x, radius_y) in enumerate(ellipses, start=1):
        off = (columns - x) ** 2 * radius_y**2 + (rows - y) ** 2 * radius_x**2
        masks[number] = off <= (radius_x * radius_y) ** 2
        frame[masks[number]] = 255 - frame[masks[number]] // 2
    return SmallScene(name=name, frame=frame, masks=masks, index=index)


def cases():
    """Settings by name: every background, every object effect, and some together."""
    found = {}
    for effect in BACKGROUNDS.values():
        for variant in effect.variants:
            choice = EffectChoice(name=effect.id, variant=variant.id)
            found[f"background {effect.id}:{variant.id}"] = EffectSettings(background=choice, seed=1)
    for effect in OBJECTS.values():
        for variant in effect.variants:
            choice = EffectChoice(name=effect.id, variant=variant.id)
            found[f"object {effect.id}:{variant.id}"] = EffectSettings(objects=choice, seed=2**31 - 1)
    found["together 1"] = EffectSettings(
        background=EffectChoice(name="blur", changes={"radius": 13, "brightness": 90}),
        objects=EffectChoice(name="erase", variant="grain"),
        by_object={1: EffectChoice(name="overlay", variant="stripes", changes={"color": "#123456"})},
        seed=77,
    )
    found["together 2"] = EffectSettings(
        background=EffectChoice(
            name="text", changes={"text": "What's 4+5? #9 & 20/3!", "size": 61, "outline": 3}
        ),
        objects=EffectChoice(name="burst", variant="shine"),
        by_object={2: EffectChoice(name="spotlight"), 3: EffectChoice(name="spotlight")},
        seed=5,
    )
    return found
