"""The batched step: prompts and memories of any raggedness, each object as if it were alone."""

from dataclasses import replace

import pytest
import torch

from masklet.models.config import preset
from masklet.models.model import build
from masklet.models.prompt_encoder import PointLabel
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.model_prompt import ModelPrompt, pad_prompts
from masklet.tracking.policy import RECENT, Attended
from masklet.tracking.reading import groups_of, in_order, shares_of_others
from masklet.tracking.step import LOGIT_LIMIT, Tracker

SIDE = 64


def prompt(*points, labels=None, start=None, given=None):
    labels = labels or [int(PointLabel.POSITIVE)] * len(points)
    return ModelPrompt(
        points_xy=torch.tensor(points, dtype=torch.float32).reshape(-1, 2),
        labels=torch.tensor(labels, dtype=torch.long),
        start_logits=start,
        given_mask=given,
    )


def square_mask():
    mask = torch.zeros(SIDE, SIDE)
    mask[20:40, 8:32] = 1
    return mask


@pytest.fixture(params=["debug", "debug-compact"])
def tracker(request):
    model = build(preset(request.param), seed=4)
    with torch.no_grad():
        list(model.decoder.presence_head.parameters())[-1].add_(4)  # objects are there
        for weights in model.decoder.hypernetworks.parameters():
            weights.mul_(2)  # masks have relief
    return Tracker(model=model, policy=RECENT, pointer_span=16)


def images(tracker, count):
    generator = torch.Generator().manual_seed(7)
    pixels = torch.randn(count, 3, SIDE, SIDE, generator=generator)
    return [tracker.model.encode_image(pixels[index : index + 1]) for index in range(count)]


def test_prompts_are_closed_by_padding_and_filled_with_ignored_points():
    points, labels = pad_prompts([prompt((1, 2)), prompt((3, 4), (5, 6), labels=[2, 3])], torch.device("cpu"))
    assert labels.tolist() == [[1, -1, -10], [2, 3, -1]]
    assert points[1].tolist() == [[3, 4], [5, 6], [0, 0]]


@torch.inference_mode()
def test_ragged_prompts_answer_as_each_alone(tracker):
    (image,) = images(tracker, 1)
    start = torch.randn(16, 16, generator=torch.Generator().manual_seed(1))
    prompts = [
        prompt((5, 6)),
        prompt((1, 2), (50, 40), labels=[2, 3]),
        prompt((5, 6), (30, 30), (60, 2), labels=[1, 0, 1], start=start),
    ]
    moment = tracker.moment(0, is_backward=False)
    banks = [MemoryBank()] * 3
    together = tracker.prompt(image, prompts, banks, moment, reads_memory=False)
    for row, one in enumerate(prompts):
        alone = tracker.prompt(image, [one], banks[:1], moment, reads_memory=False)
        assert torch.allclose(together.logits[row], alone.logits[0], atol=1e-4)
        assert torch.allclose(together.entries[row].features, alone.entries[0].features, atol=1e-4)
        assert torch.allclose(together.entries[row].pointer, alone.entries[0].pointer, atol=1e-4)
        assert alone.scores[0].is_present
        assert together.scores[row].iou == pytest.approx(alone.scores[0].iou, abs=1e-4)


@torch.inference_mode()
def test_ragged_memories_answer_as_each_alone(tracker):
    frames = images(tracker, 9)
    banks = []
    for first, shape in (
        (0, prompt((9, 9))),
        (3, prompt((1, 2), (50, 40), labels=[2, 3])),
        (6, prompt(given=square_mask())),
    ):
        begin = tracker.moment(first, is_backward=False)
        answer = tracker.prompt(frames[first], [shape], [MemoryBank()], begin, reads_memory=False)
        bank = MemoryBank().with_conditioning(answer.entries[0])
        for frame in range(first + 1, 8):
            now = tracker.moment(frame, is_backward=False)
            bank = bank.with_tracked(tracker.track(frames[frame], [bank], now).entries[0])
        banks.append(bank)
    assert [len(bank.recent) for bank in banks] == [7, 4, 1]
    now = tracker.moment(8, is_backward=False)
    together = tracker.track(frames[8], banks, now)
    for row, bank in enumerate(banks):
        alone = tracker.track(frames[8], [bank], now)
        assert torch.allclose(together.logits[row], alone.logits[0], atol=1e-4)
        assert torch.allclose(together.entries[row].features, alone.entries[0].features, atol=1e-4)
    assert not torch.allclose(together.logits[0], together.logits[2], atol=1e-4)


@torch.inference_mode()
def test_a_given_mask_is_its_own_answer(tracker):
    (image,) = images(tracker, 1)
    moment = tracker.moment(0, is_backward=False)
    answer = tracker.prompt(image, [prompt(given=square_mask())], [MemoryBank()], moment, reads_memory=False)
    assert torch.equal(answer.logits[0] > 0, square_mask()[2::4, 2::4] > 0)
    assert answer.scores[0].is_present
    nothing = tracker.prompt(
        image, [prompt(given=torch.zeros(SIDE, SIDE))], [MemoryBank()], moment, reads_memory=False
    )
    assert not nothing.scores[0].is_present
    assert nothing.entries[0].box is None


