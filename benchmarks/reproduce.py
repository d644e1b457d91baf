"""Run the card's last commands again - training, then the mean that is shipped - and compare every line and number.

    python benchmarks/reproduce.py --data DATA --out RUN [--steps N] [--init FILE]

The stage starts from the weights of an earlier commit, which are in the history, and is fixed by its seed: batches depend on
the seed and the step alone. results/compact_clear_log.jsonl is the log of the run whose weights are shipped, the loss with five
digits behind the point every 20 steps. Writes results/reproduce.json: how many lines are the same, the largest difference,
and, after all steps, whether every number of the run's end and of the shipped mean is the same. Interrupt it at any time: given
the same RUN it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

from masklet.evaluation.report import run_facts, write_json
from masklet.training.recipes import recipe
from masklet.weights.tensor_file import read_safetensors

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
RECIPE = "compact-clear"
START_COMMIT = "ad53f39"
END_CONTENT = "e5c355d59ae97d8efbe74110d37d8b6ee3952d77cf205ae83c4b834ae25b2796"
"""Of the run's end: its numbers, in the order of their names."""
SHIPPED_CONTENT = "cf66f0fc57d7b19806d0d99fdbbf577d74a85f274dc0fbea96da9729462e642f"
"""Of the shipped weights, the mean of the run's start and its end."""
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


def content_sha256(path: Path) -> str:
    """Checksum of a file's numbers and of how its model is built; other text in its header does not count."""
    tensors, text = read_safetensors(path)
    summed = hashlib.sha256(text["config"].encode())
    for name, tensor in sorted(tensors.items()):
        summed.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        summed.update(tensor.numpy().tobytes())
    return summed.hexdigest()


def mean_weights(init: Path, run: Path) -> Path:
    """The card's last command."""
    path = run / "compact.safetensors"
    command = [
        sys.executable,
        str(ROOT / "tools" / "mean_weights.py"),
        str(init),
        str(run / "model.safetensors"),
    ]
    subprocess.run([*command, "--share", "0.5", "--out", str(path)], check=True)
    return path


def train(data: Path, run: Path, init: Path, steps: int) -> None:
    """Run the card's command until so many steps are logged."""
    if max(lines(run / "log.jsonl"), default=0) >= steps:
        return
    command = [sys.executable, "-m", "masklet", "train", RECIPE, "--data", str(data), "--out", str(run)]
    command += ["--processes", str(PROCESSES)]
    command += ["--resume"] if (run / "checkpoint.pt").exists() else ["--init", str(init)]
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            time.sleep(2)
            if steps < recipe(RECIPE).steps and max(lines(run / "log.jsonl"), default=0) >= steps:
                process.send_signal(signal.SIGINT)
                process.wait()


def compared(run: Path, init: Path) -> dict[str, object]:
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
        found["same_weights"] = content_sha256(trained) == END_CONTENT
        found["same_as_shipped"] = content_sha256(mean_weights(init, run)) == SHIPPED_CONTENT
    return found


def main() -> None:
    """Train, compare and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="packed shards")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--steps", type=int, default=recipe(RECIPE).steps, help="stop after so many")
    parser.add_argument("--init", type=Path, help="weights to start from, instead of those of the history")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    init = arguments.init or start_weights(arguments.out)
    train(arguments.data, arguments.out, init, arguments.steps)
    document = compared(arguments.out, init)
    document["facts"] = run_facts(command="python benchmarks/reproduce.py", recipe=RECIPE)
    write_json(RESULTS / "reproduce.json", document)
    print(json.dumps({key: value for key, value in document.items() if key != "facts"}, indent=1))


if __name__ == "__main__":
    main()
