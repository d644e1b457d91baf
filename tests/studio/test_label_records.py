"""Labels of other programs in and out again: what nobody touched goes out as it came."""

import io
import json
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from masklet.annotations import FrameMask, Label, Project, Track, VideoFacts
from masklet.formats import Entry, LabelSet, read_labels, write_labels
from masklet.geometry import Size
from masklet.masks import rle


def fetch(page, name, media_id):
    job = page.export(kind="labels", format=name, media_id=media_id)
    assert job["status"] == "done", job
    return page.client.get(f"/api/jobs/{job['id']}/file").content


@pytest.fixture
def import_labels(upload_file):
    def send(page, content, name, **body):
        upload_id = upload_file(page.client, content, name=name, chunk=60_000)
        return page.edit("POST", f"/api/projects/{page.project_id}/labels", upload_id=upload_id, **body)

    return send


@pytest.fixture
def photo_id(page, upload_file, make_image):
    """An image of the page's project, photo.png, 56 x 40 pixels."""
    upload_id = upload_file(page.client, make_image(), name="photo.png")
    answer = page.client.post(f"/api/projects/{page.project_id}/media", json={"upload_id": upload_id})
    return answer.json()["id"]


def coco_of_a_person():
    """An image set as another program wrote it: polygons with fractions, attributes, a crowd, unknown fields, a licence."""
    return {
        "info": {"description": "ours", "year": 2019, "contributor": "Zoë"},
        "licenses": [{"id": 4, "name": "CC BY 4.0"}],
        "images": [
            {
                "id": 77,
                "file_name": "photos/photo.png",
                "width": 56,
                "height": 40,
                "license": 4,
                "flickr_url": "",
            }
        ],
        "categories": [{"id": 31, "name": "mug", "supercategory": "kitchen", "keypoints": []}],
        "annotations": [
            {
                "id": 501,
                "image_id": 77,
                "category_id": 31,
                "segmentation": [[4.25, 5.5, 20.75, 5.5, 20.75, 18.125, 4.25, 18.125]],
                "bbox": [4.25, 5.5, 16.5, 12.625],
                "area": 208.3125,
                "iscrowd": 0,
                "attributes": {"occluded": True, "color": "rød"},
            },
            {
                "id": 502,
                "image_id": 77,
                "category_id": 31,
                "segmentation": [[30.5, 20.5, 44.5, 20.5, 44.5, 34.5, 30.5, 34.5]],
                "bbox": [30.5, 20.5, 14, 14],
                "area": 196,
                "iscrowd": 0,
                "attributes": {"occluded": False},
            },
        ],
    }


def test_an_imported_set_goes_out_as_it_came_but_for_what_was_corrected(page, photo_id, import_labels):
    original = coco_of_a_person()
    import_labels(page, json.dumps(original).encode(), "set.json")
    assert [one["name"] for one in page.state()["media"][0]["objects"]] == ["Object 501", "Object 502"]
    untouched = json.loads(fetch(page, "coco", photo_id))
    assert untouched["annotations"] == original["annotations"]
    assert [untouched[key] for key in ("info", "licenses", "categories")] == [
        original[key] for key in ("info", "licenses", "categories")
    ]
    page.prompt(photo_id, object_id=502, frame=0, clicks=((37, 27, True), (5, 5, False)))
    corrected = json.loads(fetch(page, "coco", photo_id))
    first, second = sorted(corrected["annotations"], key=lambda one: one["id"])
    assert first == original["annotations"][0]
    assert second["id"] != 502
    assert "attributes" not in second
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    assert json.loads(fetch(page, "coco", photo_id))["annotations"] == original["annotations"]


def test_labels_taken_back_leave_no_record_and_redone_ones_have_theirs(page, photo_id, import_labels):
    original = coco_of_a_person()
    import_labels(page, json.dumps(original).encode(), "set.json")
    page.edit("POST", f"/api/projects/{page.project_id}/undo")
    found = json.loads(fetch(page, "coco", photo_id))
    assert found["annotations"] == []
    assert "licenses" not in found
    page.edit("POST", f"/api/projects/{page.project_id}/redo")
    found = json.loads(fetch(page, "coco", photo_id))
    assert found["annotations"] == original["annotations"]
    assert found["licenses"] == original["licenses"]


