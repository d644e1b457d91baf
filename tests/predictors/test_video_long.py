"""Constant memory over thousands of frames, pushed or read lazily."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from masklet.weights.save import save_weights

PROGRAM = Path(__file__).with_name("long_run.py")
BUDGET = 256 * 2**10  # as there
# Results are kept, as run lengths: about a kilobyte per frame. Frames kept by mistake would take 50 MB, encoded ones 30.
MOST_GROWTH = 8 * 2**20

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/statm").exists(), reason="the memory of a process is read from /proc"
    ),
]


@pytest.fixture
def weights(make_lively, tmp_path):
    path = tmp_path / "debug.safetensors"
    save_weights(path, make_lively("debug").model)
    return path


def long_run(kind, weights):
    command = [sys.executable, str(PROGRAM), kind, str(weights)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, check=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    return json.loads(done.stdout)


def test_memory_does_not_grow_while_a_long_video_is_tracked(weights):
    grown, most, last = long_run("track", weights)
    assert grown < MOST_GROWTH
    assert BUDGET < last <= most <= 2 * BUDGET


def test_memory_does_not_grow_on_a_long_stream(weights):
    grown, held = long_run("stream", weights)
    assert grown < MOST_GROWTH // 4
    assert held == 0
