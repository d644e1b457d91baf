"""A small lively model as a checkpoint file, a photo and a clip, as SAM 2's callers would have them."""

import numpy as np
import pytest
import torch
from PIL import Image

from masklet.models.config import preset
from masklet.weights.load import build_empty
from masklet.weights.save import save_weights

HEIGHT, WIDTH, NUM_FRAMES = 48, 64, 6


def lively_state(config, seed=5):
    """Seeded weights that keep activations near one; objects are there."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, tensor in sorted(build_empty(config).state_dict().items()):
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
    last = [name for name in state if name.startswith("decoder.presence_head") and name.endswith("bias")][-1]
    state[last] = state[last] + 4
    return state


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A function from "debug" or "debug-compact" to a checkpoint file."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def make(name):
        path = folder / f"{name}.safetensors"
        if not path.exists():
            config = preset(name)
            model = build_empty(config)
            model.load_state_dict(lively_state(config))
            save_weights(path, model)
        return str(path)

    return make


@pytest.fixture(scope="session")
def frames():
    """Two moving rectangles over noise, uint8 (t, h, w, 3)."""
    background = np.random.default_rng(3).integers(0, 90, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    clip = np.repeat(background[None], NUM_FRAMES, axis=0)
    for index in range(NUM_FRAMES):
        clip[index, 10:26, 4 + index : 20 + index] = (230, 180, 40)
        clip[index, 30:40, 40 - index : 56 - index] = (30, 200, 250)
    return clip


@pytest.fixture(scope="session")
def video_folder(frames, tmp_path_factory):
    """The clip as a folder of JPEG files named by their frame index."""
    folder = tmp_path_factory.mktemp("video")
    for index, frame in enumerate(frames):
        Image.fromarray(frame).save(folder / f"{index:05d}.jpg", quality=95)
    return str(folder)
