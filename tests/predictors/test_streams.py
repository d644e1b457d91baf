"""Sessions over sources that are read once: cameras and iterators, followed forward in constant memory."""

import gc
import threading
import weakref

import numpy as np
import pytest

from masklet.errors import MediaError, PromptError, SessionError
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet
from masklet.video import CameraSource
from masklet.video.camera import CameraPolicy

CLICK = PromptSet([Click(12, 18)])
BOX = PromptSet(box=(40, 30, 56, 40))


@pytest.fixture
def make_camera():
    """A function from images to a camera that shows each once and then stays silent."""
    leave = threading.Event()

    def make(images):
        def connect():
            yield from images
            leave.wait(30)

        return CameraSource(connect, name="cam", policy=CameraPolicy(num_waiting_frames=len(images)))

    yield make
    leave.set()


def test_a_camera_is_followed_from_its_first_frame_as_a_file_is(loaded, clip, make_camera):
    with VideoSession(loaded, clip) as whole:
        whole.prompt(1, 0, CLICK)
        whole.prompt(2, 6, BOX)
        expected = list(whole.track())
    with VideoSession(loaded, make_camera(clip)) as session:
        session.prompt(1, 0, CLICK)
        found = []
        for frame in session.track(stop=20):
            if frame.index == 6:
                session.prompt(2, 6, BOX)
            found.append(frame)
        assert session.object_ids == [1, 2]
    assert [frame.index for frame in found] == list(range(20))
    assert [frame.object_ids for frame in found[5:8]] == [[1], [1], [1, 2]]
    assert all(frame.pts_s is not None for frame in found)
    for one, two in zip(found, expected, strict=True):
        assert all(np.array_equal(one.masks[key], two.masks[key]) for key in one.object_ids)


def test_an_object_is_first_prompted_on_the_newest_frame(compact, clip, make_camera):
    with VideoSession(compact, make_camera(clip)) as session:
        for frame in session.track(stop=9):
            if frame.index == 4:
                answer = session.prompt(1, frame.index, CLICK)
                assert (answer.index, answer.object_ids) == (4, [1])
            assert frame.object_ids == ([1] if frame.index > 4 else [])


def test_frames_that_have_gone_by_or_not_come_are_refused(compact, clip):
    with VideoSession(compact, iter(clip)) as session:
        session.prompt(1, 0, CLICK)
        for frame in session.track(stop=6):
            assert frame.index < 6
        with pytest.raises(SessionError, match=r"Frame 2 of stream has gone by.*frame 5"):
            session.prompt(1, 2, CLICK)
        with pytest.raises(SessionError, match="Frame 0 of stream has gone by"):
            list(session.track(start=0))
        with pytest.raises(SessionError, match="Frame 9 of stream has not come yet"):
            session.prompt(1, 9, CLICK)
        with pytest.raises(PromptError, match="outside"):
            session.prompt(1, 5, PromptSet([Click(999, 0)]))


def test_a_stream_goes_on_from_the_frame_where_its_loop_stopped(compact, clip):
    with VideoSession(compact, iter(clip)) as session, VideoSession(compact, clip) as whole:
        for one in (session, whole):
            one.prompt(1, 0, CLICK)
        first = next(frame for frame in session.track() if frame.index == 3)
        rest = list(session.track(stop=12))
        last = list(session.track(start=14))
        expected = list(whole.track())
    assert [frame.index for frame in rest] == list(range(3, 12))
    assert [frame.index for frame in last] == list(range(14, 20))
    assert np.array_equal(rest[0].masks[1], first.masks[1])
    for frame in rest:
        assert np.array_equal(frame.masks[1], expected[frame.index].masks[1])


def test_a_frame_that_a_prompt_took_is_not_passed_over(compact, clip):
    with VideoSession(compact, iter(clip)) as session:
        visited = []
        for frame in session.track(stop=8):
            visited.append((frame.index, frame.object_ids))
            if frame.index == 3:
                session.prompt(1, 4, CLICK)
                session.prompt(2, 4, BOX)
    assert visited[2:6] == [(2, []), (3, []), (4, [1, 2]), (5, [1, 2])]


def test_corrections_of_the_newest_frame_are_those_of_a_file(loaded, clip):
    corrections = [PromptSet([Click(22, 20)]), PromptSet([Click(22, 20), Click(50, 40, positive=False)])]
    with VideoSession(loaded, iter(clip)) as stream, VideoSession(loaded, clip) as whole:
        answers = []
        for session in (stream, whole):
            session.prompt(1, 0, CLICK)
            assert [frame.index for frame in session.track(stop=5)][-1] == 4
            answers.append([session.prompt(1, 4, one) for one in corrections])
        assert stream.prompts_of(1) == {4: corrections[1]}
    one, two = answers[0][0], answers[1][0]
    assert one.prompted == {1}
    assert np.abs(one.logits[1] - two.logits[1]).max() <= 1e-3 * max(1, np.abs(two.logits[1]).max())
    # A file forgets what led to a corrected frame before the second correction; a stream cannot track it again.
    assert np.abs(answers[0][1].logits[1] - one.logits[1]).max() > 0.01


def test_a_stream_keeps_its_newest_frame_alone(compact, make_frames):
    alive = []

    def feed():
        for image in make_frames(150):
            copy = image.copy()
            alive.append(weakref.ref(copy))
            yield copy

    most_frames, bytes_held = 0, []
    with VideoSession(compact, feed()) as session:
        for frame in session.track():
            if frame.index % 2 == 0:
                session.prompt(1 + frame.index // 2 % 2, frame.index, CLICK)
            gc.collect(0)
            most_frames = max(most_frames, sum(one() is not None for one in alive))
            bytes_held.append(sum(bank.num_bytes for bank in session._live.banks.values()))
            assert not session._store.objects
            assert session.num_bytes == 0
    assert len(bytes_held) == 150
    assert most_frames <= 12  # the source keeps eight to be read again
    assert bytes_held[-1] <= 1.05 * max(bytes_held[80:120])


def test_objects_of_a_stream_are_renamed_and_removed_in_the_loop(compact, clip):
    with VideoSession(compact, iter(clip)) as session:
        session.prompt(1, 0, CLICK)
        session.prompt(2, 0, BOX)
        ids = []
        for frame in session.track(stop=6):
            ids.append(frame.object_ids)
            if frame.index == 2:
                session.rename(1, 7)
                session.remove(2)
                with pytest.raises(SessionError, match="objects are: 7"):
                    session.remove(2)
    assert ids == [[1, 2]] * 3 + [[7]] * 3


def test_what_needs_frames_again_is_refused_on_a_stream(compact, clip, tmp_path):
    with VideoSession(compact, iter(clip)) as session:
        session.prompt(1, 0, CLICK)
        with pytest.raises(SessionError, match="cannot be read again"):
            session.save(tmp_path / "session")
        with pytest.raises(SessionError, match="stays said"):
            session.clear(1, 0)
        with pytest.raises(SessionError, match="read once and forward"):
            list(session.track(backward=True))
        assert not session.undo()


def test_a_stream_that_failed_does_not_look_ended_the_next_time(compact, clip):
    with VideoSession(compact, iter([*clip[:3], clip[3, :20]])) as session:
        session.prompt(1, 0, CLICK)
        for _ in range(2):
            with pytest.raises(MediaError, match="one size"):
                list(session.track())


def test_a_stream_without_a_frame_is_no_video(compact):
    with VideoSession(compact, iter(())) as session:
        assert list(session.track()) == []
        with pytest.raises(SessionError, match="ended before frame 0"):
            session.prompt(1, 0, CLICK)
