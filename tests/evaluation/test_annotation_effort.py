"""Clicks and seconds of two simulated people, against models whose answers are known."""

import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.annotation_effort import EffortProtocol, frame_by_frame, track_and_correct
from masklet.evaluation.comparison import compare, read_measures
from masklet.evaluation.datasets import Clip
from masklet.evaluation.effort_report import (
    EffortReport,
    Masklet,
    effort_csv,
    effort_document,
    effort_table,
    masklet_from_json,
    masklet_to_json,
)
from masklet.evaluation.page.effort import effort_page
from masklet.geometry import Size
from masklet.masks import rle
from masklet.masks.metrics import boundary_f, iou

SIZE = Size(20, 30)
PROTOCOL = EffortProtocol(target=0.9, max_clicks=3, click_s=1.5, open_s=1.0, watch_s=0.2)


def true_mask(index):
    mask = np.zeros(SIZE.hw, dtype=bool)
    mask[5:15, index : index + 10] = True
    return mask


def clip(num_frames=6, absent=()):
    empty = rle.encode(np.zeros(SIZE.hw, dtype=bool))
    return Clip(
        name="toy",
        size=SIZE,
        num_frames=num_frames,
        truth={1: [empty if i in absent else rle.encode(true_mask(i)) for i in range(num_frames)]},
        read_frame=lambda index: np.full((*SIZE.hw, 3), index, dtype=np.uint8),
    )


class Clicked:
    """Right after a given number of clicks, half right before; knows a frame by its grey."""

    def __init__(self, needed):
        self.needed = needed

    def embed(self, image):
        return int(image[0, 0, 0])

    def predict(self, embedding, prompts, previous):
        mask = true_mask(embedding)
        if len(prompts[0].clicks) < self.needed:
            mask[10:] = False
        return mask[None], (previous or 0) + 1


class Followed:
    """Right from a prompted frame on for some frames, then empty."""

    def __init__(self, reach):
        self.reach = reach
        self.prompted = []

    def prompt(self, object_id, frame, prompts):
        assert object_id == 1
        assert prompts.clicks
        self.prompted.append(frame)
        return true_mask(frame)

    def follow(self):
        for index in range(6):
            is_right = any(0 <= index - frame < self.reach for frame in self.prompted)
            yield {1: true_mask(index)} if is_right else {}


def opener(session):
    @contextmanager
    def open_session(_clip):
        yield session

    return open_session


def test_frame_by_frame_pays_for_every_frame():
    found = frame_by_frame(Clicked(needed=2), clip(), 1, PROTOCOL)
    assert (found.num_frames, found.num_clicks, found.num_opened, found.num_watched) == (6, 12, 6, 0)
    assert found.seconds == pytest.approx(12 * 1.5 + 6 * 1.0)
    assert (found.mean_iou, found.share_good) == (1, 1)


def test_patience_ends():
    found = frame_by_frame(Clicked(needed=9), clip(), 1, PROTOCOL)
    assert found.num_clicks == 18
    assert found.share_good == 0
    assert found.mean_iou == pytest.approx(0.5)


def test_tracking_pays_for_mistakes_only():
    session = Followed(reach=4)
    found = track_and_correct(opener(session), clip(), 1, PROTOCOL)
    assert session.prompted == [0, 4]
    assert (found.num_clicks, found.num_opened, found.num_watched) == (2, 2, 5)
    assert found.seconds == pytest.approx(2 * 1.5 + 2 * 1.0 + 5 * 0.2)
    assert found.seconds_per_frame == pytest.approx(1.0)
    assert found.share_good == 1


def test_a_tracker_that_remembers_nothing_costs_a_click_on_every_frame():
    session = Followed(reach=1)
    found = track_and_correct(opener(session), clip(), 1, PROTOCOL)
    assert session.prompted == [0, 1, 2, 3, 4, 5]
    assert found.num_clicks == 6


def test_frames_without_the_object_cost_nothing_and_an_object_never_seen_has_no_effort():
    found = frame_by_frame(Clicked(needed=1), clip(absent=(0, 3)), 1, PROTOCOL)
    assert found.num_frames == 4
    never = clip(absent=range(6))
    assert frame_by_frame(Clicked(needed=1), never, 1, PROTOCOL) is None
    assert track_and_correct(opener(Followed(reach=1)), never, 1, PROTOCOL) is None


def test_targets_that_mean_nothing_are_refused():
    with pytest.raises(PromptError, match="got 0 and 3"):
        EffortProtocol(target=0, max_clicks=3)


MASKLET = EffortProtocol(target=0.9, goal="masklet", max_clicks=3, click_s=1.5, open_s=1.0, watch_s=0.2)


def test_the_way_to_the_masklet_is_told_and_ends_when_it_is_good_enough():
    found = track_and_correct(opener(Followed(reach=4)), clip(), 1, MASKLET)
    assert [point.num_clicks for point in found.path] == [1, 2]
    assert [point.quality for point in found.path] == pytest.approx([4 / 6, 1])
    assert [point.seconds for point in found.path] == pytest.approx([2.5 + 4 * 0.2, 5 + 5 * 0.2])
    assert (found.path[-1].seconds, found.is_reached(0.9)) == (found.seconds, True)
    easy = replace(MASKLET, target=0.6)
    short = track_and_correct(opener(Followed(reach=4)), clip(), 1, easy)
    # two frames are still empty, but the mean is enough; the whole clip had to be watched to know
    assert (short.num_opened, short.num_watched, short.share_good) == (1, 5, pytest.approx(4 / 6))


