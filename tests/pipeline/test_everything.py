"""Track everything, with a finder and a session simple enough to say by hand what must come out."""

from dataclasses import dataclass, field, replace

import numpy as np
import pytest

import masklet
from masklet.errors import CancelledError, ConfigError
from masklet.pipeline.everything import (
    EverythingFinished,
    EverythingOptions,
    EverythingStarted,
    FrameFollowed,
    KeyFrameSearched,
    ObjectEnded,
    track_everything,
)
from masklet.pipeline.findings import AutoFinder, Finding, FindingLimits, choose_findings, largest_parts
from masklet.pipeline.key_frames import FrameKind, KeyFrameRule, KeyFrames, look_of
from masklet.pipeline.live_tracks import doubled, match_findings
from masklet.video.frames import ArraySource

H, W = 40, 60
GREY = 90
NAMES = {200: "bright", 20: "dark", 150: "middle"}
LIMITS = FindingLimits(min_area_share=0.001)
OPTIONS = EverythingOptions(
    limits=LIMITS, rule=KeyFrameRule(longest_gap=5, shortest_gap=2), max_absent=2, min_visible=2
)


def square(x, y, side=8):
    mask = np.zeros((H, W), dtype=bool)
    mask[y : y + side, x : x + side] = True
    return mask


def clip(*frames):
    """Grey pictures with squares, given by frame as a list of (x, y, colour)."""
    images = np.full((len(frames), H, W, 3), GREY, dtype=np.uint8)
    for image, squares in zip(images, frames, strict=True):
        for x, y, colour in squares:
            image[square(x, y)] = colour
    return ArraySource(images)


class ColourFinder:
    """Every colour that is not grey is an object; its class is the name of the colour."""

    def __init__(self):
        self.num_searches = 0

    def identity(self):
        return {"finder": "colours"}

    def find(self, picture):
        self.num_searches += 1
        values = [value for value in np.unique(picture[..., 0]) if value != GREY]
        return [
            Finding(mask=picture[..., 0] == value, score=0.9, label=NAMES[int(value)]) for value in values
        ]


@dataclass
class Answer:
    index: int
    masks: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    presence: dict = field(default_factory=dict)
    stability: dict = field(default_factory=dict)
    logits: dict = field(default_factory=dict)


class ColourSession:
    """Follows an object by the colour that its mask had."""

    def __init__(self, source):
        self.source = source
        self.colours = {}
        self.prompted = {}

    def prompt(self, object_id, frame, prompts):
        image = self.source.read(frame).image
        self.colours[object_id] = int(image[prompts.mask.mask][0, 0])
        self.prompted[object_id] = frame
        return Answer(index=frame)

    def remove(self, object_id):
        del self.colours[object_id]

    def track(self):
        for frame in self.source:
            ids = list(self.colours)
            masks = {one: frame.image[..., 0] == self.colours[one] for one in ids}
            ones = dict.fromkeys(ids, 0.8)
            yield Answer(index=frame.index, masks=masks, scores=ones, presence=ones, stability=ones)


def run(source, options=OPTIONS, finder=None, session=None):
    finder = finder or ColourFinder()
    return list(track_everything(source, session or ColourSession(source), finder, options=options))


def of_kind(events, kind):
    return [event for event in events if isinstance(event, kind)]


def test_an_object_of_the_first_frame_is_one_track_with_its_class():
    events = run(clip(*[[(x, 10, 200)] for x in range(8)]))
    assert isinstance(events[0], EverythingStarted)
    assert [event.index for event in of_kind(events, FrameFollowed)] == list(range(8))
    tracks = events[-1].tracks
    assert list(tracks) == [1]
    assert tracks[1].label == "bright"
    assert sorted(tracks[1].frames) == list(range(8))
    assert tracks[1].frames[5].mask(source_size()).sum() == 64


def source_size():
    return clip([]).size


def test_an_object_that_comes_later_becomes_a_track_on_the_next_key_frame():
    frames = [[(3, 3, 200)] if index < 4 else [(3, 3, 200), (30, 20, 20)] for index in range(12)]
    events = run(clip(*frames))
    searched = of_kind(events, KeyFrameSearched)
    assert [(event.index, event.kind, event.new, event.found_again) for event in searched] == [
        (0, FrameKind.FIRST, (1,), ()),
        (5, FrameKind.INTERVAL, (2,), (1,)),
        (10, FrameKind.INTERVAL, (), (1, 2)),
    ]
    assert min(events[-1].tracks[2].frames) == 5


