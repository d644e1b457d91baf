"""Sessions: many objects as if each were alone, ranges and directions, streams, and what policies change."""

from dataclasses import replace

import numpy as np
import pytest

from masklet.errors import MediaError, PromptError, SessionError
from masklet.predictors.preprocess import PostProcess
from masklet.predictors.video import SessionOptions, VideoSession
from masklet.prompts import Click, PromptSet
from masklet.tracking.policy import QUALITY
from masklet.video.frames import ArraySource

CLICK = PromptSet([Click(12, 18)])
BOX = PromptSet(box=(40, 30, 56, 40))
CLICKS = PromptSet([Click(20, 15), Click(50, 40, positive=False), Click(22, 20)])
LIMIT = 1e-4


class Spy:
    """Passes every call on to a network and counts the expensive ones by the number of objects."""

    def __init__(self, network):
        self._network = network
        self.encoded, self.read, self.memories = 0, [], []

    def __getattr__(self, name):
        return getattr(self._network, name)

    def encode_image(self, pixels):
        self.encoded += len(pixels)
        return self._network.encode_image(pixels)

    def read_memory(self, features, memory):
        self.read.append(len(memory.spatial))
        self.memories.append(memory.spatial.shape[1])
        return self._network.read_memory(features, memory)


def spied(loaded):
    spy = Spy(loaded.model)
    return replace(loaded, model=spy), spy


def prompts_of(square_mask):
    """Five objects that begin on different frames in different ways; the last is corrected later."""
    return [
        (1, 0, CLICK),
        (2, 0, BOX),
        (3, 4, PromptSet(mask=np.roll(square_mask, 4, axis=1))),
        (4, 7, CLICKS),
        (5, 2, PromptSet(CLICK.clicks, box=(2, 8, 30, 30))),
        (5, 9, BOX),
    ]


def logits_by_frame(session, **arguments):
    return {frame.index: dict(frame.logits) for frame in session.track(**arguments)}


def test_objects_tracked_together_are_as_each_alone(loaded, clip, square_mask):
    prompts = prompts_of(square_mask)
    with VideoSession(loaded, clip) as session:
        for one in prompts:
            session.prompt(*one)
        together = logits_by_frame(session)
    assert [sorted(together[index]) for index in (0, 3, 5, 19)] == [
        [1, 2],
        [1, 2, 5],
        [1, 2, 3, 5],
        [1, 2, 3, 4, 5],
    ]
    for object_id in range(1, 6):
        with VideoSession(loaded, clip) as session:
            for one in prompts:
                if one[0] == object_id:
                    session.prompt(*one)
            for index, logits in logits_by_frame(session).items():
                if logits:
                    difference = np.abs(together[index][object_id] - logits[object_id]).max()
                    assert difference <= LIMIT * max(1, np.abs(logits[object_id]).max()), (object_id, index)
    assert np.abs(together[19][1] - together[19][3]).max() > 0.01


def test_many_objects_cost_one_pass_per_frame(compact, make_frames, square_mask):
    watched, spy = spied(compact)
    with VideoSession(watched, make_frames(12)) as session:
        for one in prompts_of(square_mask)[:5]:
            session.prompt(*one)
        list(session.track())
    assert spy.encoded == 12
    # those that began together read together, all others in one batch more
    assert spy.read == [2, 2, 2, 1, 2, 1, *[2, 2] * 3, *[2, 3] * 4]


@pytest.mark.parametrize(
    ("arguments", "visited"),
    [
        ({"start": 2, "stop": 5}, [2, 3, 4]),
        ({"start": 2, "stop": 5, "backward": True}, [4, 3, 2]),
        ({"stop": 3}, [0, 1, 2]),
        ({"start": 6}, [6, 7]),
        ({"start": 3, "stop": 3}, []),
        ({"backward": True}, [7, 6, 5, 4, 3, 2, 1, 0]),
    ],
)
def test_ranges_are_half_open_in_both_directions(compact, make_frames, arguments, visited):
    with VideoSession(compact, make_frames(8)) as session:
        session.prompt(1, 3, CLICK)
        frames = list(session.track(**arguments))
    assert [frame.index for frame in frames] == visited
    backward = arguments.get("backward", False)
    assert [frame.index for frame in frames if frame.masks] == [
        index for index in visited if (index <= 3 if backward else index >= 3)
    ]


