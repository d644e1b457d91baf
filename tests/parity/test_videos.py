"""Tracking through a clip equals that of an independent implementation with the same random weights."""

import pytest
import torch
from reference import (
    VideoPrompt,
    our_model,
    random_pixels,
    random_state,
    reference_model,
    reference_video,
    shift_presence,
)

from masklet.models.config import preset
from masklet.tracking.bank import MemoryBank
from masklet.tracking.model_prompt import ModelPrompt
from masklet.tracking.policy import RECENT
from masklet.tracking.step import Tracker

pytestmark = pytest.mark.parity
SIDE, NUM_FRAMES = 64, 16
LIMIT = 1e-3
MASK = torch.zeros(SIDE, SIDE)
MASK[20:45, 5:25] = 1
OTHER_MASK = torch.zeros(SIDE, SIDE)
OTHER_MASK[5:15, 35:60] = 1
PROMPTS = {
    "click": VideoPrompt(frame=0, points_xy=((13.0, 32.0),), labels=(1,)),
    "clicks": VideoPrompt(frame=0, points_xy=((13.0, 32.0), (50.0, 10.0)), labels=(1, 0)),
    "box": VideoPrompt(frame=0, points_xy=((5.0, 20.0), (25.0, 45.0)), labels=(2, 3)),
    "mask": VideoPrompt(frame=0, mask=MASK),
}


@torch.inference_mode()
def our_video(model, pixels, prompts, *, is_backward=False):
    """Logits (objects, h, w) and presence (objects,) per frame; all prompts on the first frame in the order of time.

    A single object may be prompted on later frames too, before anything is tracked.
    """
    tracker = Tracker(model=model, policy=RECENT, pointer_span=min(len(pixels), model.config.max_pointers))
    order = range(len(pixels) - 1, -1, -1) if is_backward else range(len(pixels))
    given = [
        ModelPrompt(
            points_xy=torch.tensor(prompt.points_xy).reshape(-1, 2),
            labels=torch.tensor(prompt.labels, dtype=torch.long),
            given_mask=prompt.mask,
        )
        for prompt in prompts
    ]
    images = [model.encode_image(pixels[frame : frame + 1]) for frame in range(len(pixels))]
    said = {prompt.frame for prompt in prompts}
    banks = [MemoryBank() for prompt in prompts if prompt.frame == order[0]]
    prompted = {}
    for frame in sorted(said):
        moment = tracker.moment(frame, is_backward=is_backward)
        here = [made for made, prompt in zip(given, prompts, strict=True) if prompt.frame == frame]
        prompted[frame] = tracker.prompt(images[frame], here, banks, moment, reads_memory=False)
        entries = prompted[frame].entries
        banks = [bank.with_conditioning(entry) for bank, entry in zip(banks, entries, strict=True)]
    logits, presence = [], []
    for frame in order:
        image, moment = images[frame], tracker.moment(frame, is_backward=is_backward)
        if frame in prompted:
            out = prompted[frame]
        else:
            out = tracker.track(image, banks, moment)
            banks = [bank.with_tracked(entry) for bank, entry in zip(banks, out.entries, strict=True)]
        logits.append(out.logits)
        presence.append(torch.tensor([score.presence for score in out.scores]))
    return logits, presence


def state_with_occlusion(config, pixels, prompts, seed):
    """A state under which the first object is judged absent on some tracked frames and present on others."""
    state = random_state(config, seed)
    for _ in range(3):
        scores = [
            float(p[0]) for p in reference_video(reference_model(config, state), pixels, prompts).presence
        ][1:]
        if min(scores) < 0 < max(scores):
            return state
        state = shift_presence(state, scores)
    raise AssertionError("The presence scores do not change sign; choose another seed.")


def assert_same(ours, reference):
    logits, presence = ours
    assert len(logits) == len(reference.logits)
    for mine, other in zip(logits, reference.logits, strict=True):
        assert mine.shape == other.shape
        assert float((mine - other).abs().max()) <= LIMIT * float(other.abs().max())
    mine, other = torch.stack(presence), torch.stack(reference.presence)
    assert float((mine - other).abs().max()) <= LIMIT * float(other.abs().max())


