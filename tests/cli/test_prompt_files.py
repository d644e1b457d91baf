"""Prompts from files: masks of every usual kind, and JSON with every usual mistake."""

import json
import re

import numpy as np
import pytest
from PIL import Image

from masklet.cli.prompt_files import parse_mask_option, read_mask, read_prompts_file
from masklet.errors import DamagedMediaError, MaskletError, MediaError, PromptError, UnsupportedMediaError
from masklet.geometry import Box
from masklet.prompts import Click
from masklet.video.image import write_indexed_png

SHAPE = (6, 8)
LEFT = np.zeros(SHAPE, dtype=bool)
LEFT[:, :3] = True


def save(path, pixels, mode=None):
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path)
    return path


def test_an_indexed_image_gives_the_object_of_that_id(tmp_path):
    labels = np.where(LEFT, 2, 5)
    write_indexed_png(tmp_path / "labels.png", labels)
    assert np.array_equal(read_mask(tmp_path / "labels.png", 2).mask, LEFT)
    assert np.array_equal(read_mask(tmp_path / "labels.png", 5).mask, ~LEFT)


def test_an_indexed_image_without_that_id_gives_all_that_is_not_zero(tmp_path):
    write_indexed_png(tmp_path / "labels.png", np.where(LEFT, 7, 0))
    assert np.array_equal(read_mask(tmp_path / "labels.png", 1).mask, LEFT)


@pytest.mark.parametrize("mode", ["L", "1", "RGB", "I", "F", "I;16"])
def test_any_pixel_that_is_not_zero_counts(tmp_path, mode):
    path = tmp_path / ("mask.tif" if mode in ("I", "F") else "mask.png")
    if mode == "I;16":
        save(path, LEFT.astype(np.uint16) * 300)
    else:
        save(path, LEFT.astype(np.uint8) * 255, mode)
    assert np.array_equal(read_mask(path, 1).mask, LEFT)


def test_one_colour_channel_is_enough(tmp_path):
    pixels = np.zeros((*SHAPE, 3), dtype=np.uint8)
    pixels[LEFT] = (0, 0, 1)
    assert np.array_equal(read_mask(save(tmp_path / "m.png", pixels), 1).mask, LEFT)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_fully_transparent_is_off(tmp_path, mode):
    pixels = np.full((*SHAPE, 4), 255, dtype=np.uint8)
    pixels[..., 3] = LEFT
    assert np.array_equal(read_mask(save(tmp_path / "m.png", pixels, mode), 1).mask, LEFT)


def test_an_empty_mask_is_refused(tmp_path):
    path = save(tmp_path / "m.png", np.zeros(SHAPE, dtype=np.uint8))
    with pytest.raises(PromptError, match="no pixel that is not zero"):
        read_mask(path, 1)


def test_a_jpeg_is_refused_because_its_zeros_are_not_zero(tmp_path):
    path = save(tmp_path / "m.jpg", LEFT.astype(np.uint8) * 255)
    with pytest.raises(UnsupportedMediaError, match="save it as PNG"):
        read_mask(path, 1)


def test_a_mask_option(tmp_path):
    write_indexed_png(tmp_path / "a=b.png", LEFT.astype(np.uint8))
    found = parse_mask_option(f"3@12={tmp_path / 'a=b.png'}")
    assert (found.object_id, found.frame) == (3, 12)
    assert found.prompts.is_mask_only
    assert np.array_equal(found.prompts.mask.mask, LEFT)


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("1@0", PromptError, "is not OBJECT@FRAME=FILE"),
        ("1@0=", PromptError, "is not OBJECT@FRAME=FILE"),
        ("first.png=1@0", PromptError, "'first.png' is not an object and a frame"),
        ("1@0=nowhere.png", MediaError, "nowhere.png"),
    ],
)
def test_mask_options_that_are_wrong(text, kind, words):
    with pytest.raises(kind, match=re.escape(words)):
        parse_mask_option(text)


