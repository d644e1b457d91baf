"""Frames encoded ahead of tracking: the same masks by every way, errors in their place, nothing left running."""

import threading

import numpy as np
import pytest
import torch

from masklet.errors import MediaError
from masklet.predictors.ahead import FramesAhead, Shares
from masklet.predictors.features import CacheBudget
from masklet.predictors.options import SessionOptions
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet
from masklet.tracking.foresight import Foreseen
from masklet.video.frames import ArraySource

CLICK = PromptSet(clicks=[Click(20, 20)])
NO_CACHE = SessionOptions(features=CacheBudget(memory_bytes=1))


@pytest.fixture(autouse=True)
def two_threads():
    """As on a machine with two cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)
    assert not [one for one in threading.enumerate() if one.name.startswith(("encode-ahead", "read-ahead"))]


class Watched(ArraySource):
    """A source that notes who reads what, and cannot read one frame."""

    def __init__(self, images, broken=None):
        super().__init__(images)
        self.read_by, self.broken = [], broken

    def read(self, index):
        self.read_by.append((index, threading.current_thread().name))
        if index == self.broken:
            raise MediaError(f"Frame {index} is damaged; give a whole file.")
        return super().read(index)

    @property
    def read_ahead(self):
        return [index for index, name in self.read_by if name.startswith("read-ahead")]


@pytest.fixture
def images():
    return np.random.default_rng(3).integers(0, 255, (9, 48, 64, 3), dtype=np.uint8)


def tracked(session, **more):
    return [frame.logits for frame in session.track(**more)]


def same(one, other):
    return all(np.array_equal(a[key], b[key]) for a, b in zip(one, other, strict=True) for key in a)


def test_frames_are_read_and_encoded_by_threads_of_their_own_and_once(compact, images):
    source = Watched(images)
    with VideoSession(compact, source) as session:
        session.prompt(1, 0, CLICK)
        tracked(session)
        assert source.read_ahead == list(range(1, 9))
        session.prompt(1, 4, CLICK)
        tracked(session)  # everything is in the cache: nothing is read again
    assert sorted(index for index, _ in source.read_by) == sorted([*range(9), 4])


def test_masks_are_the_same_with_and_without_what_is_kept_and_when_interrupted(compact, images, tmp_path):
    def session_of(options=None):
        session = VideoSession(compact, images, options=options)
        session.prompt(1, 0, CLICK)
        session.prompt(2, 3, CLICK)
        return session

    with session_of() as whole, session_of(NO_CACHE) as without:
        expected = tracked(whole)
        assert same(expected, tracked(without))
    with session_of() as first:
        begun = tracked(first, stop=4)
        first.save(tmp_path / "half")
    with VideoSession.load(tmp_path / "half", compact, images) as second:
        assert same(expected, begun + tracked(second, start=4))


@pytest.mark.parametrize("is_backward", [False, True])
def test_a_frame_that_cannot_be_read_ends_tracking_there_and_not_before(compact, images, is_backward):
    source = Watched(images, broken=5)
    seen = []
    with VideoSession(compact, source) as session:
        session.prompt(1, 8 if is_backward else 0, CLICK)
        with pytest.raises(MediaError, match="Frame 5 is damaged"):
            seen.extend(frame.index for frame in session.track(backward=is_backward))
    assert seen == ([8, 7, 6] if is_backward else [0, 1, 2, 3, 4])


def test_no_more_than_a_few_frames_are_read_ahead_of_who_looks_on_slowly(compact, images):
    source = Watched(images)
    with VideoSession(compact, source) as session:
        session.prompt(1, 0, CLICK)
        frames = session.track()
        next(frames)
        next(frames)
        frames.close()
        assert max(index for index, _ in source.read_by) <= 3


def test_prompts_may_come_while_frames_are_encoded_ahead(compact, images):
    with VideoSession(compact, images) as session:
        session.prompt(1, 0, CLICK)
        for frame in session.track():
            if frame.index == 2:
                session.prompt(2, 4, CLICK)
        assert session.object_ids == [1, 2]
        assert set(session.result_at(6).masks) == {1, 2}


def test_closing_a_session_in_the_middle_leaves_nothing_running(compact, images):
    session = VideoSession(compact, images)
    session.prompt(1, 0, CLICK)
    next(session.track())
    session.close()


def test_threads_are_shared_where_a_small_network_runs_on_several_of_them(compact, loaded):
    assert Shares.of(compact, 2) == Shares(encoding=1, tracking=1)
    assert Shares.of(compact, 7) == Shares(encoding=3, tracking=4)
    assert Shares.of(compact, 1) is None
    if loaded is not compact:
        assert Shares.of(loaded, 8) is None


def test_what_was_not_expected_is_not_there_and_threads_are_counted_as_before():
    seen = []

    def encode(frame):
        seen.append((frame, torch.get_num_threads()))
        return -frame

    ahead = FramesAhead(lambda index: 10 * index, encode, 1)
    ahead.expect(4)
    ahead.expect(4)
    assert ahead.take(5) is None
    assert ahead.take(4) == -40
    ahead.close()
    assert seen == [(40, 1)]
    assert torch.get_num_threads() == 2


def test_the_next_frame_is_read_while_one_is_encoded_and_giving_up_waits_for_no_frame_that_was_not_begun():
    was_read, may_encode = threading.Event(), threading.Event()
    read, encoded = [], []

    def look(index):
        read.append(index)
        if index == 2:
            was_read.set()
        return index

    def encode(frame):
        assert may_encode.wait(20)
        encoded.append(frame)
        return frame

    ahead = FramesAhead(look, encode, 1)
    for index in (1, 2, 3):
        ahead.expect(index)
    assert was_read.wait(20)  # though frame 1 is still being encoded
    assert encoded == []
    threading.Timer(0.1, may_encode.set).start()
    ahead.close()
    assert encoded == [1]


SPOTS = ((20, 20), (40, 10), (10, 40), (50, 30), (32, 24))


def follow_five(compact, images):
    with VideoSession(compact, images) as session:
        for object_id, (x, y) in enumerate(SPOTS, start=1):
            session.prompt(object_id=object_id, frame=0, prompts=PromptSet(clicks=[Click(x, y)]))
        found = tracked(session)
        beside = [one.name for one in threading.enumerate() if one.name.startswith("track-beside")]
    return found, beside


def test_many_objects_are_followed_in_two_halves_and_each_as_in_one_batch(compact, images):
    halves, beside = follow_five(compact, images)
    assert len(beside) == 1
    assert not [one for one in threading.enumerate() if one.name.startswith("track-beside")]
    torch.set_num_threads(1)
    whole, beside = follow_five(compact, images)
    assert not beside
    for one, other in zip(halves, whole, strict=True):
        assert list(one) == list(other)
        for key in one:
            np.testing.assert_allclose(one[key], other[key], rtol=1e-3, atol=1e-2)


def test_few_objects_are_followed_in_one_batch(compact, images, monkeypatch):
    monkeypatch.setattr(FramesAhead, "is_idle", False)
    with VideoSession(compact, images) as session:
        for object_id, (x, y) in enumerate(SPOTS[:3], start=1):
            session.prompt(object_id=object_id, frame=0, prompts=PromptSet(clicks=[Click(x, y)]))
        tracked(session)
        assert not [one for one in threading.enumerate() if one.name.startswith("track-beside")]


@pytest.mark.parametrize(("method", "broken"), [("answer", 3), ("answer", 2), ("condition", 5)])
def test_an_error_in_either_half_ends_tracking_with_itself(compact, images, monkeypatch, method, broken):
    from masklet.tracking.step import Tracker

    works = getattr(Tracker, method)

    def failing(self, *said, **more):
        *_, banks, moment = said
        if moment.frame == 2 and len(banks) == broken:
            raise MediaError("This half fails; go on with the other.")
        return works(self, *said, **more)

    monkeypatch.setattr(Tracker, method, failing)
    with VideoSession(compact, images) as session:
        for object_id, (x, y) in enumerate(SPOTS, start=1):
            session.prompt(object_id=object_id, frame=0, prompts=PromptSet(clicks=[Click(x, y)]))
        with pytest.raises(MediaError, match="This half"):
            tracked(session)
        assert set(session.result_at(1).masks) == {1, 2, 3, 4, 5}
        assert not session.result_at(2).masks


def test_rivals_read_memory_in_two_threads_and_are_settled_as_in_one(compact, images):
    def followed():
        with VideoSession(compact, images, policy="rivals") as session:
            for object_id, (x, y) in enumerate(SPOTS, start=1):
                session.prompt(object_id=object_id, frame=0, prompts=PromptSet(clicks=[Click(x, y)]))
            found = tracked(session)
            beside = [one.name for one in threading.enumerate() if one.name.startswith("track-beside")]
        return found, beside

    together, beside = followed()
    assert len(beside) == 1
    torch.set_num_threads(1)
    alone, beside = followed()
    assert not beside
    for one, other in zip(together, alone, strict=True):
        assert list(one) == list(other)
        for key in one:
            np.testing.assert_allclose(one[key], other[key], rtol=1e-3, atol=1e-2)


def keep_features(session, start, **more):
    """Let every frame be encoded once, for an object that goes again."""
    session.prompt(object_id=9, frame=start, prompts=CLICK)
    tracked(session, **more)
    session.remove(9)


@pytest.mark.parametrize("num_objects", [1, 2, 5])
@pytest.mark.parametrize("policy", ["recent", "rivals"])
@pytest.mark.parametrize("is_backward", [False, True])
def test_frames_whose_features_are_kept_are_tracked_by_two_threads_to_the_same_masks(
    compact, images, monkeypatch, num_objects, policy, is_backward
):
    """Nothing is encoded then: mask carrying, writing memory and comparing the next frame go on beside, bit for bit the same."""
    fitted = []
    fitting = Foreseen.fitting

    def noting(self, attended, moment):
        found = fitting(self, attended, moment)
        fitted.append(found is not None)
        return found

    monkeypatch.setattr(Foreseen, "fitting", noting)
    monkeypatch.setattr(FramesAhead, "is_idle", False)
    start = 8 if is_backward else 0

    def followed(session):
        for object_id, (x, y) in enumerate(SPOTS[:num_objects], start=1):
            session.prompt(object_id=object_id, frame=start, prompts=PromptSet(clicks=[Click(x, y)]))
        return tracked(session, backward=is_backward)

    with VideoSession(compact, images, policy=policy) as session:
        wanted = followed(session)
    assert not fitted
    monkeypatch.undo()
    monkeypatch.setattr(Foreseen, "fitting", noting)
    with VideoSession(compact, images, policy=policy) as session:
        keep_features(session, start, backward=is_backward)
        again = followed(session)
        assert [one.name for one in threading.enumerate() if one.name.startswith("track-beside")]
    assert same(wanted, again)
    if num_objects == 1 or policy == "recent":
        assert sum(fitted) > 3


def test_what_was_foreseen_for_other_memories_is_not_used(compact, images):
    """Between two frames somebody says something: what is read then is not what was compared."""

    def followed(session, is_kept):
        if is_kept:
            keep_features(session, 0)
        session.prompt(object_id=1, frame=0, prompts=CLICK)
        found = []
        for frame in session.track():
            found.append(frame.logits)
            if frame.index == 4:
                session.prompt(object_id=1, frame=4, prompts=PromptSet(clicks=[Click(40, 30)]))
        return found

    with VideoSession(compact, images) as session:
        wanted = followed(session, is_kept=False)
    with VideoSession(compact, images) as session:
        assert same(wanted, followed(session, is_kept=True))


def test_nobody_reads_what_is_not_filled_in_of_objects_that_share_their_frames(compact, images, monkeypatch):
    from masklet.tracking import step

    wanted, _ = follow_five(compact, images)
    collect, poisoned = step.collect_memory, []

    def collecting(attended, moment, *, own_channels, **more):
        memory = collect(attended, moment, own_channels=own_channels, **more)
        if memory.is_shared:
            others = torch.ones(memory.spatial.shape[2], dtype=torch.bool)
            for channels in own_channels:
                others[channels] = False
            memory.spatial[1:, :, others] = torch.nan
            poisoned.append(int(others.sum()))
        return memory

    monkeypatch.setattr(step, "collect_memory", collecting)
    found, _ = follow_five(compact, images)
    assert poisoned
    assert min(poisoned) > 0
    for one, other in zip(found, wanted, strict=True):
        for key in one:
            np.testing.assert_array_equal(one[key], other[key])
