"""Labels of other programs, one object corrected, written in the same format: the rest is read as it stood, by no reader of ours."""

import io
import json
from base64 import b64encode
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask

from masklet.annotations import FrameMask
from masklet.formats import read_labels, write_labels
from masklet.masks import rle
from masklet.video.image import mask_palette

HEIGHT, WIDTH = 24, 40
CORRECTED = 2
"""The object that is corrected in every file."""


def block(x, y, side):
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[y : y + side, x : x + side] = True
    return mask


FIXED = block(20, 3, 9)
"""What the object is corrected to, on its first frame."""


def corrected(path, out, name):
    """Read, correct one object on its first frame, write in the same format; what was read stays beside it."""
    found, labels = read_labels(path)
    entry = labels.entries[0]
    track = entry.project.tracks[CORRECTED]
    first = min([*track.frames, *entry.project.prompts.get(CORRECTED, {})])
    fixed = track.with_frames([FrameMask(frame=first, rle=rle.encode(FIXED))])
    changed = replace(entry, project=entry.project.with_track(fixed))
    write_labels(replace(labels, entries=(changed, *labels.entries[1:])), out, name)
    return found


def xml_of(text):
    """An XML element as values: tag, attributes, text and children, spaces between elements left out."""

    def values(one):
        return one.tag, dict(one.attrib), (one.text or "").strip(), [values(inner) for inner in one]

    return values(ElementTree.fromstring(text))


CVAT_META = """<version>1.1</version><meta><task><id>77</id><name>Straße</name><size>{size}</size><mode>{mode}</mode>
<overlap>5</overlap><bugtracker/><flipped>False</flipped><created>2024-05-01 10:00:00+00:00</created>
<labels><label><name>car</name><color>#33ddff</color><type>any</type><attributes><attribute><name>color</name>
<mutable>False</mutable><input_type>select</input_type><default_value>red</default_value><values>red
blue</values></attribute></attributes></label><label><name>sign</name><color>#fa3253</color><type>any</type>
<attributes/></label></labels><segments><segment><id>3</id><start>0</start><stop>8</stop><url>http://cvat/3</url>
</segment></segments><owner><username>zoë</username><email/></owner><assignee/>{more}</task><dumped>2024-05-02</dumped>
</meta>"""


CVAT_IMAGES = f"""<?xml version="1.0" encoding="utf-8"?><annotations>{CVAT_META.format(size=2, mode="annotation", more="")}
<image id="10" name="a/eins.jpg" width="40" height="24" subset="train">
<polygon label="car" source="file" occluded="1" points="1.25,2.50;10.75,2.50;10.75,9.00;1.25,9.00" z_order="4">
<attribute name="color">blue</attribute></polygon>
<box label="sign" source="manual" occluded="0" xtl="20.50" ytl="3.25" xbr="30.00" ybr="12.00" z_order="1">
<attribute name="color">red</attribute></box>
<polyline label="sign" source="manual" occluded="0" points="1.00,1.00;5.00,5.00" z_order="0"></polyline>
<points label="car" source="manual" occluded="0" points="3.00,3.00" z_order="0"></points>
<tag label="sign" source="manual"><attribute name="color">red</attribute></tag></image>
<image id="11" name="a/zwei.jpg" width="40" height="24" subset="train">
<mask label="car" source="auto" occluded="0" rle="2, 3, 4" left="5" top="6" width="3" height="3" z_order="0">
<attribute name="color">red</attribute></mask></image></annotations>"""


def test_cvat_images(tmp_path):
    (tmp_path / "a.xml").write_text(CVAT_IMAGES, "utf-8")
    corrected(tmp_path / "a.xml", tmp_path / "b.xml", "cvat-images")
    before = ElementTree.fromstring(CVAT_IMAGES.encode())
    after = ElementTree.parse(tmp_path / "b.xml").getroot()
    assert xml_of(ElementTree.tostring(after.find("meta"))) == xml_of(
        ElementTree.tostring(before.find("meta"))
    )
    assert after[-1].attrib == before[-1].attrib
    assert [xml_of(ElementTree.tostring(one)) for one in after[-1]] == [
        xml_of(ElementTree.tostring(one)) for one in before[-1]
    ]
    first, was = after.find("image"), before.find("image")
    assert first.attrib == was.attrib
    for tag in ("polygon", "polyline", "points", "tag"):
        assert [xml_of(ElementTree.tostring(one)) for one in first.iter(tag)] == [
            xml_of(ElementTree.tostring(one)) for one in was.iter(tag)
        ]
    (fixed,) = first.findall("mask")
    assert first.findall("box") == []
    assert (fixed.get("left"), fixed.get("width"), fixed.get("label")) == ("20", "9", "sign")
    assert [(one.get("name"), one.text) for one in fixed] == [("color", "red")]