@pytest.mark.parametrize("bounds", [(-1, 3), (0, 9), (5, 4)])
def test_ranges_outside_the_video_are_refused(compact, make_frames, bounds):
    with VideoSession(compact, make_frames(8)) as session, pytest.raises(SessionError, match="8 frames"):
        list(session.track(*bounds))


def test_backward_is_forward_in_a_reversed_video(loaded, clip):
    with VideoSession(loaded, clip) as session:
        session.prompt(1, 19, CLICK)
        backward = logits_by_frame(session, backward=True)
    with VideoSession(loaded, clip[::-1]) as session:
        session.prompt(1, 0, CLICK)
        forward = logits_by_frame(session)
    for index in range(20):
        assert np.abs(backward[19 - index][1] - forward[index][1]).max() < 1e-3


def test_the_order_of_directions_does_not_matter(loaded, make_frames):
    found = []
    for order in ((False, True), (True, False)):
        with VideoSession(loaded, make_frames(12)) as session:
            session.prompt(1, 5, CLICK)
            for backward in order:
                list(session.track(backward=backward))
            found.append(logits_by_frame(session))
    assert len(found[0]) == 12
    for index in range(12):
        assert np.array_equal(found[0][index][1], found[1][index][1])


def test_parts_of_a_range_are_as_the_whole(loaded, clip):
    with VideoSession(loaded, clip) as session:
        session.prompt(1, 0, CLICK)
        whole = [frame.masks[1] for frame in session.track()]
    with VideoSession(loaded, clip) as session:
        session.prompt(1, 0, CLICK)
        parts = []
        for start, stop in ((0, 7), (7, 8), (8, 20)):
            parts += [frame.masks[1] for frame in session.track(start, stop)]
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))


def test_results_tell_how_sure_they_are(loaded, clip):
    with VideoSession(loaded, clip, policy="quality") as session:
        session.prompt(7, 1, BOX)
        for frame in session.track(1, 6):
            assert frame.object_ids == [7]
            assert frame.masks[7].shape == clip.shape[1:3]
            assert frame.area[7] == frame.masks[7].sum()
            for value in (frame.scores[7], frame.presence[7], frame.stability[7]):
                assert 0 <= value <= 1
            assert frame.logits[7].shape == (16, 16)
            assert frame.prompted == (frozenset([7]) if frame.index == 1 else frozenset())


def test_stored_results_are_given_again_as_they_were(loaded, make_frames):
    watched, spy = spied(loaded)
    with VideoSession(watched, make_frames(10)) as session:
        session.prompt(1, 0, CLICK)
        first = list(session.track())
        before = spy.encoded, len(spy.read)
        again = list(session.track())
    assert (spy.encoded, len(spy.read)) == before
    for one, two in zip(first, again, strict=True):
        assert np.array_equal(one.masks[1], two.masks[1])
        assert (one.scores, one.presence, one.area) == (two.scores, two.presence, two.area)
        assert np.abs(one.logits[1] - two.logits[1]).max() < 0.02  # half precision


class UnevenTimes(ArraySource):
    """A clip of variable frame rate: its times are not the index over the average rate."""

    TIMES_S = (0.0, 0.02, 0.5, 0.52, 2.0, 2.02)

    def pts_s(self, index):
        return self.TIMES_S[index]


def test_results_given_again_keep_the_true_times_of_their_frames(compact, make_frames, tmp_path):
    source = UnevenTimes(make_frames(6), fps=25)
    with VideoSession(compact, source) as session:
        session.prompt(1, 2, CLICK)
        for _ in range(2):
            assert tuple(frame.pts_s for frame in session.track()) == UnevenTimes.TIMES_S
        session.save(tmp_path / "session")
    with VideoSession.load(tmp_path / "session", compact, source) as session:
        assert tuple(frame.pts_s for frame in session.track()) == UnevenTimes.TIMES_S


def test_cancelling_keeps_what_is_done(compact, make_frames):
    with VideoSession(compact, make_frames(10)) as session:
        session.prompt(1, 0, CLICK)
        visited = []
        for frame in session.track():
            visited.append(frame.index)
            if frame.index == 4:
                session.cancel()
        assert visited == [0, 1, 2, 3, 4]
        assert [frame.index for frame in session.track(stop=6)] == [0, 1, 2, 3, 4, 5]


