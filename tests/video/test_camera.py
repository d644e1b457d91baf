"""Live sources: nothing waits for a slow reader, a lost camera comes back, and the end is told."""

import threading

import numpy as np
import pytest

from masklet.errors import MediaError, UnsupportedMediaError
from masklet.video import CameraSource, open_camera
from masklet.video.camera import CameraPolicy

QUICK = CameraPolicy(first_pause_s=1e-3, longest_pause_s=1e-3, max_attempts=3)


def image(value, size_hw=(4, 6)):
    return np.full((*size_hw, 3), value, np.uint8)


def collect(source, gate):
    """All frames of a source and the error that ends it; asks for the next image after each frame."""
    frames = []
    try:
        for frame in source:
            frames.append(frame)
            gate.release()
    except MediaError as error:
        return frames, str(error)
    return frames, ""


def paced(values, gate):
    """Images that come one by one, each when the test opens the gate."""
    for value in values:
        gate.acquire()
        yield image(value)


def test_frames_are_numbered_in_order_and_carry_rising_times():
    gate, ticks = threading.Semaphore(0), iter(range(100))
    connections = iter([paced(range(5), gate)])

    def connect():
        return next(connections, iter(()))

    source = CameraSource(connect, name="cam", policy=QUICK, clock=lambda: next(ticks) * 0.5)
    gate.release()
    assert source.size.hw == (4, 6)
    frames, end = collect(source, gate)
    assert "3 attempts" in end
    assert [frame.index for frame in frames] == [0, 1, 2, 3, 4]
    assert [int(frame.image[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 4]
    assert [frame.pts_s for frame in frames] == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert source.num_frames is None
    assert source.fps is None
    assert source.pts_s(4) == 2.0
    with pytest.raises(MediaError, match="newest frame only"):
        source.pts_s(3)


def test_new_frames_are_dropped_and_counted_when_the_reader_is_behind():
    done, leave = threading.Event(), threading.Event()

    def connect():
        for value in range(50):
            yield image(value)
        done.set()
        leave.wait(30)

    source = CameraSource(connect, name="cam", policy=CameraPolicy(num_waiting_frames=2))
    assert source.size.hw == (4, 6)
    assert done.wait(30)
    frames = iter(source)
    values = [int(next(frames).image[0, 0, 0]) for _ in range(50 - source.num_dropped)]
    assert 2 <= len(values) <= 3
    assert values[0] == 0
    assert values == sorted(values)
    source.close()
    leave.set()


def test_a_lost_camera_is_opened_again():
    gate = threading.Semaphore(0)
    losses = []

    def connect():
        if len(losses) < 3:
            losses.append(1)
            yield from paced([len(losses)], gate)
            raise ValueError("cable")
        return

    source = CameraSource(connect, name="cam", policy=QUICK)
    gate.release()
    frames, end = collect(source, gate)
    assert "3 attempts" in end
    assert [(frame.index, int(frame.image[0, 0, 0])) for frame in frames] == [(0, 1), (1, 2), (2, 3)]
    assert source.num_reconnects >= 2


def test_another_size_after_a_loss_is_refused():
    sizes = iter([(4, 6), (8, 6)])
    source = CameraSource(lambda: iter([image(1, next(sizes))]), name="cam", policy=QUICK)
    frames = iter(source)
    assert next(frames).image.shape == (4, 6, 3)
    with pytest.raises(UnsupportedMediaError, match="changed its picture size"):
        next(frames)


def test_reading_by_index_gives_the_next_frame_only():
    gate = threading.Semaphore(9)
    source = CameraSource(
        lambda: paced(range(9), gate), name="cam", policy=CameraPolicy(num_waiting_frames=9)
    )
    assert source.read(0).index == 0
    assert source.read(1).index == 1
    for wrong in (0, 1, 5):
        with pytest.raises(MediaError, match="frame 2 next"):
            source.read(wrong)
    source.close()


def test_a_closed_camera_gives_no_frame():
    source = CameraSource(lambda: iter([image(1)] * 3), name="cam", policy=QUICK)
    source.close()
    source.close()
    assert list(source) == []
    with pytest.raises(MediaError, match="closed"):
        _ = source.size


def test_pauses_double_up_to_the_longest():
    policy = CameraPolicy(first_pause_s=0.5, longest_pause_s=4)
    assert [policy.pause_s(n) for n in (1, 2, 3, 4, 5, 10_000)] == [0.5, 1, 2, 4, 4, 4]


@pytest.mark.parametrize(
    "changes", [{"num_waiting_frames": 0}, {"max_attempts": 0}, {"first_pause_s": 0}, {"timeout_s": 0}]
)
def test_policies_that_cannot_work_are_refused(changes):
    with pytest.raises(MediaError):
        CameraPolicy(**changes)


@pytest.mark.parametrize(
    "address",
    [
        "file:///etc/passwd",
        "concat:a|b",
        "/etc/passwd",
        "clip.mp4",
        "ftp://host/a",
        "http:///a",
        "/dev/video0/../sda",
        "",
    ],
)
def test_other_addresses_are_refused(address):
    with pytest.raises(UnsupportedMediaError):
        open_camera(address)


def test_the_name_of_a_camera_holds_no_secret():
    assert open_camera("rtsp://user:secret@camera.local:554/live?token=abc").name == "rtsp://camera.local"


def test_an_absent_camera_ends_with_one_error():
    policy = CameraPolicy(first_pause_s=1e-3, longest_pause_s=1e-3, max_attempts=2, timeout_s=2)
    with open_camera("http://127.0.0.1:9/x?key=secret", policy=policy) as source:
        with pytest.raises(MediaError, match="2 attempts") as caught:
            next(iter(source))
        assert "secret" not in str(caught.value)