@torch.inference_mode()
def test_memory_holds_limited_logits(tracker):
    (image,) = images(tracker, 1)
    moment = tracker.moment(0, is_backward=False)
    answer = tracker.prompt(image, [prompt((3, 3))], [MemoryBank()], moment, reads_memory=False)
    entry = answer.entries[0]
    assert entry.logits.dtype == torch.half
    assert entry.logits.abs().max() <= LOGIT_LIMIT
    assert entry.features.shape[0] == tracker.model.config.memory_channels


@pytest.mark.parametrize(("forgets", "is_kept"), [(True, False), (False, True)])
def test_a_frame_without_the_object_is_kept_unless_the_model_forgets_it(forgets, is_kept):
    config = replace(preset("debug-compact"), forgets_absent=forgets)
    model = build(config, seed=0)
    torch.nn.init.constant_(model.decoder.presence_head.layers[-1].bias, -20.0)
    tracker = Tracker(model=model, policy=RECENT, pointer_span=8)
    assert tracker.moment(1, is_backward=False).forgets_absent is forgets
    asked = prompt(given=square_mask())
    with torch.inference_mode():
        (image,) = images(tracker, 1)
        first = tracker.prompt(
            image, [asked], [MemoryBank()], tracker.moment(0, is_backward=False), reads_memory=False
        )
        bank = MemoryBank().with_conditioning(first.entries[0])
        second = tracker.track(image, [bank], tracker.moment(1, is_backward=False))
    assert first.entries[0].is_kept
    assert not second.scores[0].is_present
    assert second.entries[0].is_kept is is_kept


def entry(frame, columns):
    logits = torch.full((8, 8), -30.0)
    logits[:, columns] = 30
    score = MaskScore(iou=0.9, presence=5.0, stability=0.9)
    return MemoryEntry(
        frame=frame,
        written=torch.zeros(1, 2, 2),
        pointer=torch.zeros(1),
        logits=logits.half(),
        score=score,
        box=None,
    )


def test_others_are_known_on_the_frames_that_they_remember_too():
    left, right = slice(0, 4), slice(4, 6)
    banks = [
        MemoryBank().with_conditioning(entry(0, left)).with_tracked(entry(1, left)),
        MemoryBank().with_conditioning(entry(0, right)),
    ]
    attended = [
        Attended(spatial=((banks[0].conditioning[0], 6), (banks[0].recent[0], 0)), pointers=()),
        Attended(spatial=((banks[1].conditioning[0], 6),), pointers=()),
    ]
    others = shares_of_others(attended, banks, torch.zeros(2, 2, 1, 2, 2), ~torch.eye(2, dtype=torch.bool))
    torch.testing.assert_close(others[0, 0], torch.tensor([[0.0, 0.5], [0.0, 0.5]]))
    torch.testing.assert_close(others[1, 0], torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    # the other does not remember frame 1, and reads one frame only
    assert float(others[0, 1].sum()) == 0
    assert float(others[1, 1].sum()) == 0


def test_objects_that_read_the_same_frames_are_read_together():
    entries = {frame: entry(frame, slice(0, 4)) for frame in range(4)}
    read = [(0, 6), (2, 1), (3, 0)], [(0, 6), (1, 0)], [(0, 6), (2, 1), (3, 0)], [(0, 6), (2, 0), (3, 1)]
    attended = [Attended(spatial=tuple((entries[f], row) for f, row in one), pointers=()) for one in read]
    groups = groups_of(attended)
    assert groups == [[0, 2], [1, 3]]
    rows = torch.arange(4.0)[:, None]
    assert torch.equal(in_order([rows[[0, 2]], rows[[1, 3]]], groups), rows)
    assert groups_of(attended[:2]) == [[0, 1]]


@torch.inference_mode()
def test_an_object_that_was_hidden_does_not_change_what_the_others_read(tracker):
    frames = images(tracker, 4)
    begin = tracker.moment(0, is_backward=False)
    asked = [prompt((8 + 12 * index, 20)) for index in range(4)]
    found = tracker.prompt(frames[0], asked, [MemoryBank()] * 4, begin, reads_memory=False)
    banks = [MemoryBank().with_conditioning(entry) for entry in found.entries]
    for time in (1, 2):
        found = tracker.track(frames[time], banks, tracker.moment(time, is_backward=False))
        seen = [replace(entry, is_kept=time == 2 or index != 2) for index, entry in enumerate(found.entries)]
        banks = [bank.with_tracked(entry) for bank, entry in zip(banks, seen, strict=True)]
    now = tracker.moment(3, is_backward=False)
    assert groups_of([tracker.policy.attend(bank, now) for bank in banks]) == [[0, 1, 3], [2]]
    together = tracker.track(frames[3], banks, now)
    for index, bank in enumerate(banks):
        alone = tracker.track(frames[3], [bank], now)
        torch.testing.assert_close(together.logits[index], alone.logits[0], rtol=1e-4, atol=1e-3)