def test_a_stream_of_unknown_length_is_tracked_to_its_end(compact, clip):
    with VideoSession(compact, iter(list(clip))) as stream, VideoSession(compact, clip) as whole:
        for session in (stream, whole):
            session.prompt(1, 0, CLICK)
        found, expected = list(stream.track()), list(whole.track())
        with pytest.raises(SessionError, match="read once and forward"):
            list(stream.track(backward=True))
    assert [frame.index for frame in found] == list(range(20))
    assert all(np.array_equal(a.masks[1], b.masks[1]) for a, b in zip(found, expected, strict=True))


def test_a_stream_that_breaks_is_an_error_and_not_an_end(compact, clip):
    images = [*clip[:3], clip[3, :20]]
    with VideoSession(compact, iter(images)) as session:
        session.prompt(1, 0, CLICK)
        with pytest.raises(MediaError, match="size"):
            list(session.track())


def test_steps_with_objects_added_and_removed_are_as_tracking(loaded, clip, square_mask):
    starts = {0: {1: CLICK}, 5: {2: BOX}, 8: {3: PromptSet(mask=square_mask)}}
    with VideoSession(loaded, clip) as session:
        for frame, prompts in starts.items():
            for object_id, one in prompts.items():
                session.prompt(object_id, frame, one)
        tracked = []
        for frame in session.track():
            tracked.append(frame)
            if frame.index == 12:
                session.remove(1)
    live = VideoSession(loaded)
    for index, image in enumerate(clip):
        frame = live.step(image, starts.get(index))
        assert (frame.index, frame.object_ids) == (index, tracked[index].object_ids)
        for object_id in frame.object_ids:
            expected = tracked[index].logits[object_id]
            limit = LIMIT if index not in starts else 0.02  # results in force come back in half precision
            assert np.abs(frame.logits[object_id] - expected).max() <= max(
                limit, LIMIT * np.abs(expected).max()
            )
        if index == 12:
            live.remove(1)
    assert live.object_ids == [2, 3]


def test_objects_on_a_stream_are_renamed_and_corrected(loaded, clip):
    live = VideoSession(loaded)
    live.step(clip[0], {1: CLICK, 2: BOX})
    live.rename(1, 9)
    assert live.step(clip[1]).object_ids == [2, 9]
    corrected = live.step(clip[2], {9: CLICKS})
    assert corrected.prompted == {9}
    assert corrected.object_ids == [2, 9]
    with pytest.raises(SessionError):
        live.rename(9, 2)
    with pytest.raises(SessionError, match="2, 9"):
        live.remove(1)


def test_a_refused_step_takes_no_frame(compact, clip):
    live = VideoSession(compact)
    with pytest.raises(PromptError):
        live.step(clip[0], {1: PromptSet([Click(999, 0)])})
    with pytest.raises(PromptError, match="RGB uint8"):
        live.step(clip[0].astype(float))
    assert live.step(clip[0], {1: CLICK}).index == 0


def test_streams_and_videos_refuse_each_others_calls(compact, clip, tmp_path):
    live = VideoSession(compact)
    with pytest.raises(SessionError, match="no source"):
        list(live.track())
    with pytest.raises(SessionError, match="no source"):
        live.save(tmp_path / "session")
    with VideoSession(compact, clip) as session, pytest.raises(SessionError, match="track"):
        session.step(clip[0])


@pytest.mark.parametrize("object_id", [0, -1, True, "1", 2**31])
def test_object_ids_are_whole_numbers_from_one(compact, clip, object_id):
    with VideoSession(compact, clip) as session, pytest.raises(PromptError, match="object id"):
        session.prompt(object_id, 0, CLICK)


def test_prompts_outside_the_video_or_frame_are_refused(compact, clip):
    with VideoSession(compact, clip) as session:
        with pytest.raises(PromptError, match="0 to 19"):
            session.prompt(1, 20, CLICK)
        with pytest.raises(PromptError, match="outside"):
            session.prompt(1, 0, PromptSet([Click(64, 0)]))
        assert session.object_ids == []


def test_policies_differ_in_what_they_read(compact, clip):
    most = {}
    for name, keep in (("all", lambda _: True), ("none", lambda _: False)):
        watched, spy = spied(compact)
        with VideoSession(watched, clip, policy=replace(QUALITY, name=name, keep=keep)) as session:
            session.prompt(1, 0, CLICK)
            list(session.track())
        most[name] = max(spy.memories)
    assert most == {"all": 7, "none": 2}


