import json
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from masklet.errors import TrainingError
from masklet.masks import rle
from masklet.training.folders import coco_counts, open_coco, open_davis, open_sav
from masklet.training.sampling import DataConfig, TrainingData

HW = (40, 64)


def _box_mask(x=10, y=8):
    mask = np.zeros(HW, bool)
    mask[y : y + 20, x : x + 24] = True
    return mask


def _save_frame(path, value=90):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((*HW, 3), value, np.uint8)).save(path)


@pytest.mark.parametrize(
    "segmentation",
    [
        [[10, 8, 34, 8, 34, 28, 10, 28]],
        {"size": list(HW), "counts": rle.encode(_box_mask()).counts.decode()},
        {"size": list(HW), "counts": rle.runs(rle.encode(_box_mask())).tolist()},
    ],
    ids=["polygon", "compressed", "plain"],
)
def test_every_kind_of_coco_mask_is_read(tmp_path, segmentation):
    _save_frame(tmp_path / "images" / "a.png")
    listing = {
        "images": [
            {"id": 1, "file_name": "a.png", "height": 40, "width": 64},
            {"id": 2, "file_name": "without-masks.png", "height": 40, "width": 64},
        ],
        "annotations": [
            {"image_id": 1, "segmentation": segmentation, "iscrowd": 0},
            {"image_id": 1, "segmentation": segmentation, "iscrowd": 1},
        ],
    }
    (tmp_path / "instances.json").write_text(json.dumps(listing))
    shards = open_coco(tmp_path / "instances.json", tmp_path / "images", source="mine")
    (record,) = shards.stills["mine"]
    assert len(record.counts) == 1
    np.testing.assert_array_equal(record.mask(0), _box_mask())
    assert TrainingData(DataConfig(side=32), shards)[0].masks.any()


def test_several_polygons_are_one_mask():
    counts = coco_counts([[0, 0, 4, 0, 4, 4, 0, 4], [10, 0, 14, 0, 14, 4, 10, 4]], (8, 16))
    mask = rle.decode(rle.RLE(rle.Size(8, 16), counts))
    assert mask.sum() == 32


@pytest.mark.parametrize("text", ["no json", "[]", '{"images": []}'])
def test_a_file_that_is_not_coco_is_refused(tmp_path, text):
    (tmp_path / "instances.json").write_text(text)
    with pytest.raises(TrainingError, match=r"instances\.json"):
        open_coco(tmp_path / "instances.json", tmp_path)


def _davis_folder(folder, *, values):
    for frame in range(4):
        _save_frame(folder / "JPEGImages" / "480p" / "swan" / f"{frame:05d}.jpg")
        plane = np.zeros(HW, np.uint8)
        for number, value in enumerate(values):
            plane[4 + 16 * number : 16 + 16 * number, 5 + 3 * frame : 30 + 3 * frame] = value
        image = Image.fromarray(plane)
        if values != (255,):
            image.putpalette([0, 0, 0, 128, 0, 0, 0, 128, 0])
        path = folder / "Annotations" / "480p" / "swan" / f"{frame:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)


@pytest.mark.parametrize(("values", "num_objects"), [((1, 2), 2), ((255,), 1)])
def test_davis_folders_of_both_editions_are_read(tmp_path, values, num_objects):
    _davis_folder(tmp_path, values=values)
    (clip,) = open_davis(tmp_path).clips["davis"]
    assert clip.is_present.tolist() == [[True] * num_objects] * 4
    y, x = np.nonzero(clip.mask(2, num_objects - 1))
    assert (x.min(), x.max() + 1, y.min()) == (11, 36, 4 + 16 * (num_objects - 1))
    sample = TrainingData(
        DataConfig(side=48, num_frames=3, clip_share=1, composite_share=0), open_davis(tmp_path)
    )[0]
    assert sample.source == "davis"


def test_a_davis_mask_without_its_frame_is_refused(tmp_path):
    _davis_folder(tmp_path, values=(1,))
    (tmp_path / "JPEGImages" / "480p" / "swan" / "00002.jpg").unlink()
    with pytest.raises(TrainingError, match="1 of them without a frame"):
        open_davis(tmp_path)


def test_a_davis_split_names_clips_that_are_there(tmp_path):
    _davis_folder(tmp_path, values=(1,))
    assert len(open_davis(tmp_path, clips=["swan"]).clips["davis"]) == 1
    with pytest.raises(TrainingError, match="goat"):
        open_davis(tmp_path, clips=["goat"])


def _write_video(path, *, num_frames):
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=24)
        stream.width, stream.height, stream.pix_fmt = HW[1], HW[0], "yuv420p"
        stream.codec_context.time_base = Fraction(1, 24)
        for number in range(num_frames):
            picture = np.full((*HW, 3), 20 * number + 20, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())


def _write_listing(path, *, num_rows):
    rows = [
        [{"size": list(HW), "counts": rle.encode(_box_mask(x=row)).counts.decode()}]
        for row in range(num_rows)
    ]
    path.write_text(json.dumps({"video_height": 40.0, "video_width": 64.0, "masklet": rows}))


def test_sav_masks_belong_to_every_fourth_frame(tmp_path):
    _write_video(tmp_path / "sav_1.mp4", num_frames=9)
    _write_listing(tmp_path / "sav_1_manual.json", num_rows=3)
    (clip,) = open_sav(tmp_path).clips["sav"]
    frames = clip.frames.read([2, 0, 1])
    assert [round(float(frame.mean()) / 20) * 20 for frame in frames] == [180, 20, 100]
    np.testing.assert_array_equal(clip.mask(2, 0), _box_mask(x=2))


def test_a_sav_video_that_ends_before_its_masks_is_refused(tmp_path):
    _write_video(tmp_path / "sav_1.mp4", num_frames=5)
    _write_listing(tmp_path / "sav_1_auto.json", num_rows=3)
    (clip,) = open_sav(tmp_path).clips["sav"]
    with pytest.raises(TrainingError, match="has 5 frames"):
        clip.frames.read([2])


def test_a_folder_without_sav_clips_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="SA-V"):
        open_sav(tmp_path)
