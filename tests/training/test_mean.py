"""The mean of two models, part by part."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from masklet.errors import ConfigError
from masklet.models.config import preset
from masklet.models.model import build
from masklet.training.mean import mean_of
from masklet.weights.load import load_model
from masklet.weights.save import save_weights

TOOL = Path(__file__).parents[2] / "tools" / "mean_weights.py"


def test_parts_that_are_kept_are_the_first_and_the_rest_is_the_mean() -> None:
    config = preset("debug-compact")
    one, other = build(config, seed=1), build(config, seed=2)
    wanted = {name: value.clone() for name, value in other.state_dict().items()}
    mean_of(one, other, 0.75, kept=["decoder"])
    for name, value in one.state_dict().items():
        mixed = value if name.startswith("decoder.") else 0.25 * value + 0.75 * wanted[name]
        torch.testing.assert_close(other.state_dict()[name], mixed)


@pytest.mark.parametrize(
    ("share", "kept", "said"), [(1.5, [], "from 0 to 1"), (0.5, ["head"], "no part 'head'")]
)
def test_what_cannot_be_mixed_is_refused(share: float, kept: list[str], said: str) -> None:
    config = preset("debug-compact")
    with pytest.raises(ConfigError, match=said):
        mean_of(build(config, seed=1), build(config, seed=2), share, kept=kept)


def test_models_of_other_shapes_are_refused() -> None:
    with pytest.raises(ConfigError, match="the same configuration"):
        mean_of(build(preset("debug-compact"), seed=1), build(preset("debug"), seed=1), 0.5)


def test_the_tool_writes_a_file_that_loads(tmp_path: Path) -> None:
    config = preset("debug-compact")
    for seed, name in ((1, "a"), (2, "b")):
        save_weights(tmp_path / f"{name}.safetensors", build(config, seed=seed), dtype=torch.float32)
    arguments = [str(tmp_path / name) for name in ("a.safetensors", "b.safetensors")]
    out = tmp_path / "mean.safetensors"
    command = [sys.executable, str(TOOL), *arguments, "--share", "0", "--keep", "decoder", "--out", str(out)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert "decoder of the first" in done.stdout
    found, first = load_model(out, device="cpu"), load_model(tmp_path / "a.safetensors", device="cpu")
    for name, value in first.model.state_dict().items():
        torch.testing.assert_close(found.model.state_dict()[name], value, atol=2e-3, rtol=2e-3)
