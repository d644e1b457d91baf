"""The toy job, importable by name in this process and in those that it starts."""

import importlib
from pathlib import Path

import pytest


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "toys"))
    return importlib.import_module("toy_scale_job")


@pytest.fixture
def make_inputs(tmp_path):
    """Makes text files and gives their items."""
    from masklet.scale import storage
    from masklet.scale.jobs import make_items

    def make(*texts, folder="in"):
        top = tmp_path / folder
        top.mkdir(exist_ok=True)
        (tmp_path / "out").mkdir(exist_ok=True)
        for number, text in enumerate(texts):
            (top / f"{number:04d}.txt").write_text(text)
        return make_items(storage.expand(str(top), frozenset({".txt"})))

    return make