CVAT_VIDEO_SIZE = "<original_size><width>40</width><height>24</height></original_size><source>v.mp4</source>"
CVAT_VIDEO = f"""<?xml version="1.0" encoding="utf-8"?><annotations>
{CVAT_META.format(size=9, mode="interpolation", more=CVAT_VIDEO_SIZE)}
<track id="1" label="car" source="file" group_id="6">
<polygon frame="0" keyframe="1" outside="0" occluded="1" points="1.25,2.50;10.75,2.50;10.75,9.00;1.25,9.00" z_order="3">
<attribute name="color">blue</attribute></polygon>
<polygon frame="1" keyframe="0" outside="0" occluded="0" points="2.25,2.50;11.75,2.50;11.75,9.00;2.25,9.00" z_order="3">
<attribute name="color">blue</attribute></polygon>
<polygon frame="2" keyframe="1" outside="1" occluded="0" points="2.25,2.50;11.75,2.50;11.75,9.00;2.25,9.00" z_order="3">
<attribute name="color">blue</attribute></polygon></track>
<track id="2" label="sign" source="manual">
<mask frame="0" keyframe="1" outside="0" occluded="0" rle="2, 3, 4" left="5" top="6" width="3" height="3" z_order="0">
<attribute name="color">red</attribute></mask>
<box frame="4" keyframe="1" outside="0" occluded="1" xtl="1.50" ytl="2.00" xbr="9.00" ybr="8.00" z_order="0">
<attribute name="color">red</attribute></box></track>
<track id="3" label="car" source="manual"><points frame="1" keyframe="1" outside="0" occluded="0" points="1.00,1.00"
z_order="0"></points></track></annotations>"""


def test_cvat_video(tmp_path):
    (tmp_path / "a.xml").write_text(CVAT_VIDEO, "utf-8")
    corrected(tmp_path / "a.xml", tmp_path / "b.xml", "cvat-video")
    before = ElementTree.fromstring(CVAT_VIDEO.encode())
    after = ElementTree.parse(tmp_path / "b.xml").getroot()
    for tag in ("version", "meta"):
        assert xml_of(ElementTree.tostring(after.find(tag))) == xml_of(ElementTree.tostring(before.find(tag)))
    tracks = {one.get("id"): xml_of(ElementTree.tostring(one)) for one in after.findall("track")}
    were = {one.get("id"): xml_of(ElementTree.tostring(one)) for one in before.findall("track")}
    assert (tracks["1"], tracks["3"]) == (were["1"], were["3"])
    fixed, box = tracks["2"][3]
    assert box == were["2"][3][1]
    assert (fixed[1]["left"], fixed[1]["width"], fixed[1]["frame"]) == ("20", "9", "0")
    assert fixed[3] == were["2"][3][0][3]


VOC = """<annotation><folder>VOC2012</folder><filename>{name}.jpg</filename><source><database>The VOC2007 Database</database>
<annotation>PASCAL VOC2007</annotation><image>flickr</image></source><owner><flickrid>zoë</flickrid></owner>
<size><width>40</width><height>24</height><depth>3</depth></size><segmented>1</segmented>{objects}</annotation>"""
VOC_OBJECTS = """<object><name>person</name><pose>Left</pose><truncated>1</truncated><occluded>1</occluded><difficult>0</difficult>
<bndbox><xmin>2.5</xmin><ymin>3</ymin><xmax>11</xmax><ymax>12</ymax></bndbox><part><name>head</name><bndbox><xmin>3</xmin>
<ymin>3</ymin><xmax>5</xmax><ymax>6</ymax></bndbox></part><actions><jumping>0</jumping><other>1</other></actions></object>
<object><name>dog</name><pose>Frontal</pose><truncated>0</truncated><difficult>1</difficult><bndbox><xmin>15</xmin>
<ymin>5</ymin><xmax>19</xmax><ymax>9</ymax></bndbox></object>
<object><name>cat</name><pose>Rear</pose><truncated>0</truncated><difficult>1</difficult><bndbox><xmin>30</xmin>
<ymin>15</ymin><xmax>36</xmax><ymax>20</ymax></bndbox></object>"""


