"""Words instead of clicks on the command line, with a detector that always finds the same."""

import json

import numpy as np
import pytest

from masklet.annotations import load
from masklet.geometry import Box
from masklet.grounding import registry
from masklet.grounding.base import FoundBox
from masklet.video.image import read_indexed_png

MODEL = ("--model", "debug-compact", "--device", "cpu")


class SureGrounder:
    """Finds two boxes of the first phrase and one of the second."""

    name = "sure"

    def find(self, image, phrases, *, threshold=None):
        assert image.dtype == np.uint8
        assert threshold is None
        boxes = [Box(8, 10, 24, 26), Box(30, 5, 50, 20), Box(2, 28, 20, 39)]
        labels = [phrases[0], phrases[0], phrases[-1]]
        return [FoundBox(box=box, score=0.8, label=label) for box, label in zip(boxes, labels, strict=True)]


@pytest.fixture
def sure_detector(monkeypatch):
    asked = []

    def load_grounder(name, *, device):
        assert device == "cpu"
        asked.append(name)
        return SureGrounder()

    monkeypatch.setattr(registry, "load_grounder", load_grounder)
    return asked


def test_an_image_by_words(masklet_command, photo, tmp_path, sure_detector):
    outcome = masklet_command(
        "image", photo, "--text", "square . thing", "--out", tmp_path / "m.png", "--json", *MODEL
    )
    assert outcome.code == 0, outcome.err
    rows = json.loads(outcome.out)["objects"]
    assert [(row["object"], row["label"]) for row in rows] == [(1, "square"), (2, "square"), (3, "thing")]
    assert set(np.unique(read_indexed_png(tmp_path / "m.png"))) <= {0, 1, 2, 3}
    assert sure_detector == ["embedded"]


def test_a_video_by_words_has_classes_in_its_document(masklet_command, clip, tmp_path, sure_detector):
    out = tmp_path / "result"
    arguments = ("--text", "square . thing", "--prompt", "4@0: +3,3", "--detector", "other", *MODEL)
    outcome = masklet_command("track", clip, "--out", out, *arguments)
    assert outcome.code == 0, outcome.err
    assert "object 5 is 'square' on frame 0 (0.80)" in outcome.err
    project = load(out / "tracks.json")
    names = {
        object_id: None if track.label_id is None else project.labels[track.label_id].name
        for object_id, track in project.tracks.items()
    }
    assert names == {4: None, 5: "square", 6: "square", 7: "thing"}
    assert sure_detector == ["other"]


@pytest.mark.usefixtures("sure_detector")
def test_the_same_words_resume_and_other_words_do_not(masklet_command, clip, tmp_path):
    out = tmp_path / "result"
    first = ("track", clip, "--out", out, "--stop", "3", *MODEL)
    assert masklet_command(*first, "--text", "square").code == 0
    assert masklet_command(*first, "--text", "square", "--resume").code == 0
    outcome = masklet_command(*first, "--text", "circle", "--resume")
    assert outcome.code == 1
    assert "another prompts" in outcome.err


def test_a_detector_that_is_not_there_is_one_sentence(masklet_command, photo, tmp_path):
    outcome = masklet_command(
        "image", photo, "--text", "dog", "--detector", "yolo9", "--out", tmp_path / "m.png"
    )
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "There is no detector 'yolo9'" in outcome.err
