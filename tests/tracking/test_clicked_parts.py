"""Parts of a mask that nobody clicked go, everything else stays."""

import pytest
import torch

from masklet.geometry import Box, Size
from masklet.predictors.preprocess import PostProcess, to_image_masks
from masklet.prompts import Click, PromptSet
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


def test_smooth_enlarging_draws_no_outline_of_a_dropped_part() -> None:
    logits = torch.full((16, 16), -0.1)
    logits[2:6, 2:6] = 2
    logits[9:14, 9:14] = 2
    low = keep_clicked_parts(logits, torch.tensor([(14.0, 14.0)]), torch.tensor([1]), SIDE)
    said = PromptSet(clicks=(Click(28, 28),))
    post = PostProcess(hole_area=0)
    any_parts = to_image_masks(low[None], Size(128, 128), post, is_smooth=True)[0]
    clicked = to_image_masks(low[None], Size(128, 128), post, is_smooth=True, clicked=said)[0]
    assert any_parts[56:, 56:].any()  # the overshoot this is about
    assert not clicked[56:, 56:].any()
    assert clicked[20:40, 20:40].all()
    boxed = PromptSet(clicks=(Click(28, 28),), box=Box(0, 0, 128, 128))
    with_box = to_image_masks(low[None], Size(128, 128), post, is_smooth=True, clicked=boxed)[0]
    assert (with_box == any_parts).all()
