"""Composition: what every effect promises, whichever it is."""

import numpy as np
import pytest

from masklet.effects import BACKGROUNDS, OBJECTS, EffectChoice, EffectSettings, compose, matte
from masklet.errors import EffectError

HEIGHT, WIDTH = 48, 64
ORIGINAL = EffectSettings()
BACKGROUND_CASES = [(one.id, variant.id) for one in BACKGROUNDS.values() for variant in one.variants]
OBJECT_CASES = [(one.id, variant.id) for one in OBJECTS.values() for variant in one.variants]


def frame(seed=0):
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), dtype=np.uint8)


def disc(x, y, radius):
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    return (columns - x) ** 2 + (rows - y) ** 2 <= radius**2


MASKS = {1: disc(20, 24, 10), 2: disc(44, 20, 8)}


def background(name, variant="", **changes):
    return EffectSettings(background=EffectChoice(name=name, variant=variant, changes=changes))


def objects(name, variant="", **changes):
    return EffectSettings(objects=EffectChoice(name=name, variant=variant, changes=changes))


def core(mask, steps=5):
    """The mask without the rim where edges are soft."""
    inner = mask.copy()
    for _ in range(steps):
        inner[1:-1, 1:-1] &= inner[:-2, 1:-1] & inner[2:, 1:-1] & inner[1:-1, :-2] & inner[1:-1, 2:]
    return inner


@pytest.mark.parametrize(("name", "variant"), BACKGROUND_CASES)
def test_a_background_leaves_objects_alone_and_gives_the_same_twice(name, variant):
    image, settings = frame(), background(name, variant)
    before = image.copy()
    drawn = compose(image, MASKS, settings, 5)
    assert (drawn.dtype, drawn.shape) == (np.uint8, image.shape)
    assert np.array_equal(image, before)
    assert np.array_equal(drawn, compose(image, MASKS, settings, 5))
    inside = core(MASKS[1] | MASKS[2])
    assert np.array_equal(drawn[inside], image[inside])
    assert name == "original" or not np.array_equal(drawn, image)


@pytest.mark.parametrize(("name", "variant"), OBJECT_CASES)
def test_an_object_effect_changes_the_picture_and_its_input_stays(name, variant):
    image, settings = frame(), objects(name, variant)
    before, masks = image.copy(), {key: mask.copy() for key, mask in MASKS.items()}
    drawn = compose(image, MASKS, settings, 5)
    assert (drawn.dtype, drawn.shape) == (np.uint8, image.shape)
    assert np.array_equal(image, before)
    assert all(np.array_equal(MASKS[key], mask) for key, mask in masks.items())
    assert np.array_equal(drawn, compose(image, MASKS, settings, 5))
    assert (name, variant) == ("original", "plain") or not np.array_equal(drawn, image)
    if not OBJECTS[name].is_around and name != "emoji":
        outside = core(~(MASKS[1] | MASKS[2]), steps=9)
        assert np.array_equal(drawn[outside], image[outside])


@pytest.mark.parametrize(
    "masks", [{}, {1: np.zeros((HEIGHT, WIDTH), bool)}, {1: np.ones((HEIGHT, WIDTH), bool)}]
)
@pytest.mark.parametrize("kind", ["background", "objects"])
def test_nothing_and_everything_can_be_an_object(kind, masks):
    for name, variant in BACKGROUND_CASES if kind == "background" else OBJECT_CASES:
        settings = EffectSettings(**{kind: EffectChoice(name=name, variant=variant)})
        assert compose(frame(), masks, settings, 0).shape == (HEIGHT, WIDTH, 3)


def test_one_pixel_and_one_row_are_pictures_too():
    for shape in [(1, 1), (1, 9), (9, 1)]:
        masks = {1: np.zeros(shape, bool)}
        masks[1][0, 0] = True
        for name, variant in BACKGROUND_CASES:
            assert (
                compose(np.full((*shape, 3), 90, np.uint8), masks, background(name, variant), 0).shape[:2]
                == shape
            )
        for name, variant in OBJECT_CASES:
            assert (
                compose(np.full((*shape, 3), 90, np.uint8), masks, objects(name, variant), 0).shape[:2]
                == shape
            )


