"""Clicks and seconds of two simulated people, against models whose answers are known."""

from contextlib import contextmanager

import numpy as np
import pytest

from masklet.errors import PromptError
from masklet.evaluation.annotation_effort import EffortProtocol, frame_by_frame, track_and_correct
from masklet.evaluation.datasets import Clip
from masklet.geometry import Size
from masklet.masks import rle

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
