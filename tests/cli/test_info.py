"""Facts of files."""

import json

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts, save
from masklet.geometry import Size
from masklet.masks import rle
from masklet.models.config import preset
from masklet.models.model import build
from masklet.video.writer import Mp4Writer
from masklet.weights.save import save_weights


@pytest.fixture
def video(tmp_path):
    path = tmp_path / "video.mp4"
    with Mp4Writer(path, fps=10) as writer:
        for level in range(12):
            writer.write(np.full((36, 64, 3), 20 * level, dtype=np.uint8))
    return path


def facts_of(masklet_command, path):
    outcome = masklet_command("info", path, "--json")
    assert outcome.code == 0, outcome.err
    (line,) = outcome.out.splitlines()
    return json.loads(line)


def test_a_video(masklet_command, video):
    facts = facts_of(masklet_command, video)
    assert facts["kind"] == "video"
    assert (facts["frames"], facts["width"], facts["height"], facts["fps"]) == (12, 64, 36, 10)
    assert facts["seconds"] == pytest.approx(1.2, abs=0.01)
    assert facts["damage"] is None


def test_a_cut_video_says_so(masklet_command, video):
    video.write_bytes(video.read_bytes()[:-200])
    outcome = masklet_command("info", video, "--json")
    assert outcome.code == 1 or json.loads(outcome.out)["damage"] is not None


def test_an_image(masklet_command, photo):
    facts = facts_of(masklet_command, photo)
    assert (facts["kind"], facts["format"], facts["mode"]) == ("image", "PNG", "RGB")
    assert (facts["width"], facts["height"], facts["pictures"]) == (56, 40, 1)


def test_an_image_that_is_turned_has_the_size_that_is_shown(masklet_command, tmp_path):
    image = Image.new("RGB", (20, 10))
    exif = image.getexif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.jpg", exif=exif)
    facts = facts_of(masklet_command, tmp_path / "turned.jpg")
    assert (facts["width"], facts["height"]) == (10, 20)


def test_a_folder_of_images(masklet_command, clip):
    facts = facts_of(masklet_command, clip)
    assert (facts["kind"], facts["frames"], facts["width"]) == ("folder of images", 8, 56)


def test_weights(masklet_command, tmp_path):
    model = build(preset("debug-compact"), seed=0)
    save_weights(tmp_path / "w.safetensors", model)
    facts = facts_of(masklet_command, tmp_path / "w.safetensors")
    assert (facts["kind"], facts["layout"], facts["model"]) == ("weights", "masklet", "debug-compact")
    assert facts["is_preset"]
    assert facts["keys"] == len(model.state_dict())
    assert facts["parameters"] == sum(tensor.numel() for tensor in model.state_dict().values())


def test_the_folder_of_a_track_and_its_document_say_what_they_hold(masklet_command, tmp_path):
    masks = {index: FrameMask(frame=index, rle=rle.encode(np.eye(4, 6, dtype=bool))) for index in (0, 2)}
    project = Project(
        video=VideoFacts(name="cups.mp4", size=Size(4, 6), num_frames=3),
        labels={1: Label(id=1, name="cup", color="#ff0000")},
        tracks={
            1: Track(object_id=1, label_id=1, frames=masks),
            2: Track(object_id=2, frames={0: masks[0]}),
        },
    )
    folder = tmp_path / "run"
    (folder / "masks").mkdir(parents=True)
    save(project, folder / "tracks.json")
    for path in (folder, folder / "tracks.json"):
        assert facts_of(masklet_command, path) == {
            "kind": "labels",
            "name": path.name,
            "format": "masklet",
            "images": 0,
            "videos": 1,
            "frames": 3,
            "objects": 2,
            "masks": 3,
            "classes": "cup",
        }


def test_people_get_a_table(masklet_command, clip):
    outcome = masklet_command("info", clip)
    assert [line.split()[0] for line in outcome.out.splitlines()] == [
        "kind",
        "name",
        "frames",
        "width",
        "height",
    ]


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("text.mp4", b"just words, no video\n" * 20, "text.mp4"),
        ("empty.mp4", b"", "empty"),
        ("text.png", b"just words, no image\n", "text.png"),
        ("text.safetensors", b"just words, no weights\n", "text.safetensors"),
        ("text.json", b"just words, no labels\n", "text.json"),
        ("page.pt", b"<!DOCTYPE html><html></html>", "web page"),
        ("unknown.xyz", b"\x00\x01\x02", "unknown.xyz"),
    ],
)
def test_files_that_are_not_what_their_name_says(masklet_command, tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    outcome = masklet_command("info", tmp_path / name)
    assert (outcome.code, outcome.out) == (1, "")
    assert words in outcome.err
    assert "Traceback" not in outcome.err
    assert outcome.err.count("\n") == 1


def test_an_empty_folder(masklet_command, tmp_path):
    outcome = masklet_command("info", tmp_path)
    assert outcome.code == 1
    assert "holds no image" in outcome.err


def test_a_detector_says_what_it_knows(masklet_command):
    from masklet.grounding.embedded import embedded_network_path

    values = json.loads(masklet_command("info", embedded_network_path(), "--json").out)
    assert values["kind"] == "embedded detector"
    assert values["classes"].startswith("aeroplane, bicycle")
    assert values["megabytes"] <= 3
    assert "photos" in values["recipe"]
