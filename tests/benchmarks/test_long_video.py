"""A long video needs no more memory than a short one, and a run can be stopped and resumed."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(tmp_path, *arguments):
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "long_video.py"), "--model", "debug-compact", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))


def test_memory_does_not_grow_with_the_video(tmp_path):
    options = ["--out", str(tmp_path / "out.json"), "--state", str(tmp_path / "state.session")]
    options += ["--stretch", "60", "--baseline", "120", "--budget-mb", "2", "--results-mb", "0"]
    first = run(tmp_path, "--frames", "300", *options)
    assert [one["frames"] for one in first["stretches"]] == [60, 120, 180, 240, 300]
    assert first["ratio"] <= 1.10
    held = [one["session_mb"] for one in first["stretches"]]
    assert 2 < max(held) < 4.5, "the budgets must be full, and kept"
    assert first["stretches"][-1]["results_on_disk_mb"] > 0, "results leave memory"
    resumed = run(tmp_path, "--frames", "360", *options)
    assert [one["frames"] for one in resumed["stretches"]] == [60, 120, 180, 240, 300, 360]
    assert resumed["stretches"][:5] == first["stretches"]
