import io
import json
import pickle
import tarfile

import numpy as np
import pytest
from PIL import Image

from masklet.errors import FormatError
from masklet.evaluation.datasets import few_per_source, read_packed_clips, read_packed_stills, thinned
from masklet.geometry import Size
from masklet.masks import rle

HEIGHT, WIDTH = 8, 10


def picture(seed, *, file_format="WEBP", shape=(HEIGHT, WIDTH)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*shape, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, file_format, lossless=True)
    return pixels, file.getvalue()


def square(row, column, side=3):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[row : row + side, column : column + side] = True
    return mask


def counts(mask):
    return rle.encode(mask).counts.decode()


def pack(path, members):
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def clip_members(name="dog", masks=None):
    masks = [np.zeros((HEIGHT, WIDTH), bool), square(1, 1), square(2, 4)] if masks is None else masks
    frames = {f"{name}/{index:05d}.webp": picture(index)[1] for index in range(len(masks))}
    # Frames lie in the tar out of order: their names count.
    facts = {"size": [HEIGHT, WIDTH], "rle": [counts(mask) for mask in masks]}
    return {f"{name}/masks.json": facts, **dict(reversed(frames.items()))}


def test_packed_clip_gives_frames_and_masks_in_order_of_names(tmp_path):
    path = pack(tmp_path / "clips.tar", {**clip_members("dog"), **clip_members("cat")})
    cat, dog = read_packed_clips(path)
    assert (cat.name, dog.name) == ("cat", "dog")
    assert (dog.size, dog.num_frames, dog.object_ids) == (Size(HEIGHT, WIDTH), 3, (1,))
    for index, frame in enumerate(dog.frames()):
        assert np.array_equal(frame, picture(index)[0])
    assert not dog.mask(1, 0).any()
    assert np.array_equal(dog.mask(1, 2), square(2, 4))
    assert dog.first_frame(1) == 1


def test_object_that_is_never_seen_has_no_first_frame(tmp_path):
    path = pack(tmp_path / "clips.tar", clip_members(masks=[np.zeros((HEIGHT, WIDTH), bool)]))
    (clip,) = read_packed_clips(path)
    assert clip.first_frame(1) is None


def test_clip_can_be_sent_to_another_process(tmp_path):
    (clip,) = read_packed_clips(pack(tmp_path / "clips.tar", clip_members()))
    copy = pickle.loads(pickle.dumps(clip))
    assert np.array_equal(copy.frame(1), clip.frame(1))


def test_packed_still_gives_image_masks_and_labels(tmp_path):
    pixels, content = picture(5)
    facts = {"size": [HEIGHT, WIDTH], "kind": "parts", "rle": [counts(square(0, 0)), counts(square(4, 4))]}
    members = {"pets/7.webp": content, "pets/7.json": {**facts, "labels": ["head", "tail"]}}
    members |= {"face/a.b.webp": content, "face/a.b.json": facts}
    face, pet = read_packed_stills(pack(tmp_path / "stills.tar", members))
    assert (pet.source, pet.name, pet.kind, pet.labels) == ("pets", "7", "parts", ("head", "tail"))
    assert (face.source, face.name, face.labels) == ("face", "a.b", ())
    assert np.array_equal(pet.image(), pixels)
    assert [rle.area(mask) for mask in pet.masks] == [9, 9]


def still_members(**changes):
    facts = {"size": [HEIGHT, WIDTH], "kind": "parts", "rle": [counts(square(0, 0))]}
    return {"pets/7.webp": picture(0)[1], "pets/7.json": {**facts, **changes}}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"pets/7.webp": picture(0)[1]}, "has no pets/7.json"),
        ({"pets/7.webp": b"", "pets/7.json": b"{"}, "not JSON"),
        ({"pets/7.webp": b"", "pets/7.json": b"[]"}, "JSON object"),
        (still_members(rle=None), '"rle"'),
        (still_members(rle=["zz"]), "damaged"),
        (still_members(rle=[None]), "counts"),
        (still_members(size=[0, 1]), "size"),
        (still_members(labels=[]), "one entry"),
    ],
)
def test_damaged_stills_are_refused(tmp_path, members, reason):
    path = pack(tmp_path / "stills.tar", members)
    with pytest.raises(FormatError, match=reason):
        list(read_packed_stills(path))


def test_clip_with_fewer_masks_than_frames_is_refused(tmp_path):
    members = clip_members()
    members["dog/99999.webp"] = picture(9)[1]
    with pytest.raises(FormatError, match="4 frames and 3 masks"):
        list(read_packed_clips(pack(tmp_path / "clips.tar", members)))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no image", "cannot be decoded"),
        (picture(0)[1][:40], "cannot be decoded"),
        (picture(0, file_format="BMP")[1], "cannot be decoded"),
        (picture(0, shape=(4, 4))[1], "its masks are"),
    ],
)
def test_damaged_frames_are_refused_when_they_are_read(tmp_path, content, reason):
    members = {**clip_members(), "dog/00001.webp": content}
    (clip,) = read_packed_clips(pack(tmp_path / "clips.tar", members))
    assert clip.frame(0).shape == (HEIGHT, WIDTH, 3)
    with pytest.raises(FormatError, match=reason):
        clip.frame(1)


def test_tar_that_is_none_or_missing_is_refused(tmp_path):
    path = tmp_path / "clips.tar"
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_packed_clips(path))
    path.write_bytes(b"x" * 3000)
    with pytest.raises(FormatError, match="cannot be read"):
        list(read_packed_clips(path))


def test_tar_cut_after_it_was_listed_is_refused(tmp_path):
    path = pack(tmp_path / "clips.tar", clip_members())
    (clip,) = read_packed_clips(path)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(FormatError, match="in the middle"):
        list(clip.frames())


def test_few_photos_of_each_source_with_masks_spread_over_each(tmp_path):
    members = {}
    for source, names in {"pets": "abc", "coco": "d"}.items():
        for name in names:
            facts = {"size": [HEIGHT, WIDTH], "kind": "instances"}
            masks = [counts(square(0, column)) for column in range(5)]
            members[f"{source}/{name}.webp"] = picture(1)[1]
            members[f"{source}/{name}.json"] = {**facts, "rle": masks, "labels": list("vwxyz")}
    chosen = list(few_per_source(read_packed_stills(pack(tmp_path / "photos.tar", members)), 2, max_masks=3))
    assert [(still.source, still.name) for still in chosen] == [("coco", "d"), ("pets", "a"), ("pets", "b")]
    assert chosen[0].labels == ("v", "x", "z")
    assert [rle.decode(mask).any(axis=0).argmax() for mask in chosen[0].masks] == [0, 2, 4]


def test_a_thinned_clip_shows_every_second_frame(tmp_path):
    members = clip_members(masks=[square(row, row) for row in range(5)])
    (clip,) = read_packed_clips(pack(tmp_path / "clips.tar", members))
    few = thinned(clip, most=2, step=2)
    assert (few.num_frames, few.frame_names) == (2, ("00000", "00002"))
    assert np.array_equal(few.frame(1), clip.frame(2))
    assert np.array_equal(few.mask(1, 1), clip.mask(1, 2))
    assert thinned(clip).num_frames == 5
