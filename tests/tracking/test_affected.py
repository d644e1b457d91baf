"""What a change on a prompted frame can alter."""

import pytest

from masklet.tracking.affected import affected_by


@pytest.mark.parametrize(
    ("prompted", "frame", "look_ahead", "forward", "backward"),
    [
        ((), 5, None, range(20), range(20)),
        ((0, 5), 5, None, range(1, 20), range(20)),
        ((0, 5, 9), 5, None, range(1, 20), range(9)),
        ((0, 5, 9), 5, 2, range(3, 20), range(8)),
        ((4, 5, 6), 5, 2, range(5, 20), range(6)),
        ((0,), 0, 2, range(20), range(3)),
    ],
)
def test_all_past_a_change_is_altered_and_what_looks_ahead_to_it(
    prompted, frame, look_ahead, forward, backward
):
    affected = affected_by(prompted, frame, look_ahead)
    assert [at for at in range(20) if affected.holds(at, is_backward=False)] == list(forward)
    assert [at for at in range(20) if affected.holds(at, is_backward=True)] == list(backward)
