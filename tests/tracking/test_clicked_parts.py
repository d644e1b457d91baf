"""Parts of a mask that nobody clicked go, everything else stays."""

import pytest
import torch

from masklet.tracking.clicked_parts import keep_clicked_parts

SIDE = 64


@pytest.fixture
def two_parts() -> torch.Tensor:
    logits = torch.full((16, 16), -5.0)
    logits[2:6, 2:6] = 5
    logits[10:14, 10:14] = 5
    return logits


def kept(logits: torch.Tensor, points: list[tuple[float, float]], labels: list[int]) -> list[bool]:
    out = keep_clicked_parts(logits, torch.tensor(points), torch.tensor(labels), SIDE) > 0
    return [bool(out[3, 3]), bool(out[11, 11])]


@pytest.mark.parametrize(
    ("points", "labels", "expected"),
    [
        ([(14.0, 14.0)], [1], [True, False]),
        ([(46.0, 46.0)], [1], [False, True]),
        ([(14.0, 14.0), (46.0, 46.0)], [1, 1], [True, True]),
        ([(14.0, 14.0), (46.0, 46.0)], [1, 0], [True, False]),
        ([(60.0, 2.0)], [1], [True, True]),
        ([(14.0, 14.0)], [0], [True, True]),
        ([(0.0, 0.0), (60.0, 60.0), (14.0, 14.0)], [2, 3, 1], [True, True]),
    ],
)
def test_only_clicked_parts_stay(two_parts, points, labels, expected) -> None:
    assert kept(two_parts, points, labels) == expected