def indexed_png(path, numbers):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(numbers.astype(np.uint8), mode="P")
    image.putpalette(mask_palette().ravel().tolist())
    image.save(path)


def numbers_with_void():
    numbers = np.zeros((HEIGHT, WIDTH), np.uint8)
    numbers[block(0, 1, 13)] = 255
    numbers[block(2, 3, 9)] = 1
    numbers[block(15, 5, 4)] = 2
    return numbers


def test_voc(tmp_path):
    (tmp_path / "a" / "Annotations").mkdir(parents=True)
    for name, objects in (("eins", VOC_OBJECTS), ("zwei", VOC_OBJECTS)):
        (tmp_path / "a" / "Annotations" / f"{name}.xml").write_text(
            VOC.format(name=name, objects=objects), "utf-8"
        )
        indexed_png(tmp_path / "a" / "SegmentationObject" / f"{name}.png", numbers_with_void())
    corrected(tmp_path / "a", tmp_path / "b", "voc")
    for name in ("eins", "zwei"):
        before, after = (
            ElementTree.parse(tmp_path / one / "Annotations" / f"{name}.xml").getroot() for one in "ab"
        )
        changed = 1 if name == "eins" else None
        for place, (now, was) in enumerate(zip(after, before, strict=True)):
            if now.tag == "object" and place - 6 == changed:
                assert [now.findtext(one) for one in ("name", "pose", "difficult", "bndbox/xmin")] == [
                    "dog",
                    "Frontal",
                    "1",
                    "21",
                ]
            else:
                assert xml_of(ElementTree.tostring(now)) == xml_of(ElementTree.tostring(was))
        wanted = numbers_with_void()
        if name == "eins":
            wanted[wanted == CORRECTED] = 0
            wanted[FIXED] = CORRECTED
        with Image.open(tmp_path / "b" / "SegmentationObject" / f"{name}.png") as image:
            assert (np.asarray(image) == wanted).all()
        with Image.open(tmp_path / "b" / "SegmentationClass" / f"{name}.png") as image:
            assert ((np.asarray(image) == 255) == (wanted == 255)).all()


def test_davis(tmp_path):
    for frame in range(3):
        indexed_png(
            tmp_path / "a" / "Annotations" / "480p" / "Straße" / f"{frame:05d}.png", numbers_with_void()
        )
    corrected(tmp_path / "a", tmp_path / "b", "davis")
    for frame in range(3):
        wanted = numbers_with_void()
        if frame == 0:
            wanted[wanted == CORRECTED] = 0
            wanted[FIXED] = CORRECTED
        (path,) = (tmp_path / "b").rglob(f"{frame:05d}.png")
        with Image.open(path) as image:
            assert (np.asarray(image) == wanted).all()
            assert image.getpalette() == mask_palette().ravel().tolist()


def test_object_png(tmp_path):
    for number, mask in ((1, block(2, 3, 9)), (CORRECTED, block(5, 5, 4))):
        folder = tmp_path / "a" / "clip" / f"{number:03d}"
        folder.mkdir(parents=True)
        for frame in range(2):
            Image.fromarray(mask.astype(np.uint8) * 255).save(folder / f"{frame:05d}.png")
    corrected(tmp_path / "a", tmp_path / "b", "png")
    for number, frame in ((1, 0), (1, 1), (CORRECTED, 1)):
        with Image.open(tmp_path / "a" / "clip" / f"{number:03d}" / f"{frame:05d}.png") as image:
            wanted = np.asarray(image)
        with Image.open(tmp_path / "b" / "clip" / f"{number:03d}" / f"{frame:05d}.png") as image:
            assert (np.asarray(image) == wanted).all()


def coco_rle(mask):
    found = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": list(map(int, found["size"])), "counts": found["counts"].decode()}


