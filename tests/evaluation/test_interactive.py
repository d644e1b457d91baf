"""Correcting the worst frame, round after round, with sessions whose answers are known."""

import json
from contextlib import contextmanager

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.datasets import Clip
from masklet.evaluation.interactive import (
    InteractiveProtocol,
    InteractiveReport,
    area_under,
    evaluate_interactive,
    evaluate_interactive_clip,
    scores_by_round,
)
from masklet.evaluation.interactive_object import frame_to_pause_on, worst_frame
from masklet.evaluation.interactive_report import objects_from_json, objects_to_json
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.metrics import boundary_f, iou
from masklet.prompts import Click

SIZE = Size(30, 40)
EMPTY = np.zeros(SIZE.hw, bool)


def square(left, side=10):
    mask = np.zeros(SIZE.hw, bool)
    mask[10 : 10 + side, left : left + side] = True
    return mask


def clip_of(truth, name="clip"):
    encoded = {i: tuple(None if m is None else rle.encode(m) for m in masks) for i, masks in truth.items()}
    return Clip(
        name=name,
        size=SIZE,
        num_frames=len(next(iter(truth.values()))),
        truth=encoded,
        read_frame=lambda _: np.zeros((*SIZE.hw, 3), np.uint8),
    )


MOVING = clip_of({1: [square(3 * i) for i in range(8)]})


class FakeSession:
    """Right on frames that were prompted; elsewhere the given wrong masks; notes everything that was said."""

    def __init__(self, clip, wrong, answer=None):
        self.clip, self.wrong = clip, wrong
        self.answer = answer or (lambda object_id, frame, _prompts: clip.mask(object_id, frame))
        self.said = []
        self.corrected = {}

    def prompt(self, object_id, frame, prompts):
        self.said.append((object_id, frame, prompts))
        self.corrected[object_id, frame] = self.answer(object_id, frame, prompts)
        return self.corrected[object_id, frame]

    def follow(self):
        for index in range(self.clip.num_frames):
            yield {i: self.corrected.get((i, index), self.wrong(i, index)) for i in self.clip.object_ids}


def opened(session):
    @contextmanager
    def open_session(_clip):
        yield session

    return open_session


def run(session, **protocol):
    return scores_by_round(objects_of(session, **protocol))


def objects_of(session, **protocol):
    return evaluate_interactive_clip(opened(session), session.clip, protocol=InteractiveProtocol(**protocol))


def test_perfect_session_scores_one_after_one_click():
    session = FakeSession(MOVING, lambda i, index: MOVING.mask(i, index))
    report = evaluate_interactive(opened(session), [MOVING])
    assert [one.j_and_f for one in report.rounds] == [1.0] * 4
    ((object_id, frame, prompts),) = session.said
    assert (object_id, frame, prompts.clicks) == (1, 0, (Click(4, 14),))


def test_each_round_corrects_the_worst_frame_not_yet_clicked():
    # The further a frame is, the less of the object is found; frames 3 and 5 are found not at all.
    def wrong(object_id, index):
        return (
            EMPTY if index in (3, 5) else MOVING.mask(object_id, index) & square(3 * index, side=10 - index)
        )

    session = FakeSession(MOVING, wrong)
    rounds = run(session)
    assert [frame for _, frame, _ in session.said] == [0, 3, 5, 6]
    assert [scores[0].num_frames for scores in rounds] == [6] * 4
    expected = [wrong(1, index) for index in range(8)]
    for scores, corrected in zip(rounds, [0, 3, 5, 6], strict=True):
        expected[corrected] = MOVING.mask(1, corrected)
        pairs = [(expected[index], MOVING.mask(1, index)) for index in range(1, 7)]
        assert scores[0].region.mean == pytest.approx(np.mean([iou(*pair) for pair in pairs]))
        assert scores[0].contour.mean == pytest.approx(np.mean([boundary_f(*pair) for pair in pairs]))


def test_clicks_add_up_and_end_at_three():
    session = FakeSession(MOVING, lambda *_: EMPTY, answer=lambda *_: square(0))
    run(session, num_rounds=2)
    # On frame 0 the answer is right at once; frame 1 needs more clicks than there are.
    counts = [(frame, len(prompts.clicks)) for _, frame, prompts in session.said]
    assert counts == [(0, 1), (1, 1), (1, 2), (1, 3)]
    last = session.said[-1][2].clicks
    assert last[:2] == session.said[-2][2].clicks
    assert last[0].positive


def test_corrections_start_from_the_tracked_mask():
    # Frame 2 shows a false alarm larger than what is missed: the first click takes it back.
    session = FakeSession(
        MOVING, lambda i, index: square(20, side=15) if index == 2 else MOVING.mask(i, index)
    )
    run(session, num_rounds=2)
    object_id, frame, prompts = session.said[1]
    assert (object_id, frame) == (1, 2)
    assert [click.positive for click in prompts.clicks] == [False]
    assert square(20, side=15)[int(prompts.clicks[0].y), int(prompts.clicks[0].x)]


