"""Small models with lively random weights, and the same models in each engine."""

from dataclasses import replace

import jaxtyping
import numpy as np
import pytest
import torch

from masklet.export.onnx_engine import OnnxEngine
from masklet.export.openvino_engine import OpenVinoEngine
from masklet.export.runtime import RuntimeModel
from masklet.export.to_onnx import to_onnx
from masklet.models.config import AffinityMemoryConfig, preset
from masklet.models.model import build
from masklet.models.precision import PrecisionPolicy
from masklet.weights.load import LoadedModel

HEIGHT, WIDTH = 48, 64
SEEDS = {"debug-compact": 2, "debug-compact-plain": 2, "debug": 7}
"""Weights whose masks are neither empty nor full, prompted or tracked."""
ENGINES = {
    "onnx": lambda: OnnxEngine(num_threads=1),
    "openvino": lambda: OpenVinoEngine(num_threads=1),
}


@pytest.fixture(autouse=True)
def unchecked_shapes():
    """While a graph is traced its lengths are tensors, which the checked signatures of the network do not expect."""
    jaxtyping.config.update("jaxtyping_disable", True)
    yield
    jaxtyping.config.update("jaxtyping_disable", False)


def enliven(network, seed):
    """Seeded weights of a size that keeps activations near one; objects are there."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(network.state_dict().items()):
        noise = torch.randn(tensor.shape, generator=generator)
        if name.endswith("scale") or ("norm" in name and name.endswith(".weight")):
            state[name] = 0.6 + 0.2 * noise
        elif tensor.dim() >= 2 and name.endswith(".weight"):
            fan_in = tensor.shape[0] if "upscale" in name else tensor[0].numel()
            state[name] = noise * 1.4 / fan_in**0.5
        elif name.startswith("decoder.presence_head") and name.endswith("bias"):
            state[name] = 4 + noise
        else:
            state[name] = (0.1 if name.endswith(".bias") else 0.5) * noise
    network.load_state_dict(state)


def make_lively(name):
    """A preset, or "debug-compact-plain", which carries no mask."""
    config = preset(name.removesuffix("-plain"))
    if name.endswith("-plain"):
        assert isinstance(config.memory, AffinityMemoryConfig)
        config = replace(config, memory=replace(config.memory, carry_dim=0, has_target=False))
    network = build(config)
    enliven(network, SEEDS[name])
    cpu = torch.device("cpu")
    policy = PrecisionPolicy.choose(cpu)
    return LoadedModel(
        model=network, config=config, device=cpu, precision=policy, name=name, weights_sha256=None
    )


_made = {}


@pytest.fixture(params=["debug-compact", "debug-compact-plain", "debug"])
def loaded(request):
    """Our structure with and without a carried mask, and SAM 2's."""
    return _made.setdefault(request.param, make_lively(request.param))


@pytest.fixture
def compact():
    """Our structure alone."""
    return _made.setdefault("debug-compact", make_lively("debug-compact"))


@pytest.fixture(params=list(ENGINES))
def engine_name(request):
    """Each engine."""
    return request.param


@pytest.fixture
def engine(engine_name):
    """Each engine, in float32, on one thread."""
    return ENGINES[engine_name]()


_fast = {}


@pytest.fixture
def make_fast(engine_name):
    """A function from a model to the same in the engine; compiled once for all tests."""

    def make(loaded):
        key = (loaded.name, engine_name)
        if key not in _fast:
            _fast[key] = RuntimeModel(loaded.model, ENGINES[engine_name]().compile(to_onnx(loaded.model)))
        return replace(loaded, model=_fast[key], runtime=engine_name)

    return make


@pytest.fixture
def fast(loaded, make_fast):
    """The model in the engine."""
    return make_fast(loaded)


@pytest.fixture
def make_frames():
    """A function from a number of frames to two moving rectangles over noise, uint8 (t, h, w, 3)."""

    def make(count):
        background = np.random.default_rng(3).integers(0, 90, (HEIGHT, WIDTH, 3), dtype=np.uint8)
        clip = np.repeat(background[None], count, axis=0)
        for index in range(count):
            left, right = 4 + 2 * index, 40 - 2 * index
            clip[index, 10:26, left : left + 16] = (230, 180, 40)
            clip[index, 30:40, right : right + 16] = (30, 200, 250)
        return clip

    return make