def test_every_policy_tracks(loaded, make_frames):
    for policy in ("recent", "quality", "motion"):
        with VideoSession(loaded, make_frames(6), policy=policy) as session:
            session.prompt(1, 0, CLICK)
            assert len(list(session.track())) == 6


def test_exclusive_objects_share_no_pixel(loaded, clip):
    shared = {}
    for is_exclusive in (False, True):
        options = SessionOptions(post_process=PostProcess(is_exclusive=is_exclusive))
        with VideoSession(loaded, clip, options=options) as session:
            session.prompt(1, 0, CLICK)
            session.prompt(2, 0, BOX)
            frames = list(session.track(1, 6))
        shared[is_exclusive] = sum(int((frame.masks[1] & frame.masks[2]).sum()) for frame in frames)
        assert all(frame.area[key] == frame.masks[key].sum() for frame in frames for key in (1, 2))
    assert shared[False] > 0
    assert shared[True] == 0


def test_exclusive_objects_that_were_prompted_one_by_one_share_no_pixel(compact, clip, square_mask):
    inner = square_mask.copy()
    inner[:14] = False
    options = SessionOptions(post_process=PostProcess(is_exclusive=True))
    with VideoSession(compact, clip, options=options) as session:
        session.prompt(1, 0, PromptSet(mask=square_mask))
        session.prompt(2, 0, PromptSet(mask=inner))
        (frame,) = session.track(0, 1)
    assert np.array_equal(frame.masks[2], inner)
    assert np.array_equal(frame.masks[1], square_mask & ~inner)
    assert frame.area == {1: frame.masks[1].sum(), 2: inner.sum()}


def test_both_ways_tracks_each_frame_from_the_prompted_frame_nearest_to_it(loaded, make_frames):
    frames = make_frames(10)
    with VideoSession(loaded, frames) as session:
        session.prompt(1, 2, CLICK)
        session.prompt(1, 7, BOX)
        session.prompt(2, 5, BOX)
        shown = list(session.track_both_ways())
        one, two = (session._store.objects[key].results for key in (1, 2))
    assert [frame.index for frame in shown] == list(range(10))
    assert all(frame.object_ids == [1, 2] for frame in shown)
    assert [one[at].is_backward for at in range(10)] == [at in (0, 1, 5, 6) for at in range(10)]
    assert [two[at].is_backward for at in range(10)] == [at < 5 for at in range(10)]


def test_both_ways_equals_forward_when_all_is_said_on_the_first_frame(loaded, make_frames):
    frames = make_frames(6)
    masks = []
    for method in (VideoSession.track, VideoSession.track_both_ways):
        with VideoSession(loaded, frames) as session:
            session.prompt(1, 0, CLICK)
            masks.append([frame.masks[1] for frame in method(session)])
    assert np.array_equal(*masks)


def test_both_ways_can_be_cancelled_and_gone_on_with(loaded, make_frames):
    with VideoSession(loaded, make_frames(8)) as session:
        session.prompt(1, 6, CLICK)
        for frame in session.track_both_ways():
            if frame.index == 2:
                session.cancel()
        rest = [frame.index for frame in session.track_both_ways(3)]
    assert rest == [3, 4, 5, 6, 7]


def test_a_stream_is_not_tracked_both_ways(loaded, make_frames):
    with VideoSession(loaded, iter(make_frames(3))) as session, pytest.raises(SessionError, match="forward"):
        next(session.track_both_ways())


def test_rivals_share_no_pixel_on_tracked_frames_and_remember_so(loaded, make_frames):
    frames = make_frames(6)
    shown = {}
    for policy in ("recent", "rivals"):
        with VideoSession(loaded, frames, policy=policy) as session:
            for key in (1, 2):
                session.prompt(key, 0, CLICK)
            shown[policy] = list(session.track())
    assert any((frame.masks[1] & frame.masks[2]).any() for frame in shown["recent"][1:])
    assert not any(((frame.logits[1] > 0) & (frame.logits[2] > 0)).any() for frame in shown["rivals"][1:])
    assert not np.array_equal(shown["recent"][-1].logits[1], shown["rivals"][-1].logits[1])


def test_a_closed_session_holds_no_memory_but_its_prompts(loaded, clip):
    with VideoSession(loaded, clip) as session:
        session.prompt(1, 0, CLICK)
        for _ in session.track():
            pass
        assert session.num_bytes > 0
    assert session.num_bytes == 0
    assert dict(session.prompts_of(1)) == {0: CLICK}
