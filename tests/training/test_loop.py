"""The training loop learns, resumes exactly and stops on nonsense."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from masklet.errors import ConfigError, TrainingError
from masklet.training.batches import BatchData, is_clip_step
from masklet.training.checkpoint import CHECKPOINT
from masklet.training.config import OptimConfig, TrainingConfig
from masklet.training.data import Shards
from masklet.training.loop import LOG, TrainingRun, build_for, train_step
from masklet.training.optim import rate_at
from masklet.training.recipes import RECIPES, recipe
from masklet.weights.load import load_model


@pytest.fixture
def config() -> TrainingConfig:
    return replace(recipe("debug"), steps=4)


def weights_of(run: TrainingRun) -> list[torch.Tensor]:
    return [value.clone() for value in run.state.model.state_dict().values()]


def test_every_recipe_builds_its_model_configuration() -> None:
    for name in RECIPES:
        assert recipe(name).name == name


def test_resumed_run_equals_an_unbroken_one(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    whole = TrainingRun(config, shards, tmp_path / "whole", num_workers=0)
    list(whole)
    broken = TrainingRun(config, shards, tmp_path / "broken", num_workers=0)
    for report in broken:
        if report.step == 2:
            broken.save()
            break
    resumed = TrainingRun(config, shards, tmp_path / "broken", is_resumed=True, num_workers=0)
    assert [report.step for report in resumed] == [3, 4]
    for one, other in zip(weights_of(whole), weights_of(resumed), strict=True):
        assert torch.equal(one, other)
    for name, mean in whole.state.mean.weights.items():
        assert torch.equal(mean, resumed.state.mean.weights[name])


def test_training_leaves_tiny_numbers_as_they_are(
    tmp_path: Path, config: TrainingConfig, shards: Shards
) -> None:
    run = TrainingRun(config, shards, tmp_path, num_workers=0)
    for _ in run:
        assert np.float32(1e-30) * np.float32(1e-10) > 0
    assert float(torch.tensor([1e-30]) * 1e-10) > 0


def test_run_learns_one_batch(tmp_path: Path, shards: Shards) -> None:
    config = replace(
        recipe("debug"),
        steps=10_000,
        clip_share=0.0,
        optim=OptimConfig(learning_rate=3e-3, warmup_steps=1, frozen_blocks=0, max_norm=10.0),
    )
    run = TrainingRun(config, shards, tmp_path / "run", num_workers=0)
    batch = BatchData(config, shards)[0]
    losses = [train_step(run.state, batch, config, step)[0] for step in range(40)]
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:5])


def test_frozen_parts_keep_their_weights(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    held = replace(config, optim=replace(config.optim, frozen_parts=("decoder", "prompt_encoder")))
    run = TrainingRun(held, shards, tmp_path / "run", num_workers=0)
    before = {name: value.clone() for name, value in run.state.model.state_dict().items()}
    list(run)
    changed = {
        name.partition(".")[0]
        for name, value in run.state.model.state_dict().items()
        if not torch.equal(value, before[name])
    }
    assert {"encoder", "neck", "memory"} <= changed
    assert not changed & {"decoder", "prompt_encoder"}


def test_a_part_that_the_model_lacks_is_named(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    held = replace(config, optim=replace(config.optim, frozen_parts=("head",)))
    with pytest.raises(ConfigError, match="no part 'head'; its parts are"):
        TrainingRun(held, shards, tmp_path / "run", num_workers=0)


def test_log_and_weights_can_be_read(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    run = TrainingRun(config, shards, tmp_path / "run", num_workers=0)
    list(run)
    entries = [json.loads(line) for line in (tmp_path / "run" / LOG).read_text().splitlines()]
    assert entries[-1]["step"] == 4
    path = run.export(tmp_path / "model.safetensors")
    loaded = load_model(path)
    assert loaded.config == build_for(config).config


def test_folder_of_another_run_is_refused(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    run = TrainingRun(config, shards, tmp_path / "run", num_workers=0)
    run.save()
    with pytest.raises(TrainingError, match="--resume"):
        TrainingRun(config, shards, tmp_path / "run", num_workers=0)


def test_damaged_checkpoint_is_named(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    run = TrainingRun(config, shards, tmp_path / "run", num_workers=0)
    path = run.save()
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(TrainingError, match=CHECKPOINT):
        TrainingRun(config, shards, tmp_path / "run", is_resumed=True, num_workers=0)


def test_loss_that_is_no_number_stops_the_run(tmp_path: Path, config: TrainingConfig, shards: Shards) -> None:
    run = TrainingRun(config, shards, tmp_path / "run", num_workers=0)
    with torch.no_grad():
        run.state.model.decoder.iou_token.fill_(float("nan"))
    with pytest.raises(TrainingError, match="learning rate"):
        list(run)


def test_clip_steps_are_spread_evenly() -> None:
    steps = [is_clip_step(step, 0.34) for step in range(100)]
    assert sum(steps) == 34
    assert not any(a and b for a, b in pairwise(steps))


def test_rate_warms_up_holds_and_decays() -> None:
    config = OptimConfig(warmup_steps=10, decay_share=0.5, final_scale=0.1)
    rates = [rate_at(step, 100, config) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[20] == rates[49] == 1.0
    assert rates[99] == pytest.approx(0.1, abs=0.02)
    assert all(a >= b for a, b in pairwise(rates[50:]))
