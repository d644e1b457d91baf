"""Speed of a tracked frame in each runtime, and whether its masks are those of torch.

    python benchmarks/runtime.py [--model NAME|FILE] [--rounds N] [--frames N]

Interleaved: every round follows one object and five in each runtime in turn; medians over rounds and their ratios to
torch are written to results/runtime.json, with the IoU of the masks of five objects over the sample clip. It needs the
extras onnx and openvino.
"""

from __future__ import annotations

import os

# As masklet itself says; it has to be said before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "4000")

import argparse
import statistics
from importlib.metadata import version

import numpy as np
import torch
from speed import CLICKS, RESULTS, frames, seconds_per_frame

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.masks.metrics import iou
from masklet.weights.load import LoadedModel

RUNTIMES = ("torch", "onnx", "openvino")
NUM_OBJECTS = (1, 5)
NUM_TIMED = 56
GOAL_IOU = 0.99


def masks_of(model: LoadedModel, clip: np.ndarray) -> list[np.ndarray]:
    """Masks of all objects on all frames, in order."""
    with masklet.VideoSession(model, clip) as session:
        for object_id, click in CLICKS.items():
            prompt = masklet.PromptSet(clicks=[masklet.Click(*click)])
            session.prompt(object_id=object_id, frame=0, prompts=prompt)
        return [frame.masks[object_id] for frame in session.track() for object_id in CLICKS]


def agreement(model: LoadedModel, wanted: list[np.ndarray], clip: np.ndarray) -> dict[str, float]:
    """IoU of a model's masks with those wanted."""
    ious = [iou(mine, theirs) for mine, theirs in zip(masks_of(model, clip), wanted, strict=True)]
    return {
        "worst_iou": round(min(ious), 4),
        "mean_iou": round(statistics.fmean(ious), 5),
        "share_of_masks_at_goal": round(statistics.fmean(one >= GOAL_IOU for one in ious), 4),
    }


def medians(models: dict[str, LoadedModel], rounds: int) -> dict[str, dict[int, float]]:
    """Seconds per frame by runtime and number of objects."""
    clip = frames(NUM_TIMED)
    found: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds):
        for count in NUM_OBJECTS:
            for name, model in models.items():
                found.setdefault((name, count), []).append(seconds_per_frame(model, clip, count))
    return {name: {count: statistics.median(found[name, count]) for count in NUM_OBJECTS} for name in models}


def describe(seconds: dict[int, float], torch_seconds: dict[int, float]) -> dict[str, float]:
    """Figures of one runtime."""
    figures = {"fps_1_object": round(1 / seconds[1], 2)}
    for count in NUM_OBJECTS:
        figures[f"frame_{count}_objects_s"] = round(seconds[count], 4)
        figures[f"times_torch_{count}_objects"] = round(torch_seconds[count] / seconds[count], 2)
    return figures


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--frames", type=int, default=144, help="frames whose masks are compared")
    arguments = parser.parse_args()
    loaded = masklet.load_model(arguments.model, device="cpu")
    models = {name: masklet.accelerate(loaded, name) for name in RUNTIMES}
    clip = frames(arguments.frames)
    wanted = masks_of(loaded, clip)
    agreements = {name: agreement(models[name], wanted, clip) for name in RUNTIMES if name != "torch"}
    seconds = medians(models, arguments.rounds)
    document: dict[str, object] = {
        name: describe(seconds[name], seconds["torch"]) | agreements.get(name, {}) for name in RUNTIMES
    }
    document["facts"] = run_facts(
        command="python benchmarks/runtime.py",
        model=f"{loaded.name} at {loaded.config.image_size} px",
        weights=loaded.weights_sha256 or "random",
        threads=str(torch.get_num_threads()),
        waiting=f"GOMP_SPINCOUNT={os.environ['GOMP_SPINCOUNT']}",
        rounds=str(arguments.rounds),
        compared=f"{len(CLICKS)} objects, {arguments.frames} frames",
        runtimes=f"onnxruntime {version('onnxruntime')}, openvino {version('openvino')}",
    )
    write_json(RESULTS / "runtime.json", document)
    for name in RUNTIMES:
        print(name, document[name])


if __name__ == "__main__":
    main()