def test_a_project_file_carries_what_came_in(
    page, photo_id, import_labels, upload_file, page_class, tmp_path
):
    """What nobody changed goes out of the project's copy, and out of its file without a studio, as it came in."""
    original = coco_of_a_person()
    import_labels(page, json.dumps(original).encode(), "set.json")
    page.prompt(photo_id, object_id=502, frame=0, clicks=((37, 27, True), (5, 5, False)))
    job = page.export(kind="project")
    content = page.client.get(f"/api/jobs/{job['id']}/file").content
    upload_id = upload_file(page.client, content, name="p.zip", chunk=60_000)
    answer = page.client.post("/api/imports", json={"upload_id": upload_id})
    assert answer.status_code == 201, answer.text
    copy = page_class(page.client, answer.json()["id"])
    (tmp_path / "p.zip").write_bytes(content)
    write_labels(read_labels(tmp_path / "p.zip")[1], tmp_path / "out.json", "coco")
    for found in (
        json.loads(fetch(copy, "coco", copy.state()["media"][0]["id"])),
        json.loads((tmp_path / "out.json").read_bytes()),
    ):
        first, second = sorted(found["annotations"], key=lambda one: one["id"])
        assert first == original["annotations"][0]
        assert second["id"] != 502
        assert [found[key] for key in ("info", "licenses", "categories")] == [
            original[key] for key in ("info", "licenses", "categories")
        ]


@pytest.mark.parametrize(
    "change",
    [
        lambda records: records["records"]["entries"][0]["records"][0].pop(),
        lambda records: records["entries"][0].pop("document"),
        lambda records: records.pop("records"),
    ],
)
@pytest.mark.usefixtures("photo_id")
def test_a_project_file_with_damaged_records_is_refused(page, import_labels, upload_file, change):
    import_labels(page, json.dumps(coco_of_a_person()).encode(), "set.json")
    job = page.export(kind="project")
    content = page.client.get(f"/api/jobs/{job['id']}/file").content
    parts = parts_of(content)
    records = json.loads(parts["labels/0.json"])
    change(records)
    parts["labels/0.json"] = json.dumps(records).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    upload_id = upload_file(page.client, buffer.getvalue(), name="p.zip", chunk=60_000)
    answer = page.client.post("/api/imports", json={"upload_id": upload_id})
    assert (answer.status_code, answer.json()["code"]) == (422, "format")
    assert len(page.client.get("/api/projects").json()["projects"]) == 1


def cvat_of_a_track():
    shapes = "".join(
        f'<box frame="{frame}" keyframe="1" outside="1" occluded="{occluded}" xtl="1" ytl="1" xbr="2" ybr="2"/>'
        for frame, occluded in ((2, 1), (3, 1), (4, 0))
    )
    polygon = '<polygon frame="{}" keyframe="1" outside="0" occluded="0" points="4,5;20,5;20,18;4,18"/>'
    return (
        '<?xml version="1.0"?><annotations><version>1.1</version><meta><task><name>clip.mp4</name><size>10</size>'
        "<original_size><width>56</width><height>40</height></original_size><labels><label><name>mug</name></label>"
        f'</labels></task></meta><track id="3" label="mug">{polygon.format(0)}{polygon.format(1)}{shapes}</track>'
        "</annotations>"
    ).encode()


@pytest.mark.parametrize("name", ["masklet", "cvat-video", "coco"])
def test_whether_an_unseen_object_is_hidden_or_gone_survives(page, media_id, import_labels, tmp_path, name):
    import_labels(page, cvat_of_a_track(), "tracks.xml")
    page.prompt(media_id, object_id=3, frame=7)
    assert page.track(media_id)["status"] == "done"
    path = tmp_path / f"out.{'xml' if name == 'cvat-video' else 'json'}"
    path.write_bytes(fetch(page, name, media_id))
    track = read_labels(path)[1].entries[0].project.tracks[3]
    assert [track.frames[frame].is_occluded for frame in (0, 2, 3, 4)] == [False, True, True, False]
    assert track.frames[2].is_absent
    assert not track.frames[7].is_occluded