def test_frame_by_frame_ends_when_the_masklet_is_good_enough():
    found = frame_by_frame(Clicked(needed=1), clip(), 1, replace(MASKLET, target=0.5))
    assert (found.num_clicks, found.num_opened) == (3, 3)
    assert [point.quality for point in found.path] == pytest.approx([1 / 6, 2 / 6, 3 / 6])
    assert found.mean_iou == pytest.approx(0.5)
    hopeless = frame_by_frame(Clicked(needed=9), clip(), 1, MASKLET)
    assert (hopeless.num_opened, hopeless.is_reached(0.9)) == (6, False)


def test_the_score_may_be_the_mean_of_j_and_f():
    mask = true_mask(0)
    mask[10:] = False
    protocol = EffortProtocol(measure="j_and_f")
    assert protocol.score(mask, true_mask(0)) == pytest.approx(
        (iou(mask, true_mask(0)) + boundary_f(mask, true_mask(0))) / 2
    )
    assert EffortProtocol().score(mask, true_mask(0)) == 0.5


@pytest.fixture
def report():
    masklets = [
        Masklet(
            frame_by_frame=replace(frame_by_frame(Clicked(needed=2), clip(), 1, MASKLET), clip=name),
            track_and_correct=replace(
                track_and_correct(opener(Followed(reach=reach)), clip(), 1, MASKLET), clip=name
            ),
        )
        for name, reach in (("long <b>", 6), ("short", 2))
    ]
    return EffortReport(protocol=MASKLET, masklets=tuple(masklets))


def test_totals_weigh_masklets_and_curves_go_up_with_time(report):
    each, tracked = report.totals("frame_by_frame"), report.totals("track_and_correct")
    assert (each.clicks, each.seconds, each.opened, each.reached) == (12, 24, 1, 1)
    assert (tracked.clicks, tracked.opened) == (2, 4 / 12)
    seconds = [2.5 + 5 * 0.2, 3 * 2.5 + 5 * 0.2]
    assert tracked.seconds == pytest.approx(sum(seconds) / 2)
    assert report.times_faster == pytest.approx(48 / sum(seconds))
    curve = report.curve("track_and_correct", [0, 3.5 / 6, 4])
    assert curve == [0, pytest.approx(0.5 * (1 + 2 / 6), abs=0.2), 1]
    assert curve[1] > report.curve("frame_by_frame", [3.5 / 6])[0]


def test_at_equal_quality_neither_way_is_charged_for_getting_further():
    """One way ends at half of the masklet; the other is charged until it is as good, and for watching to the end."""
    by_frame = frame_by_frame(Clicked(needed=1), clip(), 1, replace(MASKLET, target=0.5))
    tracked = track_and_correct(opener(Followed(reach=4)), clip(), 1, MASKLET)
    assert (by_frame.mean_iou, tracked.mean_iou) == (pytest.approx(0.5), pytest.approx(1))
    one = Masklet(frame_by_frame=by_frame, track_and_correct=tracked)
    equal = EffortReport(protocol=MASKLET, masklets=(one,)).at_equal_quality
    assert equal.quality == pytest.approx(0.5)
    assert equal.frame_by_frame == pytest.approx(3 * 2.5 / 6)
    # four of six frames after the first click, but all five others are watched
    assert equal.track_and_correct == pytest.approx((2.5 + 5 * 0.2) / 6)
    assert equal.times_faster == pytest.approx(7.5 / 3.5)


def test_effort_is_written_in_every_form(report):
    document = effort_document(report)
    assert document["track_and_correct"]["clicks"] == 2
    assert [one["track_and_correct"]["clicks"] for one in document["masklets"]] == [1, 3]
    assert document["at_equal_quality"]["quality"] == 1
    assert document["at_equal_quality"]["times_faster"] == pytest.approx(report.times_faster, abs=1e-3)
    lines = effort_table(report, title="Made").splitlines()
    assert lines[0] == "### Made (to IoU 0.9 of a masklet)"
    assert lines[4].startswith("| long <b> | 1 | 6 | 12 | 24.0 | 1.000 | 1 | 3.5 | 1.000 | 6.86 |")
    assert lines[-1].startswith("Until both ways are equally good (IoU 1.000), tracking takes")
    assert effort_csv(report).splitlines()[1] == "long <b>,1,frame_by_frame,1,2,4.0,0.166667"
    again = [masklet_from_json(json.loads(json.dumps(masklet_to_json(one)))) for one in report.masklets]
    assert again == list(report.masklets)
    measures = {one.name: one for one in compare(*[read_measures(document)] * 2, num_samples=100).measures}
    assert measures["clicks, tracking"].first == 2
    page = effort_page(report, title="Made", facts={"command": "x"})
    assert "long &lt;b&gt; 1" in page
    assert page.count("<polyline") == 2


def test_a_report_without_masklets_has_no_totals():
    with pytest.raises(PromptError, match="No masklet"):
        EffortReport(protocol=MASKLET, masklets=()).totals("frame_by_frame")