def test_mots(tmp_path):
    (tmp_path / "a").mkdir()
    lines = [
        (frame, number, kind, coco_rle(mask)["counts"])
        for frame in range(3)
        for number, kind, mask in (
            (2001, 2, block(2, 3, 9)),
            (CORRECTED, 1, block(14, 5, 4)),
            (10000, 10, block(30, 15, 7)),
        )
    ]
    text = "".join(f"{f} {number} {kind} {HEIGHT} {WIDTH} {counts}\n" for f, number, kind, counts in lines)
    (tmp_path / "a" / "0002.txt").write_text(text)
    corrected(tmp_path / "a", tmp_path / "b", "mots")
    found = [line.split() for line in (tmp_path / "b" / "0002.txt").read_text().splitlines()]
    after = {(int(one[0]), int(one[1])): one[2:] for one in found}
    for line in text.splitlines():
        one = line.split()
        if one[:2] != ["0", str(CORRECTED)]:
            assert after.pop((int(one[0]), int(one[1]))) == one[2:]
    (fixed,) = after.values()
    decoded = coco_mask.decode({"size": [HEIGHT, WIDTH], "counts": fixed[3].encode()})
    assert (decoded.astype(bool) == FIXED).all()


def sav_listing(kind, ids):
    masks = {number: block(2 * number, 3, 5 + number) for number in ids}
    return {
        "video_id": "sav_000001",
        "video_duration": 12.5,
        "video_frame_count": 9.0,
        "video_height": float(HEIGHT),
        "video_width": float(WIDTH),
        "video_resolution": float(HEIGHT * WIDTH),
        "video_environment": "Outdoor",
        "video_split": "train",
        "masklet": [[coco_rle(masks[number]) for number in ids] for _ in range(3)],
        "masklet_id": list(ids),
        "masklet_size_rel": [0.125] * len(ids),
        "masklet_size_abs": [99.5] * len(ids),
        "masklet_size_bucket": ["medium"] * len(ids),
        "masklet_visibility_changes": [7] * len(ids),
        "masklet_first_appeared_frame": [0.0] * len(ids),
        "masklet_frame_count": [3] * len(ids),
        "masklet_edited_frame_count": [1] * len(ids),
        "masklet_type": [kind] * len(ids),
        "masklet_stability_score": [None if kind == "manual" else [0.5, 0.75, 1.0]] * len(ids),
        "masklet_num": len(ids),
    }


def test_sav(tmp_path):
    (tmp_path / "a").mkdir()
    listings = {"manual": sav_listing("manual", (1, CORRECTED, 3)), "auto": sav_listing("auto", (0, 1))}
    for kind, listing in listings.items():
        (tmp_path / "a" / f"sav_000001_{kind}.json").write_text(json.dumps(listing))
    corrected(tmp_path / "a", tmp_path / "b", "sav")
    after = {kind: json.loads((tmp_path / "b" / f"sav_000001_{kind}.json").read_text()) for kind in listings}
    assert after["auto"] == listings["auto"]
    now, was = after["manual"], listings["manual"]
    assert {name: value for name, value in now.items() if name.startswith("video_")} == {
        name: value for name, value in was.items() if name.startswith("video_")
    }
    for name in (one for one in was if one.startswith("masklet_") and one != "masklet_num"):
        assert (now[name][0], now[name][2]) == (was[name][0], was[name][2]), name
    for row, (masks, were) in enumerate(zip(now["masklet"], was["masklet"], strict=True)):
        assert (masks[0], masks[2]) == (were[0], were[2])
        assert (masks[1] == were[1]) == (row > 0)
    fixed = coco_mask.decode({**now["masklet"][0][1], "counts": now["masklet"][0][1]["counts"].encode()})
    assert (fixed.astype(bool) == FIXED).all()


