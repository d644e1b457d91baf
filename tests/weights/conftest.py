"""Small weights in every form a file can have."""

import pytest
import torch

from masklet.models.config import preset
from masklet.models.model import build
from masklet.weights.convert import to_foreign


@pytest.fixture(scope="session")
def compact_model():
    """Our own small network with random weights."""
    return build(preset("debug-compact"), seed=3)


@pytest.fixture(scope="session")
def tiny_model():
    """The smallest published network with random weights, at a small image size."""
    return build(preset("sam2.1-tiny").resized(64), seed=3)


@pytest.fixture(scope="session")
def official_state(tiny_model):
    return to_foreign(tiny_model.state_dict(), "official")


@pytest.fixture(scope="session")
def official_file(official_state, tmp_path_factory):
    """A checkpoint as the publisher writes it."""
    path = tmp_path_factory.mktemp("official") / "sam2.1_hiera_tiny.pt"
    torch.save({"model": official_state}, path)
    return path
