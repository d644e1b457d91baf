"""How long tracking takes beside other busy programs, by how long torch's idle threads look for work before they sleep.

    python benchmarks/contention.py [--frames N] [--rounds N]

Interleaved: every round follows one object through the sample clip with `masklet track` under each setting, alone and beside
a program that keeps one core busy; medians over rounds are written to results/contention.json.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from contextlib import nullcontext

from speed import CLIP, RESULTS

from masklet.evaluation.report import run_facts, write_json

SETTINGS: dict[str, dict[str, str]] = {
    "torch's own": {"GOMP_SPINCOUNT": "300000"},  # what libgomp takes where nothing is said
    "masklet's": {},
    "asleep at once": {"OMP_WAIT_POLICY": "passive"},
}
BUSY = "while True: pass"


def frames_per_second(settings: dict[str, str], num_frames: int) -> float:
    """What `masklet track` reports for one object on the sample clip."""
    environment = {k: v for k, v in os.environ.items() if k not in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")}
    with tempfile.TemporaryDirectory() as folder:
        words = [
            *("-m", "masklet", "track", str(CLIP), "--prompt", "1@0: +167,204"),
            *("--stop", str(num_frames)),
        ]
        done = subprocess.run(
            [sys.executable, *words, "--out", folder, "--json"],
            env=environment | settings,
            capture_output=True,
            text=True,
            check=True,
        )
    return json.loads(done.stdout.strip().splitlines()[-1])["fps"]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(arguments.rounds):
        for place in ("alone", "beside one busy program"):
            busy = subprocess.Popen([sys.executable, "-c", BUSY]) if place != "alone" else nullcontext()
            with busy:
                try:
                    for name, settings in SETTINGS.items():
                        fps = frames_per_second(settings, arguments.frames)
                        found.setdefault(name, {}).setdefault(place, []).append(fps)
                finally:
                    if isinstance(busy, subprocess.Popen):
                        busy.kill()
    medians = {
        n: {p: round(statistics.median(v), 2) for p, v in places.items()} for n, places in found.items()
    }
    for name, places in medians.items():
        print(f"{name}: " + ", ".join(f"{fps} frames/s {place}" for place, fps in places.items()))
    facts = run_facts(command="python benchmarks/contention.py", rounds=str(arguments.rounds))
    write_json(RESULTS / "contention.json", {"facts": facts, "frames_per_second": medians})


if __name__ == "__main__":
    main()