def test_coco_video(tmp_path):
    def annotation(number, mask, **more):
        return {
            "id": number, "video_id": 5, "category_id": 9, "iscrowd": 0, "height": HEIGHT, "width": WIDTH, "length": 2,
            "segmentations": [coco_rle(mask), None], "bboxes": [[1.25, 2, 3, 4], None], "areas": [12.5, None],
            **more,
        }  # fmt: skip

    content = {
        "info": {"description": "YouTube-VIS", "year": 2019},
        "licenses": [{"id": 1, "name": "CC BY"}],
        "videos": [{"id": 5, "width": WIDTH, "height": HEIGHT, "length": 2, "date_captured": "2019",
                    "file_names": ["x/00000.jpg", "x/00005.jpg"], "license": 1, "flickr_url": ""}],
        "categories": [{"id": 9, "name": "fox", "supercategory": "object"}],
        "annotations": [annotation(1, block(1, 1, 4), occlusion="severe"), annotation(CORRECTED, block(6, 6, 4))],
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(content))
    corrected(tmp_path / "a.json", tmp_path / "b.json", "coco-video")
    after = json.loads((tmp_path / "b.json").read_text())
    assert after["annotations"][0] == content["annotations"][0]
    for name in ("info", "licenses", "videos", "categories"):
        assert after[name] == content[name]
    assert (
        coco_mask.decode(after["annotations"][1]["segmentations"][0]).astype(bool).tolist() == FIXED.tolist()
    )


@pytest.mark.parametrize("name", ["coco", "coco-polygon"])
def test_coco(name, tmp_path):
    """Keypoints, crowds, attributes, and an object of its own number."""
    content = {
        "info": {"year": 2026},
        "licenses": [],
        "images": [{"id": 7, "file_name": "x/ö.jpg", "height": HEIGHT, "width": WIDTH, "coco_url": "http://x/7"}],
        "categories": [{"id": 3, "name": "mug", "supercategory": "kitchen", "skeleton": [[1, 2]]}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 3, "segmentation": [[2.25, 3.5, 20.75, 3.5, 20.75, 15.25]],
             "area": 217.4, "bbox": [2.25, 3.5, 18.5, 11.75], "iscrowd": 0, "attributes": {"night": True}},
            {"id": CORRECTED, "image_id": 7, "category_id": 3, "segmentation": [[1, 1, 9, 1, 9, 9, 1, 9]],
             "area": 64, "bbox": [1, 1, 8, 8], "iscrowd": 0},
            {"id": 3, "image_id": 7, "category_id": 3, "bbox": [1.5, 2, 10, 4], "area": 40, "iscrowd": 0,
             "segmentation": [], "keypoints": [1, 2, 2, 3, 4, 1], "num_keypoints": 2},
            {"id": 4, "image_id": 7, "category_id": 3, "segmentation": {"size": [HEIGHT, WIDTH], "counts": [5, 9, 946]},
             "area": 9, "bbox": [0, 5, 1, 9], "iscrowd": 1},
        ],
    }  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(content))
    corrected(tmp_path / "a.json", tmp_path / "b.json", name)
    after = json.loads((tmp_path / "b.json").read_text())
    before = {one["id"]: one for one in content["annotations"]}
    now = {one.get("track_id", one["id"]): one for one in after["annotations"]}
    assert [now[number] for number in (1, 3, 4)] == [before[number] for number in (1, 3, 4)]
    assert now[CORRECTED]["segmentation"] != before[CORRECTED]["segmentation"]
    for field in ("info", "licenses", "images", "categories"):
        assert after[field] == content[field]


def png_text(mask):
    stream = io.BytesIO()
    Image.fromarray(mask.astype(np.uint8) * 255).save(stream, format="PNG")
    return b64encode(stream.getvalue()).decode()


