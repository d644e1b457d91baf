"""Answers that are decoded again from themselves."""

import torch

from masklet.models.mask_decoder import DecodedMasks
from masklet.tracking.model_prompt import ModelPrompt
from masklet.tracking.second_thought import with_second_thought


def answers(*values):
    """One row per value: logits, IoU and presence all hold it."""
    rows = torch.tensor(values, dtype=torch.float32)
    logits = rows[:, None, None, None].expand(-1, 4, 2, 2).clone()
    return DecodedMasks(
        logits, rows[:, None].expand(-1, 4).clone(), rows.clone(), torch.zeros(len(rows), 4, 3)
    )


def clicks(count):
    return ModelPrompt(points_xy=torch.zeros(count, 2), labels=torch.ones(count, dtype=torch.long))


def test_clear_prompts_get_the_mean_of_both_answers_and_others_keep_the_first():
    asked = []

    def decode(rows, again):
        asked.append((list(rows), [one.start_logits for one in again]))
        return answers(*(10.0 for _ in rows))

    first = answers(1.0, 2.0, 3.0)
    both = with_second_thought(first, [clicks(2), clicks(1), clicks(3)], [True, False, True], decode)
    assert both.presence.tolist() == [5.5, 2.0, 6.5]
    assert both.iou[:, 0].tolist() == [5.5, 2.0, 6.5]
    assert both.logits[:, 3, 1, 1].tolist() == [5.5, 2.0, 6.5]
    ((rows, starts),) = asked
    assert rows == [0, 2]
    assert [one[0, 0].item() for one in starts] == [1.0, 3.0]
    assert first.presence.tolist() == [1.0, 2.0, 3.0]


def test_nothing_is_decoded_where_no_prompt_is_clear():
    def decode(*_):
        raise AssertionError

    first = answers(1.0)
    assert with_second_thought(first, [clicks(1)], [False], decode) is first
