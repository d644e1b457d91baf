"""Packed results behave like a plain mapping in order of frames, bit for bit."""

import numpy as np
import pytest

from masklet.masks import rle
from masklet.tracking.bank import MaskScore
from masklet.tracking.results import PAGE_FRAMES, Results, StoredMask, pack, unpack
from masklet.tracking.state import ObjectState


def result(version, *, size=(9, 13), is_prompted=False, is_backward=False, is_kept=True):
    generator = np.random.default_rng(version)
    mask = generator.random(size) > generator.random()
    iou, presence, stability = generator.normal(size=3).tolist()
    return StoredMask(
        rle=rle.encode(mask),
        score=MaskScore(iou=iou, presence=presence, stability=stability),
        area=int(mask.sum()),
        is_prompted=is_prompted,
        is_backward=is_backward,
        is_kept=is_kept,
        version=version,
    )


class Shelf:
    """Counts what is brought and fetched."""

    def __init__(self):
        self.kept, self.reads = [], 0

    def keep(self, packed):
        self.kept.append(packed)
        shelf = self

        class Kept:
            def read(self):
                shelf.reads += 1
                return packed

        return Kept()


def test_a_packed_page_gives_every_value_back():
    page = {
        0: result(1, is_prompted=True),
        5: result(2**40, size=(1, 1), is_backward=True, is_kept=False),
        127: result(3, size=(300, 200)),
    }
    found = unpack(pack(page))
    assert {place: found.at(place) for place in found.places} == page


def test_damaged_pages_are_refused():
    with pytest.raises(ValueError, match="damaged"):
        unpack(pack({0: result(1)})[:-3])


def test_results_are_a_mapping_in_order_of_frames():
    """Random edits over few frames that meet again and again, beside a plain dictionary."""
    generator = np.random.default_rng(0)
    results, plain, aside = Results(Shelf()), {}, []
    for version in range(1200):
        frame = int(generator.integers(0, 8 * PAGE_FRAMES))
        match generator.integers(0, 60):
            case 0 if plain:
                frames = sorted(generator.choice(sorted(plain), len(plain) // 4, replace=False).tolist())
                aside.append((results.take(frames), {at: plain.pop(at) for at in frames}))
            case 1 if aside:
                taken, expected = aside.pop(int(generator.integers(0, len(aside))))
                assert dict(taken) == expected
                results.put_back(taken)
                plain.update(expected)
                assert dict(taken) == expected, "what was put back stays where it was, too"
            case 2:
                assert results.pop(frame, None) == plain.pop(frame, None)
            case 3:
                assert dict(results.copy()) == plain
            case _:
                made = result(version, is_backward=bool(version % 2), is_kept=bool(version % 3))
                results[frame] = plain[frame] = made
        assert results.get(frame) == plain.get(frame)
        assert (frame in results) == (frame in plain)
    assert len(results) == len(plain) > 100
    assert list(results.items()) == sorted(plain.items())


def test_marks_tell_kinds_and_versions_without_unpacking():
    shelf = Shelf()
    results = Results(shelf)
    for frame in range(5 * PAGE_FRAMES):
        results[frame] = result(
            frame + 1, is_prompted=frame == 7, is_backward=frame < 7, is_kept=frame % 2 == 0
        )
    assert len(shelf.kept) == 3
    marks = results.marks()
    assert marks.frames.tolist() == list(results)
    for frame in range(0, 5 * PAGE_FRAMES, 31):
        one, mark = result(frame + 1), results.mark(frame)
        assert mark is not None
        assert mark.version == one.version
        assert mark.is_prompted == marks.is_prompted[frame] == (frame == 7)
        assert mark.is_backward == marks.is_backward[frame] == (frame < 7)
        assert mark.is_kept == marks.is_kept[frame] == (frame % 2 == 0)
    assert results.mark(5 * PAGE_FRAMES) is None
    assert shelf.reads == 0


def test_neighbouring_frames_are_unpacked_once():
    shelf = Shelf()
    results = Results.of({frame: result(frame) for frame in range(6 * PAGE_FRAMES)}, shelf)
    for frame in range(2 * PAGE_FRAMES):
        assert results[frame].version == frame
    assert shelf.reads == 2


def test_an_edit_drops_and_gives_back_without_unpacking():
    shelf = Shelf()
    results = Results.of(
        {frame: result(frame, is_prompted=frame == 0) for frame in range(6 * PAGE_FRAMES)}, shelf
    )
    state = ObjectState(prompts={0: None}, results=results)
    dropped = state.drop_dependents(300)
    assert list(state.results) == [0]
    assert list(dropped) == list(range(1, 6 * PAGE_FRAMES))
    assert shelf.reads == 0
    state.results.put_back(dropped)
    assert dict(state.results) == {
        frame: result(frame, is_prompted=frame == 0) for frame in range(6 * PAGE_FRAMES)
    }


def test_packed_results_take_a_fraction_of_their_run_lengths():
    """A thing that moves a little: most of what is stored of its frames repeats."""
    shelf, plain_bytes = Shelf(), 0
    results = Results(shelf)
    rows, columns = np.mgrid[:120, :160]
    for frame in range(4 * PAGE_FRAMES):
        mask = (rows - 60) ** 2 + (columns - 50 - frame % 60) ** 2 < 30**2
        results[frame] = StoredMask(
            rle=rle.encode(mask),
            score=MaskScore(iou=0.9, presence=3.5, stability=0.8),
            area=int(mask.sum()),
            is_prompted=False,
            is_backward=False,
            is_kept=True,
            version=frame,
        )
        plain_bytes += len(results[frame].rle.counts)
    packed_bytes = sum(len(one) for one in shelf.kept)
    assert len(shelf.kept) == 2
    assert packed_bytes < 0.5 * plain_bytes / 2