def test_an_object_that_is_gone_ends_and_keeps_no_absent_tail():
    frames = [[(3, 3, 200), (30, 20, 20)] if index < 4 else [(3, 3, 200)] for index in range(12)]
    session = ColourSession(source := clip(*frames))
    events = run(source, session=session)
    assert [(event.index, event.object_id, event.reason) for event in of_kind(events, ObjectEnded)] == [
        (6, 1, "absent")
    ]
    assert sorted(events[-1].tracks[1].frames) == [0, 1, 2, 3]
    assert set(session.colours) == {2}


def test_what_comes_back_after_its_end_is_a_new_object():
    frames = [[(30, 20, 20)] if index < 2 or index > 8 else [] for index in range(16)]
    tracks = run(clip(*frames))[-1].tracks
    assert [sorted(one.frames) for one in tracks.values()] == [[0, 1], list(range(10, 16))]


def test_two_tracks_of_the_same_thing_become_one():
    """The second object is mistaken for the first from frame 3 on."""

    class Confused(ColourSession):
        def track(self):
            for answer in super().track():
                if answer.index >= 3 and 2 in answer.masks and 1 in answer.masks:
                    answer.masks[2] = answer.masks[1]
                yield answer

    source = clip(*[[(3, 3, 20), (30, 20, 200)] for _ in range(11)])
    events = run(source, session=Confused(source))
    ended = of_kind(events, ObjectEnded)
    assert [(event.index, event.object_id, event.reason) for event in ended] == [(5, 2, "twin")]
    assert sorted(events[-1].tracks[2].frames) == [0, 1, 2]
    # the thing that nothing explains any more is found again
    assert of_kind(events, KeyFrameSearched)[1].new == (3,)


def test_a_cut_ends_every_track_and_searches_at_once():
    rng = np.random.default_rng(0)
    scenes = np.zeros((9, H, W, 3), dtype=np.uint8)
    scenes[:4] = rng.integers(0, 60, (H, W, 3), dtype=np.uint8)
    scenes[4:] = rng.integers(180, 255, (H, W, 3), dtype=np.uint8)

    class OneSquare(ColourFinder):
        def find(self, picture):  # noqa: ARG002 - what it finds is fixed
            return [Finding(mask=square(5, 5), score=0.9)]

    class Still(ColourSession):
        def track(self):
            for answer in super().track():
                yield replace(answer, masks={one: square(5, 5) for one in answer.masks})

    source = ArraySource(scenes)
    events = run(source, finder=OneSquare(), session=Still(source))
    assert [(e.index, e.kind) for e in of_kind(events, KeyFrameSearched)] == [
        (0, FrameKind.FIRST),
        (4, FrameKind.CUT),
    ]
    assert [(e.object_id, e.reason) for e in of_kind(events, ObjectEnded)] == [(1, "cut")]
    assert [sorted(one.frames) for one in events[-1].tracks.values()] == [[0, 1, 2, 3], [4, 5, 6, 7, 8]]


def test_a_track_that_searches_no_longer_find_ends_when_asked_to():
    class FindsOnce(ColourFinder):
        def find(self, picture):
            found = super().find(picture)
            return found if self.num_searches == 1 else []

    source = clip(*[[(3, 3, 200)] for _ in range(16)])
    never = run(source, finder=FindsOnce())
    assert of_kind(never, ObjectEnded) == []
    twice = run(source, replace(OPTIONS, max_missed=2), finder=FindsOnce())
    assert [(e.index, e.reason) for e in of_kind(twice, ObjectEnded)] == [(10, "missed")]


def test_short_lived_objects_are_left_out_but_not_in_an_image():
    frames = [[(3, 3, 200), (30, 20, 20)]] + [[(3, 3, 200)]] * 7
    assert [one.label for one in run(clip(*frames))[-1].tracks.values()] == ["bright"]
    assert len(run(clip(frames[0]))[-1].tracks) == 2


def test_cancelling_stops_after_the_frame():
    source = clip(*[[(3, 3, 200)]] * 6)
    events = track_everything(
        source, ColourSession(source), ColourFinder(), options=OPTIONS, is_cancelled=lambda: True
    )
    with pytest.raises(CancelledError, match="after 1 frames"):
        list(events)


def test_room_limits_the_number_of_objects():
    source = clip(*[[(3, 3, 200), (30, 20, 20), (45, 5, 150)]] * 3)
    options = replace(OPTIONS, limits=replace(LIMITS, max_objects=2))
    assert len(run(source, options)[-1].tracks) == 2


