"""The folder of a labelling run as a project: media, labels and the review list."""

import json

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts, save
from masklet.errors import StudioError
from masklet.geometry import Size
from masklet.masks import rle
from masklet.studio.opening import open_media, read_run
from masklet.studio.reviewing import review_project


@pytest.fixture
def run(tmp_path):
    """What ``masklet label`` leaves behind, with one image and two objects."""
    folder = tmp_path / "run"
    (folder / "documents").mkdir(parents=True)
    Image.new("RGB", (8, 4), (90, 20, 20)).save(tmp_path / "red.png")
    tracks = {
        number: Track(
            object_id=number,
            label_id=1,
            frames={0: FrameMask(frame=0, rle=rle.encode(np.ones((4, 8), bool)), score=score, presence=1.0)},
        )
        for number, score in ((1, 0.9), (2, 0.8))
    }
    video = VideoFacts(name="red.png", size=Size(4, 8), num_frames=1)
    labels = {1: Label(id=1, name="square", color="#aa0000")}
    save(Project(video=video, tracks=tracks, labels=labels), folder / "documents" / "red-1.json")
    entries = [
        {"document": "documents/red-1.json", "object_id": number, "confidence": confidence}
        for number, confidence in ((1, 0.1), (2, 1.0))
    ]
    (folder / "review.json").write_text(json.dumps({"version": 1, "entries": entries}))
    record = {"key": "red-1", "name": "red.png", "uri": str(tmp_path / "red.png"), "status": "done"}
    (folder / "manifest.jsonl").write_text(f"{json.dumps({'asked': {}})}\n{json.dumps(record)}\n")
    return folder


def test_a_labelling_run_opens_with_its_labels_and_its_doubts(client, run):
    studio = client.app.state.studio
    project_id = open_media(studio, [run])
    state = studio.store.state(project_id)
    assert (state["name"], [one["name"] for one in state["media"]]) == ("run", ["red.png"])
    assert [one["class_id"] for one in state["media"][0]["objects"]] == [1, 1]
    review = review_project(studio.store, project_id)
    assert [(one.object_id, one.label) for one in review] == [(1, "square"), (2, "square")]
    assert review[0].reasons == ("the class is unsure",)
    assert open_media(studio, [run]) == project_id


def test_other_folders_are_refused_in_words(client, tmp_path, run):
    with pytest.raises(StudioError, match="not the folder of a run"):
        open_media(client.app.state.studio, [tmp_path])
    (tmp_path / "red.png").unlink()
    assert list(read_run(run)) == []
    with pytest.raises(StudioError, match="label again"):
        open_media(client.app.state.studio, [run])
    assert client.app.state.studio.store.listed() == []
