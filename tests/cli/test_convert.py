"""Labels from one format to another on the command line."""

import json

import numpy as np
import pytest

from masklet.annotations import FrameMask, Project, Track, VideoFacts, save
from masklet.formats import FORMATS
from masklet.geometry import Size
from masklet.masks import rle


@pytest.fixture
def tracked(tmp_path):
    """The folder of masklet track: a document beside its masks."""
    folder = tmp_path / "tracked"
    (folder / "masks").mkdir(parents=True)
    mask = np.zeros((40, 56), bool)
    mask[10:20, 5:30] = True
    mask[12:15, 8:12] = False
    frames = {i: FrameMask(frame=i, rle=rle.encode(mask), score=0.9) for i in range(3)}
    facts = VideoFacts(name="dog.mp4", size=Size(40, 56), num_frames=8)
    save(Project(video=facts, tracks={1: Track(object_id=1, frames=frames)}), folder / "tracks.json")
    return folder


def test_a_tracked_folder_becomes_coco_and_comes_back(masklet_command, tracked, tmp_path):
    outcome = masklet_command(
        "convert", tracked, "--to", "coco", "--out", tmp_path / "new" / "coco.json", "--json"
    )
    assert outcome.code == 0, outcome.err
    said = json.loads(outcome.out)
    assert (said["from"], said["entries"], said["objects"], said["lost"]) == ("masklet", 1, 1, [])
    back = masklet_command(
        "convert", tmp_path / "new" / "coco.json", "--to", "masklet", "--out", tmp_path / "b.json"
    )
    assert "from coco to masklet" in back.out
    assert json.loads((tmp_path / "b.json").read_text()) == json.loads((tracked / "tracks.json").read_text())


def test_what_is_lost_is_said_or_refused(masklet_command, tracked, tmp_path):
    outcome = masklet_command("convert", tracked, "--to", "davis", "--out", tmp_path / "davis.zip")
    assert outcome.code == 0, outcome.err
    assert "scores, presence" in outcome.err
    refused = masklet_command(
        "convert", tracked, "--to", "davis", "--out", tmp_path / "d", "--loss", "refuse"
    )
    assert refused.code == 1
    assert "cannot hold scores" in refused.err
    assert not (tmp_path / "d").exists()
    again = masklet_command("convert", tmp_path / "davis.zip", "--to", "coco", "--out", tmp_path / "c.json")
    assert "from davis to coco" in again.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("no-such", "--to", "coco", "--out", "x.json"), "There is no 'no-such'"),
        ((".", "--to", "sketch", "--out", "x.json"), "no format 'sketch'"),
        ((".", "--to", "coco", "--out", "x.json"), "in no format that is known"),
    ],
)
def test_mistakes_are_said_in_one_sentence(masklet_command, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    outcome = masklet_command("convert", *arguments)
    assert outcome.code == 1
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


def test_the_table_lists_every_format_with_what_it_loses(masklet_command):
    rows = {row["name"]: row for row in json.loads(masklet_command("formats", "--json").out)["formats"]}
    assert set(rows) == set(FORMATS)
    assert rows["masklet"]["loses"] == []
    assert "classes" in rows["davis"]["loses"]
    words = masklet_command("formats").out
    assert all(name in words for name in FORMATS)
