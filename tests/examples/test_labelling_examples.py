"""The labelling examples run on a small part of the sample clip as a reader would run them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.formats import Entry, LabelSet, read_labels, write_labels
from masklet.geometry import Size
from masklet.masks import rle

ROOT = Path(__file__).parents[2]
CLIP = ROOT / "samples" / "cup_shuffle" / "clip.mp4"


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """The first frames of the sample, as a folder with one picture and a video of three frames."""
    folder = tmp_path_factory.mktemp("pictures")
    with av.open(str(CLIP)) as source, av.open(str(folder / "short.mp4"), "w") as target:
        stream = target.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for index, frame in enumerate(source.decode(video=0)):
            if index == 0:
                frame.to_image().save(folder / "cups.png")
            target.mux(stream.encode(frame.reformat(format="yuv420p")))
            if index == 2:
                break
        target.mux(stream.encode(None))
    return folder


def run(name, *arguments):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py"), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_folder_becomes_a_yolo_data_set(pictures, tmp_path):
    alone = tmp_path / "in"
    alone.mkdir()
    with Image.open(pictures / "cups.png") as image:
        image.resize((320, 180)).save(alone / "cups.png")
    told = run("folder_to_yolo", alone, tmp_path / "out")
    assert "1 of 1: cups.png" in told
    name, labels = read_labels(tmp_path / "out" / "labels", media=alone)
    assert name == "yolo"
    assert labels.entries[0].project.tracks
    assert (tmp_path / "out" / "review.json").is_file()


@pytest.mark.slow
def test_words_become_a_coco_file(pictures, tmp_path):
    told = run("text_to_coco", pictures / "cups.png", tmp_path / "out", "bottle . person")
    coco = json.loads((tmp_path / "out" / "labels.json").read_text())
    assert [one["name"] for one in coco["categories"]] == ["bottle", "person"]
    assert f"{len(coco['annotations'])} masks" in told


def test_a_cvat_export_is_corrected_and_the_rest_stays(pictures, tmp_path):
    folder = tmp_path / "images"
    folder.mkdir()
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes((pictures / "cups.png").read_bytes())
    mask = np.zeros((360, 640), dtype=bool)
    mask[150:240, 130:190] = True
    entries = [
        Entry(
            project=Project(
                video=VideoFacts(name=name, size=Size(360, 640), num_frames=1),
                labels={1: Label(id=1, name="cup", color="#1e90ff")},
                tracks={
                    1: Track(object_id=1, label_id=1, frames={0: FrameMask(frame=0, rle=rle.encode(mask))})
                },
            ),
            frame_names=(name,),
        )
        for name in ("a.png", "b.png")
    ]
    write_labels(LabelSet(entries=tuple(entries)), tmp_path / "cvat.xml", "cvat-images")
    run("fix_cvat", tmp_path / "cvat.xml", folder, tmp_path / "fixed.xml", 0, 0, 167, 204)
    name, labels = read_labels(tmp_path / "fixed.xml")
    assert name == "cvat-images"
    found = [next(iter(one.project.tracks.values())).frames[0].rle for one in labels.entries]
    assert found[0] != rle.encode(mask)
    assert rle.decode(found[0])[204, 167]
    assert found[1] == rle.encode(mask)


def test_a_stream_becomes_mots(pictures, tmp_path):
    told = run("live_to_mots", pictures / "short.mp4", 167, 204, tmp_path / "mots")
    assert told.startswith("3 frames")
    name, labels = read_labels(tmp_path / "mots")
    assert name == "mots"
    (entry,) = labels.entries
    (track,) = entry.project.tracks.values()
    assert track.frames[0].rle is not None
    assert rle.decode(track.frames[0].rle)[204, 167]


@pytest.mark.parametrize("name", ["folder_to_yolo", "text_to_coco", "fix_cvat", "live_to_mots"])
def test_examples_are_short(name):
    assert len((ROOT / "examples" / f"{name}.py").read_text().splitlines()) < 60
