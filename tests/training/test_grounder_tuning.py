"""The detector trained whole: it learns, a broken run ends as a whole one, and what people see is not distorted."""

from copy import deepcopy
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.grounding.network import GrounderNetwork, head_config_for
from masklet.models.config import CompactEncoderConfig
from masklet.training.grounder_photos import NamedPhoto
from masklet.training.grounder_tuning import Tuning, TuningData, changes, tune

SMALL = CompactEncoderConfig(
    stem_channels=4,
    block_channels=(4, 6, 6, 8),
    block_strides=(1, 2, 2, 2),
    block_dilations=(1, 1, 1, 1),
    tap_blocks=(1, 2, 3),
    context_channels=8,
    expansion=2,
)
RECIPE = Tuning(epochs=2, batch_size=2, least_side=352, rate=2e-2, ema=0.5, jitter=0.1)


def made_network():
    torch.manual_seed(3)
    return GrounderNetwork(SMALL, head_config_for(SMALL, ("thing",)))


@pytest.fixture(scope="module")
def data():
    """Bright squares are things."""
    draw = np.random.default_rng(5)
    cells = np.zeros((6, 48, 48), np.float32)
    for one in cells:
        top, left = draw.integers(0, 24, 2)
        one[top : top + 20, left : left + 20] = 1
    pixels = np.repeat(np.kron(cells, np.ones((8, 8))) * 200 + 20, 3, axis=0).reshape(6, 3, 384, 384)
    wanted = np.stack((1 - cells, cells), axis=1)
    return TuningData(
        pixels=torch.from_numpy(pixels.astype(np.uint8)), probabilities=torch.from_numpy(wanted).half()
    )


def state_of(network):
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_every_layer_learns_and_the_loss_falls(data, tmp_path):
    network = made_network()
    start = deepcopy(network)
    recipe = replace(RECIPE, epochs=8, rate=5e-2, object_weight=0.0)
    reports = list(tune(network, data, recipe, tmp_path / "state.pt"))
    assert reports[-1].step == reports[-1].num_steps == 24
    assert reports[-1].loss < 0.8 * reports[0].loss
    moved = changes(network, start)
    assert set(moved) == {name for name, _ in network.encoder.named_parameters()}
    assert min(moved.values()) > 0
    assert not network.training


def test_a_broken_run_ends_as_a_whole_one(data, tmp_path, monkeypatch):
    monkeypatch.setattr("masklet.training.grounder_tuning._KEEP_EVERY", 2)
    monkeypatch.setattr("masklet.training.grounder_tuning._SAY_EVERY", 1)
    whole, broken = made_network(), made_network()
    assert [one.step for one in tune(whole, data, RECIPE, tmp_path / "whole.pt")] == [1, 2, 3, 4, 5, 6]
    steps = tune(broken, data, RECIPE, tmp_path / "broken.pt")
    for _ in range(3):
        next(steps)
    steps.close()
    again = made_network()
    assert [one.step for one in tune(again, data, RECIPE, tmp_path / "broken.pt")] == [3, 4, 5, 6]
    assert float((state_of(again) - state_of(whole)).abs().max()) < 1e-6


def test_a_state_of_another_run_is_not_gone_on_with(data, tmp_path):
    assert [one.step for one in tune(made_network(), data, RECIPE, tmp_path / "state.pt")] == [6]
    other = Tuning(epochs=1, batch_size=3, least_side=352)
    assert [one.step for one in tune(made_network(), data, other, tmp_path / "state.pt")] == [2]


def test_a_batch_is_mirrored_together_with_what_is_wanted_and_keeps_its_range(data):
    rows = np.arange(6)
    batch = data.batch(rows, 320, np.random.default_rng(1), 0.3)
    assert batch.pixels.shape == (6, 3, 320, 320)
    assert batch.probabilities.shape == (6, 2, 40, 40)
    assert float(batch.pixels.min()) >= 0
    assert float(batch.pixels.max()) <= 255
    assert torch.allclose(batch.probabilities.sum(dim=1), torch.ones(6, 40, 40), atol=1e-3)
    brightness = torch.nn.functional.avg_pool2d(batch.pixels, 8).mean(dim=1)
    for light, wanted in zip(brightness, batch.probabilities[:, 1], strict=True):
        inside, outside = light[wanted > 0.9].mean(), light[wanted < 0.1].mean()
        assert inside > outside + 50
    plain = data.batch(rows, 384, np.random.default_rng(1), 0.0)
    mirrored = [not torch.equal(one, two.float()) for one, two in zip(plain.pixels, data.pixels, strict=True)]
    assert 0 < sum(mirrored) < 6


def test_parts_are_decoded_at_one_size():
    buffer = BytesIO()
    ramp = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[None, :, None], (60, 1, 3))
    Image.fromarray(ramp).save(buffer, format="PNG")
    photo = NamedPhoto(source="a", name="b", kind="", size_hw=(60, 60), encoded=buffer.getvalue())
    made = TuningData.gather([photo], torch.zeros(1, 2, 48, 48).half())
    assert made.pixels.shape == (1, 3, 384, 384)
    steps = made.pixels[0, 0, 100].int().diff()
    assert int(steps.max()) <= 2  # enlarged smoothly, not in blocks
