"""Runs commands inside the test's process, and makes small things to run them on."""

import io
import json
import signal
import tarfile
from dataclasses import dataclass

import numpy as np
import pytest
from PIL import Image

from masklet.cli.main import main
from masklet.masks import rle

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


def webp(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", lossless=True)
    return file.getvalue()


def pack(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def counts(mask):
    return rle.encode(mask).counts.decode()


@pytest.fixture
def clips(tmp_path):
    """Two clips of five frames in which a bright square moves."""
    members = {}
    for name in ("cat", "dog"):
        masks = np.zeros((5, HEIGHT, WIDTH), bool)
        for index in range(5):
            masks[index, 10:26, 8 + 3 * index : 24 + 3 * index] = True
            pixels = np.full((HEIGHT, WIDTH, 3), 40, np.uint8)
            pixels[masks[index]] = (230, 180, 40)
            members[f"{name}/{index:05d}.webp"] = webp(pixels)
        members[f"{name}/masks.json"] = {"size": [HEIGHT, WIDTH], "rle": [counts(mask) for mask in masks]}
    return pack(tmp_path / "clips.tar", members)


@pytest.fixture
def photos(tmp_path):
    """Four photos of 300 pixels, each with a disk."""
    rows, columns = np.mgrid[:300, :300]
    disk = (rows - 150) ** 2 + (columns - 150) ** 2 < 70**2
    members = {}
    for index in range(4):
        pixels = np.random.default_rng(index).integers(0, 120, (300, 300, 3), dtype=np.uint8)
        pixels[disk] = (60 * index, 200, 40)
        members[f"made/{index}.webp"] = webp(pixels)
        members[f"made/{index}.json"] = {"size": [300, 300], "kind": "instances", "rle": [counts(disk)]}
    return pack(tmp_path / "photos.tar", members)
