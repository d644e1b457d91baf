"""Files out, and whole projects back in, byte for byte; archives that lie are refused."""

import io
import json
import time
import zipfile

import numpy as np
import pytest
from PIL import Image

from masklet.effects import EffectSettings, compose
from masklet.formats import read_labels
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE
from masklet.pipeline.recorded_effort import recorded_effort
from masklet.video import open_video


@pytest.fixture
def tracked(page, media_id):
    """Two objects, one of a class, tracked through the video."""
    classes = [{"id": 3, "name": "cup", "color": "#112233", "shortcut": "c"}]
    page.edit("PUT", f"/api/projects/{page.project_id}/ontology", classes=classes)
    page.prompt(media_id)
    page.prompt(media_id, object_id=2, frame=4, clicks=((40, 30, True),))
    page.edit("PATCH", f"/api/media/{media_id}/objects/2", class_id=3, name="mug", is_visible=False)
    assert page.track(media_id, direction="both")["status"] == "done"
    return page


def fetch(page, **body):
    job = page.export(**body)
    assert job["status"] == "done", job
    answer = page.client.get(f"/api/jobs/{job['id']}/file")
    assert answer.headers["content-disposition"].startswith("attachment")
    return answer.content


def masks_of(page, media_id):
    return {(one["object_id"], one["frame"]): rle.decode(RLE(Size(40, 56), one["counts"].encode())) for one in page.masks(media_id)}  # fmt: skip


def test_png_masks_hold_ids_and_every_frame(tracked, media_id):
    masks = masks_of(tracked, media_id)
    content = fetch(tracked, kind="labels", format="davis", media_id=media_id)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = sorted(archive.namelist())
        assert [name.rpartition("/")[2] for name in names] == [f"{frame:05d}.png" for frame in range(10)]
        for frame, name in enumerate(names):
            labels = np.asarray(Image.open(io.BytesIO(archive.read(name))))
            assert np.array_equal(labels == 1, masks[1, frame])
            assert np.array_equal(labels == 2, masks[2, frame] & ~masks[1, frame])


def test_coco_is_read_by_its_own_tools(tracked, media_id):
    from pycocotools import mask as coco_mask

    document = json.loads(fetch(tracked, kind="labels", format="coco", media_id=media_id))
    masks = masks_of(tracked, media_id)
    frames = {one["id"]: place for place, one in enumerate(document["images"])}
    categories = {one["id"]: one["name"] for one in document["categories"]}
    assert len(document["annotations"]) == sum(mask.any() for mask in masks.values()) > 4
    for one in document["annotations"]:
        mask = masks[one["track_id"], frames[one["image_id"]]]
        assert np.array_equal(coco_mask.decode(one["segmentation"]), mask)
        assert one["bbox"] == pytest.approx(coco_mask.toBbox(one["segmentation"]))
        assert (categories[one["category_id"]] == "cup") == (one["track_id"] == 2)


def test_the_overlay_is_a_video_of_every_frame(tracked, media_id, tmp_path):
    path = tmp_path / "overlay.mp4"
    path.write_bytes(fetch(tracked, kind="overlay", media_id=media_id))
    with open_video(path) as reader:
        assert (reader.num_frames, reader.size.hw) == (10, (40, 56))


def test_a_video_with_effects_is_what_the_library_draws(tracked, media_id, tmp_path):
    chosen = {
        "background": {"name": "erase", "variant": "green"},
        "objects": {"name": "overlay", "variant": "fill", "changes": {"color": "#ff0000", "fill": 100}},
        "by_object": {"2": {"name": "erase"}},
    }
    path = tmp_path / "effects.mp4"
    path.write_bytes(fetch(tracked, kind="effects", media_id=media_id, effects=chosen))
    masks, settings = masks_of(tracked, media_id), EffectSettings.from_json(chosen)
    with open_video(path) as reader:
        drawn = [frame.image.astype(float) for frame in reader]
    assert len(drawn) == 10
    for frame, image in enumerate(drawn):
        found = {key: mask for (key, at), mask in masks.items() if at == frame}
        wanted = compose(np.zeros((40, 56, 3), np.uint8), found, settings, frame)
        # only flat colours are compared: the video is compressed, and its frames were too
        flat = (wanted == (0, 177, 64)).all(axis=2) | (wanted == (255, 0, 0)).all(axis=2)
        assert np.abs(image - wanted)[flat].mean() < 12


