"""Where objects should be."""

from __future__ import annotations

import pytest
import torch

from masklet.geometry import Box
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.places import Place, Span, expected_places, fitted

NEAR = pytest.approx


def bank_of(boxes: dict[int, Box | None]) -> MemoryBank:
    """A bank prompted on frame 0, with a box on each frame."""
    entries = {
        frame: MemoryEntry(
            frame=frame,
            written=torch.zeros(1, 1, 1),
            pointer=torch.zeros(1),
            logits=torch.zeros(1, 1),
            score=MaskScore(iou=1.0, presence=1.0, stability=1.0),
            box=box,
        )
        for frame, box in boxes.items()
    }
    bank = MemoryBank(conditioning={0: entries.pop(0)})
    for entry in entries.values():
        bank = bank.with_tracked(entry)
    return bank


def square(x: float, y: float = 0.5, side: float = 0.2) -> Box:
    """A square around a point."""
    return Box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def test_what_moves_steadily_is_expected_further_on():
    bank = bank_of({frame: square(0.2 + 0.02 * frame) for frame in range(8)})
    (place,) = expected_places([bank], lambda frame: 8 - frame)
    assert place is not None
    assert place.x.centre == NEAR(0.36, abs=0.006)
    assert place.y.centre == NEAR(0.5)
    assert place.x.size == NEAR(0.2)


def test_what_is_hidden_moves_on_ever_more_slowly():
    bank = bank_of({frame: square(0.2 + 0.02 * frame) for frame in range(6)})
    soon, later, much_later = (
        expected_places([bank], lambda frame, now=now: now - frame)[0] for now in (6, 9, 15)
    )
    assert soon is not None
    assert later is not None
    assert much_later is not None
    assert soon.x.centre < later.x.centre < much_later.x.centre < 0.2 + 0.02 * 15 - 0.05


def test_frames_to_come_and_objects_never_seen_say_nothing():
    bank = bank_of({0: square(0.2), 1: square(0.3), 9: square(0.9)})
    (place,) = expected_places([bank], lambda frame: 2 - frame)
    assert place is not None
    assert place.x.centre < 0.5
    assert expected_places([bank_of({0: None})], lambda frame: 1 - frame) == [None]


def test_time_may_run_backward():
    bank = bank_of({0: square(0.5), **{-frame: square(0.5 - 0.02 * frame) for frame in range(1, 6)}})
    (place,) = expected_places([bank], lambda frame: frame + 6)
    assert place is not None
    assert place.x.centre == NEAR(0.38, abs=0.006)


@pytest.mark.parametrize(("visible", "rival"), [((0.5, 0.6), (0.35, 0.52)), ((0.4, 0.5), (0.48, 0.65))])
def test_an_end_beside_a_rival_is_not_the_objects_own(
    visible: tuple[float, float], rival: tuple[float, float]
):
    span = Span(0.45, 0.2)
    assert span.seen(visible, [rival]).centre == NEAR(0.5)
    assert span.seen(visible, [rival]).size == NEAR(0.2)
    assert span.seen(visible, []).size < 0.2


def test_between_two_rivals_the_guess_stays_where_it_covers_what_is_seen():
    rivals = [(0.3, 0.46), (0.54, 0.7)]
    assert Span(0.52, 0.2).seen((0.45, 0.55), rivals).centre == NEAR(0.52)
    assert Span(0.8, 0.2).seen((0.45, 0.55), rivals).centre == NEAR(0.55)


def test_who_stands_above_hides_no_side():
    place = Place.at(square(0.5))
    seen = place.seen(Box(0.5, 0.4, 0.6, 0.6), [square(0.45, 0.9)])
    assert seen.x.centre == NEAR(0.55)


def test_a_place_slides_by_half_its_size_at_most():
    place = Place.at(square(0.3))
    assert fitted(place, square(0.34), []).x.centre == NEAR(0.34)
    assert fitted(place, square(0.8), []).x.centre == NEAR(0.4)
    # where more is claimed than fits, the end away from the rival counts
    assert fitted(place, Box(0.18, 0.4, 0.5, 0.6), [square(0.45)]).x.centre == NEAR(0.28)


def test_a_place_can_be_enlarged():
    assert Place.at(square(0.5)).enlarged(0.5).xyxy == NEAR((0.3, 0.3, 0.7, 0.7))


def test_a_sliver_that_nobody_hides_is_part_of_what_was_there():
    whole = Place.at(Box(0.4, 0.4, 0.6, 0.6))
    # its top is where it was: the rest hangs below, hidden
    top = whole.seen(Box(0.4, 0.41, 0.6, 0.45), [])
    assert top.y.centre == pytest.approx(0.51, abs=0.01)
    # no end is where it should be: it only has to be covered
    middle = whole.seen(Box(0.4, 0.47, 0.6, 0.52), [])
    assert middle.y.centre == pytest.approx(0.5, abs=1e-6)
    assert middle.y.size == pytest.approx(0.2, rel=0.02)
