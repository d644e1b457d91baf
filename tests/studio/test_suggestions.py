"""Previews and candidates: masks that are shown but stored nowhere; covers of projects."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.rle import RLE

NUM_FRAMES = 10


def test_a_preview_is_the_mask_that_the_prompt_gives_and_changes_nothing(page, media_id):
    body = {"clicks": [[16, 18, True]]}
    answer = page.client.post(f"/api/media/{media_id}/frames/0/preview", json=body)
    assert answer.status_code == 200, answer.text
    assert page.state()["revision"] == 0
    assert page.masks(media_id) == []
    kept = page.prompt(media_id).json()["mask"]
    assert answer.json()["counts"] == kept["counts"]
    assert answer.json()["area"] == kept["area"]


def test_a_preview_of_a_bad_prompt_or_frame_is_refused_in_words(page, media_id):
    path = f"/api/media/{media_id}/frames"
    outside = page.client.post(f"{path}/0/preview", json={"clicks": [[900, 18, True]]})
    assert outside.status_code == 422
    assert "lies outside the image" in outside.json()["message"]
    assert page.client.post(f"{path}/10/preview", json={"clicks": [[1, 1, True]]}).status_code == 404


def test_candidates_are_masks_of_the_frame_best_first(page, media_id):
    answer = page.client.post(f"/api/media/{media_id}/frames/9/candidates", json={"preset": "fine"})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert len(found["suggestions"]) > 1
    size = Size(*found["size"])
    for one in found["suggestions"]:
        assert rle.area(RLE(size, one["counts"].encode("ascii"))) == one["area"] > 0
    ranks = [one["score"] * one["stability"] for one in found["suggestions"]]
    assert ranks == sorted(ranks, reverse=True)
    assert page.state()["revision"] == 0


def test_candidates_that_are_objects_already_are_left_out(page, media_id):
    def find():
        path = f"/api/media/{media_id}/frames/9/candidates"
        return page.client.post(path, json={"preset": "fine"}).json()

    before = find()
    best, *others = before["suggestions"]
    mask = {"size": before["size"], "counts": best["counts"]}
    page.prompt(media_id, frame=9, clicks=[], mask=mask)
    after = find()
    assert after["num_known"] >= 1
    assert len(after["suggestions"]) == len(before["suggestions"]) - after["num_known"]
    assert all(one in others for one in after["suggestions"])


def test_the_list_of_projects_has_a_cover_for_each(page, media_id, make_page):
    make_page("empty")
    listed = {one["name"]: one for one in page.client.get("/api/projects").json()["projects"]}
    assert (listed["a project"]["num_media"], listed["a project"]["cover_id"]) == (1, media_id)
    assert (listed["empty"]["num_media"], listed["empty"]["cover_id"]) == (0, None)


@pytest.fixture
def encoded(client, monkeypatch):
    """The pictures that the model has encoded, one entry for each time."""
    model = client.app.state.studio.model().model
    seen, encode = [], model.encode_image

    def counted(pixels):
        seen.extend(one.sum().item() for one in pixels)
        return encode(pixels)

    monkeypatch.setattr(model, "encode_image", counted)
    return seen


def test_a_frame_is_encoded_once_for_preview_click_and_tracking(page, media_id, encoded):
    path = f"/api/media/{media_id}/frames/0/preview"
    for x in (16, 17):
        assert page.client.post(path, json={"clicks": [[x, 18, True]]}).status_code == 200
    assert len(encoded) == 1
    page.prompt(media_id)
    assert len(encoded) == 1
    page.track(media_id)
    assert len(encoded) == len(set(encoded)) == NUM_FRAMES


def test_a_click_waits_for_the_preview_that_encodes_its_frame(page, media_id, encoded):
    path = f"/api/media/{media_id}/frames/0/preview"
    with ThreadPoolExecutor(4) as pool:
        shown = [pool.submit(page.client.post, path, json={"clicks": [[16, 18, True]]}) for _ in range(3)]
        clicked = pool.submit(page.prompt, media_id)
        assert {one.result().status_code for one in (*shown, clicked)} == {200}
    assert len(encoded) == 1
    assert {one.result().json()["counts"] for one in shown} == {clicked.result().json()["mask"]["counts"]}