def test_a_cut_mask_image_is_damaged(tmp_path):
    path = save(tmp_path / "m.png", np.random.default_rng(0).integers(0, 255, (64, 64), dtype=np.uint8))
    path.write_bytes(path.read_bytes()[:-900])
    with pytest.raises(DamagedMediaError, match=r"m\.png"):
        read_mask(path, 1)


def write_prompts(folder, content):
    path = folder / "prompts.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_prompts_file_holds_clicks_boxes_and_masks_beside_it(tmp_path):
    write_indexed_png(tmp_path / "first.png", LEFT.astype(np.uint8))
    path = write_prompts(
        tmp_path,
        {
            "prompts": [
                {"object": 1, "frame": 0, "clicks": [[3, 4.5, 1], [1, 2, 0]], "box": None, "mask": None},
                {"object": 2, "frame": 9, "box": [1, 2, 3, 4]},
                {"object": 3, "mask": "first.png"},
            ]
        },
    )
    first, second, third = read_prompts_file(path)
    assert first.prompts.clicks == (Click(3, 4.5), Click(1, 2, positive=False))
    assert (second.object_id, second.frame, second.prompts.box) == (2, 9, Box(1, 2, 3, 4))
    assert (third.object_id, third.frame) == (3, 0)
    assert np.array_equal(third.prompts.mask.mask, LEFT)


CLICK = [[1, 1, 1]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "holds no list of prompts"),
        ({"prompts": []}, "holds no list of prompts"),
        ({"prompts": {}}, "holds no list of prompts"),
        ({"prompts": [3]}, "Prompt 1 of"),
        ({"prompts": [{"object": 1, "clicks": CLICK}, {"object": 1}]}, "has no click, no box and no mask"),
        ({"prompts": [{"object": 1, "frame": 0, "points": []}]}, "the unknown key 'points'"),
        ({"prompts": [{"clicks": CLICK}]}, "needs a whole number as 'object'"),
        ({"prompts": [{"object": True, "clicks": CLICK}]}, "needs a whole number as 'object'"),
        ({"prompts": [{"object": 1, "frame": 1.5, "clicks": CLICK}]}, "needs a whole number as 'frame'"),
        ({"prompts": [{"object": 0, "clicks": CLICK}]}, "must be 1 to 255"),
        ({"prompts": [{"object": 1, "frame": -1, "clicks": CLICK}]}, "at least 0"),
        ({"prompts": [{"object": 1, "clicks": [1, 2]}]}, "a click that is not 3 numbers"),
        ({"prompts": [{"object": 1, "clicks": "1,2"}]}, "clicks that are not a list"),
        ({"prompts": [{"object": 1, "clicks": [[1, 2, 3]]}]}, "with the label 3"),
        ({"prompts": [{"object": 1, "clicks": [[1, "2", 1]]}]}, "a click that is not 3 numbers"),
        ('{"prompts": [{"object": 1, "clicks": [[NaN, 1, 1]]}]}', "a click that is not 3 numbers"),
        ({"prompts": [{"object": 1, "clicks": [[10**400, 1, 1]]}]}, "a click that is not 3 numbers"),
        ({"prompts": [{"object": 1, "box": [1, 2, 3]}]}, "a box that is not 4 numbers"),
        ({"prompts": [{"object": 1, "box": [3, 2, 1, 4]}]}, "A box needs x1 > x0"),
        ({"prompts": [{"object": 1, "mask": 3}]}, "not the name of an image file"),
        ({"prompts": [{"object": 1, "mask": "a\0b"}]}, "not the name of an image file"),
        ({"prompts": [{"object": 1, "mask": "nowhere.png"}]}, "nowhere.png"),
    ],
)
def test_mistakes_in_prompts_files_are_one_sentence(tmp_path, content, words):
    with pytest.raises(MaskletError, match=re.escape(words)):
        read_prompts_file(write_prompts(tmp_path, content))


def test_a_prompts_file_that_is_not_there(tmp_path):
    with pytest.raises(PromptError, match="check the path"):
        read_prompts_file(tmp_path / "nowhere.json")
