"""Where the time goes on the five hottest paths: shares of own CPU time by operation.

    OMP_NUM_THREADS=1 python benchmarks/profile_paths.py [--paths frame embed click sam2_encode sam2_memory]

``frame``, ``embed`` and ``click`` are the embedded model on the sample clip; ``sam2_encode`` and ``sam2_memory`` are SAM 2.1
tiny with random weights at 1,024 px, a full memory and one object. Each path runs once unmeasured and once under torch's
profiler. What is not an operation of torch is not in the shares but in ``total_cpu_s``. Results: results/profile.json.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import torch
from sam2_cpu import memory_tasks
from speed import CLICKS, RESULTS, frames
from torch.profiler import ProfilerActivity, profile

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.models.config import sam21
from masklet.models.model import build

NUM_SHOWN = 8
Path = Callable[[], object]


def embedded_paths() -> dict[str, Path]:
    """The embedded model."""
    model = masklet.load_model("compact", device="cpu")
    clip = frames(16)
    predictor = masklet.ImagePredictor(model)
    embedding = predictor.embed(clip[0])
    click = masklet.PromptSet(clicks=[masklet.Click(*CLICKS[1])])
    session = masklet.VideoSession(model, clip)
    session.prompt(object_id=1, frame=0, prompts=click)
    tracked = session.track()
    for _ in range(9):
        next(tracked)
    return {
        "frame": lambda: next(tracked),
        "embed": lambda: predictor.embed(clip[1]),
        "click": lambda: predictor.predict(embedding, click),
    }


def published_paths() -> dict[str, Path]:
    """SAM 2.1 tiny."""
    model = build(sam21("tiny"), seed=0)
    pixels = torch.randn(1, 3, 1024, 1024)
    return {"sam2_encode": lambda: model.encode_image(pixels), "sam2_memory": memory_tasks(model, 1)[1]}


@torch.inference_mode()
def profiled(path: Path) -> dict[str, object]:
    """Shares by operation of one run."""
    path()
    began = time.process_time()
    path()
    total = time.process_time() - began
    with profile(activities=[ProfilerActivity.CPU]) as run:
        path()
    events = sorted(run.key_averages(), key=lambda event: -event.self_cpu_time_total)
    whole = sum(event.self_cpu_time_total for event in events)
    shares = {event.key: round(event.self_cpu_time_total / whole, 3) for event in events[:NUM_SHOWN]}
    calls = sum(event.count for event in events)
    return {"total_cpu_s": round(total, 4), "operations": calls, "shares": shares}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    names = ["frame", "embed", "click", "sam2_encode", "sam2_memory"]
    parser.add_argument("--paths", nargs="+", default=names, choices=names)
    wanted = parser.parse_args().paths
    document: dict[str, object] = {}
    for make in (embedded_paths, published_paths):
        if any(name in wanted for name in (names[:3] if make is embedded_paths else names[3:])):
            document |= {name: profiled(path) for name, path in make().items() if name in wanted}
    for name in document:
        print(name, document[name], flush=True)
    document["facts"] = run_facts(
        command="python benchmarks/profile_paths.py", threads=str(torch.get_num_threads())
    )
    write_json(RESULTS / "profile.json", document)


if __name__ == "__main__":
    main()