def test_choosing_leaves_out_what_is_covered_too_small_or_too_large():
    whole = np.ones((H, W), dtype=bool)
    speck = square(50, 30, side=1)
    findings = [
        Finding(mask=whole, score=0.99),
        Finding(mask=speck, score=0.98),
        Finding(mask=square(10, 10), score=0.9),
        Finding(mask=square(11, 10), score=0.8),
        Finding(mask=square(16, 10), score=0.7),
        Finding(mask=square(30, 10), score=0.3),
    ]
    chosen = choose_findings(findings, LIMITS)
    assert [one.score for one in chosen] == [0.9, 0.7]
    assert not (chosen[0].mask & chosen[1].mask).any()
    assert choose_findings(findings, LIMITS, covered=square(8, 8, side=20)) == []


def test_cutting_leaves_no_crumbs():
    mask = square(5, 5) | square(30, 30, side=1)
    assert np.array_equal(largest_parts(mask), square(5, 5))
    two = square(5, 5) | square(30, 30)
    assert np.array_equal(largest_parts(two), two)


def test_each_finding_and_each_object_is_matched_once_by_the_best_overlap():
    masks = {4: square(10, 10), 7: square(12, 10), 9: np.zeros((H, W), dtype=bool)}
    close, far = Finding(mask=square(11, 10), score=0.5), Finding(mask=square(12, 10), score=0.4)
    matched, left = match_findings([close, far], masks, min_iou=0.5)
    assert matched == {7: far, 4: close}
    assert left == []
    assert match_findings([close], {}, min_iou=0.5) == ({}, [close])


def test_of_doubled_objects_the_oldest_stays():
    masks = {1: square(1, 1), 2: square(1, 1), 3: square(1, 2), 4: square(30, 1)}
    assert doubled(masks, max_iou=0.7, max_inside=0.9) == {2, 3}


def test_an_object_inside_another_is_the_one_that_goes():
    small, large = square(12, 12, side=4), square(10, 10, side=12)
    for masks, gone in (({1: large, 2: small}, 2), ({1: small, 2: large}, 1)):
        assert doubled(masks, max_iou=0.7, max_inside=0.9) == {gone}
    assert doubled({1: large, 2: square(20, 10)}, max_iou=0.7, max_inside=0.9) == set()


def test_a_change_of_colours_asks_for_a_search_but_not_right_away():
    rule = KeyFrameRule(longest_gap=100, shortest_gap=3)
    judge = KeyFrames(rule)
    dark, bright = np.full((H, W, 3), 30, dtype=np.uint8), np.full((H, W, 3), 230, dtype=np.uint8)
    mixed = [np.where(np.arange(W)[None, :, None] < W * step // 8, bright, dark) for step in range(9)]
    kinds = [judge.judge(picture) for picture in mixed]
    assert kinds[0] is FrameKind.FIRST
    assert FrameKind.CHANGE in kinds[3:]
    assert set(kinds[1:3]) == {FrameKind.ORDINARY}
    assert FrameKind.CUT not in kinds


def test_looks_of_equal_pictures_differ_by_nothing():
    picture = np.random.default_rng(1).integers(0, 255, (H, W, 3), dtype=np.uint8)
    assert look_of(picture).difference(look_of(picture)) == pytest.approx(0, abs=1e-3)
    assert look_of(picture).motion(look_of(picture)) == 0


def test_gaps_that_cannot_be_kept_are_refused():
    with pytest.raises(ConfigError, match="shortest <= longest"):
        KeyFrameRule(longest_gap=2, shortest_gap=3)


def test_the_debug_model_goes_the_whole_way():
    model = masklet.load_model("debug-compact", device="cpu")
    rng = np.random.default_rng(0)
    source = ArraySource(rng.integers(0, 255, (4, 48, 64, 3), dtype=np.uint8))
    options = EverythingOptions(
        limits=FindingLimits(min_score=0.0, min_area_share=0.0, max_area_share=1.0, max_objects=3),
        rule=KeyFrameRule(longest_gap=2, shortest_gap=1),
    )
    finder = AutoFinder(model, preset="fast")
    with masklet.VideoSession(model, source) as session:
        *_, last = track_everything(source, session, finder, options=options)
    assert isinstance(last, EverythingFinished)
    assert last.num_frames == 4
    for track in last.tracks.values():
        assert all(one.rle is None or one.rle.size == source.size for one in track.frames.values())
