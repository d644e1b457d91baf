"""``masklet label``: what it says, writes and refuses."""

import json

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from masklet.cli.main import build_app

MODEL = ("--model", "debug-compact", "--device", "cpu", "--min-score", "0")


def label(*arguments):
    return CliRunner().invoke(build_app(), ["label", *map(str, arguments)])


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "a.png"
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_a_run_tells_its_results_and_a_second_one_goes_on(picture, tmp_path):
    out = tmp_path / "out"
    told = label(picture, "--out", out, "--json", *MODEL)
    assert told.exit_code == 0, told.output
    values = json.loads(told.stdout)
    assert (values["inputs"], values["done"], values["done_now"], values["failed"]) == (1, 1, 1, {})
    assert (out / "labels.json").is_file()
    again = label(picture, "--out", out, "--resume", *MODEL)
    assert again.exit_code == 0, again.output
    assert "Labelled 1 of 1 inputs, " in again.stdout
    assert "1 done before" in again.stderr


def test_inputs_that_are_given_up_are_named_and_a_run_without_results_fails(tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no picture")
    told = label(bad, "--out", tmp_path / "out", *MODEL)
    assert told.exit_code == 1
    assert "given up: bad.png" in told.stdout
    assert "given up after 3 tries" in told.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--shard", "half"), "must look like 2/8"),
        (("--shard", "3/2"), "A shard is 1/2 to 2/2"),
        (("--format", "papyrus"), "There is no format"),
        (("--text", "dog", "--ontology", "x.yaml"), "not from both"),
        (("--ontology", "absent.yaml"), "cannot be read"),
        (("--text", "dog", "--detector", "nobody"), "no detector 'nobody'"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(options, reason, picture, tmp_path):
    told = label(picture, "--out", tmp_path / "out", *MODEL, *options)
    assert told.exit_code == 1
    assert reason in told.stderr
    assert "Traceback" not in told.stderr
