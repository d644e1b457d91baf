"""Several processes train the model that one process would, from the mean of their gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from masklet.errors import ConfigError
from masklet.training.batches import BatchData
from masklet.training.config import TrainingConfig
from masklet.training.crew import Crew
from masklet.training.data import open_shards
from masklet.training.helpers import RunPlan, gather
from masklet.training.loop import TrainingRun, train_step
from masklet.training.recipes import recipe


@pytest.fixture
def config() -> TrainingConfig:
    return replace(recipe("debug"), steps=3, still_batch=3, clip_batch=2)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def gradients(config: TrainingConfig, data: Path, crew: Crew, folder: Path) -> list[torch.Tensor]:
    """What the first step of one process alone gives, before anything is averaged."""
    run = TrainingRun(config, open_shards(data), folder, num_workers=0)
    batch = BatchData(config, open_shards(data), crew)[0]
    train_step(run.state, batch, config, 0, Crew(rank=crew.rank))
    trained = [p for group in run.state.optimiser.param_groups for p in group["params"]]
    return [torch.zeros_like(p) if p.grad is None else p.grad.clone() for p in trained]


def test_every_sample_has_one_process() -> None:
    shares = [Crew(rank=rank, size=3).share(range(10, 18)) for rank in range(3)]
    assert sorted(sample for share in shares for sample in share) == list(range(10, 18))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_more_processes_than_samples_are_refused(
    tmp_path: Path, packed_folder: Path, config: TrainingConfig
) -> None:
    plan = RunPlan(config=config, data=packed_folder, folder=tmp_path)
    with pytest.raises(ConfigError, match="smallest batch has 2 samples"):
        gather(plan, 3)
    assert gather(plan, 1).processes == []


@pytest.mark.usefixtures("threads")
def test_two_processes_step_by_the_mean_of_their_gradients(
    tmp_path: Path, packed_folder: Path, config: TrainingConfig
) -> None:
    config = replace(
        config, optim=replace(config.optim, max_norm=1e9)
    )  # clipped gradients have no simple mean
    torch.set_num_threads(1)
    one, other = (
        gradients(config, packed_folder, Crew(rank=rank, size=2), tmp_path / str(rank)) for rank in range(2)
    )
    plan = RunPlan(config=config, data=packed_folder, folder=tmp_path / "run", num_workers=0)
    helpers = gather(plan, 2)
    try:
        run = plan.open(helpers.crew)
        trained = [p for group in run.state.optimiser.param_groups for p in group["params"]]
        steps = 0
        for report in run:
            if report.step == 1:
                for parameter, left, right in zip(trained, one, other, strict=True):
                    assert parameter.grad is not None
                    torch.testing.assert_close(parameter.grad, (left + right) / 2, rtol=1e-3, atol=1e-5)
            helpers.crew.is_any(flag=False)
            steps = report.step
        assert steps == config.steps
    finally:
        helpers.close()
    assert not any(process.is_alive() for process in helpers.processes)
    assert (tmp_path / "run" / "checkpoint.pt").exists()