def test_every_object_has_its_own_worst_frame():
    clip = clip_of({1: [square(2 * i) for i in range(6)], 2: [square(20 - 2 * i) for i in range(6)]})
    bad = {1: 4, 2: 2}
    session = FakeSession(clip, lambda i, index: EMPTY if bad[i] == index else clip.mask(i, index))
    rounds = run(session, num_rounds=2)
    assert [(i, frame) for i, frame, _ in session.said] == [(1, 0), (2, 0), (1, 4), (2, 2)]
    assert [[one.j_and_f for one in scores] for scores in rounds] == [[0.75, 0.75], [1.0, 1.0]]


def test_frames_before_the_object_count_and_are_corrected():
    clip = clip_of({7: [EMPTY, EMPTY, square(0), square(5), square(9)]})
    session = FakeSession(clip, lambda i, index: square(0) if index == 1 else clip.mask(i, index))
    first, second = run(session, num_rounds=2)
    assert [frame for _, frame, _ in session.said] == [2, 1]
    assert not session.said[1][2].clicks[0].positive
    # Frame 2 was clicked first and frame 4 is the last: frames 0, 1 and 3 count.
    assert first[0].num_frames == 3
    assert first[0].j_and_f == pytest.approx(2 / 3)
    assert second[0].j_and_f == 1.0


def test_unannotated_frames_and_ends_are_never_clicked():
    clip = clip_of({1: [square(0), None, square(4), None, square(8)]})
    session = FakeSession(clip, lambda *_: EMPTY)
    rounds = run(session, num_rounds=3)
    assert [frame for _, frame, _ in session.said] == [0, 2]
    assert [scores[0].num_frames for scores in rounds] == [1] * 3
    assert [scores[0].j_and_f for scores in rounds] == [0.0, 1.0, 1.0]


def test_ends_can_be_counted():
    session = FakeSession(MOVING, lambda *_: EMPTY)
    rounds = run(session, num_rounds=1, is_end_left_out=False)
    assert rounds[0][0].num_frames == 8
    assert rounds[0][0].region.mean == 1 / 8


def test_object_that_is_left_out_counts_as_empty():
    class Silent(FakeSession):
        def follow(self):
            return ({} for _ in range(self.clip.num_frames))

    assert run(Silent(MOVING, None), num_rounds=1)[0][0].j_and_f == 0.0


def test_clip_without_objects_opens_no_session():
    clip = clip_of({1: [EMPTY] * 4})

    def open_session(_clip):
        raise AssertionError("there is nothing to follow")

    assert evaluate_interactive_clip(open_session, clip) == ()


def test_every_frame_and_clip_is_told():
    frames, told = [], []
    session = FakeSession(MOVING, lambda *_: EMPTY)
    report = evaluate_interactive(
        opened(session),
        [MOVING],
        protocol=InteractiveProtocol(num_rounds=2),
        on_frame=lambda: frames.append(1),
        on_clip=told.append,
    )
    assert len(frames) == 2 * MOVING.num_frames
    assert [[(one.clip, len(one.rounds)) for one in objects] for objects in told] == [[("clip", 2)]]
    assert [one.prompt for one in report.rounds] == [
        "up to 3 clicks on 1 frame",
        "up to 3 clicks on each of up to 2 frames",
    ]


@pytest.mark.parametrize("num_frames", [7, 9])
def test_session_must_give_every_frame(num_frames):
    class Wrong(FakeSession):
        def follow(self):
            return ({1: EMPTY} for _ in range(num_frames))

    with pytest.raises(PromptError, match=f"{num_frames} frames"):
        run(Wrong(MOVING, None))


@pytest.mark.parametrize(
    ("region", "clicked", "expected"),
    [
        ({1: 0.5, 2: 0.2, 3: 0.9}, (), 2),
        ({1: 0.5, 2: 0.2, 3: 0.9}, (2,), 1),
        ({4: 0.2, 2: 0.2, 3: 0.2}, (), 2),
        ({1: 1.0, 2: 1.0}, (), None),
        ({1: 0.5}, (1,), None),
        ({}, (), None),
    ],
)
def test_worst_frame_is_the_lowest_and_earliest_left(region, clicked, expected):
    assert worst_frame(region, clicked) == expected


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"num_rounds": 0}, "at least one"),
        ({"max_clicks": 0}, "at least one"),
        ({"pause_below": 0.0}, "pause below"),
        ({"pause_below": 1.5}, "pause below"),
    ],
)
def test_protocol_with_numbers_that_mean_nothing_is_refused(bad, words):
    with pytest.raises(PromptError, match=words):
        InteractiveProtocol(**bad)


