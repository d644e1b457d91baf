"""Trackings: ranges, both directions, cancelling, reloading, and failing in words."""

import threading
import time

import pytest

from masklet.studio.jobs import Job, JobBoard
from masklet.studio.settings import StreamLimits
from masklet.studio.stream import Hub


def frames_of(page, media_id):
    return [one["frame"] for one in page.masks(media_id)]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"direction": "forward"}, [5, 6, 7, 8, 9]),
        ({"direction": "backward"}, [0, 1, 2, 3, 4, 5]),
        ({"direction": "both"}, list(range(10))),
        ({"direction": "both", "start": 3, "stop": 8}, [3, 4, 5, 6, 7]),
    ],
)
def test_a_range_is_tracked_in_the_directions_asked_for(page, media_id, body, expected):
    page.prompt(media_id, frame=5)
    job = page.track(media_id, **body)
    assert (job["status"], job["num_done"]) == ("done", job["num_total"])
    assert frames_of(page, media_id) == expected
    lanes = page.client.get(f"/api/media/{media_id}/lanes").json()["lanes"]
    assert lanes[0]["frames"] == expected
    assert [at for at, is_prompted in zip(expected, lanes[0]["is_prompted"], strict=True) if is_prompted] == [
        5
    ]


@pytest.mark.parametrize(
    ("body", "code"), [({"start": 4, "stop": 4}, "range"), ({"stop": 11}, "range"), ({}, "nothing")]
)
def test_what_cannot_be_tracked_is_refused(page, media_id, body, code):
    if code == "range":
        page.prompt(media_id)
    answer = page.client.post(f"/api/media/{media_id}/track", json=body)
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("body", "num_objects", "are_apart"),
    [
        ({}, 2, True),  # nothing stated: two exclude each other
        ({"keeps_apart": None}, 2, True),
        ({"keeps_apart": False}, 2, False),
        ({}, 1, False),
        ({"keeps_apart": True}, 1, True),
    ],
)
def test_two_objects_are_kept_apart_unless_something_else_is_stated(
    client, page, media_id, monkeypatch, body, num_objects, are_apart
):
    seen = []
    pool = client.app.state.studio.pool
    get = pool.get

    def look(media):
        seen.append(get(media).policy.are_rivals)
        return get(media)

    for number in range(num_objects):
        page.prompt(media_id, object_id=1 + number)
    monkeypatch.setattr(pool, "get", look)
    assert page.track(media_id, **body)["status"] == "done"
    assert seen[-1] is are_apart


@pytest.fixture
def slowly(client, monkeypatch):
    """Frames come only when the test lets them: ``let(n)`` for n steps. The first step counts the prompted frame too."""
    gate = threading.Semaphore(0)
    pool = client.app.state.studio.pool
    get = pool.get

    def wait(media):
        if threading.current_thread().name == "masklet-engine" and wait.is_closed:
            gate.acquire(timeout=20)
        return get(media)

    wait.is_closed = False
    monkeypatch.setattr(pool, "get", wait)

    def let(number):
        gate.release(number)

    let.close = lambda: setattr(wait, "is_closed", True)
    yield let
    wait.is_closed = False
    gate.release(1000)


def wait_until(condition):
    ends = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < ends, "it never happened"
        time.sleep(0.01)


def test_cancel_stops_after_the_frame_at_work_and_keeps_what_is_done(page, media_id, slowly):
    page.prompt(media_id)
    slowly.close()
    job = page.client.post(f"/api/media/{media_id}/track", json={}).json()
    slowly(3)
    wait_until(lambda: page.client.get(f"/api/jobs/{job['id']}").json()["num_done"] == 4)
    second = page.client.post(f"/api/media/{media_id}/track", json={})
    assert second.json()["code"] == "tracking"
    page.client.post(f"/api/jobs/{job['id']}/cancel")
    slowly(1)
    job = page.finish(job)
    assert job["status"] == "cancelled"
    assert job["num_done"] in (4, 5)
    assert frames_of(page, media_id) == list(range(job["num_done"]))


def test_a_page_that_is_loaded_again_while_tracking_finds_the_job_and_every_mask(
    page, media_id, slowly, base
):
    page.prompt(media_id)
    slowly.close()
    job = page.client.post(f"/api/media/{media_id}/track", json={}).json()
    slowly(2)
    wait_until(lambda: page.client.get(f"/api/jobs/{job['id']}").json()["num_done"] == 3)
    with page.client.websocket_connect(f"{base.replace('http', 'ws')}/ws") as reloaded:
        reloaded.send_json({"type": "subscribe", "project_id": page.project_id})
        hello = reloaded.receive_json()
    assert [one["id"] for one in hello["jobs"]] == [job["id"]]
    assert frames_of(page, media_id) == [0, 1, 2]
    slowly(1000)
    assert page.finish(job)["status"] == "done"
    assert frames_of(page, media_id) == list(range(10))


def test_a_prompt_while_tracking_is_answered_between_two_frames(page, media_id, slowly):
    page.prompt(media_id)
    slowly.close()
    job = page.client.post(f"/api/media/{media_id}/track", json={}).json()
    slowly(1)
    wait_until(lambda: page.client.get(f"/api/jobs/{job['id']}").json()["num_done"] == 2)
    slowly(1000)
    assert page.prompt(media_id, object_id=2, frame=9).json()["object_id"] == 2
    assert page.finish(job)["status"] == "done"
    kept = {(one["object_id"], one["frame"]) for one in page.masks(media_id)}
    assert kept == {(1, frame) for frame in range(10)} | {(2, 9)}


def test_a_tracking_that_fails_says_why_and_the_next_one_works(page, media_id, monkeypatch):
    page.prompt(media_id)

    def fail(*_args, **_more):
        raise MemoryError("/secret/place")

    with monkeypatch.context() as patch:
        patch.setattr("masklet.studio.tracking.results_since", fail)
        job = page.track(media_id)
    assert job["status"] == "failed"
    assert "secret" not in job["message"]
    assert page.track(media_id)["status"] == "done"


def test_time_left_follows_the_pace_of_late():
    hub = Hub(StreamLimits())
    board = JobBoard(hub, most=2)
    job = board.add(Job(project_id="a" * 16, media_id="b" * 16, kind="track"))
    board.begin(job, 11)
    assert job.seconds_left is None
    job.advanced_s -= 2.0
    board.advance(job)
    assert job.seconds_left == pytest.approx(20, rel=0.05)
    board.advance(job, is_fresh=False)  # a frame that was known costs nothing and says nothing of the pace
    assert job.seconds_left == pytest.approx(18, rel=0.05)


def test_removing_a_video_while_it_is_tracked_ends_the_tracking(page, media_id):
    page.prompt(media_id)
    job = page.client.post(f"/api/media/{media_id}/track", json={}).json()
    assert page.client.delete(f"/api/media/{media_id}").status_code == 204
    assert page.finish(job)["status"] in ("cancelled", "done")
    assert page.state()["media"] == []
