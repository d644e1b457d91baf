"""Labels out in every format and in again, archives that lie, and the review of what was labelled."""

import io
import json
import threading
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from masklet.formats import FORMATS, read_labels
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.studio.exports.labels import LabelFile, write_labels_in_steps


@pytest.fixture
def labelled(page, media_id):
    """Two objects on some frames, one of a class, one of them drawn by hand."""
    classes = [{"id": 3, "name": "cup", "color": "#112233", "shortcut": "c"}]
    page.edit("PUT", f"/api/projects/{page.project_id}/ontology", classes=classes)
    page.prompt(media_id, name="mug", class_id=3)
    drawn = np.zeros((40, 56), bool)
    drawn[5:12, 30:44], drawn[7:9, 33:36] = True, False
    mask = {"size": [40, 56], "counts": rle.encode(drawn).counts.decode("ascii")}
    page.prompt(media_id, object_id=2, frame=4, clicks=(), mask=mask)
    assert page.track(media_id)["status"] == "done"
    return page


def fetch(page, name, media_id, **more):
    job = page.export(kind="labels", format=name, media_id=media_id, **more)
    assert job["status"] == "done", job
    answer = page.client.get(f"/api/jobs/{job['id']}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer, job


def masks_of(page, media_id):
    return {(one["object_id"], one["frame"]): one["counts"] for one in page.masks(media_id) if one["area"]}


def import_labels(page, upload_file, content, name, *, is_ok=True, **body):
    upload_id = upload_file(page.client, content, name=name, chunk=60_000)
    path = f"/api/projects/{page.project_id}/labels"
    return page.edit("POST", path, is_ok=is_ok, upload_id=upload_id, **body)


def test_every_format_is_written(labelled, media_id, settings, tmp_path):
    listed = labelled.client.get("/api/formats").json()["formats"]
    assert [one["name"] for one in listed] == list(FORMATS)
    for one in listed:
        answer, job = fetch(labelled, one["name"], media_id)
        assert len(answer.content) > 50, one["name"]
        assert answer.headers["content-disposition"].endswith(f'masklet-{one["name"]}.{one["suffix"]}"')
        if FORMATS[one["name"]].needs_media:
            assert job["num_total"] == 10
        if one["is_readable"]:
            path = tmp_path / f"{one['name']}.{one['suffix']}"
            path.write_bytes(answer.content)
            found = read_labels(
                path, format_name=one["name"], media=None if one["name"] != "yolo" else tmp_path
            )
            assert found[1].entries
    assert all(path.is_file() for path in settings.exports_folder.iterdir())


@pytest.mark.parametrize("name", ["masklet", "coco", "cvat-video", "coco-video"])
def test_labels_come_back_as_they_were_and_can_be_taken_back(labelled, media_id, upload_file, name):
    before, content = masks_of(labelled, media_id), fetch(labelled, name, media_id)[0].content
    suffix = "xml" if name == "cvat-video" else "json"
    reply = import_labels(
        labelled, upload_file, content, f"mine.{suffix}", mode="replace", format=name
    ).json()
    assert (reply["format"], reply["num_media"], reply["num_objects"]) == (name, 1, 2)
    assert masks_of(labelled, media_id) == before
    objects = labelled.state()["media"][0]["objects"]
    assert [one["class_id"] for one in objects] == [3, None]
    assert [one["name"] for one in labelled.state()["classes"]] == ["cup"]
    again = fetch(labelled, name, media_id)[0].content
    assert meaning(again, name) == meaning(content, name)
    labelled.edit("POST", f"/api/projects/{labelled.project_id}/undo")
    assert masks_of(labelled, media_id) == before
    assert labelled.state()["media"][0]["objects"][0]["name"] == "mug"


def meaning(content, name):
    """Masks by object and frame, and classes, as the format's own reader gives them."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.xml" if name == "cvat-video" else "a.json")
        path.write_bytes(content)
        (entry,) = read_labels(path)[1].entries
    label_names = {key: one.name for key, one in entry.project.labels.items()}
    return {
        (key, track.label_id and label_names[track.label_id], frame): one.rle
        for key, track in entry.project.tracks.items()
        for frame, one in track.frames.items()
        if not one.is_absent
    }


def test_imported_masks_stay_beside_others_and_can_be_corrected_and_tracked(labelled, media_id, upload_file):
    """A mask on the first frame alone, as many data sets give it, is followed."""
    content = json.loads(fetch(labelled, "coco", media_id)[0].content)
    first = [one for one in content["annotations"] if one["track_id"] == 1][:1]
    content["annotations"] = first
    content["tracks"] = [one for one in content.get("tracks", []) if one["id"] == 1]
    reply = import_labels(labelled, upload_file, json.dumps(content).encode(), "first.json").json()
    assert (reply["num_objects"], reply["num_masks"]) == (1, 1)
    objects = labelled.state()["media"][0]["objects"]
    assert [one["id"] for one in objects] == [1, 2, 3]
    assert objects[2]["prompts"][0]["mask"]["size"] == [40, 56]
    assert labelled.track(media_id)["status"] == "done"
    assert {frame for key, frame in masks_of(labelled, media_id) if key == 3} > {0, 1}
    labelled.prompt(media_id, object_id=3, frame=2)
    assert labelled.track(media_id)["status"] == "done"


def dense(frames=10):
    """A masklet document with one drawn object on every frame."""
    mask = np.zeros((40, 56), bool)
    mask[10:20, 10:30] = True
    coded = rle.to_json(rle.encode(mask))
    track = {"object_id": 7, "name": "hand", "frames": [{"frame": i, "rle": coded} for i in range(frames)]}
    video = {"name": "clip.mp4", "height": 40, "width": 56, "num_frames": frames}
    return track, video, coded


def test_drawn_labels_of_other_frames_survive_a_correction_and_tracking(page, media_id, upload_file):
    page.prompt(media_id)  # something to export a valid document of
    document = json.loads(fetch(page, "masklet", media_id)[0].content)
    track, _, coded = dense()
    document["tracks"], document["prompts"] = [track], []
    reply = import_labels(page, upload_file, json.dumps(document).encode(), "x.json", mode="replace").json()
    assert reply["num_masks"] == 10
    made = page.state()["media"][0]["objects"][0]
    assert (made["id"], made["name"], [one["frame"] for one in made["prompts"]]) == (
        7,
        "hand",
        [0, 2, 4, 7, 9],
    )
    page.prompt(media_id, object_id=7, frame=3)
    page.track(media_id)
    after = {one["frame"]: one["counts"] for one in page.masks(media_id)}
    untouched = {frame: counts for frame, counts in after.items() if frame != 3}
    assert set(untouched.values()) == {coded["counts"]}
    assert len(untouched) == 9


def packed(parts):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"no labels", "labels.json"),
        (b'{"images": [], "annotations": [], "categories": []}', "labels.json"),
        (packed({"../../evil.json": b"{}"}), "labels.zip"),
        (packed({"a.json": bytes(30_000_000)}), "labels.zip"),
        (b"\x00" * 500, "labels.bin"),
    ],
)
def test_files_that_are_no_labels_are_refused(page, media_id, upload_file, settings, content, name):
    assert page.state()["media"][0]["id"] == media_id
    answer = import_labels(page, upload_file, content, name, is_ok=False)
    assert (answer.status_code, answer.json()["code"]) == (422, "format")
    assert str(settings.home) not in answer.text
    assert page.state()["revision"] == 0
    assert not list(settings.home.parent.glob("evil*"))


def test_labels_of_something_else_are_refused_in_words(
    labelled, media_id, upload_file, make_page, add_to, make_video
):
    content = fetch(labelled, "coco-video", media_id)[0].content
    small = content.replace(b'"height":40', b'"height":20').replace(b"[40,56]", b"[20,56]")
    assert import_labels(labelled, upload_file, small, "a.json", is_ok=False).status_code == 422
    other = make_page("other")
    add_to(other, make_video(4))
    answer = import_labels(other, upload_file, content, "a.json", is_ok=False)
    assert answer.json()["code"] == "no_match"
    assert "ends at frame 3" in answer.json()["message"]
    empty = make_page("empty")
    assert (
        "add them first"
        in import_labels(empty, upload_file, content, "a.json", is_ok=False).json()["message"]
    )


def test_a_format_of_one_video_and_a_format_of_nothing_are_refused(labelled, add_to, make_video):
    path = f"/api/projects/{labelled.project_id}/exports"
    add_to(labelled, make_video(4))
    answer = labelled.client.post(path, json={"kind": "labels", "format": "gif"})
    assert (answer.status_code, answer.json()["code"]) == (422, "single")
    for body in (
        {"kind": "labels"},
        {"kind": "overlay", "format": "coco"},
        {"kind": "labels", "format": "x"},
    ):
        assert labelled.client.post(path, json=body).status_code == 422
    found = json.loads(fetch(labelled, "coco", None)[0].content)
    assert {one["name"] for one in found.get("videos", [])} >= {"clip.mp4", "clip-2.mp4"}


def test_the_review_lists_the_least_certain_first_and_remembers_what_was_accepted(labelled, media_id):
    path = f"/api/projects/{labelled.project_id}/review"
    listed = labelled.client.get(path).json()["entries"]
    assert {one["object_id"] for one in listed} == {1, 2}
    doubts = [one["uncertainty"] for one in listed]
    assert doubts == sorted(doubts, reverse=True)
    assert {one["object_id"]: one["label"] for one in listed} == {1: "cup", 2: ""}
    worst = listed[0]
    labelled.edit("POST", f"/api/media/{media_id}/objects/{worst['object_id']}/review", is_accepted=True)
    after = labelled.client.get(path).json()["entries"]
    assert [one["is_accepted"] for one in after] == [True, False]
    labelled.edit("POST", f"/api/projects/{labelled.project_id}/undo")
    assert not any(one["is_accepted"] for one in labelled.client.get(path).json()["entries"])
    missing = labelled.edit("POST", f"/api/media/{media_id}/objects/9/review", is_ok=False, is_accepted=True)
    assert missing.status_code == 404
    labelled.edit("POST", f"/api/media/{media_id}/objects/{worst['object_id']}/remove")
    assert len(labelled.client.get(path).json()["entries"]) == 1


def test_a_corrected_frame_is_not_doubted_again(labelled, media_id):
    path = f"/api/projects/{labelled.project_id}/review"
    worst = labelled.client.get(path).json()["entries"][0]
    labelled.prompt(media_id, object_id=worst["object_id"], frame=worst["frame"])
    again = {one["object_id"]: one for one in labelled.client.get(path).json()["entries"]}
    assert again[worst["object_id"]]["frame"] != worst["frame"] or worst["uncertainty"] == 0


def test_size_of_masks(labelled, media_id):
    for one in labelled.masks(media_id):
        assert rle.area(RLE(Size(40, 56), one["counts"].encode())) == one["area"]


def test_a_cancelled_export_stops_at_the_next_frame_and_leaves_nothing(labelled, media_id, tmp_path):
    studio = labelled.client.app.state.studio
    begun = threading.Event()

    def read_for_ever(labels, out, media):
        out.mkdir(exist_ok=True)
        with media.open(labels.entries[0]) as source:
            while True:
                source.read(0)
                begun.set()

    target = replace(FORMATS["cutouts"], exporter=read_for_ever)
    wanted = LabelFile(media=[studio.store.projects.media(media_id)], target=target, path=tmp_path / "a.zip")
    steps = write_labels_in_steps(studio.store, studio.library, studio.openers[2], wanted)
    next(steps)
    assert begun.wait(20)
    steps.close()
    for thread in [one for one in threading.enumerate() if one.name == "masklet-export"]:
        thread.join(20)
    assert list(tmp_path.glob("a.zip")) == list(tmp_path.glob("labels-*")) == []


def test_boxes_alone_are_cut_out_on_the_way_in(page, media_id, upload_file):
    boxes = {
        "images": [{"id": 1, "file_name": "clip.jpg", "width": 56, "height": 40}],
        "categories": [{"id": 5, "name": "tile"}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 5, "bbox": [8, 10, 16, 16], "iscrowd": 0}],
    }
    reply = import_labels(page, upload_file, json.dumps(boxes).encode(), "boxes.json").json()
    assert (reply["num_objects"], reply["num_masks"]) == (1, 1)
    made = page.state()["media"][0]["objects"][0]
    assert made["prompts"][0]["box"] == [8, 10, 24, 26]
    assert page.masks(media_id)[0]["is_prompted"]
    assert page.track(media_id)["status"] == "done"
