"""Labels that somebody sent are read elsewhere: what a reader does there costs one import, never the studio."""

import json
from dataclasses import replace

import pytest

from masklet.errors import FormatError
from masklet.geometry import Size
from masklet.studio.label_reading import read_apart
from masklet.studio.settings import Limits

LIMITS = replace(Limits(), labels_seconds=10)
YOLO = "0 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n"
HARM = """
from masklet.studio import label_worker
def read(*given, **named):
    {harm}
label_worker.read_labels = read
label_worker.main()
"""
HARMS = {
    "crash": ("import os; os.kill(os.getpid(), 11)", "'mine.json' makes its reader stop"),
    "hang": ("import time; time.sleep(600)", "'mine.json' takes too long to read"),
    "memory": ("bytearray(2**40)", "need more memory than they may take"),
    "network": ("import socket; socket.socket()", "makes its reader stop"),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "labels.json"
    path.write_text("{}", encoding="utf-8")
    return path


@pytest.mark.parametrize("harm", list(HARMS))
def test_what_a_reader_does_costs_one_import(path, harm):
    program, message = HARMS[harm]
    limits = replace(LIMITS, labels_seconds=2) if harm == "hang" else LIMITS
    with pytest.raises(FormatError, match=message):
        read_apart(path, "mine.json", limits, format_name=None, sizes={}, program=HARM.format(harm=program))


def test_messages_call_the_file_what_its_sender_does(path):
    with pytest.raises(FormatError, match="mine") as caught:
        read_apart(path, "mine.json", LIMITS, format_name=None, sizes={})
    assert "labels.json" not in str(caught.value)


def test_sizes_are_those_of_the_project(tmp_path):
    path = tmp_path / "photo.txt"
    path.write_text(YOLO, encoding="utf-8")
    name, labels = read_apart(
        path,
        "a.txt",
        LIMITS,
        format_name="yolo",
        sizes={"photo.png": Size(40, 80)},
    )
    (entry,) = labels.entries
    assert (name, entry.project.video.size) == ("yolo", Size(40, 80))


def test_occluded_frames_and_their_order_come_through(tmp_path):
    path = tmp_path / "labels.json"
    document = {
        "info": {},
        "videos": [{"id": 1, "file_names": ["a/0.jpg", "a/1.jpg"], "width": 4, "height": 3, "length": 2}],
        "categories": [{"id": 1, "name": "cup"}],
        "annotations": [
            {
                "id": 1,
                "video_id": 1,
                "category_id": 1,
                "iscrowd": 0,
                "areas": [4, None],
                "bboxes": [[0, 0, 2, 2], None],
                "segmentations": [{"size": [3, 4], "counts": [0, 2, 1, 2, 7]}, None],
                "height": 3,
                "width": 4,
            }
        ],
    }
    path.write_text(json.dumps(document), encoding="utf-8")
    _, labels = read_apart(path, "a.json", LIMITS, format_name="coco-video", sizes={})
    (track,) = labels.entries[0].project.tracks.values()
    assert [frame for frame, one in track.frames.items() if not one.is_absent] == [0]
    assert labels.entries[0].frame_names == ("a/0.jpg", "a/1.jpg")
