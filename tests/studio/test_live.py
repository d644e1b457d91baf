"""Live streams: frames in, masks out, objects that come and go."""

import json
import threading
import time

import pytest

from masklet.predictors.video import VideoSession
from masklet.studio.wire import LIVE_ID, unpack_mask

PROMPT = {"type": "prompt", "object_id": 1, "clicks": [[16, 18, True]]}


@pytest.fixture
def live(client, base):
    with client.websocket_connect(base.replace("http", "ws") + "/ws/live") as socket:
        yield socket


def receive_frame(socket):
    """Masks of a frame, and the summary that ends it."""
    masks = []
    while True:
        message = socket.receive()
        if message.get("bytes") is None:
            return masks, json.loads(message["text"])
        masks.append(unpack_mask(message["bytes"]))


def test_objects_come_and_go_while_frames_run(live, make_image):
    picture = make_image("JPEG")
    live.send_bytes(picture)
    assert receive_frame(live) == ([], {"type": "frame", "frame": 0, "objects": [], "num_dropped": 0})
    live.send_json(PROMPT)
    live.send_bytes(picture)
    (mask,), done = receive_frame(live)
    assert (mask.media_id, mask.object_id, mask.frame, mask.is_prompted) == (LIVE_ID, 1, 1, True)
    assert (mask.mask.size.hw, done["objects"]) == ((40, 56), [1])
    live.send_json({**PROMPT, "object_id": 7})
    live.send_bytes(picture)
    assert receive_frame(live)[1]["objects"] == [1, 7]
    live.send_json({"type": "rename", "object_id": 7, "new_id": 2})
    live.send_json({"type": "remove", "object_id": 1})
    live.send_bytes(picture)
    (mask,), done = receive_frame(live)
    assert (done["objects"], mask.is_prompted) == ([2], False)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"type": "remove", "object_id": 9}, "session"),
        ({"type": "prompt", "object_id": 1}, "prompt"),
        ({"type": "prompt", "object_id": 0, "clicks": [[1, 1, True]]}, "prompt"),
        ({"type": "dance"}, "prompt"),
        ([], "prompt"),
    ],
)
def test_a_wrong_command_is_answered_and_the_stream_goes_on(live, make_image, message, code):
    live.send_json(message)
    assert live.receive_json()["code"] == code
    live.send_bytes(make_image())
    assert receive_frame(live)[1]["type"] == "frame"


def test_a_picture_that_cannot_be_opened_is_answered_and_counted(live, make_image):
    live.send_bytes(b"not a picture")
    answer = live.receive_json()
    assert (answer["type"], answer["code"], answer["frame"]) == ("error", "media", 0)
    live.send_json({**PROMPT, "clicks": [[500, 18, True]]})
    live.send_bytes(make_image())
    assert live.receive_json()["code"] == "prompt"
    live.send_bytes(make_image())
    assert receive_frame(live)[1]["frame"] == 2


def test_a_picture_larger_than_the_limit_is_refused(live, settings):
    live.send_bytes(bytes(settings.limits.live_frame_bytes + 1))
    assert live.receive_json()["code"] == "too_large"


def test_frames_that_come_too_fast_are_dropped_and_counted(client, live, make_image):
    picture, held = make_image("JPEG"), []
    studio = client.app.state.studio
    import threading

    gate = threading.Event()
    held.append(studio.engine.submit(lambda: gate.wait(20)))
    for _ in range(12):
        live.send_bytes(picture)
    live.send_json({"type": "dance"})  # answered at once: the socket waits for nothing
    assert live.receive_json()["type"] == "error"
    gate.set()
    numbers = [receive_frame(live)[1] for _ in range(3)]
    assert [one["frame"] for one in numbers] == [0, 1, 2]
    assert numbers[-1]["num_dropped"] == 9


def test_a_stream_that_ends_amid_a_frame_is_closed_after_it(client, base, make_image, monkeypatch):
    went, order = threading.Event(), []
    real_step, real_close = VideoSession.step, VideoSession.close

    def step(session, *given):
        went.wait(30)
        time.sleep(0.2)  # the end of the stream has come by now
        result = real_step(session, *given)
        order.append("step")
        return result

    def close(session):
        order.append("close")
        real_close(session)

    with client.websocket_connect(base.replace("http", "ws") + "/ws/live") as socket:
        socket.send_bytes(make_image())
        assert receive_frame(socket)[1]["frame"] == 0
        monkeypatch.setattr(VideoSession, "step", step)
        monkeypatch.setattr(VideoSession, "close", close)
        socket.send_bytes(make_image())
        time.sleep(0.2)
        went.set()
    client.app.state.studio.engine.call(lambda: None)
    assert order == ["step", "close"]
