"""Small models whose random weights answer lively: masks differ with image, prompt and memory, objects are present."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from masklet.weights.load import load_model

HEIGHT, WIDTH = 48, 64
SEEDS = {"debug": 5, "debug-compact": 5}


def enliven(network, seed):
    """Seeded weights of a size that keeps activations near one; objects are there, and never quite surely."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(network.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if "norm" in name and name.endswith(".weight"):
            state[name] = 1 + 0.2 * noise
        elif name.endswith("scale"):
            state[name] = 0.3 + 0.2 * noise
        elif name.endswith(".bias"):
            state[name] = 0.1 * noise
        elif tensor.dim() >= 2 and name.endswith(".weight"):
            fan_in = tensor.shape[0] if "upscale" in name else tensor[0].numel()
            state[name] = noise * 1.4 / fan_in**0.5
        else:
            state[name] = 0.5 * noise
    last_bias = [
        name for name in state if name.startswith("decoder.presence_head") and name.endswith("bias")
    ][-1]
    state[last_bias] = state[last_bias] + 4
    network.load_state_dict(state)


def lively(name):
    loaded = load_model(name, device="cpu")
    enliven(loaded.model, SEEDS[name])
    return replace(loaded, weights_sha256=f"random-{SEEDS[name]}")


_made = {}


@pytest.fixture(params=["debug", "debug-compact"])
def loaded(request):
    """Both structures in turn."""
    return _made.setdefault(request.param, lively(request.param))


@pytest.fixture
def compact():
    """The compact structure alone, for what has nothing to do with the network."""
    return _made.setdefault("debug-compact", lively("debug-compact"))


@pytest.fixture
def make_lively():
    """A function from a preset's name to a model."""
    return lambda name: _made.setdefault(name, lively(name))


def make_clip(num_frames):
    """Two moving rectangles over noise, uint8 (t, h, w, 3)."""
    background = np.random.default_rng(3).integers(0, 90, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    clip = np.repeat(background[None], num_frames, axis=0)
    for index in range(num_frames):
        left, right = 4 + index % 40, 40 - index % 30
        clip[index, 10:26, left : left + 16] = (230, 180, 40)
        clip[index, 30:40, right : right + 16] = (30, 200, 250)
    return clip


@pytest.fixture
def make_frames():
    """A function from a number of frames to a clip of so many."""
    return make_clip


@pytest.fixture
def clip():
    """20 frames, more than the span of pointers."""
    return make_clip(20)


@pytest.fixture
def photo():
    """One image, RGB uint8."""
    return make_clip(1)[0]


@pytest.fixture
def square_mask():
    """The yellow rectangle of the first frame."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:26, 4:20] = True
    return mask