def test_labelme(tmp_path):
    (tmp_path / "a").mkdir()
    shapes = [
        {"label": "mug", "points": [[1.5, 2.25], [9.75, 2.5], [9.5, 9.25]], "group_id": 1, "description": "left",
         "shape_type": "polygon", "flags": {"seen": True}, "mask": None},
        {"label": "mug", "points": [[20.5, 3.25], [30.0, 12.0]], "group_id": CORRECTED, "description": "",
         "shape_type": "rectangle", "flags": {}, "mask": None},
        {"label": "spout", "points": [[5.0, 6.0]], "group_id": None, "shape_type": "point", "flags": {}},
        {"label": "rim", "points": [[5.0, 6.0], [8.0, 6.0]], "group_id": None, "shape_type": "circle", "flags": {}},
    ]  # fmt: skip
    content = {
        "version": "5.4.1", "flags": {"night": True}, "shapes": shapes, "imagePath": "ö.jpg", "imageData": None,
        "imageHeight": HEIGHT, "imageWidth": WIDTH, "reviewer": "zoë",
    }  # fmt: skip
    (tmp_path / "a" / "ö.json").write_text(json.dumps(content))
    corrected(tmp_path / "a", tmp_path / "b", "labelme")
    after = json.loads((tmp_path / "b" / "ö.json").read_text())
    assert {name: one for name, one in after.items() if name != "shapes"} == {
        name: one for name, one in content.items() if name != "shapes"
    }
    now = [one for one in after["shapes"] if one["group_id"] != CORRECTED]
    assert now == [one for one in shapes if one["group_id"] != CORRECTED]
    assert [one["shape_type"] for one in after["shapes"] if one["group_id"] == CORRECTED] == ["polygon"]


def test_label_studio(tmp_path):
    size = {"original_width": WIDTH, "original_height": HEIGHT, "image_rotation": 0}
    regions = [
        {"id": "1", "type": "polygonlabels", "from_name": "tag", "to_name": "img", "origin": "manual", **size,
         "value": {"points": [[5.5, 10.25], [50.125, 10.0], [50.0, 60.75]], "closed": True, "polygonlabels": ["mug"]}},
        {"id": str(CORRECTED), "type": "rectanglelabels", "from_name": "box", "to_name": "img", **size,
         "value": {"x": 50.5, "y": 10.5, "width": 20.25, "height": 30.0, "rotation": 0, "rectanglelabels": ["mug"]}},
        {"id": "k", "type": "keypointlabels", "from_name": "kp", "to_name": "img", **size,
         "value": {"x": 1.5, "y": 2.5, "width": 0.5, "keypointlabels": ["spout"]}},
        {"id": "c", "type": "choices", "from_name": "choice", "to_name": "img", "value": {"choices": ["indoors"]}},
    ]  # fmt: skip
    tasks = [
        {"id": 31, "data": {"image": "/data/ö.jpg", "meta": 5}, "created_at": "2024", "annotations": [
            {"id": 4, "completed_by": 2, "lead_time": 7.5, "was_cancelled": True, "result": []},
            {"id": 5, "completed_by": 1, "lead_time": 3.25, "was_cancelled": False, "result": regions}]},
    ]  # fmt: skip
    (tmp_path / "a.json").write_text(json.dumps(tasks))
    corrected(tmp_path / "a.json", tmp_path / "b.json", "label-studio")
    (task,) = json.loads((tmp_path / "b.json").read_text())
    now, was = task.pop("annotations"), tasks[0].pop("annotations")
    assert task == tasks[0]
    assert now[0] == was[0]
    assert {name: one for name, one in now[1].items() if name != "result"} == {
        name: one for name, one in was[1].items() if name != "result"
    }
    found = {one["id"]: one for one in now[1]["result"]}
    assert [found[one] for one in "1kc"] == [regions[0], regions[2], regions[3]]
    assert found[str(CORRECTED)]["type"] == "brushlabels"


def test_yolo(tmp_path):
    lines = [
        "1 0.0250 0.10 0.3000 0.10 0.3000 0.50 0.0250 0.50",
        "0 0.5 0.5 0.25 0.25",
        "2 0.70 0.7 0.90 0.7 0.80 0.95",
    ]
    (tmp_path / "a" / "labels" / "train").mkdir(parents=True)
    (tmp_path / "a" / "images" / "train").mkdir(parents=True)
    (tmp_path / "a" / "labels" / "train" / "ö.txt").write_text("\n".join(lines) + "\n")
    (tmp_path / "a" / "data.yaml").write_text("names: {0: cat, 1: dog, 2: cow}\nnc: 3\n")
    Image.new("RGB", (WIDTH, HEIGHT)).save(tmp_path / "a" / "images" / "train" / "ö.png")
    corrected(tmp_path / "a", tmp_path / "b", "yolo")
    (path,) = (tmp_path / "b").rglob("ö.txt")
    now = path.read_text().splitlines()
    assert [now[0], now[2]] == [lines[0], lines[2]]
    assert now[1].split()[0] == "0"
    assert len(now[1].split()) > 5
