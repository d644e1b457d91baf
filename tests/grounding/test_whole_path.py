"""From a folder with a detector to a tracked video with classes, without network."""

import json

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import load
from masklet.cli.main import main
from masklet.video.image import read_indexed_png


def test_a_detector_on_disk_labels_a_video(owl_folder, photo, tmp_path, capsys):
    clip = tmp_path / "clip"
    clip.mkdir()
    for index in range(3):
        Image.fromarray(np.roll(photo, index, axis=1)).save(clip / f"{index}.png")
    arguments = [
        "track",
        str(clip),
        "--text",
        "dog . ball",
        "--detector",
        str(owl_folder),
        "--threshold",
        "0.4",
    ]
    out = tmp_path / "result"
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(out), "--model", "debug-compact", "--device", "cpu", "--json"])
    said = capsys.readouterr()
    assert not ended.value.code, said.err
    project = load(out / "tracks.json")
    assert json.loads(said.out)["objects"] == len(project.tracks)
    assert {label.name for label in project.labels.values()} <= {"dog", "ball"}
    assert all(track.label_id in project.labels for track in project.tracks.values())
    labels = read_indexed_png(out / "masks" / "00000.png")
    assert set(np.unique(labels)) <= {0, *project.tracks}
