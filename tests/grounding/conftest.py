"""A small embedded detector, and others on disk."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from masklet.grounding.network import GrounderNetwork, head_config_for
from masklet.grounding.network_file import NetworkFile
from masklet.models.config import CompactEncoderConfig


def _tiny_detectors():
    path = Path(__file__).with_name("tiny_detectors.py")
    spec = importlib.util.spec_from_file_location("tiny_detectors", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def dino_folder(tmp_path_factory):
    """A folder with a small Grounding DINO."""
    return _tiny_detectors().save_grounding_dino(tmp_path_factory.mktemp("dino"))


@pytest.fixture(scope="session")
def owl_folder(tmp_path_factory):
    """A folder with a small OWLv2."""
    return _tiny_detectors().save_owlv2(tmp_path_factory.mktemp("owl"))


@pytest.fixture(scope="session")
def sentence_folder(tmp_path_factory):
    """A folder with a small sentence encoder."""
    return _tiny_detectors().save_sentence_encoder(tmp_path_factory.mktemp("sentences"))


@pytest.fixture
def without_transformers(monkeypatch):
    """As where the extra is not installed."""
    monkeypatch.setitem(sys.modules, "transformers", None)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "transformers" else find(name, *rest)
    )


@pytest.fixture
def network_file():
    """A small detector with random weights, whose objects are told apart by their reach."""
    torch.manual_seed(5)
    encoder = CompactEncoderConfig(
        stem_channels=8,
        block_channels=(8, 8, 8, 12, 12, 16, 16),
        block_strides=(1, 2, 1, 2, 1, 2, 1),
        block_dilations=(1, 1, 1, 1, 1, 1, 2),
        expansion=2,
        context_channels=16,
        tap_blocks=(2, 4, 6),
    )
    network = GrounderNetwork(encoder, head_config_for(encoder, has_reach=True))
    torch.nn.init.normal_(network.head.classify.weight, std=0.5)
    return NetworkFile(network=network.eval(), metadata={})


@pytest.fixture
def photo():
    """RGB noise, 40 by 60 pixels (h, w)."""
    return np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
