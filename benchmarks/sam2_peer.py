"""SAM 2.1 with the same random weights twice: masklet's model and transformers', for benchmarks that set them beside each other.

The weights are those of the parity tests: of a size that keeps activations near one, so that masks and scores differ from
click to click. Needs the development extra.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor

from masklet.models.allocator import keep_freed_memory
from masklet.models.config import ModelConfig, sam21
from masklet.models.precision import PrecisionPolicy
from masklet.weights.load import LoadedModel

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "parity"))
from reference import PRESENCE_BIAS, our_model, random_state, reference_config, reference_model

RESULTS = Path(__file__).parent / "results"
Task = Callable[[], object]

__all__ = ["RESULTS", "interleaved", "our_loaded", "random_weights", "reference_config", "reference_model"]


def random_weights(side: int, seed: int) -> tuple[ModelConfig, dict[str, Tensor]]:
    """The tiny configuration at a side, and its weights, shifted so that objects are judged to be there."""
    config = sam21("tiny").resized(side)
    state = random_state(config, seed)
    return config, {**state, PRESENCE_BIAS: state[PRESENCE_BIAS] + 10}


def our_loaded(config: ModelConfig, state: dict[str, Tensor]) -> LoadedModel:
    """Our model on the CPU in float32, as ``load_model`` would return it."""
    keep_freed_memory()
    policy = PrecisionPolicy(device=torch.device("cpu"), dtype=torch.float32)
    return LoadedModel(
        model=our_model(config, state),
        config=config,
        device=policy.device,
        precision=policy,
        name="sam2.1-tiny, random weights",
        weights_sha256=None,
    )


def interleaved(tasks: Mapping[str, Task], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Every task once a round, in turn: own CPU seconds and wall seconds of each."""
    took: dict[str, dict[str, list[float]]] = {name: {"cpu_s": [], "wall_s": []} for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            wall, own = time.perf_counter(), time.process_time()
            task()
            took[name]["cpu_s"].append(round(time.process_time() - own, 3))
            took[name]["wall_s"].append(round(time.perf_counter() - wall, 3))
            print(name, took[name]["cpu_s"][-1], took[name]["wall_s"][-1], flush=True)
    return took


def ratio(took: Mapping[str, Mapping[str, list[float]]], one: str, other: str, clock: str) -> float:
    """Median over the rounds of one task's time by another's in the same round."""
    pairs = zip(took[one][clock], took[other][clock], strict=True)
    return round(statistics.median(first / second for first, second in pairs), 3)
