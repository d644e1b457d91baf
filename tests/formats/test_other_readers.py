"""Readers of other projects find our labels. Installed by hand (``pip install supervision datumaro``), skipped without.

They are no development dependency: supervision brings matplotlib, 70 MB, and datumaro asks for an older OpenCV than masklet is tested with
(``pip install --no-deps datumaro`` and what it misses then works with ours). Last run with supervision 0.31.2 and datumaro 1.13.12: all five pass.
"""

import shutil

import numpy as np
import pytest
from PIL import Image

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.formats import Entry, LabelSet, write_labels
from masklet.geometry import Size
from masklet.masks import rle

HEIGHT, WIDTH = 120, 160


def blob(x, y):
    """A rectangle with a hole."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + 50, x : x + 60] = True
    mask[y + 20 : y + 30, x + 20 : x + 40] = False
    return mask


@pytest.fixture
def data_set(tmp_path):
    """One image with two objects, and its folder."""
    images = tmp_path / "images"
    images.mkdir()
    Image.new("RGB", (WIDTH, HEIGHT), (90, 90, 90)).save(images / "park.jpg")
    labels = {1: Label(id=1, name="dog", color="#800000"), 2: Label(id=2, name="ball", color="#008000")}
    tracks = {
        i: Track(
            object_id=i, label_id=i, frames={0: FrameMask(frame=0, rle=rle.encode(blob(70 * i - 60, 10 * i)))}
        )
        for i in (1, 2)
    }
    facts = VideoFacts(name="park.jpg", size=Size(HEIGHT, WIDTH), num_frames=1)
    entry = Entry(project=Project(video=facts, tracks=tracks, labels=labels), frame_names=("park.jpg",))
    return LabelSet(entries=(entry,)), images


def check(detections, classes, tolerance):
    """Both masks are found under their classes, within a share of their pixels."""
    assert sorted(classes[i] for i in detections.class_id) == ["ball", "dog"]
    for mask, class_id in zip(detections.mask, detections.class_id, strict=True):
        wanted = blob(10, 10) if classes[class_id] == "dog" else blob(80, 20)
        assert np.logical_xor(mask, wanted).sum() <= tolerance * wanted.sum()


def test_supervision_reads_coco(data_set, tmp_path):
    supervision = pytest.importorskip("supervision")
    labels, images = data_set
    write_labels(labels, tmp_path / "coco.json", "coco")
    found = supervision.DetectionDataset.from_coco(str(images), str(tmp_path / "coco.json"), force_masks=True)
    ((_, _, detections),) = list(found)
    check(detections, found.classes, 0)


def test_supervision_reads_yolo_but_for_the_lines_it_draws(data_set, tmp_path):
    supervision = pytest.importorskip("supervision")
    labels, images = data_set
    write_labels(labels, tmp_path / "yolo", "yolo", media=images)
    out = tmp_path / "yolo"
    found = supervision.DetectionDataset.from_yolo(
        str(out / "images"), str(out / "labels"), str(out / "data.yaml"), force_masks=True
    )
    ((_, _, detections),) = list(found)
    check(detections, found.classes, 0.12)


@pytest.mark.parametrize(
    ("name", "theirs"), [("coco", "coco"), ("voc", "voc_segmentation"), ("cvat-images", "cvat")]
)
def test_datumaro_reads(data_set, tmp_path, name, theirs):
    datumaro = pytest.importorskip("datumaro")
    labels, images = data_set
    folder = tmp_path / "out"
    if name == "voc":
        write_labels(labels, folder, name, media=images)
    else:
        shutil.copytree(images, folder / "images" / ("default" if name == "coco" else ""))
        (folder / "annotations").mkdir()
        inside = (
            folder / "annotations" / "instances_default.json"
            if name == "coco"
            else folder / "annotations.xml"
        )
        write_labels(labels, inside, name)
    found = datumaro.Dataset.import_from(str(folder), theirs)
    (item,) = list(found)
    masks = [one for one in item.annotations if one.type == datumaro.AnnotationType.mask]
    total = sum(int(np.asarray(one.image, bool).sum()) for one in masks)
    assert len(masks) == 2
    assert total == blob(10, 10).sum() + blob(80, 20).sum()
