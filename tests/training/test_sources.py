"""A folder is opened by what lies in it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from masklet.cli.main import main
from masklet.errors import TrainingError
from masklet.training.sources import open_data
from masklet.weights.load import load_model


def test_packed_shards_are_found(packed_folder: Path) -> None:
    assert open_data(packed_folder).stills


def test_coco_folder_is_found(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(tmp_path / "images" / "a.png")
    listing = {
        "images": [{"id": 1, "file_name": "a.png", "width": 50, "height": 40}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[5, 5, 30, 5, 30, 30, 5, 30]]}
        ],
        "categories": [{"id": 1, "name": "thing"}],
    }
    (tmp_path / "annotations.json").write_text(json.dumps(listing))
    assert sum(len(records) for records in open_data(tmp_path).stills.values()) == 1


def test_davis_folder_is_found(tmp_path: Path) -> None:
    for kind in ("JPEGImages", "Annotations"):
        (tmp_path / kind / "480p" / "clip").mkdir(parents=True)
    for index in range(2):
        Image.fromarray(np.zeros((40, 50, 3), np.uint8)).save(
            tmp_path / "JPEGImages/480p/clip" / f"{index:05}.jpg"
        )
        mask = np.zeros((40, 50), np.uint8)
        mask[5:20, 5:20] = 255
        Image.fromarray(mask).save(tmp_path / "Annotations/480p/clip" / f"{index:05}.png")
    assert open_data(tmp_path).clips


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="absent"):
        open_data(tmp_path / "absent")


def test_folder_without_data_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    with pytest.raises(TrainingError, match="empty"):
        open_data(folder)


def test_train_command_ends_with_weights_that_load(
    packed_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    command = ["train", "debug", "--data", str(packed_folder), "--out", str(out), "--workers", "0", "--json"]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert not ended.value.code
    said = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert said["steps"] == 4
    assert load_model(out / "model.safetensors").name == "debug-compact"
