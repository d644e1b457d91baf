"""The unroll asks for the same things as tracking does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from masklet.models.config import preset
from masklet.models.model import build
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.policy import RECENT
from masklet.tracking.step import Tracker
from masklet.training.batches import TrainBatch
from masklet.training.config import PromptSimulation
from masklet.training.unroll import Unroll, WrittenFrame


def make_batch(num_frames: int) -> TrainBatch:
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(3, num_frames, 64, 64, dtype=torch.bool)
    masks[:, :, 10:40, 20:50] = True
    if num_frames > 2:
        masks[0, 2] = False
    return TrainBatch(
        frames=torch.randint(0, 255, (2, num_frames, 64, 64, 3), generator=generator, dtype=torch.uint8),
        masks=masks,
        owner=torch.tensor([0, 0, 1]),
        sources=("a", "b"),
    )


def kinds(config: PromptSimulation, num_frames: int, seed: int = 0) -> list[str]:
    model = build(preset("debug-compact"), seed=0)
    judged = Unroll(model, make_batch(num_frames), config, np.random.default_rng(seed)).run()
    return [item.kind for item in judged]


def test_still_is_prompted_then_corrected() -> None:
    config = PromptSimulation(box_share=0.0, still_corrections=3)
    found = {tuple(kinds(config, 1, seed)) for seed in range(12)}
    assert ("click 1",) in found
    assert all(found_one == tuple(f"click {k + 1}" for k in range(len(found_one))) for found_one in found)


def test_box_comes_first_when_asked() -> None:
    assert kinds(PromptSimulation(box_share=1.0), 1)[0] == "box"


def test_given_mask_is_not_judged_but_tracked() -> None:
    config = PromptSimulation(mask_share=1.0, later_correction_share=0.0)
    assert kinds(config, 4) == ["tracked"] * 3


def test_later_correction_follows_its_tracked_answer() -> None:
    config = PromptSimulation(mask_share=1.0, later_correction_share=1.0)
    found = kinds(config, 4)
    assert found.count("tracked") == 3
    assert found[found.index("corrected 1") - 1] == "tracked"


def test_corrections_are_tried_on_tracked_frames_and_forgotten() -> None:
    plain = PromptSimulation(mask_share=1.0, later_correction_share=0.0)
    tried = PromptSimulation(mask_share=1.0, later_correction_share=0.0, tried_share=1.0, later_corrections=2)
    model = build(preset("debug-compact"), seed=0)
    before = Unroll(model, make_batch(4), plain, np.random.default_rng(0)).run()
    after = Unroll(model, make_batch(4), tried, np.random.default_rng(0)).run()
    tracked = [item for item in after if item.kind == "tracked"]
    assert len(after) > len(tracked) == 3
    assert all(item.kind in {"tracked", "corrected 1", "corrected 2"} for item in after)
    assert not any(item.is_ambiguous for item in after if item.kind != "tracked")
    # what was tried changes nothing of what is tracked on the first frame after the prompt
    torch.testing.assert_close(tracked[0].decoded.logits, before[0].decoded.logits)


def test_mistaken_objects_are_corrected_from_the_memory_of_their_neighbours() -> None:
    config = PromptSimulation(
        mask_share=1.0, later_correction_share=0.0, tried_share=1.0, mistaken_share=1.0, later_corrections=1
    )
    model, batch = build(preset("debug-compact"), seed=0), make_batch(2)
    batch.masks[1] = False
    batch.masks[1, :, 44:60, 4:16] = True
    unroll = Unroll(model, batch, config, np.random.default_rng(0))
    assert unroll._other_objects().tolist() == [1, 0, 2]
    tracked, mistaken = unroll.run()
    assert (tracked.kind, mistaken.kind) == ("tracked", "mistaken 1")
    # the truth stays each object's own
    torch.testing.assert_close(tracked.target, mistaken.target)
    assert mistaken.carried is not None
    assert tracked.carried is not None
    torch.testing.assert_close(mistaken.carried, tracked.carried[[1, 0, 2]])


def test_prompt_ahead_is_read_before_its_frame() -> None:
    # gray frames, masks that move: only the prompted last frame can tell the first tracked one of its mask
    config = PromptSimulation(mask_share=1.0, later_correction_share=1.0, ahead_share=1.0)
    model = build(preset("debug-compact"), seed=0)
    found = [kinds(config, 3, seed).count("tracked") for seed in range(6)]
    # the frame ahead is given, not tracked
    assert set(found) == {1}
    one, other = make_batch(3), make_batch(3)
    other.masks[:, 2] = False
    other.masks[:, 2, 40:60, 5:25] = True
    seed = next(seed for seed in range(9) if _prompted_ahead(seed) == 2)
    answers = [
        Unroll(model, batch, config, np.random.default_rng(seed)).run()[0].decoded.logits
        for batch in (one, other)
    ]
    assert not torch.equal(*answers)


def _prompted_ahead(seed: int) -> int:
    rng = np.random.default_rng(seed)
    rng.random()  # whether presence is trusted
    rng.random()  # whether a later frame is corrected
    return int(rng.integers(1, 3))


def test_absence_is_judged() -> None:
    model = build(preset("debug-compact"), seed=0)
    config = PromptSimulation(mask_share=1.0, later_correction_share=0.0)
    judged = Unroll(model, make_batch(4), config, np.random.default_rng(0)).run()
    assert judged[1].is_present.tolist() == [False, True, True]


def test_gradients_reach_memory_and_pointers() -> None:
    model = build(preset("debug-compact"), seed=0).train()
    config = PromptSimulation(mask_share=0.0, clip_corrections=0, later_correction_share=0.0)
    judged = Unroll(model, make_batch(3), config, np.random.default_rng(0)).run()
    judged[-1].decoded.logits.sum().backward()
    for name in ("memory.key.weight", "memory_encoder.out.weight", "memory.log_sharpness"):
        grad = model.get_parameter(name).grad
        assert grad is not None, name
        assert grad.abs().sum() > 0, name


@pytest.mark.parametrize("forgets", [True, False])
def test_an_object_reads_in_training_what_it_reads_when_it_is_tracked(*, forgets: bool) -> None:
    config = dataclasses.replace(preset("debug-compact"), forgets_absent=forgets)
    model = build(config, seed=0)
    unroll = Unroll(model, make_batch(4), PromptSimulation(), np.random.default_rng(0))
    seen = {1: (1, 1, 1), 2: (0, 1, 1), 3: (0, 1, 0), 4: (1, 1, 0), 5: (1, 1, 1), 6: (1, 1, 0), 7: (0, 1, 0)}
    written = [frame_at(0, (True, True, True), is_conditioning=True)]
    written += [frame_at(time, present, is_conditioning=False) for time, present in seen.items()]
    tracker = Tracker(model=model, policy=RECENT, pointer_span=config.max_pointers)
    for time in range(1, 9):
        memory = unroll._memory(written[:time], time)
        moment = tracker.moment(time, is_backward=False)
        for index in range(3):
            bank = MemoryBank().with_conditioning(entry_of(written[0], index))
            for frame in written[1:time]:
                bank = bank.with_tracked(entry_of(frame, index, is_kept=not forgets))
            attended = RECENT.attend(bank, moment)
            read = [(entry.frame, row) for entry, row in attended.spatial]
            valid = torch.ones(len(read)) if memory.spatial_valid is None else memory.spatial_valid[index]
            frames, rows = memory.spatial[index, :, 0, 0, 0], memory.rows[index]
            count = int(valid.sum())
            assert list(zip(frames.tolist()[:count], rows.tolist()[:count], strict=True)) == read
            assert float(frames[int(memory.newest[index])]) == time - 1
            pointed = {entry.frame for entry, _ in attended.pointers}
            valid = memory.pointer_valid
            own = memory.pointers[index, :, 0]
            assert set((own if valid is None else own[valid[index]]).tolist()) == pointed


def frame_at(time: int, present: tuple[int, ...], *, is_conditioning: bool) -> WrittenFrame:
    return WrittenFrame(
        time=time,
        is_conditioning=is_conditioning,
        spatial=torch.full((3, 2, 2, 2), float(time)),
        pointer=torch.full((3, 4), float(time)),
        is_present=torch.tensor(present, dtype=torch.bool),
    )


def entry_of(frame: WrittenFrame, index: int, *, is_kept: bool = True) -> MemoryEntry:
    return MemoryEntry(
        frame=frame.time,
        written=frame.spatial[index],
        pointer=frame.pointer[index],
        logits=torch.zeros(4, 4),
        score=MaskScore(iou=1.0, presence=1.0, stability=1.0),
        box=None,
        is_kept=is_kept or bool(frame.is_present[index]),
    )
