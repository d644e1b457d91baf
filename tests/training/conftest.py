"""A packed training folder of a few tiny pictures, made by the tests."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from masklet.masks import rle
from masklet.training.data import open_shards

STILL_HW = (60, 80)
CLIP_LENGTH = 9


def _webp(pixels):
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "WEBP", lossless=True)
    return buffer.getvalue()


def _pack(path, members):
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _counts(mask):
    return rle.encode(mask).counts.decode()


def _still(rng, *, num_objects, width):
    """A noisy picture with bright rectangles side by side, and their masks."""
    picture = rng.integers(0, 60, (*STILL_HW, 3), dtype=np.uint8)
    masks = []
    for number in range(num_objects):
        mask = np.zeros(STILL_HW, bool)
        mask[8:48, 6 + 24 * number : 6 + width + 24 * number] = True
        picture[mask] = (250, 80 * number, 40)
        masks.append(mask)
    return picture, masks


def _stills_shard(rng, source, kind, *, count, num_objects, width=20):
    members = {}
    for number in range(count):
        picture, masks = _still(rng, num_objects=num_objects, width=width)
        listing = {"size": list(STILL_HW), "kind": kind, "rle": [_counts(mask) for mask in masks]}
        members[f"{source}/{number}.webp"] = _webp(picture)
        members[f"{source}/{number}.json"] = json.dumps(listing).encode()
    return members


def _clip_shard(rng):
    members, counts = {}, []
    for frame in range(CLIP_LENGTH):
        picture = rng.integers(0, 60, (*STILL_HW, 3), dtype=np.uint8)
        mask = np.zeros(STILL_HW, bool)
        if frame != 4:  # hidden for one frame
            mask[20:40, 5 + 6 * frame : 25 + 6 * frame] = True
        picture[mask] = (240, 240, 20)
        members[f"runner/{frame:05d}.webp"] = _webp(picture)
        counts.append(_counts(mask))
    members["runner/masks.json"] = json.dumps({"size": list(STILL_HW), "rle": counts}).encode()
    return members


def _cutout():
    """A green disc in the middle of a transparent square."""
    y, x = np.mgrid[:48, :48]
    picture = np.zeros((48, 48, 4), np.uint8)
    picture[..., :3] = (20, 220, 20)
    picture[..., 3] = np.where((x - 24) ** 2 + (y - 24) ** 2 < 20**2, 255, 0)
    return picture


@pytest.fixture(scope="session")
def packed_folder(tmp_path_factory):
    """A folder with stills of two sources, cut-outs, backgrounds, one clip and a held-out shard."""
    folder = tmp_path_factory.mktemp("packed")
    rng = np.random.default_rng(0)
    _pack(folder / "photos-1.tar", _stills_shard(rng, "boxes", "instances", count=3, num_objects=3))
    _pack(
        folder / "photos-2.tar", _stills_shard(rng, "people", "foreground", count=2, num_objects=1, width=44)
    )
    _pack(folder / "photos-dev.tar", _stills_shard(rng, "boxes", "instances", count=5, num_objects=1))
    _pack(folder / "cutouts.tar", {"drawing/disc.webp": _webp(_cutout())})
    background = rng.integers(90, 160, (*STILL_HW, 3), dtype=np.uint8)
    _pack(folder / "backgrounds.tar", {"plain/one.webp": _webp(background)})
    _pack(folder / "davis-train.tar", _clip_shard(rng))
    return folder


@pytest.fixture(scope="session")
def shards(packed_folder):
    """The opened folder."""
    return open_shards(packed_folder)