def test_original_and_original_is_the_frame():
    assert np.array_equal(compose(frame(), MASKS, ORIGINAL, 3), frame())


def test_an_erased_object_takes_the_colour_around_it():
    image = np.full((HEIGHT, WIDTH, 3), (40, 120, 200), dtype=np.uint8)
    image[MASKS[1]] = (250, 10, 10)
    drawn = compose(image, {1: MASKS[1]}, objects("erase"), 0)
    assert np.abs(drawn.astype(int) - (40, 120, 200)).max() <= 1


def test_an_erased_object_shows_the_backdrop():
    settings = EffectSettings(
        background=EffectChoice(name="erase", variant="green"), objects=EffectChoice(name="erase")
    )
    drawn = compose(frame(), MASKS, settings, 0)
    assert (drawn[core(MASKS[1])] == (0, 177, 64)).all()


def test_objects_do_not_bleed_into_a_blurred_background():
    image = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    image[MASKS[1]] = 255
    drawn = compose(image, {1: MASKS[1]}, background("blur", "strong"), 0)
    assert drawn[~disc(20, 24, 13)].max() == 0


def test_each_object_can_have_its_own_effect():
    settings = EffectSettings(
        objects=EffectChoice(name="original"), by_object={2: EffectChoice(name="erase", variant="black")}
    )
    drawn = compose(frame(), MASKS, settings, 0)
    assert np.array_equal(drawn[core(MASKS[1])], frame()[core(MASKS[1])])
    assert drawn[core(MASKS[2])].max() == 0


def test_one_spotlight_for_all_keeps_every_object_lit():
    drawn = compose(frame(), MASKS, objects("spotlight", "sharp"), 0)
    for mask in MASKS.values():
        assert np.array_equal(drawn[core(mask)], frame()[core(mask)])
    assert drawn[46:, :4].mean() < frame()[46:, :4].mean() / 2


def test_what_moves_depends_on_the_index_and_what_is_chance_on_the_seed():
    moving = [background("text", "rows"), objects("burst", "sunburst"), objects("overlay", "stripes")]
    for settings in moving:
        assert not np.array_equal(compose(frame(), MASKS, settings, 0), compose(frame(), MASKS, settings, 7))
    party = {"objects": EffectChoice(name="emoji", variant="party", changes={"crowd": 150})}
    first, second = (EffectSettings(seed=seed, **party) for seed in (1, 2))
    assert not np.array_equal(compose(frame(), MASKS, first, 0), compose(frame(), MASKS, second, 0))


def test_text_is_hidden_behind_the_object():
    settings = background("text", "giant", text="O-O")
    drawn = compose(np.zeros((HEIGHT, WIDTH, 3), np.uint8), {1: disc(32, 24, 12)}, settings, 0)
    assert drawn[core(disc(32, 24, 12))].max() == 0
    assert drawn.max() > 200


def test_the_matte_is_the_objects_that_stay():
    settings = EffectSettings(
        background=EffectChoice(name="erase", variant="transparent"),
        by_object={2: EffectChoice(name="erase")},
    )
    alpha = matte(MASKS, settings, (HEIGHT, WIDTH))
    assert (alpha[core(MASKS[1])] == 255).all()
    assert alpha[MASKS[2]].max() == 0
    assert (matte(MASKS, background("erase", "black"), (HEIGHT, WIDTH)) == 255).all()


@pytest.mark.parametrize(
    ("image", "masks"),
    [
        (np.zeros((4, 4), np.uint8), {}),
        (np.zeros((4, 4, 4), np.uint8), {}),
        (np.zeros((4, 4, 3), np.float32), {}),
        (np.zeros((4, 4, 3), np.uint8), {1: np.zeros((4, 5), bool)}),
        (np.zeros((4, 4, 3), np.uint8), {1: np.zeros((4, 4), np.uint8)}),
    ],
)
def test_what_does_not_fit_is_refused(image, masks):
    with pytest.raises(EffectError):
        compose(image, masks, ORIGINAL, 0)
