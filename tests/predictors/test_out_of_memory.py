"""A device that runs out of memory: less at once, then without cached frames, then on the CPU, with the same masks."""

import logging

import numpy as np
import pytest
import torch

from masklet.models.precision import deterministic
from masklet.predictors import engine as engine_module
from masklet.predictors.image import ImagePredictor
from masklet.predictors.out_of_memory import in_parts, is_out_of_memory
from masklet.predictors.video import VideoSession
from masklet.prompts import Click, PromptSet
from masklet.tracking.step import Tracker

CLICKS = {1: (10, 16), 2: (45, 35), 3: (30, 8)}


class Device:
    """Refuses calls of a function for as long as ``is_too_much`` says so."""

    def __init__(self, monkeypatch, owner, name, is_too_much):
        self.calls, original = [], getattr(owner, name)

        def wrapped(*given, **named):
            self.calls.append(given)
            if is_too_much(len(self.calls), given):
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return original(*given, **named)

        monkeypatch.setattr(owner, name, wrapped)


def masks_of(loaded, clip):
    with VideoSession(loaded, clip) as session:
        for object_id, (x, y) in CLICKS.items():
            session.prompt(object_id=object_id, frame=0, prompts=PromptSet(clicks=[Click(x, y)]))
        return [frame.masks for frame in session.track()], str(session._engine.model.device)


def share_that_differs(one, other):
    return np.mean([(a[key] != b[key]).mean() for a, b in zip(one, other, strict=True) for key in a])


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory."), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("shapes do not fit"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_what_counts_as_out_of_memory(error, expected):
    assert is_out_of_memory(error) is expected


def test_items_are_halved_until_they_fit(caplog):
    sizes = []

    def action(items):
        sizes.append(len(items))
        if len(items) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return [2 * item for item in items]

    with caplog.at_level(logging.WARNING):
        assert in_parts(action, list(range(7))) == [0, 2, 4, 6, 8, 10, 12]
    assert sizes == [7, 3, 1, 2, 4, 2, 2]
    assert "with 7 at once; going on with 3 and 4" in caplog.text


def test_one_item_that_does_not_fit_is_an_error():
    def action(_):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    with pytest.raises(torch.OutOfMemoryError):
        in_parts(action, [1, 2])


def test_other_errors_are_not_swallowed():
    def action(_):
        raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes"):
        in_parts(action, [1, 2])


def test_objects_are_followed_in_smaller_batches(loaded, clip, monkeypatch, caplog):
    expected, _ = masks_of(loaded, clip[:4])
    Device(monkeypatch, Tracker, "track", lambda _, given: len(given[2]) > 1)
    with caplog.at_level(logging.WARNING):
        found, _ = masks_of(loaded, clip[:4])
    assert share_that_differs(found, expected) < 0.001
    assert "with 3 at once; going on with 1 and 2" in caplog.text


def test_cached_frames_leave_the_device(loaded, clip, monkeypatch, caplog):
    expected, _ = masks_of(loaded, clip[:4])
    # three objects, then one, fail once each: what is left is to drop the frames
    Device(monkeypatch, Tracker, "track", lambda call, _: call <= 2)
    with caplog.at_level(logging.WARNING):
        found, _ = masks_of(loaded, clip[:4])
    assert share_that_differs(found, expected) < 0.001
    assert "encoded frames leave it" in caplog.text
    assert "slowly on the CPU" not in caplog.text


def test_the_cpu_comes_last(loaded, clip, monkeypatch, caplog):
    expected, _ = masks_of(loaded, clip[:4])
    moves = []
    original = engine_module.on_cpu
    monkeypatch.setattr(engine_module, "on_cpu", lambda model: moves.append(model) or original(model))
    Device(monkeypatch, Tracker, "track", lambda *_: not moves)
    with caplog.at_level(logging.WARNING):
        found, device = masks_of(loaded, clip[:4])
    assert device == "cpu"
    assert moves == [loaded]
    assert share_that_differs(found, expected) < 0.001
    assert "goes on more slowly on the CPU" in caplog.text


def test_images_are_encoded_in_smaller_batches(loaded, clip, monkeypatch):
    predictor = ImagePredictor(loaded)
    expected = predictor.embed_batch(list(clip[:3]))
    Device(monkeypatch, loaded.model, "encode_image", lambda _, given: len(given[0]) > 1)
    for mine, other in zip(predictor.embed_batch(list(clip[:3])), expected, strict=True):
        torch.testing.assert_close(mine.features.features, other.features.features, atol=1e-4, rtol=1e-4)


def test_masks_are_the_same_on_every_run(loaded, clip):
    with deterministic():
        runs = [masks_of(loaded, clip[:4])[0] for _ in range(2)]
        assert torch.are_deterministic_algorithms_enabled()
    assert share_that_differs(*runs) == 0
    assert not torch.are_deterministic_algorithms_enabled()
