"""Frames per second and latencies of the embedded model, beside an independent implementation in the same run.

    python benchmarks/speed.py [--model NAME|FILE] [--reference]

Interleaved: every round runs each subject once; the medians over rounds are written to results/speed.json. The
reference is transformers' Sam2Video tiny with random weights at 1,024 px (its own input size), one frame with a full
memory; it needs the development extra and several minutes.
"""

from __future__ import annotations

import os

# As masklet itself says; it has to be said before torch is imported.
os.environ.setdefault("GOMP_SPINCOUNT", "4000")

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.weights.load import LoadedModel

RESULTS = Path(__file__).parent / "results"
CLIP = Path(__file__).parents[1] / "samples" / "cup_shuffle" / "clip.mp4"
CLICKS = {1: (167, 204), 2: (322, 203), 3: (478, 202), 4: (411, 252), 5: (30, 180)}


def frames(count: int) -> np.ndarray:
    """The first frames of the sample clip."""
    from masklet.video import open_source

    with open_source(CLIP) as source:
        return np.stack([source.read(index).image for index in range(count)])


def seconds_per_frame(model: LoadedModel, clip: np.ndarray, num_objects: int) -> float:
    """Time of a tracked frame with a full memory, decoding of the file left out."""
    with masklet.VideoSession(model, clip) as session:
        for object_id in range(1, num_objects + 1):
            prompt = masklet.PromptSet(clicks=[masklet.Click(*CLICKS[object_id])])
            session.prompt(object_id=object_id, frame=0, prompts=prompt)
        warm = 8
        for _ in session.track(0, warm):
            pass
        started = time.perf_counter()
        for _ in session.track(warm, len(clip)):
            pass
        return (time.perf_counter() - started) / (len(clip) - warm)


def timed(action: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def measure(model: LoadedModel, rounds: int) -> dict[str, list[float]]:
    """All figures of the embedded model, one value per round."""
    clip = frames(56)
    predictor = masklet.ImagePredictor(model)
    embedding = predictor.embed(clip[0])
    click = masklet.PromptSet(clicks=[masklet.Click(*CLICKS[1])])
    predictor.predict(embedding, click)
    found: dict[str, list[float]] = {}
    for _ in range(rounds):
        found.setdefault("embed_s", []).append(timed(lambda: predictor.embed(clip[0])))
        found.setdefault("click_s", []).append(timed(lambda: predictor.predict(embedding, click)))
        for num_objects in (1, 5):
            key = f"frame_{num_objects}_objects_s"
            found.setdefault(key, []).append(seconds_per_frame(model, clip, num_objects))
    return found


def reference_frame_seconds() -> float:
    """One tracked frame of the independent implementation with a full memory, random weights, fp32."""
    from transformers import Sam2VideoConfig, Sam2VideoInferenceSession, Sam2VideoModel

    torch.manual_seed(0)
    model = Sam2VideoModel(Sam2VideoConfig()).eval()
    clip = torch.rand(10, 3, 1024, 1024)
    session = Sam2VideoInferenceSession(
        video=clip, video_height=1024, video_width=1024, inference_device="cpu", dtype=torch.float32
    )
    index = session.obj_id_to_idx(1)
    points = {
        "point_coords": torch.full((1, 1, 1, 2), 500.0),
        "point_labels": torch.ones(1, 1, 1, dtype=torch.int),
    }
    session.add_point_inputs(index, 0, points)
    session.obj_with_new_inputs.append(1)
    took: list[float] = []
    with torch.inference_mode():
        for frame in range(10):
            took.append(timed(lambda frame=frame: model(session, frame_idx=frame)))
    return took[-1]


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reference", action="store_true", help="also run transformers' Sam2Video tiny")
    arguments = parser.parse_args()
    model = masklet.load_model(arguments.model, device="cpu")
    medians = {name: statistics.median(values) for name, values in measure(model, arguments.rounds).items()}
    document: dict[str, object] = {name: round(value, 4) for name, value in medians.items()}
    document["fps_1_object"] = round(1 / medians["frame_1_objects_s"], 2)
    document["five_objects_over_one"] = round(medians["frame_5_objects_s"] / medians["frame_1_objects_s"], 2)
    document["peak_rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    if arguments.reference:
        reference = reference_frame_seconds()
        document["reference_frame_s"] = round(reference, 3)
        document["reference_over_ours"] = round(reference / medians["frame_1_objects_s"], 1)
    document["facts"] = run_facts(
        command="python benchmarks/speed.py" + (" --reference" if arguments.reference else ""),
        model=f"{model.name} at {model.config.image_size} px",
        threads=str(torch.get_num_threads()),
    )
    write_json(RESULTS / "speed.json", document)
    for name, value in document.items():
        if name != "facts":
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
