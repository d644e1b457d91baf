"""Memory as values: what banks hold, and when the archive lets go."""

import pytest
import torch

from masklet.geometry import Box
from masklet.tracking.bank import LateFeatures, MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.mask_scores import boxes_of, stability_of, usual_offset
from masklet.tracking.state import EntryArchive, ObjectState, RunningBank


def entry(frame, *, is_kept=True, channels=2):
    return MemoryEntry(
        frame=frame,
        written=torch.zeros(channels, 1, 1),
        pointer=torch.zeros(4),
        logits=torch.zeros(4, 4, dtype=torch.half),
        score=MaskScore(iou=0.5, presence=1.0, stability=0.5),
        box=None,
        is_kept=is_kept,
    )


def frames(bank):
    return [one.frame for one in bank.recent]


def test_a_bank_holds_the_latest_frames_and_is_never_changed():
    empty = MemoryBank(capacity=3)
    bank = empty
    for frame in range(1, 6):
        bank = bank.with_tracked(entry(frame))
    assert frames(bank) == [3, 4, 5]
    assert empty.is_empty
    assert empty.recent == ()


def test_a_frame_that_is_not_kept_stays_until_the_next_one_only():
    bank = MemoryBank().with_tracked(entry(1)).with_tracked(entry(2, is_kept=False))
    assert frames(bank) == [1, 2]
    assert frames(bank.with_tracked(entry(3))) == [1, 3]


def test_a_prompted_frame_replaces_what_was_tracked_there():
    bank = MemoryBank().with_tracked(entry(1)).with_tracked(entry(2)).with_conditioning(entry(2))
    assert (frames(bank), list(bank.conditioning), bank.is_empty) == ([1], [2], False)


def test_bytes_are_those_of_the_tensors():
    assert entry(0).num_bytes == 2 * 4 + 4 * 4 + 16 * 2
    assert MemoryBank().with_tracked(entry(1)).with_conditioning(entry(0)).num_bytes == 2 * entry(0).num_bytes


def test_the_archive_stays_within_its_bytes_and_lets_the_unused_go_first():
    size = entry(0).num_bytes
    archive = EntryArchive(3 * size)
    for version in range(3):
        archive.put(version, entry(version))
    assert archive.get(0) is not None
    archive.put(3, entry(3))
    assert [archive.get(version) is None for version in range(4)] == [False, True, False, False]
    for version in range(4, 60):
        archive.put(version, entry(version))
    assert archive.num_bytes == 3 * size


def test_the_archive_keeps_one_entry_even_beyond_its_bytes():
    archive = EntryArchive(1)
    archive.put(0, entry(0))
    archive.put(1, entry(1))
    assert archive.get(0) is None
    assert archive.get(1) is not None


def test_what_a_running_bank_holds_stays_in_the_archive():
    archive = EntryArchive(1)
    archive.put(0, entry(0))
    archive.hold(1, [0])
    archive.put(1, entry(1))
    archive.put(2, entry(2))
    assert [archive.get(version) is None for version in range(3)] == [False, True, False]
    archive.hold(1, [])
    archive.put(3, entry(3))
    assert [archive.get(version) is None for version in range(4)] == [True, True, True, False]
    assert archive.num_bytes == entry(0).num_bytes


def test_restored_entries_wait_for_the_next_put():
    archive = EntryArchive(1)
    for version in range(3):
        archive.restore(version, entry(version))
    assert all(archive.get(version) is not None for version in range(3))
    archive.put(3, entry(3))
    assert archive.get(0) is None


def test_putting_an_entry_twice_counts_its_bytes_once():
    archive = EntryArchive(10_000)
    archive.put(0, entry(0))
    archive.put(0, entry(0))
    assert archive.num_bytes == entry(0).num_bytes


def test_a_running_bank_counts_for_the_next_frame_of_the_same_unedited_object():
    state, other = ObjectState(), ObjectState()
    running = RunningBank(state=state, edits=0, frame=4, bank=MemoryBank())
    assert running.counts_for(state, 5)
    assert running.counts_for(state, 3)
    assert not running.counts_for(state, 6)
    assert not running.counts_for(other, 5)
    state.drop_dependents(2)
    assert not running.counts_for(state, 5)


def test_stability_compares_the_mask_under_two_thresholds():
    logits = torch.tensor(
        [[[5.0, 0.5], [-0.5, -5.0]], [[5.0, 5.0], [-5.0, -5.0]], [[-5.0, -5.0], [-5.0, -5.0]]]
    )
    assert stability_of(logits, 1.0).tolist() == pytest.approx([1 / 3, 1.0, 1.0])


def test_boxes_are_in_units_of_the_sides():
    logits = torch.full((2, 4, 8), -1.0)
    logits[0, 1:3, 2:6] = 1
    assert boxes_of(logits) == [Box(0.25, 0.25, 0.75, 0.75), None]


def test_the_threshold_moves_less_where_logits_are_small():
    surely = torch.tensor([[[8.0, 8.0, 0.5], [-8.0, -8.0, -8.0]]])
    assert float(usual_offset(surely)) == 1.0
    assert float(stability_of(surely)) == pytest.approx(2 / 3)
    # the same mask at a tenth of the height is as stable
    assert float(usual_offset(surely / 10)) == pytest.approx(0.25 * 5.5 / 10)
    assert float(stability_of(surely / 10)) == pytest.approx(2 / 3)
    assert float(stability_of(-surely.abs())) == 1.0


def test_late_features_are_computed_once_when_they_are_first_read():
    asked = []

    def compute():
        asked.append(torch.get_num_threads())
        return torch.ones(3, 1, 1)

    late = LateFeatures(compute)
    made = MemoryEntry(
        frame=0,
        written=late,
        pointer=torch.zeros(2),
        logits=torch.zeros(1, 1),
        score=entry(0).score,
        box=None,
    )
    assert asked == []
    assert torch.equal(made.features, torch.ones(3, 1, 1))
    assert made.features is made.features
    assert asked == [torch.get_num_threads()]
