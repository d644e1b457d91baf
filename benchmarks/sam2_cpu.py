"""What the exact savings on a CPU bring to SAM 2.1: reading a full memory, and decoding a grid of clicks.

    OMP_NUM_THREADS=1 python benchmarks/sam2_cpu.py [--side 1024] [--objects 1] [--clicks 16] [--rounds 2]

Random weights, the same inputs, interleaved A B A B in one process: "plain" is the formula as published, every object and
click on its own in one batch, as the original and transformers compute it; "ours" is what masklet runs. Ratios of own CPU
time come first, because other processes may take the machine's time; wall time stands beside. The largest difference of
both results, relative to the largest value, is written too. Results: results/sam2_cpu.json.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from torch import Tensor

import masklet.predictors.auto_decode as auto_decode
from masklet.evaluation.report import run_facts, write_json
from masklet.models import blocked_attention
from masklet.models.config import ModelConfig, sam21
from masklet.models.memory_batch import MemoryBatch
from masklet.models.model import ImageFeatures, SegmentationModel, build
from masklet.models.precision import PrecisionPolicy
from masklet.predictors.auto_grid import grid_points
from masklet.weights.load import LoadedModel

RESULTS = Path(__file__).parent / "results"
Task = Callable[[], Tensor]


@contextmanager
def the_published_way() -> Iterator[None]:
    """Switch the blocks and the small passes off."""
    is_possible, most = blocked_attention.is_possible, auto_decode.clicks_per_pass
    blocked_attention.is_possible = lambda _values: False
    auto_decode.clicks_per_pass = lambda *_: None
    try:
        yield
    finally:
        blocked_attention.is_possible, auto_decode.clicks_per_pass = is_possible, most


def full_memory(config: ModelConfig, num_objects: int) -> MemoryBatch:
    """Seven spatial memories and sixteen pointers of each object."""
    count, grid = config.num_memories, config.grid
    rows = torch.tensor([*range(count - 1), count - 1]).expand(num_objects, -1)
    ages = torch.arange(16, dtype=torch.float32).div(15).expand(num_objects, -1)
    return MemoryBatch(
        torch.randn(num_objects, count, config.value_dim, grid, grid),
        rows,
        None,
        torch.randn(num_objects, 16, config.hidden_dim),
        ages,
        None,
    )


def memory_tasks(model: SegmentationModel, num_objects: int) -> tuple[Task, Task]:
    """Reading memory for some objects of one frame: plain and ours."""
    config = model.config
    shared = torch.randn(1, config.hidden_dim, config.grid, config.grid)
    memory = full_memory(config, num_objects)
    features = shared.expand(num_objects, -1, -1, -1)

    def plain() -> Tensor:
        with the_published_way():
            return model.read_memory(features.contiguous(), memory)

    return plain, lambda: model.read_memory(features, memory)


def click_tasks(model: SegmentationModel, num_clicks: int) -> tuple[Task, Task]:
    """Decoding a grid of clicks on one image: plain, in one batch, and ours."""
    config, side = model.config, model.config.mask_side
    image = ImageFeatures(
        torch.randn(1, config.hidden_dim, config.grid, config.grid),
        torch.randn(1, config.skip_dims[0], side, side),
        torch.randn(1, config.skip_dims[1], side // 2, side // 2),
    )
    policy = PrecisionPolicy(device=torch.device("cpu"), dtype=torch.float32)
    loaded = LoadedModel(
        model=model, config=config, device=policy.device, precision=policy, name="random", weights_sha256=None
    )
    places = grid_points(round(num_clicks**0.5)) * config.image_size

    def plain() -> Tensor:
        points = torch.from_numpy(places).float()[:, None]
        points = torch.cat((points, torch.zeros_like(points)), dim=1)
        prompts = model.encode_prompts(points, torch.tensor([1, -1]).expand(len(points), -1))
        features = image.features.expand(len(points), -1, -1, -1).contiguous()
        return model.decode(features, image.skips, prompts).logits

    return plain, lambda: auto_decode.decode_clicks(loaded, image, places).logits


@torch.inference_mode()
def compare(plain: Task, ours: Task, rounds: int) -> dict[str, float | list[float]]:
    """Both in turn."""
    took: dict[str, list[float]] = {
        "plain_cpu_s": [],
        "plain_wall_s": [],
        "ours_cpu_s": [],
        "ours_wall_s": [],
    }
    results: dict[str, Tensor] = {}
    for _ in range(rounds):
        for name, task in (("plain", plain), ("ours", ours)):
            wall, own = time.perf_counter(), time.process_time()
            results[name] = task()
            took[f"{name}_cpu_s"].append(round(time.process_time() - own, 3))
            took[f"{name}_wall_s"].append(round(time.perf_counter() - wall, 3))
    difference = (results["ours"] - results["plain"]).abs().max() / results["plain"].abs().max()
    middle = {name: statistics.median(values) for name, values in took.items()}
    return {
        "cpu_ratio": round(middle["ours_cpu_s"] / middle["plain_cpu_s"], 3),
        "wall_ratio": round(middle["ours_wall_s"] / middle["plain_wall_s"], 3),
        "relative_difference": float(f"{float(difference):.2g}"),
        **took,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--objects", type=int, default=1)
    parser.add_argument("--clicks", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    model = build(sam21("tiny").resized(arguments.side), seed=0)
    torch.manual_seed(0)
    document: dict[str, object] = {
        "read_memory": compare(*memory_tasks(model, arguments.objects), arguments.rounds),
        "decode_clicks": compare(*click_tasks(model, arguments.clicks), arguments.rounds),
        "facts": run_facts(
            command="python benchmarks/sam2_cpu.py",
            model=f"sam2.1-tiny, random weights, {arguments.side} px",
            objects=str(arguments.objects),
            clicks=str(arguments.clicks),
            threads=str(torch.get_num_threads()),
        ),
    }
    write_json(RESULTS / "sam2_cpu.json", document)
    for name in ("read_memory", "decode_clicks"):
        print(name, document[name])


if __name__ == "__main__":
    main()
