"""Runs commands inside the test's process, and makes small things to run them on."""

import signal
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from masklet.cli.main import main

HEIGHT, WIDTH, NUM_FRAMES = 40, 56, 8


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def masklet_command(capsys):
    """A function that runs ``masklet`` with its arguments."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return Outcome(code=ended.value.code or 0, out=said.out, err=said.err)

    return run


def picture(index):
    """A bright square that moves over noise, uint8 RGB."""
    pixels = np.random.default_rng(index).integers(0, 60, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    pixels[10:26, 8 + 2 * index : 24 + 2 * index] = (230, 180, 40)
    return pixels


@pytest.fixture
def clip(tmp_path):
    """A folder of eight images."""
    folder = tmp_path / "clip"
    folder.mkdir()
    for index in range(NUM_FRAMES):
        Image.fromarray(picture(index)).save(folder / f"{index}.png")
    return folder


@pytest.fixture
def photo(tmp_path):
    """One image."""
    path = tmp_path / "photo.png"
    Image.fromarray(picture(0)).save(path)
    return path


@pytest.fixture(autouse=True)
def interruptible_process():
    """Ctrl-C as in a terminal, also where the tests themselves run in the background and ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