def test_attributes_and_outlines_of_tracks_survive_a_correction(page, media_id, import_labels):
    shapes = "".join(
        f'<polygon frame="{frame}" keyframe="{frame % 2}" outside="0" occluded="{frame}" z_order="4" '
        'points="4.25,5.5;20,5;20,18.75;4,18"><attribute name="colour">rød</attribute></polygon>'
        for frame in (0, 1)
    )
    content = cvat_of_a_track().decode().replace('label="mug"', 'label="mug" group_id="6" source="file"')
    content = content[: content.index("<polygon")] + shapes + content[content.index("<box") :]
    content = content.replace(
        "<name>clip.mp4</name>", "<name>clip.mp4</name><owner><username>zoë</username></owner>"
    )
    import_labels(page, content.encode(), "tracks.xml")
    page.prompt(media_id, object_id=3, frame=0, clicks=((12, 12, True), (30, 30, False)))
    found = ElementTree.fromstring(fetch(page, "cvat-video", media_id))
    was = ElementTree.fromstring(content)
    assert found.findtext("meta/task/owner/username") == "zoë"
    (track,) = found.findall("track")
    assert track.attrib == was.find("track").attrib
    fixed = track[0]
    assert (fixed.tag, fixed.get("frame"), fixed.findtext("attribute")) == ("mask", "0", "rød")
    for now, before in zip(track[1:], was.find("track")[1:], strict=True):
        assert (now.tag, now.attrib, now.findtext("attribute")) == (
            before.tag,
            before.attrib,
            before.findtext("attribute"),
        )


def test_hidden_frames_survive_a_project_file(page, media_id, import_labels, upload_file):
    import_labels(page, cvat_of_a_track(), "tracks.xml", media_id=media_id)
    job = page.export(kind="project")
    content = page.client.get(f"/api/jobs/{job['id']}/file").content
    upload_id = upload_file(page.client, content, name="p.zip", chunk=60_000)
    answer = page.client.post("/api/imports", json={"upload_id": upload_id})
    assert answer.status_code == 201, answer.text
    studio = page.client.app.state.studio
    (media,) = studio.store.projects.media_of(answer.json()["id"])
    assert [one.is_occluded for one in studio.store.results.of_object(media.id, 3)][:5] == [
        False,
        False,
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("labelme", "zip"), ("label-studio", "json"), ("cvat-images", "xml"), ("yolo", "zip")],
)
def test_records_of_every_kind_survive(page, photo_id, import_labels, tmp_path, name, suffix):
    """XML, lines of text and lists of shapes are kept like JSON objects."""
    mask = np.zeros((40, 56), bool)
    mask[10:20, 10:30] = True
    track = Track(object_id=1, label_id=1, frames={0: FrameMask(frame=0, rle=rle.encode(mask))})
    facts = VideoFacts(name="photo.png", size=Size(40, 56), num_frames=1)
    project = Project(video=facts, tracks={1: track}, labels={1: Label(id=1, name="tile", color="#aa0000")})
    made = LabelSet(entries=(Entry(project=project, frame_names=("photo.png",)),))
    path = tmp_path / f"in.{suffix}"
    write_labels(made, path, name)
    content = path.read_bytes()
    if name == "label-studio":
        content = content.replace(
            b'"image_rotation":0', b'"image_rotation":0,"origin":"manual","readonly":true'
        )
    if name == "cvat-images":
        content = content.replace(b'z_order="0"', b'z_order="5"')
    import_labels(page, content, f"in.{suffix}", format=name)
    out = fetch(page, name, photo_id)
    if suffix == "zip":
        assert parts_of(out) == parts_of(content)
    else:
        assert (
            out.split(b"<image")[-1] == content.split(b"<image")[-1]
            if suffix == "xml"
            else json.loads(out) == json.loads(content)
        )


def parts_of(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {one: archive.read(one) for one in archive.namelist() if not one.endswith("/")}
