"""A small encoder, a head on it, and detectors on disk."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from masklet.grounding.head import GrounderHead, head_config_for
from masklet.grounding.head_file import HeadFile
from masklet.weights.load import load_model


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


@pytest.fixture(scope="session")
def encoder():
    """The compact structure with random weights, 64 pixels wide."""
    return load_model("debug-compact", device="cpu")


@pytest.fixture
def head_file(encoder):
    """A head on it with random weights."""
    torch.manual_seed(5)
    head = GrounderHead(head_config_for(encoder.config))
    torch.nn.init.normal_(head.classify.weight, std=0.5)
    return HeadFile(head=head.eval(), encoder_sha256="0" * 64, metadata={})


@pytest.fixture
def photo():
    """RGB noise, 40 by 60 pixels (h, w)."""
    return np.random.default_rng(1).integers(0, 255, (40, 60, 3), dtype=np.uint8)
