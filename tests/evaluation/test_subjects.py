"""Our own sessions as what is evaluated, with small models of random weights."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from masklet.evaluation.datasets import Clip
from masklet.evaluation.interactive import (
    InteractiveProtocol,
    evaluate_interactive_clip,
    scores_by_round,
)
from masklet.evaluation.leaving_clips import LeavingClip
from masklet.evaluation.occlusion import OcclusionProtocol, evaluate_leaving_clip
from masklet.evaluation.subjects import InteractiveSubject, PresenceSubject
from masklet.geometry import Size
from masklet.masks import rle
from masklet.prompts import Click, PromptSet
from masklet.weights.load import load_model

SIZE = Size(48, 64)
NUM_FRAMES = 9
EMPTY = np.zeros(SIZE.hw, bool)


def square(left, top=10, side=16):
    mask = np.zeros(SIZE.hw, bool)
    mask[top : top + side, left : left + side] = True
    return mask


def clip_of(truth):
    def read_frame(index):
        pixels = np.random.default_rng(index).integers(0, 60, (*SIZE.hw, 3), dtype=np.uint8)
        for object_id, masks in truth.items():
            pixels[masks[index]] = (230, 60 * object_id, 40)
        return pixels

    encoded = {i: tuple(rle.encode(mask) for mask in masks) for i, masks in truth.items()}
    return Clip(name="clip", size=SIZE, num_frames=NUM_FRAMES, truth=encoded, read_frame=read_frame)


EARLY = [square(2 * i) for i in range(NUM_FRAMES)]
LATE = [EMPTY] * 4 + [square(40, top=20)] * (NUM_FRAMES - 4)


class CountingNetwork:
    """Passes every call on to a network and counts the images that are encoded."""

    def __init__(self, network):
        self._network = network
        self.num_encoded = 0

    def __getattr__(self, name):
        return getattr(self._network, name)

    def encode_image(self, pixels):
        self.num_encoded += 1
        return self._network.encode_image(pixels)


@pytest.fixture(params=["debug", "debug-compact"])
def loaded(request):
    found = load_model(request.param, device="cpu")
    return replace(found, model=CountingNetwork(found.model))


def test_each_frame_is_encoded_once_over_all_rounds_and_objects(loaded):
    objects = evaluate_interactive_clip(
        InteractiveSubject(loaded), clip_of({1: EARLY, 2: LATE}), protocol=InteractiveProtocol(num_rounds=3)
    )
    rounds = scores_by_round(objects)
    assert loaded.model.num_encoded == NUM_FRAMES
    assert [[one.object_id for one in scores] for scores in rounds] == [[1, 2]] * 3
    # Object 2 is first seen on frame 4: frames 0 to 3 and 5 to 7 count.
    assert [[one.num_frames for one in scores] for scores in rounds] == [[7, 7]] * 3
    assert all(0 <= one.j_and_f <= 1 for scores in rounds for one in scores)


def test_objects_are_followed_both_ways_and_corrected_frames_stay(loaded):
    with InteractiveSubject(loaded)(clip_of({1: EARLY, 2: LATE})) as session:
        session.prompt(1, 0, PromptSet([Click(8, 18)]))
        session.prompt(2, 4, PromptSet([Click(48, 28)]))
        before = [dict(masks) for masks in session.follow()]
        corrected = session.prompt(1, 6, PromptSet([Click(20, 18), Click(60, 40, positive=False)]))
        after = [dict(masks) for masks in session.follow()]
    assert [sorted(masks) for masks in before] == [[1, 2]] * NUM_FRAMES
    assert np.array_equal(after[6][1], corrected)
    for index in range(NUM_FRAMES):
        assert np.array_equal(after[index][2], before[index][2])
    # the stretch before the correction looks ahead to it; what was said first stays
    assert np.array_equal(after[0][1], before[0][1])


def test_online_goes_forward_and_leaves_earlier_frames_alone(loaded):
    protocol = InteractiveProtocol(mode="online", num_rounds=3, pause_below=1.0)
    objects = evaluate_interactive_clip(
        InteractiveSubject(loaded), clip_of({1: EARLY, 2: LATE}), protocol=protocol
    )
    assert loaded.model.num_encoded == NUM_FRAMES
    for one in objects:
        clicked = [found.frame for found in one.rounds]
        assert clicked == sorted(set(clicked))
        for before, after in pairwise(one.rounds):
            earlier = sum(frame < after.frame for frame in one.frames)
            assert after.region[:earlier] == before.region[:earlier]


def test_tracking_tells_masks_and_presence_of_every_frame(loaded):
    truth = [square(10)] * 3 + [EMPTY] * 2 + [square(10)] * 4
    leaving = LeavingClip(clip=clip_of({1: truth}), way="exit", has_twin=False)
    score = evaluate_leaving_clip(PresenceSubject(loaded), leaving, protocol=OcclusionProtocol())
    assert (len(score.visible), len(score.hidden)) == (6, 2)
    assert all(0 <= presence <= 1 for presence in score.visible + score.hidden)
    assert 0 <= score.region <= 1