class Forward(FakeSession):
    """Right from a prompted frame on for some frames, then the given wrong masks; only goes forward."""

    def __init__(self, clip, wrong, reach):
        super().__init__(clip, wrong)
        self.reach, self.followed, self.removed = reach, [], []

    def follow(self):
        raise AssertionError("an online run never watches the clip again")

    def follow_from(self, frame):
        self.followed.append(frame)
        for index in range(frame, self.clip.num_frames):
            yield {i: self._mask(i, index) for i in self.clip.object_ids}

    def remove(self, object_id):
        self.removed.append(object_id)

    def _mask(self, object_id, index):
        is_right = any(i == object_id and 0 <= index - at < self.reach for i, at in self.corrected)
        return self.clip.mask(object_id, index) if is_right else self.wrong(object_id, index)


def test_online_stops_where_it_goes_wrong_and_goes_on_from_there():
    session = Forward(MOVING, lambda *_: EMPTY, reach=3)
    (one,) = objects_of(session, mode="online", num_rounds=4)
    # right on 0-2, corrected on 3, right to 5, corrected on 6; frame 7 is right then
    assert [found.frame for found in one.rounds] == [0, 3, 6, None]
    assert session.followed == [0, 3, 6]
    assert session.removed == [1]
    assert one.frames == (1, 2, 3, 4, 5, 6)
    assert [found.region for found in one.rounds] == [
        (1.0, 1.0, 0.0, 0.0, 0.0, 0.0),
        (1.0, 1.0, 1.0, 1.0, 1.0, 0.0),
        (1.0,) * 6,
        (1.0,) * 6,
    ]
    assert [found.num_clicks for found in one.rounds] == [1, 1, 1, 0]


def test_online_leaves_alone_what_is_good_enough():
    def nearly(object_id, index):
        mask = MOVING.mask(object_id, index).copy()
        mask[19] = False  # 9 of 10 rows
        return mask

    (one,) = objects_of(Forward(MOVING, nearly, reach=1), mode="online", num_rounds=8)
    assert [found.frame for found in one.rounds] == [0] + [None] * 7
    (one,) = objects_of(Forward(MOVING, nearly, reach=1), mode="online", num_rounds=3, pause_below=0.95)
    assert [found.frame for found in one.rounds] == [0, 1, 2]


def test_online_corrections_start_from_the_tracked_mask():
    session = Forward(MOVING, lambda *_: square(20, side=15), reach=2)
    objects_of(session, mode="online", num_rounds=2)
    _, frame, prompts = session.said[1]
    assert frame == 2
    assert [click.positive for click in prompts.clicks] == [False]


def test_online_frames_before_the_object_count_as_empty():
    clip = clip_of({7: [EMPTY, EMPTY, square(0), square(5), square(9)]})
    (one,) = objects_of(Forward(clip, lambda *_: EMPTY, reach=9), mode="online")
    assert one.frames == (0, 1, 3)
    assert one.rounds[0].region == (1.0, 1.0, 1.0)


def test_online_objects_are_followed_one_after_the_other():
    clip = clip_of({1: [square(2 * i) for i in range(6)], 2: [square(20 - 2 * i) for i in range(6)]})
    session = Forward(clip, lambda *_: EMPTY, reach=2)
    objects_of(session, mode="online", num_rounds=2)
    assert [(i, frame) for i, frame, _ in session.said] == [(1, 0), (1, 2), (2, 0), (2, 2)]
    assert session.removed == [1, 2]


@pytest.mark.parametrize(
    ("region", "after", "expected"),
    [({1: 0.9, 2: 0.5, 3: 0.1}, 0, 2), ({1: 0.2, 2: 0.5}, 1, 2), ({1: 0.2, 2: 0.75}, 1, None), ({}, 0, None)],
)
def test_the_frame_to_pause_on_is_the_first_bad_one_later(region, after, expected):
    assert frame_to_pause_on(region, after, 0.75) == expected


@pytest.mark.parametrize(
    ("curve", "expected"), [([0.4], 0.4), ([0.0, 1.0], 0.5), ([0.5, 0.7, 0.7], 0.65), ([0.3] * 8, 0.3)]
)
def test_area_under_a_curve_is_its_mean_height(curve, expected):
    assert area_under(curve) == pytest.approx(expected)


def test_a_curve_without_values_has_no_area():
    with pytest.raises(PromptError, match="no area"):
        area_under([])


def test_finished_objects_survive_json():
    objects = objects_of(FakeSession(MOVING, lambda *_: square(4)), num_rounds=2)
    assert objects_from_json(json.loads(json.dumps(objects_to_json(objects)))) == objects
    report = InteractiveReport(protocol=InteractiveProtocol(num_rounds=2), objects=objects)
    assert (report.mean_frames, report.mean_clicks) == (2, objects[0].num_clicks)
    assert report.area == pytest.approx(sum(report.curve) / 2)
