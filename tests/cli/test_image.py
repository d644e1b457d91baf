"""Cutting objects out of an image, with a small model of random weights."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from masklet.video.image import read_indexed_png

MODEL = ("--model", "debug-compact", "--device", "cpu")


def test_one_object(masklet_command, photo, tmp_path):
    outcome = masklet_command("image", photo, "--prompt", "+14,16", "--out", tmp_path / "m.png", *MODEL)
    assert outcome.code == 0, outcome.err
    labels = read_indexed_png(tmp_path / "m.png")
    assert labels.shape == (40, 56)
    assert set(np.unique(labels)) <= {0, 1}
    assert str(tmp_path / "m.png") in outcome.out


def test_one_line_of_json_says_what_is_in_the_file(masklet_command, photo, tmp_path):
    prompts = ("--prompt", "+14,16", "--prompt", "-2,2", "--prompt", "5: box 30,4,50,20")
    outcome = masklet_command("image", photo, *prompts, "--out", tmp_path / "m.png", "--json", *MODEL)
    (line,) = outcome.out.splitlines()
    values, labels = json.loads(line), read_indexed_png(tmp_path / "m.png")
    assert [row["object"] for row in values["objects"]] == [1, 5]
    assert set(np.unique(labels)) <= {0, 1, 5}
    for row in values["objects"]:
        assert row["area"] >= int((labels == row["object"]).sum())
    assert values["out"] == [str(tmp_path / "m.png")]


def test_all_candidates_best_first(masklet_command, photo, tmp_path):
    arguments = ("--prompt", "+14,16", "--all", "--json", *MODEL)
    outcome = masklet_command("image", photo, *arguments, "--out", tmp_path / "m.png")
    names = ["m.png", "m-1.png", "m-2.png", "m-3.png"]
    assert json.loads(outcome.out)["out"] == [str(tmp_path / name) for name in names]
    assert np.array_equal(read_indexed_png(tmp_path / "m.png"), read_indexed_png(tmp_path / "m-1.png"))


def test_the_overlay_is_a_picture_of_the_same_size(masklet_command, photo, tmp_path):
    arguments = ("--prompt", "+14,16", "--out", tmp_path / "m.png", "--overlay", tmp_path / "o.png", *MODEL)
    assert masklet_command("image", photo, *arguments).code == 0
    with Image.open(tmp_path / "o.png") as drawn, Image.open(photo) as before:
        assert (drawn.mode, drawn.size) == ("RGB", before.size)
        assert not np.array_equal(np.asarray(drawn), np.asarray(before))


def test_two_runs_write_the_same_bytes(masklet_command, photo, tmp_path):
    found = []
    for name in ("a.png", "b.png"):
        masklet_command("image", photo, "--prompt", "+14,16", "--out", tmp_path / name, *MODEL)
        found.append(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing says what to cut out"),
        (["--prompt", "14,16"], "neither a click"),
        (["--prompt", "+56,3"], "lies outside the image of 56 x 40"),
        (["--prompt", "box 60,50,70,70"], "does not touch the image"),
        (["--prompt", "+3,3", "--prompt", "2: +4,4", "--all"], "--all writes the candidates of one object"),
        (["--prompt", "+3,3", "--model", "sam9-huge"], "sam9-huge"),
        (["--prompt", "+3,3", "--device", "abacus"], "abacus"),
        (["--prompt", "+3,3", "--overlay", "o.jpg"], "must be a PNG file"),
    ],
)
def test_bad_requests_are_one_sentence_and_write_nothing(masklet_command, photo, tmp_path, arguments, words):
    outcome = masklet_command("image", photo, "--out", tmp_path / "m.png", *arguments)
    assert (outcome.code, outcome.out) == (1, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "m.png").exists()


@pytest.mark.parametrize(
    ("image", "out", "words"),
    [
        ("nowhere.png", "m.png", "nowhere.png"),
        ("photo.png", "missing/m.png", "does not exist"),
        ("photo.png", "m.tif", "must be a PNG file"),
        ("words.png", "m.png", "words.png"),
    ],
)
def test_files_that_cannot_be_used(masklet_command, photo, image, out, words):
    folder = photo.parent
    (folder / "words.png").write_text("no image")
    outcome = masklet_command("image", folder / image, "--prompt", "+3,3", "--out", folder / out, *MODEL)
    assert outcome.code == 1
    assert words in outcome.err


def test_examples_instead_of_prompts(masklet_command, photo, tmp_path):
    arguments = (
        "--like",
        "box 8,10,24,26",
        "--threshold",
        "-2",
        "--out",
        tmp_path / "m.png",
        "--json",
        *MODEL,
    )
    for more in ((), ("--exemplar", photo)):
        outcome = masklet_command("image", photo, *arguments, *more)
        if outcome.code:
            assert "Nothing in the image looks like the example" in outcome.err
        else:
            rows = json.loads(outcome.out)["objects"]
            assert [row["object"] for row in rows] == list(range(1, len(rows) + 1))


def test_a_mask_file_is_an_example_too(masklet_command, photo, tmp_path):
    mask = np.zeros((40, 56), np.uint8)
    mask[10:26, 8:24] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    arguments = ("--like", tmp_path / "mask.png", "--threshold", "3", "--out", tmp_path / "m.png", *MODEL)
    outcome = masklet_command("image", photo, *arguments)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "lower --threshold" in outcome.err


def test_examples_stand_alone(masklet_command, photo, tmp_path):
    arguments = ("--like", "+14,16", "--prompt", "+3,3", "--out", tmp_path / "m.png", *MODEL)
    outcome = masklet_command("image", photo, *arguments)
    assert "--like searches the whole image" in outcome.err
