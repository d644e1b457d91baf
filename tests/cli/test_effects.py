"""Effects from the command line: a tracked folder in, a video out."""

import json

import numpy as np
import pytest

from masklet.cli.effects import parse_choice
from masklet.effects import EffectChoice
from masklet.errors import EffectError
from masklet.video.image import write_indexed_png
from masklet.video.reader import open_video


@pytest.fixture
def masks(tmp_path):
    """Masks of two objects on frames 1 to 5, without frame 3."""
    folder = tmp_path / "tracked"
    (folder / "masks").mkdir(parents=True)
    for index in (1, 2, 4, 5):
        labels = np.zeros((40, 56), dtype=np.uint8)
        labels[10:26, 8 + 2 * index : 24 + 2 * index] = 1
        labels[30:36, 4:12] = 2
        write_indexed_png(folder / "masks" / f"{index:05d}.png", labels)
    return folder


def test_a_video_of_the_tracked_frames_with_effects(masklet_command, clip, masks, tmp_path):
    out = tmp_path / "new" / "out.mp4"
    outcome = masklet_command(
        "effects", clip, "--masks", masks, "--out", out, "--background", "erase:green",
        "--object", "overlay:fill,color=#ff0000,fill=100", "--object", "2=original",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    assert outcome.out.startswith("Drew 5 frames with background erase:green and objects overlay:fill")
    with open_video(out) as video:
        images = [frame.image.astype(int) for frame in video]
    assert len(images) == 5
    assert np.abs(images[0][18, 18] - (255, 0, 0)).max() < 40
    assert np.abs(images[0][4, 50] - (0, 177, 64)).max() < 40
    assert np.abs(images[2][18, 20] - (0, 177, 64)).max() < 40, "frame 3 has no masks"


def test_json_holds_the_settings(masklet_command, clip, masks, tmp_path):
    given = ("effects", clip, "--masks", masks / "masks", "--out", tmp_path / "o.mp4", "--json")
    outcome = masklet_command(*given, "--surprise", "3")
    values = json.loads(outcome.out)
    assert (values["frames"], values["out"]) == (5, str(tmp_path / "o.mp4"))
    assert json.loads(masklet_command(*given, "--surprise", "3").out) == values


def test_choices_are_read_as_written():
    assert parse_choice("blur") == (None, EffectChoice(name="blur"))
    assert parse_choice("2=erase:ghost,strength=40") == (
        2,
        EffectChoice(name="erase", variant="ghost", changes={"strength": 40}),
    )
    assert parse_choice("text:giant,text=2024") == (
        None,
        EffectChoice(name="text", variant="giant", changes={"text": "2024"}),
    )


@pytest.mark.parametrize("text", ["", "Blur", "blur:", "=blur", "blur,strong", "blur strong"])
def test_other_writing_is_refused(text):
    with pytest.raises(EffectError):
        parse_choice(text)


WRONG = {
    "no such effect": ("--background", "sparkle"),
    "an object's": ("--background", "1=blur"),
    "twice": ("--object", "erase", "--object", "overlay"),
    "twice for one": ("--object", "1=erase", "--object", "1=overlay"),
    "out of range": ("--background", "blur,radius=9999"),
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_what_makes_no_sense_is_said_before_anything_is_written(
    masklet_command, clip, masks, tmp_path, options
):
    outcome = masklet_command("effects", clip, "--masks", masks, "--out", tmp_path / "o.mp4", *options)
    assert outcome.code == 1
    assert outcome.err.startswith("masklet: ")
    assert not list(tmp_path.glob("o.mp4*"))


def test_masks_that_are_missing_or_of_another_video_are_refused(masklet_command, clip, masks, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert (
        "holds no masks"
        in masklet_command("effects", clip, "--masks", empty, "--out", tmp_path / "o.mp4").err
    )
    write_indexed_png(masks / "masks" / "00008.png", np.zeros((40, 56), dtype=np.uint8))
    outcome = masklet_command("effects", clip, "--masks", masks, "--out", tmp_path / "o.mp4")
    assert "mask for frame 8" in outcome.err
