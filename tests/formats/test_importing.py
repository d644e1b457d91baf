"""Files of other programs: recognised, read as they mean it, corrected, and written with the rest untouched."""

import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.errors import FormatError
from masklet.formats import FORMATS, Entry, LabelSet, convert, read_labels, write_labels
from masklet.formats.brush import decode_brush, encode_brush
from masklet.formats.paths import contain, safe_name
from masklet.geometry import Size
from masklet.masks import rle
from masklet.video.image import mask_palette

HEIGHT, WIDTH = 24, 40


def ring(x, y, side=8):
    """A square with a hole, and a speck apart from it."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + side, x : x + side] = True
    mask[y + 2 : y + 4, x + 3 : x + 5] = False
    mask[y + side + 1, x] = True
    return mask


def video():
    """Three frames, two objects of two classes."""
    labels = {1: Label(id=1, name="Hund", color="#800000"), 2: Label(id=2, name="球", color="#008000")}
    tracks = {
        i: Track(
            object_id=i,
            label_id=i,
            frames={
                f: FrameMask(frame=f, rle=rle.encode(ring(3 * f + 10 * (i - 1), 2 * i))) for f in range(3)
            },
        )
        for i in (1, 2)
    }
    facts = VideoFacts(name="Straße", size=Size(HEIGHT, WIDTH), num_frames=3)
    names = tuple(f"Straße/{f:05d}.jpg" for f in range(3))
    return LabelSet(
        entries=(Entry(project=Project(video=facts, tracks=tracks, labels=labels), frame_names=names),)
    )


WRITTEN = [name for name, one in FORMATS.items() if one.is_readable]
SAME_FAMILY = {"coco-polygon": "coco", "cvat-video": "cvat-images"}


@pytest.mark.parametrize("name", WRITTEN)
def test_every_format_is_recognised_by_what_is_inside(name, tmp_path):
    out = tmp_path / f"out{FORMATS[name].suffix}"
    write_labels(video(), out, name)
    found, labels = read_labels(out)
    assert found == SAME_FAMILY.get(name, name)
    assert labels.entries


@pytest.mark.parametrize("name", [name for name in WRITTEN if FORMATS[name].shape == "folder"])
def test_folders_are_packed_and_read_from_zips(name, tmp_path):
    write_labels(video(), tmp_path / "out.zip", name)
    write_labels(video(), tmp_path / "out", name)
    assert read_labels(tmp_path / "out.zip")[0] == name
    packed, plain = (read_labels(tmp_path / one, format_name=name)[1] for one in ("out.zip", "out"))
    assert [one.project.tracks for one in packed.entries] == [one.project.tracks for one in plain.entries]


@pytest.mark.parametrize("name", ["coco", "coco-polygon"])
def test_pycocotools_reads_the_same_masks(name, tmp_path, capsys):
    out = tmp_path / "out.json"
    write_labels(video(), out, name)
    found = COCO(str(out))
    capsys.readouterr()
    assert {one["name"] for one in found.loadCats(found.getCatIds())} == {"Hund", "球"}
    for annotation in found.loadAnns(found.getAnnIds()):
        image = found.loadImgs(annotation["image_id"])[0]
        wanted = ring(
            3 * image["frame_index"] + 10 * (annotation["track_id"] - 1), 2 * annotation["track_id"]
        )
        assert (found.annToMask(annotation).astype(bool) == wanted).all()
        assert annotation["area"] == wanted.sum()


def test_pillow_reads_the_palette_and_indices_of_davis(tmp_path):
    write_labels(video(), tmp_path / "out", "davis")
    with Image.open(tmp_path / "out" / "Annotations" / "Full-Resolution" / "Straße" / "00001.png") as image:
        assert image.mode == "P"
        assert image.getpalette() == mask_palette().ravel().tolist()
        indices = np.array(image)
    first, second = ring(3, 2), ring(13, 4)
    assert (indices == np.where(first, 1, np.where(second, 2, 0))).all()


def coco_file(path):
    """A file as people have it: polygons with fractions, a crowd, a box, fields that nobody here knows."""
    polygon = [[2.25, 3.5, 20.75, 3.5, 20.75, 15.25, 2.25, 15.25]]
    crowd = {"size": [HEIGHT, WIDTH], "counts": [5, 9, HEIGHT * WIDTH - 14]}
    content = {
        "info": {"year": 2026, "contributor": "Ünal"},
        "licenses": [{"id": 4, "name": "CC BY"}],
        "images": [
            {"id": 77, "file_name": "train/Katze.jpg", "height": HEIGHT, "width": WIDTH, "license": 4},
            {"id": 12, "file_name": "leer.jpg", "height": HEIGHT, "width": WIDTH},
        ],
        "annotations": [
            {"id": 900, "image_id": 77, "category_id": 17, "segmentation": polygon, "area": 217.4,
             "bbox": [2.25, 3.5, 18.5, 11.75], "iscrowd": 0, "attributes": {"night": True}},
            {"id": 901, "image_id": 77, "category_id": 17, "segmentation": crowd, "area": 9,
             "bbox": [0, 5, 1, 9], "iscrowd": 1},
            {"id": 33, "image_id": 77, "category_id": 90, "bbox": [1.5, 2, 10, 4], "area": 40, "iscrowd": 0,
             "keypoints": [1, 2, 2]},
        ],
        "categories": [
            {"id": 17, "name": "cat", "supercategory": "animal"}, {"id": 90, "name": "Bürste", "keypoints": ["a"]},
        ],
    }  # fmt: skip
    path.write_text(json.dumps(content), encoding="utf-8")
    return content


def test_a_coco_file_that_nobody_changed_is_written_as_it_was(tmp_path):
    content = coco_file(tmp_path / "in.json")
    convert(tmp_path / "in.json", tmp_path / "out.json", to="coco")
    found = json.loads((tmp_path / "out.json").read_text())
    for one in (found, content):
        one["annotations"].sort(key=lambda annotation: annotation["id"])
    assert found == content


def test_one_corrected_object_leaves_the_others_as_they_were(tmp_path):
    """Import, correct in our own document, export in the same format beside the original."""
    content = coco_file(tmp_path / "in.json")
    convert(tmp_path / "in.json", tmp_path / "ours.json", to="masklet")
    _, labels = read_labels(tmp_path / "ours.json")
    entry = labels.entries[0]
    fixed = FrameMask(frame=0, rle=rle.encode(ring(4, 4)))
    track = entry.project.tracks[900].with_frames([fixed])
    corrected = replace(entry, project=entry.project.with_track(track))
    write_labels(replace(labels, entries=(corrected, *labels.entries[1:])), tmp_path / "ours.json", "masklet")
    convert(tmp_path / "ours.json", tmp_path / "out.json", to="coco", original=tmp_path / "in.json")
    found = json.loads((tmp_path / "out.json").read_text())
    before = {one["id"]: one for one in content["annotations"]}
    after = {one.get("track_id", one["id"]): one for one in found["annotations"]}
    assert after[901] == before[901]
    assert after[33] == before[33]
    assert (coco_mask.decode(after[900]["segmentation"]).astype(bool) == ring(4, 4)).all()
    assert {key: found[key] for key in ("info", "licenses", "images", "categories")} == {
        key: content[key] for key in ("info", "licenses", "images", "categories")
    }


@pytest.mark.parametrize("name", ["labelme", "label-studio", "cvat-images", "coco-video", "yolo"])
def test_untouched_records_of_other_formats_stay_as_they_were(name, tmp_path):
    """Corners with fractions would be lost if outlines were traced again."""
    first, second = (tmp_path / f"{one}{FORMATS[name].suffix}" for one in ("first", "second"))
    write_labels(video(), first, name)
    files = [first] if first.is_file() else [one for one in sorted(first.rglob("*")) if one.is_file()]
    texts = {one: one.read_text("utf-8") for one in files}
    marked = {path: text.replace('"iscrowd":0', '"iscrowd":0,"seen":1.25') for path, text in texts.items()}
    marked = {
        path: text.replace('"image_rotation":0', '"image_rotation":0,"score":0.125')
        for path, text in marked.items()
    }
    marked = {
        path: text.replace('"flags":{},"mask"', '"flags":{"a":true},"mask"') for path, text in marked.items()
    }
    marked = {path: text.replace('source="manual"', 'source="hand"') for path, text in marked.items()}
    marked = {
        path: text.replace("0.075 ", "0.0750 ") if path.suffix == ".txt" else text
        for path, text in marked.items()
    }
    assert marked != texts
    for path, text in marked.items():
        path.write_text(text, encoding="utf-8")
    convert(first, second, to=name)
    for path, text in marked.items():
        other = second if path == first else second / path.relative_to(first)
        assert other.read_text("utf-8") == text


def test_cvat_tracks_and_shapes_of_people(tmp_path):
    (tmp_path / "a.xml").write_text(
        """<?xml version="1.0"?><annotations><version>1.1</version><meta><task><size>9</size>
        <mode>interpolation</mode><labels><label><name>car</name><color>#33DDFF</color></label></labels>
        <original_size><width>40</width><height>24</height></original_size><source>v.mp4</source></task></meta>
        <track id="0" label="car"><polygon frame="2" outside="0" occluded="0" points="2,2;10,2;10,8;2,8"/>
        <polygon frame="5" outside="1" occluded="1" points="2,2;10,2;10,8;2,8"/></track>
        <track id="1" label="van"><box frame="0" outside="0" xtl="1.5" ytl="2" xbr="9" ybr="8"/>
        <points frame="1" points="1,1"/></track></annotations>"""
    )
    name, labels = read_labels(tmp_path / "a.xml")
    project = labels.entries[0].project
    assert (name, project.video.name, project.video.num_frames) == ("cvat-images", "v.mp4", 9)
    assert [(one.name, one.color) for one in project.labels.values()] == [
        ("car", "#33ddff"),
        ("van", "#008000"),
    ]
    assert rle.area(project.tracks[0].frames[2].rle) == 48
    assert project.tracks[0].frames[5].is_occluded
    assert project.prompts[1][0].box.xyxy == (1.5, 2, 9, 8)
    assert labels.notes == ("a points of track 1 was passed over",)


def test_a_brush_of_label_studio_with_literal_runs_is_read():
    """Two pixels as one run of eight bytes and a literal of eight, written by hand from the description."""
    bits = (
        f"{16:032b}{7:05b}{2:04b}{3:04b}{7:04b}{15:04b}"
        + f"1{0:02b}{7:03b}{255:08b}"
        + f"0{0:02b}{7:03b}"
        + f"{0:08b}" * 8
    )
    bits += "0" * (-len(bits) % 8)
    values = [int(bits[i : i + 8], 2) for i in range(0, len(bits), 8)]
    size = Size(1, 4)
    assert rle.decode(decode_brush(values, size)).tolist() == [[True, True, False, False]]
    with pytest.raises(FormatError, match="ends too early"):
        decode_brush(values[:-3], size)
    assert decode_brush(encode_brush(rle.encode(ring(3, 3))), Size(HEIGHT, WIDTH)) == rle.encode(ring(3, 3))


def test_yolo_takes_sizes_from_the_images(tmp_path):
    (tmp_path / "labels" / "train").mkdir(parents=True)
    (tmp_path / "images" / "train").mkdir(parents=True)
    (tmp_path / "labels" / "train" / "a.txt").write_text(
        "1 0.25 0.25 0.75 0.25 0.75 0.75 0.25 0.75\n0 0.5 0.5 0.5 0.5\n"
    )
    (tmp_path / "data.yaml").write_text("names: [cat, dog]\n")
    with pytest.raises(FormatError, match="give the folder of images as media"):
        read_labels(tmp_path)
    Image.new("RGB", (40, 24)).save(tmp_path / "images" / "train" / "a.png")
    _, labels = read_labels(tmp_path)
    (entry,) = labels.entries
    assert entry.frame_names == ("train/a.png",)
    assert [entry.project.labels[t.label_id].name for t in entry.project.tracks.values()] == ["dog", "cat"]
    assert rle.area(entry.project.tracks[1].frames[0].rle) == 20 * 12
    assert entry.project.prompts[2][0].box.xyxy == (10, 6, 30, 18)


def test_many_objects_with_high_numbers_go_through(tmp_path):
    count = 3000
    frames = {0: FrameMask(frame=0, rle=rle.encode(ring(4, 4)))}
    tracks = {10**9 + i: Track(object_id=10**9 + i, frames=frames) for i in range(count)}
    facts = VideoFacts(name="Menge", size=Size(HEIGHT, WIDTH), num_frames=1)
    labels = LabelSet(entries=(Entry(project=Project(video=facts, tracks=tracks)),))
    for name in ("coco", "coco-video", "png"):
        out = tmp_path / f"{name}{FORMATS[name].suffix}"
        write_labels(labels, out, name)
        assert len(read_labels(out)[1].entries[0].project.tracks) == count
    with pytest.raises(
        FormatError, match=r"number the objects anew \(--renumber\), or choose another format"
    ):
        write_labels(labels, tmp_path / "davis", "davis")


NAUGHTY = [
    "..",
    ".",
    "",
    "a/b",
    "a\\b",
    "/etc/passwd",
    "C:\\x",
    "con",
    "nul.txt",
    "x" * 300,
    "a\0b",
    "a. ",
    "\u202etxt.exe",
    "\ud800",
]


@pytest.mark.parametrize("name", NAUGHTY)
def test_any_name_becomes_a_file_in_the_folder(name, tmp_path):
    path = contain(tmp_path, safe_name(name))
    assert path.parent == tmp_path
    path.write_bytes(b"")


DAMAGED = {
    "no.json": b"[1, 2",
    "deep.json": b"[" * 100_000,
    "entity.xml": b'<!DOCTYPE a [<!ENTITY b "c">]><annotations>&b;</annotations>',
    "size.json": b'{"images": [{"id": 1, "file_name": "a", "height": -1, "width": 4}], "annotations": []}',
    "count.json": b'{"images": [{"id": 1, "file_name": "a", "height": 4, "width": 4}], "annotations": '
    b'[{"id": 1, "image_id": 1, "category_id": 1, "segmentation": {"size": [4, 4], "counts": "zzz"}}]}',
    "far.json": b'{"images": [{"id": 1, "file_name": "a", "height": 4, "width": 4}], "annotations": '
    b'[{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 1e14, 0, 5, 5]]}]}',
    "lost.json": b'{"images": [], "annotations": [{"id": 1, "image_id": 1, "segmentation": []}]}',
}


@pytest.mark.parametrize(("name", "content"), DAMAGED.items(), ids=DAMAGED.keys())
def test_damaged_files_are_refused_in_one_sentence(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FormatError) as refused:
        read_labels(tmp_path / name)
    assert len(str(refused.value)) < 400
