"""Starting weights in the shape of a newer model."""

from dataclasses import replace

import pytest
import torch

from masklet.errors import TrainingError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.training.helpers import RunPlan
from masklet.training.loop import ALONE
from masklet.training.recipes import recipe
from masklet.training.start import adopted
from masklet.weights.load import load_model
from masklet.weights.save import save_weights

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


def test_a_slim_file_starts_a_slim_model_and_its_run_goes_on(tmp_path, packed_folder):
    """What was slimmed is trained as it is: at the start, when the run is resumed, and in what it writes."""
    config = preset("debug-compact")
    slim = replace(
        config,
        encoder=replace(config.encoder, stem_channels=7),
        memory=replace(config.memory, expansion=2),
        memory_encoder=replace(config.memory_encoder, expansion=1),
    )
    save_weights(tmp_path / "slim.safetensors", build(slim, seed=1))
    debug = replace(recipe("debug"), steps=2)
    plan = RunPlan(
        config=debug,
        data=packed_folder,
        folder=tmp_path / "run",
        init=tmp_path / "slim.safetensors",
        num_workers=0,
    )
    run = plan.open(ALONE)
    next(iter(run))
    run.save()
    resumed = replace(plan, init=None, is_resumed=True).open(ALONE)
    list(resumed)
    loaded = load_model(resumed.export(tmp_path / "trained.safetensors"), device="cpu")
    assert loaded.config.encoder.stem_channels == 7
    assert (loaded.config.memory.expansion, loaded.config.memory_encoder.expansion) == (2, 1)


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
