"""Everything in an image, with a small model of random weights."""

import json

import numpy as np
import pytest
from PIL import Image

from masklet.geometry import Box
from masklet.masks import rle
from masklet.predictors.auto import AutoMasks, MaskCandidate

MODEL = ("--model", "debug-compact", "--device", "cpu", "--preset", "fast")


def candidate(x0, y0, x1, y1, predicted_iou):
    mask = np.zeros((40, 56), dtype=bool)
    mask[y0:y1, x0:x1] = True
    return MaskCandidate(
        mask=mask,
        box=Box(x0, y0, x1, y1),
        predicted_iou=predicted_iou,
        stability=0.9,
        area=int(mask.sum()),
        point=(x0, y0),
        crop=Box(0, 0, 56, 40),
    )


@pytest.fixture
def two_finds(monkeypatch):
    """What the search finds: random weights are sure of nothing, so the search itself would find nothing."""
    found = [candidate(8, 10, 24, 26, 0.95), candidate(30, 4, 50, 20, 0.8)]
    monkeypatch.setattr(AutoMasks, "generate", lambda _search, _image: found)
    return found


@pytest.mark.usefixtures("two_finds")
def test_masks_are_written_as_run_lengths_with_their_measures(masklet_command, photo, tmp_path):
    out = tmp_path / "m.json"
    outcome = masklet_command("auto", photo, "--out", out, "--json", *MODEL)
    assert outcome.code == 0, outcome.err
    (line,) = outcome.out.splitlines()
    document = json.loads(out.read_text())
    assert json.loads(line)["masks"] == len(document["masks"]) == 2
    assert [one["predicted_iou"] for one in document["masks"]] == [0.95, 0.8]
    assert (document["image"], document["size"], document["preset"]) == ("photo.png", [40, 56], "fast")
    for one in document["masks"]:
        mask = rle.decode(rle.from_json(one["segmentation"]))
        assert mask.shape == (40, 56)
        assert mask.sum() == one["area"]
        x0, y0, x1, y1 = one["box"]
        assert (x0, y0, x1, y1) == (
            np.flatnonzero(mask.any(axis=0))[0],
            np.flatnonzero(mask.any(axis=1))[0],
            np.flatnonzero(mask.any(axis=0))[-1] + 1,
            np.flatnonzero(mask.any(axis=1))[-1] + 1,
        )


@pytest.mark.usefixtures("two_finds")
def test_the_overlay_shows_every_mask(masklet_command, photo, tmp_path):
    arguments = ("--out", tmp_path / "m.json", "--overlay", tmp_path / "o.png", *MODEL)
    assert masklet_command("auto", photo, *arguments).code == 0
    with Image.open(tmp_path / "o.png") as drawn, Image.open(photo) as before:
        is_changed = (np.asarray(drawn) != np.asarray(before)).any(axis=2)
    assert is_changed[12:24, 10:22].all()
    assert is_changed[6:18, 32:48].all()
    assert not is_changed[30:].any()


def test_two_runs_write_the_same_bytes(masklet_command, photo, tmp_path):
    for name in ("a", "b"):
        arguments = ("--out", tmp_path / f"{name}.json", "--overlay", tmp_path / f"{name}.png", *MODEL)
        assert masklet_command("auto", photo, *arguments).code == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as drawn:
        assert drawn.size == (56, 40)


@pytest.mark.parametrize(
    ("image", "arguments", "code", "words"),
    [
        ("nowhere.png", [], 1, "nowhere.png"),
        ("photo.png", ["--preset", "coarse"], 2, "coarse"),
        ("photo.png", ["--overlay", "o.gif"], 1, "must be a PNG file"),
        ("photo.png", ["--out", "missing/m.json"], 1, "does not exist"),
        ("photo.png", ["--model", "sam9-huge"], 1, "sam9-huge"),
    ],
)
def test_bad_requests(masklet_command, photo, tmp_path, image, arguments, code, words):
    given = ["--out", tmp_path / "m.json", *arguments]
    outcome = masklet_command("auto", photo.parent / image, *given)
    assert (outcome.code, outcome.out) == (code, "")
    assert words in outcome.err
    assert not (tmp_path / "m.json").exists()
