"""Clips of data sets as they are handed out: DAVIS, YouTube-VOS, MOSE, LVOS and SA-V."""

import numpy as np
import pytest
from PIL import Image

from masklet.errors import FormatError
from masklet.evaluation.layouts import find_clips, read_names

SHAPE = (6, 8)


def write_frames(folder, num_frames):
    folder.mkdir(parents=True)
    for index in range(num_frames):
        Image.fromarray(np.full((*SHAPE, 3), 20 * index, np.uint8)).save(folder / f"{index:05d}.jpg")


def write_indexed(path, index_map, mode="P"):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(index_map.astype(np.uint8))
    if mode == "P":
        palette = Image.new("P", image.size)
        palette.putdata(index_map.astype(np.uint8).ravel().tolist())
        palette.putpalette([value for index in range(256) for value in (index, 255 - index, 7)])
        image = palette
    image.save(path)


def index_map(**rows):
    found = np.zeros(SHAPE, np.uint8)
    for name, row in rows.items():
        found[row] = int(name[1:])
    return found


def only_clip(root, layout):
    found, (place,) = find_clips(root)
    assert found == layout
    return place.read().clip


def test_davis_indices_are_objects_and_255_is_none(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 3)
    annotations = tmp_path / "Annotations/480p/dog"
    write_indexed(annotations / "00000.png", index_map(_1=0, _3=2, _255=5))
    write_indexed(annotations / "00002.png", index_map(_3=1))
    clip = only_clip(tmp_path, "davis")
    assert clip.object_ids == (1, 3)
    assert clip.truth[1][1] is None
    assert np.array_equal(clip.mask(3, 0), index_map(_1=2) > 0)
    assert not clip.mask(1, 2).any()
    assert [int(frame.mean()) for frame in clip.frames()] == [0, 20, 40]
    assert find_clips(tmp_path)[1][0].count_frames() == 3


def test_a_white_annotation_is_one_object(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    write_indexed(tmp_path / "Annotations/480p/dog/00000.png", index_map(_255=1), mode="L")
    clip = only_clip(tmp_path, "davis")
    assert clip.object_ids == (1,)
    assert clip.mask(1, 0).sum() == SHAPE[1]


def test_sav_has_a_folder_per_object_and_gaps_between_annotations(tmp_path):
    write_frames(tmp_path / "JPEGImages_24fps/sav_1", 6)
    for frame in (0, 4):
        write_indexed(tmp_path / f"Annotations_6fps/sav_1/000/{frame:05d}.png", index_map(_1=frame), mode="L")
    write_indexed(tmp_path / "Annotations_6fps/sav_1/001/00004.png", index_map(_1=3), mode="P")
    clip = only_clip(tmp_path, "sav")
    assert clip.object_ids == (0, 1)
    assert [found is not None for found in clip.truth[0]] == [True, False, False, False, True, False]
    assert clip.first_frame(1) == 4


def test_mose_has_no_resolution_between(tmp_path):
    write_frames(tmp_path / "JPEGImages/dog", 2)
    write_indexed(tmp_path / "Annotations/dog/00000.png", index_map(_2=1))
    assert only_clip(tmp_path, "mose").object_ids == (2,)
    assert find_clips(tmp_path, layout="lvos")[0] == "lvos"


def test_a_folder_without_annotations_is_refused(tmp_path):
    with pytest.raises(FormatError, match="There is no data"):
        find_clips(tmp_path / "none")
    with pytest.raises(FormatError, match="needs the folder Annotations"):
        find_clips(tmp_path)


def test_a_clip_of_which_nothing_can_be_used_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    path = tmp_path / "Annotations/480p/dog/00000.png"
    write_indexed(path, index_map(_1=1))
    path.write_bytes(path.read_bytes()[:60])
    (place,) = find_clips(tmp_path)[1]
    with pytest.raises(FormatError, match="no annotation that can be read"):
        place.read()


def test_what_is_damaged_or_odd_is_named_and_left_out(tmp_path):
    write_frames(tmp_path / "JPEGImages_24fps/sav_1", 2)
    folder = tmp_path / "Annotations_6fps/sav_1"
    write_indexed(folder / "001/00000.png", index_map(_1=1))
    write_indexed(folder / "first/00000.png", index_map(_1=1))
    (folder / "001/00001.png").write_bytes(b"no picture")
    read = find_clips(tmp_path)[1][0].read()
    assert read.clip.object_ids == (1,)
    assert [found is not None for found in read.clip.truth[1]] == [True, False]
    assert read.problems == (
        "sav_1/001/00001.png: it is damaged or no PNG.",
        "sav_1/first: the folder of an object must be a whole number.",
    )


def test_an_image_of_another_size_is_refused_when_it_is_asked_for(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    write_indexed(tmp_path / "Annotations/480p/dog/00000.png", np.ones((3, 3), np.uint8))
    with pytest.raises(FormatError, match="its masks are"):
        only_clip(tmp_path, "davis").frame(0)


def test_names_of_clips_are_read_in_both_forms(tmp_path):
    path = tmp_path / "val.txt"
    path.write_text("bear\ncat\n")
    assert read_names(path) == ["bear", "cat"]
    lines = [f"/JPEGImages/480p/bear/{at:05d}.jpg /Annotations/480p/bear/{at:05d}.png\n" for at in range(3)]
    path.write_text("".join(lines))
    assert read_names(path) == ["bear"]
    with pytest.raises(FormatError, match="list of names"):
        read_names(tmp_path / "none.txt")


def test_davis_2016_paints_its_only_object_white(tmp_path):
    folder = tmp_path / "Annotations/480p/bear"
    folder.mkdir(parents=True)
    for index in range(3):
        white = np.zeros((20, 30), np.uint8)
        white[4:12, 5 + index : 15 + index] = 255
        Image.fromarray(white).save(folder / f"{index:05d}.png")
    layout, (place,) = find_clips(tmp_path)
    clip = place.read().clip
    assert (layout, clip.object_ids, clip.num_frames) == ("davis", (1,), 3)
    assert clip.mask(1, 2).sum() == 80
