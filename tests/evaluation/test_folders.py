import numpy as np
import pytest
from PIL import Image

from masklet.errors import FormatError
from masklet.evaluation.folders import read_davis, read_sav

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


def test_davis_indices_are_objects_and_255_is_none(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 3)
    annotations = tmp_path / "Annotations/480p/dog"
    write_indexed(annotations / "00000.png", index_map(_1=0, _3=2, _255=5))
    write_indexed(annotations / "00002.png", index_map(_3=1))
    (clip,) = read_davis(tmp_path)
    assert clip.object_ids == (1, 3)
    assert clip.truth[1][1] is None
    assert np.array_equal(clip.mask(3, 0), index_map(_1=2) > 0)
    assert not clip.mask(1, 2).any()
    assert [int(frame.mean()) for frame in clip.frames()] == [0, 20, 40]


def test_davis_grey_annotation_is_one_object(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    write_indexed(tmp_path / "Annotations/480p/dog/00000.png", index_map(_255=1), mode="L")
    (clip,) = read_davis(tmp_path)
    assert clip.object_ids == (1,)
    assert clip.mask(1, 0).sum() == SHAPE[1]


def test_sav_has_a_folder_per_object_and_gaps_between_annotations(tmp_path):
    write_frames(tmp_path / "JPEGImages_24fps/sav_1", 6)
    for frame in (0, 4):
        write_indexed(tmp_path / f"Annotations_6fps/sav_1/000/{frame:05d}.png", index_map(_1=frame), mode="L")
    write_indexed(tmp_path / "Annotations_6fps/sav_1/001/00004.png", index_map(_1=3), mode="P")
    (clip,) = read_sav(tmp_path)
    assert clip.object_ids == (0, 1)
    assert [found is not None for found in clip.truth[0]] == [True, False, False, False, True, False]
    assert clip.first_frame(1) == 4


def test_names_choose_clips(tmp_path):
    for name in ("a", "b", "c"):
        write_frames(tmp_path / "JPEGImages/480p" / name, 1)
        write_indexed(tmp_path / f"Annotations/480p/{name}/00000.png", index_map(_1=1))
    assert [clip.name for clip in read_davis(tmp_path, names=["c", "a"])] == ["a", "c"]


def test_name_that_leaves_the_folder_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    with pytest.raises(FormatError, match="one folder name"):
        list(read_davis(tmp_path, names=["../480p/dog"]))


def test_missing_parts_are_refused(tmp_path):
    with pytest.raises(FormatError, match="no folder JPEGImages/480p"):
        list(read_davis(tmp_path))
    write_frames(tmp_path / "JPEGImages/480p/dog", 0)
    with pytest.raises(FormatError, match="no frames"):
        list(read_davis(tmp_path))


def test_clip_without_annotation_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    (tmp_path / "Annotations/480p/dog").mkdir(parents=True)
    with pytest.raises(FormatError, match="one size"):
        list(read_davis(tmp_path))


def test_damaged_annotation_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages/480p/dog", 1)
    path = tmp_path / "Annotations/480p/dog/00000.png"
    write_indexed(path, index_map(_1=1))
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(FormatError, match="damaged"):
        list(read_davis(tmp_path))


def test_object_folder_that_is_no_number_is_refused(tmp_path):
    write_frames(tmp_path / "JPEGImages_24fps/sav_1", 1)
    write_indexed(tmp_path / "Annotations_6fps/sav_1/first/00000.png", index_map(_1=1))
    with pytest.raises(FormatError, match="whole number"):
        list(read_sav(tmp_path))
