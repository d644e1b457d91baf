"""Starting weights in the shape of a newer model."""

from dataclasses import replace

import pytest
import torch

from masklet.errors import TrainingError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.training.start import adopted

DRAWN = "prompt_encoder.maps.draw.weight"


def older(carry_dim=0):
    """Weights of a model without a target model, and without a carried mask unless it has keys."""
    config = preset("debug-compact")
    memory = replace(config.memory, carry_dim=carry_dim, has_target=False)
    return build(replace(config, memory=memory), seed=1).state_dict()


def test_an_older_file_starts_a_model_that_carries_masks():
    fresh = build(preset("debug-compact"), seed=2).state_dict()
    weights = adopted(fresh, older())
    assert set(weights) == set(fresh)
    torch.testing.assert_close(weights["decoder.iou_token"], older()["decoder.iou_token"])
    torch.testing.assert_close(weights["carry.key.weight"], fresh["carry.key.weight"])
    # the carried mask is drawn as a given mask was, scores of a target model are not drawn at first
    torch.testing.assert_close(weights[DRAWN][:, 7:9], older()[DRAWN][:, 5:7])
    assert bool((weights[DRAWN][:, 9:] == 0).all())


def test_a_file_with_carried_masks_starts_a_model_with_a_target():
    fresh = build(preset("debug-compact"), seed=2).state_dict()
    trained = older(carry_dim=4)
    weights = adopted(fresh, trained)
    assert set(weights) == set(fresh)
    torch.testing.assert_close(weights["carry.key.weight"], trained["carry.key.weight"])
    torch.testing.assert_close(weights[DRAWN][:, :9], trained[DRAWN])
    assert bool((weights[DRAWN][:, 9:] == 0).all())
    torch.testing.assert_close(weights["target.log_ridge"], fresh["target.log_ridge"])


@pytest.mark.parametrize("change", ["missing", "strange", "wide"])
def test_other_differences_are_refused(change):
    fresh, trained = build(preset("debug-compact"), seed=2).state_dict(), dict(older())
    if change == "missing":
        del trained["decoder.iou_token"]
    elif change == "strange":
        trained["decoder.more"] = torch.zeros(1)
    else:
        trained["decoder.iou_token"] = torch.zeros(1, 3)
    with pytest.raises(TrainingError, match="do not fit"):
        adopted(fresh, trained)
