"""Train the last stage of the embedded model again, from the card's command, and compare every line of its log.

    python benchmarks/reproduce.py --data DATA --out RUN [--steps N] [--init FILE]

The stage starts from the weights of an earlier commit, which are in the history, and is fixed by its seed: batches depend on
the seed and the step alone. results/compact_clear_log.jsonl is the log of the run whose weights are shipped, the loss with five
digits behind the point every 20 steps. Writes results/reproduce.json: how many lines are the same, the largest difference,
and, after all steps, whether the weights are the same. Interrupt it at any time: given the same RUN it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from masklet.evaluation.report import run_facts, write_json
from masklet.training.recipes import recipe
from masklet.weights.card import file_sha256

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
RECIPE = "compact-clear"
START_COMMIT = "ad53f39"
END_SHA256 = "7cfcd082724e79ab32a0c84ec074e5a75241f547dec7544ca284f4fd103baa75"
"""Of the run's end; the shipped weights are the mean of it and its start (tools/mean_weights.py)."""
WEIGHTS = "src/masklet/weights/embedded/compact.safetensors"
LOG = RESULTS / "compact_clear_log.jsonl"
PROCESSES = 2
"""How many shared each batch in the run whose weights are shipped; another number sums gradients in another order."""


def start_weights(folder: Path) -> Path:
    """The weights the stage starts from, out of the repository's history."""
    path = folder / "start.safetensors"
    if not path.exists():
        shown = subprocess.run(
            ["git", "show", f"{START_COMMIT}:{WEIGHTS}"], cwd=ROOT, capture_output=True, check=False
        )
        if shown.returncode:
            sys.exit(f"The history has no commit {START_COMMIT}; fetch it whole, or give --init.")
        path.write_bytes(shown.stdout)
    return path


def lines(path: Path) -> dict[int, dict[str, object]]:
    """The entries of a log by step, without the time they took."""
    if not path.exists():
        return {}
    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return {entry["step"]: {key: entry[key] for key in ("loss", "iou")} for entry in entries}


def train(data: Path, run: Path, init: Path, steps: int) -> None:
    """Run the card's command until so many steps are logged."""
    command = [sys.executable, "-m", "masklet", "train", RECIPE, "--data", str(data), "--out", str(run)]
    command += ["--processes", str(PROCESSES)]
    command += ["--resume"] if (run / "checkpoint.pt").exists() else ["--init", str(init)]
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            time.sleep(2)
            if steps < recipe(RECIPE).steps and max(lines(run / "log.jsonl"), default=0) >= steps:
                process.send_signal(signal.SIGINT)
                process.wait()


def compared(run: Path) -> dict[str, object]:
    """What both runs have in common."""
    was, now = lines(LOG), lines(run / "log.jsonl")
    both = sorted(was.keys() & now.keys())
    differences = [abs(float(str(was[step]["loss"])) - float(str(now[step]["loss"]))) for step in both]
    found: dict[str, object] = {
        "steps": max(both, default=0),
        "lines": len(both),
        "same_lines": sum(was[step] == now[step] for step in both),
        "largest_loss_difference": max(differences, default=0.0),
    }
    trained = run / "model.safetensors"
    if max(both, default=0) == recipe(RECIPE).steps and trained.exists():
        found["same_weights"] = file_sha256(trained) == END_SHA256
    return found


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="packed shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, default=recipe(RECIPE).steps, help="stop after so many")
    parser.add_argument("--init", type=Path, help="weights to start from, instead of those of the history")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    init = arguments.init or start_weights(arguments.out)
    train(arguments.data, arguments.out, init, arguments.steps)
    document = compared(arguments.out)
    document["facts"] = run_facts(command="python benchmarks/reproduce.py", recipe=RECIPE)
    write_json(RESULTS / "reproduce.json", document)
    print(json.dumps({key: value for key, value in document.items() if key != "facts"}, indent=1))


if __name__ == "__main__":
    main()
