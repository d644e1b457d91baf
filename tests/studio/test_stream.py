"""The stream: order, resuming by cursor, pages that are slow, and masks as bytes."""

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from starlette.websockets import WebSocketDisconnect

from masklet.errors import FormatError
from masklet.masks import rle
from masklet.studio.refusals import RefusedError
from masklet.studio.routes.stream import _send_all
from masklet.studio.settings import StreamLimits
from masklet.studio.stream import Hub
from masklet.studio.wire import WireMask, pack_mask, pack_varints, unpack_mask, unpack_varints

PROJECT = "a" * 16


def wire_mask(mask, **changes):
    made = {"media_id": "00ff" * 4, "object_id": 300, "frame": 70_000, "mask": rle.encode(mask), "score": 1.0,
            "presence": 0.0, "stability": 51 / 255, "is_prompted": True, "is_backward": True, "cursor": 2**40}  # fmt: skip
    return WireMask(**{**made, **changes})


@given(arrays.arrays(np.bool_, arrays.array_shapes(min_dims=2, max_dims=2, max_side=40)))
def test_a_mask_comes_back_from_its_bytes(mask):
    one = wire_mask(mask)
    assert unpack_mask(pack_mask(one)) == one


@given(st.lists(st.integers(0, 2**53), max_size=30))
def test_numbers_come_back_from_their_bytes(numbers):
    assert unpack_varints(pack_varints(np.array(numbers, dtype=np.int64))) == numbers


@given(st.binary(max_size=60), st.integers(0, 80))
def test_damaged_bytes_are_one_kind_of_error(content, cut):
    whole = pack_mask(wire_mask(np.eye(9, dtype=bool)))
    for message in (content, whole[:cut], b"\x01" + content):
        if message != whole:
            with pytest.raises(FormatError):
                unpack_mask(message)


def test_the_bytes_are_those_of_the_guide():
    mask = np.array([[False, True], [False, True]])
    one = wire_mask(mask, object_id=1, frame=2, cursor=200, score=0.0, is_backward=False)
    assert pack_mask(one).hex(" ") == "01 00 ff 00 ff 00 ff 00 ff 01 00 00 33 c8 01 01 02 02 02 02 02 02"


def test_a_page_that_fell_behind_is_told_to_load_again():
    async def run():
        hub = Hub(StreamLimits(ring_bytes=100))
        listener = hub.listen(PROJECT, 0)
        hub.publish(PROJECT, {"type": "one"})
        assert [one.cursor for one in await listener.next()] == [1]
        for _ in range(20):
            hub.publish(PROJECT, {"type": "many"})
        assert await listener.next() is None
        hub.publish(PROJECT, {"type": "after"})
        assert [one.cursor for one in await listener.next()] == [22]

    asyncio.run(run())


def test_only_so_many_pages_may_listen():
    async def run():
        hub = Hub(StreamLimits(num_clients=1))
        first = hub.listen(PROJECT, 0)
        with pytest.raises(RefusedError, match="Too many pages"):
            hub.listen(PROJECT, 0)
        hub.leave(first)
        hub.listen(PROJECT, 0)

    asyncio.run(run())


class Stalled:
    """A socket whose other side never reads."""

    async def send_text(self, _message):
        await asyncio.Event().wait()

    send_bytes = send_text


def test_a_page_that_never_reads_is_cut_off_and_holds_nobody_up():
    async def run():
        hub = Hub(StreamLimits())
        stalled, good = hub.listen(PROJECT, 0), hub.listen(PROJECT, 0)
        hub.publish_bytes(PROJECT, lambda cursor: bytes([cursor]))
        with pytest.raises(asyncio.TimeoutError):
            await _send_all(Stalled(), stalled, hub, 0.05)
        for _ in range(100):
            hub.publish(PROJECT, {"type": "more"})
        assert len(await good.next()) == 101

    asyncio.run(run())


@pytest.fixture
def connect(client, base):
    def open_socket(path="/ws"):
        return client.websocket_connect(base.replace("http", "ws") + path)

    return open_socket


def receive_until(socket, is_last):
    """Messages up to the one that is last; masks unpacked."""
    found = []
    while True:
        message = socket.receive()
        one = (
            unpack_mask(message["bytes"])
            if message.get("bytes")
            else __import__("json").loads(message["text"])
        )
        found.append(one)
        if isinstance(one, dict) and is_last(one):
            return found


def is_done(one):
    return one["type"] == "job" and one["job"]["status"] == "done"


def test_a_page_sees_edits_masks_and_progress_in_order(page, media_id, connect):
    with connect() as socket:
        socket.send_json({"type": "subscribe", "project_id": page.project_id})
        hello = socket.receive_json()
        assert (hello["type"], hello["revision"]) == ("hello", 0)
        page.prompt(media_id)
        page.track(media_id)
        found = receive_until(socket, is_done)
    masks = [one for one in found if isinstance(one, WireMask)]
    assert [one.frame for one in masks] == list(range(10))
    stored = page.masks(media_id)
    assert [one.mask.counts.decode() for one in masks] == [one["counts"] for one in stored]
    assert {one.media_id for one in masks} == {media_id}
    edits = [one for one in found if isinstance(one, dict) and one["type"] == "edit"]
    assert [one["revision"] for one in edits] == [1]
    cursors = [one.cursor if isinstance(one, WireMask) else one["cursor"] for one in found]
    assert cursors == list(range(hello["cursor"] + 1, hello["cursor"] + 1 + len(found)))


def test_a_page_that_comes_back_gets_what_it_missed(page, media_id, connect):
    with connect() as socket:
        socket.send_json({"type": "subscribe", "project_id": page.project_id})
        hello = socket.receive_json()
    page.prompt(media_id)
    resume = {
        "type": "subscribe",
        "project_id": page.project_id,
        "epoch": hello["epoch"],
        "cursor": hello["cursor"],
    }
    with connect() as socket:
        socket.send_json(resume)
        assert socket.receive_json()["cursor"] == hello["cursor"]
        found = receive_until(socket, lambda one: one["type"] == "edit")
    assert isinstance(found[0], WireMask)
    with connect() as socket:  # another run of the studio knows nothing of this cursor
        socket.send_json({**resume, "epoch": "other"})
        assert socket.receive_json()["cursor"] == hello["cursor"] + 2


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type": "subscribe", "project_id": "0123456789abcdef"}', 4404),
        ('{"type": "subscribe"}', 4400),
        ("[]", 4400),
        ("\x00", 4400),
        ("[" * 5000, 4400),
        (b"\x00\xff", 4400),
    ],
)
def test_a_wrong_first_message_closes_the_socket(connect, message, code):
    with connect() as socket:
        (socket.send_bytes if isinstance(message, bytes) else socket.send_text)(message)
        with pytest.raises(WebSocketDisconnect) as closed:
            socket.receive_json()
    assert closed.value.code == code


def test_nothing_is_kept_of_a_project_that_is_gone(client, make_page):
    page, hub = make_page(), client.app.state.studio.hub
    page.edit("PUT", f"/api/projects/{page.project_id}/ontology", classes=[])
    before = hub.cursor(page.project_id)
    assert before > 0
    assert client.delete(f"/api/projects/{page.project_id}").status_code == 204
    assert hub.after(page.project_id, before) is None  # whoever listens loads it again, and finds it gone
    assert hub.cursor(page.project_id) == 0
