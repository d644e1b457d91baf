"""Frames for the browser are the frames that masks belong to."""

import io

import numpy as np
import pytest
from PIL import Image

from masklet.studio.frames import strip_index
from masklet.video import open_source


def test_every_frame_is_the_one_asked_for(page, media_id, settings):
    with open_source(settings.media_folder / f"{media_id}.video") as source:
        expected = [frame.image for frame in source]
    for index in (9, 0, 5, 4):
        answer = page.client.get(f"/api/media/{media_id}/frames/{index}", params={"format": "png"})
        assert answer.headers["content-type"] == "image/png"
        assert np.array_equal(np.asarray(Image.open(io.BytesIO(answer.content))), expected[index])


@pytest.mark.parametrize("kind", ["jpeg", "webp"])
def test_frames_are_kept_by_the_browser_and_asked_for_by_tag(page, media_id, kind):
    path, params = f"/api/media/{media_id}/frames/3", {"format": kind, "height": 20}
    answer = page.client.get(path, params=params)
    assert Image.open(io.BytesIO(answer.content)).size == (28, 20)
    assert answer.headers["cache-control"].startswith("private")
    again = page.client.get(path, params=params, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = page.client.get(path, params={"format": kind})
    assert other.headers["etag"] != answer.headers["etag"]


@pytest.mark.parametrize(("path", "code"), [("frames/10", 404), ("frames/-1", 422), ("frames/0?height=5", 422), ("frames/0?format=svg", 422)])  # fmt: skip
def test_frames_that_are_not_there_are_refused(page, media_id, path, code):
    assert page.client.get(f"/api/media/{media_id}/{path}").status_code == code


def test_a_filmstrip_shows_the_middle_of_each_share(page, media_id):
    answer = page.client.get(f"/api/media/{media_id}/filmstrip", params={"count": 5, "height": 20})
    assert Image.open(io.BytesIO(answer.content)).size == (5 * 28, 20)
    assert [strip_index(place, 5, 10) for place in range(5)] == [1, 3, 5, 7, 9]
    assert [strip_index(place, 3, 1) for place in range(3)] == [0, 0, 0]


def test_times_begin_at_nought_and_rise(page, media_id):
    times = page.client.get(f"/api/media/{media_id}/times", params={"start": 2, "stop": 5}).json()["times_s"]
    assert times == pytest.approx([0.2, 0.3, 0.4])