@pytest.mark.parametrize(
    ("effects", "code"),
    [
        ({"background": {"name": "sparkle"}}, "effect"),
        ({"background": {"name": "blur", "changes": {"radius": 100_000}}}, "effect"),
        ({"background": {"name": "blur", "changes": {"radius": -1}}}, "invalid"),
        ({"objects": {"name": "../etc"}}, "invalid"),
        ({"by_object": {"0": {"name": "erase"}}}, "invalid"),
    ],
)
def test_effects_that_do_not_exist_are_refused_at_once(page, media_id, effects, code):
    body = {"kind": "effects", "media_id": media_id, "effects": effects}
    answer = page.client.post(f"/api/projects/{page.project_id}/exports", json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def without_ids(state):
    hidden = ("id", "created_s", "changed_s", "revision", "num_undo")
    project = {key: value for key, value in state.items() if key not in hidden}
    return {**project, "media": [{k: v for k, v in one.items() if k not in ("id", "created_s")} for one in state["media"]]}  # fmt: skip


def test_a_project_comes_back_as_it_was(tracked, media_id, upload_file, page_class):
    content = fetch(tracked, kind="project")
    upload_id = upload_file(tracked.client, content, name="project.zip", chunk=60_000)
    answer = tracked.client.post("/api/imports", json={"upload_id": upload_id})
    assert answer.status_code == 201, answer.text
    copy = page_class(tracked.client, answer.json()["id"])
    assert without_ids(copy.state()) == without_ids(tracked.state())
    copied = copy.state()["media"][0]["id"]
    assert [one["counts"] for one in copy.masks(copied)] == [one["counts"] for one in tracked.masks(media_id)]
    assert fetch(copy, kind="project") == content
    assert copy.track(copied, direction="both")["status"] == "done"


def rewritten(content, change):
    """The archive with its parts changed; ``change`` is given a dict of names to bytes."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    change(parts)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return buffer.getvalue()


def set_manifest(**changes):
    def change(parts):
        parts["project.json"] = json.dumps({**json.loads(parts["project.json"]), **changes}).encode()

    return change


def fill(name, content):
    return lambda parts: parts.__setitem__(name, content)


def no_object(parts):
    manifest = json.loads(parts["project.json"])
    manifest["media"][0]["objects"].pop()
    parts["project.json"] = json.dumps(manifest).encode()


LIES = {
    "no archive": lambda _content: b"PK\x03\x04 not really",
    "cut": lambda content: content[:-30],
    "escape": lambda content: rewritten(content, fill("../../evil.txt", b"x")),
    "absolute": lambda content: rewritten(content, fill("/etc/cron.d/evil", b"x")),
    "bomb": lambda content: rewritten(content, fill("documents/0.json", bytes(30_000_000))),
    "missing part": lambda content: rewritten(content, lambda parts: parts.pop("media/0.bin")),
    "bad video": lambda content: rewritten(content, fill("media/0.bin", b"ffconcat version 1.0")),
    "bad document": lambda content: rewritten(content, fill("documents/0.json", b"[[[[")),
    "newer": lambda content: rewritten(content, set_manifest(version=99)),
    "unknown field": lambda content: rewritten(content, set_manifest(more=1)),
    "other objects": lambda content: rewritten(content, no_object),
}


@pytest.mark.slow  # every lie is uploaded, and some reach the probing process
def test_project_files_that_lie_are_refused_and_leave_nothing(tracked, upload_file, settings):
    content = fetch(tracked, kind="project")
    before = sorted(path.name for path in settings.media_folder.iterdir())
    for name, lie in LIES.items():
        upload_id = upload_file(tracked.client, lie(content), name="project.zip", chunk=60_000)
        answer = tracked.client.post("/api/imports", json={"upload_id": upload_id})
        assert (answer.status_code, answer.json()["code"] in ("format", "media")) == (422, True), (
            name,
            answer.text,
        )
        assert str(settings.home) not in answer.text
    assert len(tracked.client.get("/api/projects").json()["projects"]) == 1
    assert sorted(path.name for path in settings.media_folder.iterdir()) == before
    assert [path.name for path in settings.home.parent.iterdir()] == ["home"]


def test_exports_that_make_no_sense_are_refused(page, media_id):
    path = f"/api/projects/{page.project_id}/exports"
    assert page.client.post(path, json={"kind": "overlay"}).json()["code"] == "no_media"
    other = page.client.post("/api/projects", json={"name": "b"}).json()["id"]
    answer = page.client.post(
        f"/api/projects/{other}/exports", json={"kind": "overlay", "media_id": media_id}
    )
    assert answer.json()["code"] == "no_media"
    job = page.client.post(f"/api/media/{media_id}/track", json={})
    assert job.json()["code"] == "nothing"


def test_a_cancelled_export_leaves_no_file(page, media_id, settings):
    import threading

    gate = threading.Event()
    page.client.app.state.studio.export_engine.submit(lambda: gate.wait(20))
    job = page.client.post(f"/api/projects/{page.project_id}/exports", json={"kind": "overlay", "media_id": media_id}).json()  # fmt: skip
    page.client.post(f"/api/jobs/{job['id']}/cancel")
    gate.set()
    assert page.finish(job)["status"] == "cancelled"
    assert list(settings.exports_folder.iterdir()) == []
    assert page.client.get(f"/api/jobs/{job['id']}/file").json()["code"] == "not_ready"


def test_a_project_tells_who_worked_on_what_and_when(tracked, media_id, tmp_path):
    """Clicks and seconds come out with the project, and outlast undo."""
    tracked.prompt(media_id, object_id=1, frame=3)
    tracked.edit("POST", f"/api/projects/{tracked.project_id}/undo")
    job = tracked.export(kind="project")
    content = tracked.client.get(f"/api/jobs/{job['id']}/file").content
    path = tmp_path / "project.zip"
    path.write_bytes(content)
    name, labels = read_labels(path)
    edits = labels.entries[0].project.edits
    assert name == "masklet"
    assert [(one.object_id, one.frame, one.action) for one in edits if one.object_id == 1][-2:] == [
        (1, 3, "prompt"),
        (1, 3, "undo"),
    ]
    assert all(abs(time.time() - (one.time_s or 0)) < 600 for one in edits)
    (effort, *_) = recorded_effort(labels.entries[0].project)
    assert effort.num_clicks >= 1
    assert effort.seconds is not None


@pytest.mark.parametrize("kind", ["overlay", "effects"])
def test_what_is_drawn_over_an_image_is_a_picture(page, upload_file, make_image, kind):
    upload_id = upload_file(page.client, make_image(), name="photo.png")
    path = f"/api/projects/{page.project_id}/media"
    media_id = page.client.post(path, json={"upload_id": upload_id}).json()["id"]
    page.prompt(media_id)
    effects = (
        {"background": {"name": "desaturate"}, "objects": {"name": "original"}} if kind == "effects" else None
    )
    job = page.export(kind=kind, media_id=media_id, **({"effects": effects} if effects else {}))
    assert job["status"] == "done", job
    answer = page.client.get(f"/api/jobs/{job['id']}/file")
    assert answer.headers["content-disposition"].endswith('.png"')
    drawn = np.asarray(Image.open(io.BytesIO(answer.content)))
    before = np.asarray(Image.open(io.BytesIO(make_image())).convert("RGB"))
    assert drawn.shape == before.shape
    assert (drawn != before).any()


def test_pictures_beside_labels_of_a_video_are_its_frames(tracked, media_id):
    content = fetch(tracked, kind="labels", format="yolo", media_id=media_id, with_pictures=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        pictures = {one: archive.read(one) for one in archive.namelist() if one.endswith(".jpg")}
    assert len(pictures) == 10
    assert len(set(pictures.values())) == 10