@pytest.fixture(scope="module")
def config():
    return preset("sam2.1-tiny").resized(SIDE)


@pytest.mark.slow
@pytest.mark.parametrize("kind", PROMPTS)
def test_tracking_with_occlusion(config, kind):
    prompts, pixels = [PROMPTS[kind]], random_pixels(NUM_FRAMES, SIDE, seed=0)
    state = state_with_occlusion(config, pixels, prompts, seed=3)
    reference = reference_video(reference_model(config, state), pixels, prompts)
    ours = our_video(our_model(config, state), pixels, prompts)
    signs = {bool(presence > 0) for presence in ours[1][1:]}
    assert signs == {True, False}
    assert_same(ours, reference)


@pytest.mark.slow
def test_eight_frames_at_full_size():
    config, pixels = preset("sam2.1-tiny"), random_pixels(8, 1024, seed=0)
    prompts = [VideoPrompt(frame=0, points_xy=((500.0, 375.0), (100.0, 900.0)), labels=(1, 0))]
    state = random_state(config, seed=3)
    reference = reference_video(reference_model(config, state), pixels, prompts)
    assert_same(our_video(our_model(config, state), pixels, prompts), reference)


@pytest.mark.parametrize("name", ["sam2.1-tiny", "sam2-tiny"])
def test_two_objects_at_once_in_a_short_clip(name):
    """Objects are a batch here and a loop there; the clip is shorter than the span of pointer ages."""
    config, pixels = preset(name).resized(SIDE), random_pixels(6, SIDE, seed=0)
    prompts = [PROMPTS["click"], VideoPrompt(frame=0, object_id=2, points_xy=((50.0, 10.0),), labels=(1,))]
    state = random_state(config, seed=4)
    reference = reference_video(reference_model(config, state), pixels, prompts)
    assert_same(our_video(our_model(config, state), pixels, prompts), reference)


def test_two_masks(config):
    pixels = random_pixels(4, SIDE, seed=0)
    prompts = [PROMPTS["mask"], VideoPrompt(frame=0, object_id=2, mask=OTHER_MASK)]
    state = random_state(config, seed=4)
    reference = reference_video(reference_model(config, state), pixels, prompts)
    assert_same(our_video(our_model(config, state), pixels, prompts), reference)


def test_backward(config):
    pixels, last = random_pixels(6, SIDE, seed=0), 5
    prompts = [VideoPrompt(frame=last, points_xy=((50.0, 32.0),), labels=(1,))]
    state = random_state(config, seed=4)
    reference = reference_video(reference_model(config, state), pixels, prompts, start=last, reverse=True)
    assert reference.frames == [5, 4, 3, 2, 1, 0]
    assert_same(our_video(our_model(config, state), pixels, prompts, is_backward=True), reference)


def test_frames_before_a_second_prompt_look_ahead_to_it(config):
    pixels = random_pixels(9, SIDE, seed=0)
    later = VideoPrompt(frame=6, points_xy=((40.0, 32.0), (50.0, 10.0)), labels=(1, 0))
    state = random_state(config, seed=4)
    reference = reference_video(reference_model(config, state), pixels, [PROMPTS["click"], later])
    alone = reference_video(reference_model(config, state), pixels, [PROMPTS["click"]])
    assert float((reference.logits[3] - alone.logits[3]).abs().max()) > LIMIT
    assert_same(our_video(our_model(config, state), pixels, [PROMPTS["click"], later]), reference)


def test_box_whose_single_mask_is_unstable(config):
    """The mask then comes from the three candidates, while the pointer still comes from the single mask's token."""
    pixels = random_pixels(6, SIDE, seed=0)
    faint = {
        name: 0.02 * tensor if name.startswith("decoder.hypernetworks") and "layers.2" in name else tensor
        for name, tensor in random_state(config, seed=4).items()
    }
    reference = reference_video(reference_model(config, faint), pixels, [PROMPTS["box"]])
    ours = our_video(our_model(config, faint), pixels, [PROMPTS["box"]])
    assert float(ours[1][1]) > 0
    assert_same(ours, reference)
