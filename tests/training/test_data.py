import numpy as np
import pytest

from masklet.errors import TrainingError
from masklet.training.data import Shards, decode_rgb, measured_still, open_shards


def test_every_shard_but_the_held_out_one_is_read(shards):
    assert {source: len(records) for source, records in shards.stills.items()} == {"boxes": 3, "people": 2}
    assert len(shards.cutouts) == 1
    assert len(shards.backgrounds) == 1
    assert [clip.num_frames for clip in shards.clips["davis"]] == [9]


def test_a_still_comes_back_with_its_pixels_and_masks(shards):
    record = shards.stills["boxes"][0]
    image = record.image()
    assert image.shape == (60, 80, 3)
    assert image.dtype == np.uint8
    assert record.areas.tolist() == [800, 800, 800]
    assert record.boxes_xywh[1].tolist() == [30, 8, 20, 40]
    np.testing.assert_array_equal(image[record.mask(1) > 0], np.tile([250, 80, 40], (800, 1)))  # RGB, not BGR


def test_a_clip_knows_where_its_object_is(shards):
    clip = shards.clips["davis"][0]
    assert clip.is_present[:, 0].tolist() == [True] * 4 + [False] + [True] * 4
    assert clip.mask(4, 0).sum() == 0
    frame = clip.frames.read([7])[0]
    assert (frame[clip.mask(7, 0) > 0] == (240, 240, 20)).all()


def test_one_named_shard_is_read_alone(packed_folder):
    shards = open_shards(packed_folder, names=["cutouts"])
    assert not shards.stills
    assert len(shards.cutouts) == 1


def test_a_held_out_shard_is_refused(packed_folder):
    with pytest.raises(TrainingError, match="held out"):
        open_shards(packed_folder, names=["photos-dev"])


def test_a_folder_without_shards_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="No training shard"):
        open_shards(tmp_path)


def test_a_damaged_shard_is_refused(tmp_path):
    (tmp_path / "photos-1.tar").write_bytes(b"not a tar" * 200)
    with pytest.raises(TrainingError, match=r"photos-1\.tar"):
        open_shards(tmp_path)


def test_bytes_that_are_no_image_are_refused():
    with pytest.raises(TrainingError, match="not a readable"):
        decode_rgb(b"GIF89a nonsense")


def test_a_missing_image_file_is_named(tmp_path):
    with pytest.raises(TrainingError, match=r"gone\.jpg"):
        decode_rgb(tmp_path / "gone.jpg")


def test_masks_that_do_not_fill_their_image_are_refused():
    with pytest.raises(TrainingError, match="training mask"):
        measured_still(source="s", name="n", kind="parts", size_hw=(4, 4), encoded=b"", counts=[b"1"])


def test_an_image_of_another_size_than_its_masks_is_refused(shards):
    whole = shards.stills["boxes"][0]
    wrong = measured_still(
        source="s", name="n", kind="parts", size_hw=(4, 4), encoded=whole.encoded, counts=[]
    )
    with pytest.raises(TrainingError, match="both must agree"):
        wrong.image()


def test_merging_joins_sources_of_one_name(shards):
    merged = shards.merged(Shards(stills={"boxes": shards.stills["boxes"][:1]}))
    assert len(merged.stills["boxes"]) == 4
    assert len(merged.stills["people"]) == 2
