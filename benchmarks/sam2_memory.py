"""The peak of memory of a process that follows many objects with SAM 2.1 tiny: random weights, full memory, CPU, float32.

    python benchmarks/sam2_memory.py [--objects 10] [--rounds 1] [--side 1024]

Every object remembers the clicked frame and the 15 before the measured one: seven memories and sixteen pointers are read.
Nothing of transformers is imported here. Results: results/sam2_peak.json.
"""

from __future__ import annotations

import argparse
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Size
from masklet.models.allocator import keep_freed_memory
from masklet.models.config import ModelConfig, sam21
from masklet.models.precision import PrecisionPolicy
from masklet.predictors.engine import FrameEngine
from masklet.predictors.features import CacheBudget
from masklet.predictors.preprocess import PostProcess
from masklet.tracking.bank import MaskScore, MemoryBank, MemoryEntry
from masklet.tracking.policy import RECENT
from masklet.video.source import Frame
from masklet.weights.load import LoadedModel, build_empty

RESULTS = Path(__file__).parent / "results"

SIDE = 1024
NUM_PAST = 16
HEIGHT, WIDTH = 720, 1280


class Memories:
    """The same random past for both sides: features (64, h, w) and pointers of each object and frame."""

    def __init__(self, config: ModelConfig, num_objects: int) -> None:
        """Draw them."""
        shape = (num_objects, NUM_PAST, config.value_dim, config.grid, config.grid)
        generator = torch.Generator().manual_seed(1)
        self.features = torch.randn(shape, generator=generator).to(torch.bfloat16)
        self.pointers = torch.randn(num_objects, NUM_PAST, config.hidden_dim, generator=generator)
        self.clicks_xy = torch.rand(num_objects, 2, generator=generator) * config.image_size


def picture(index: int) -> np.ndarray:
    """A frame of noise and stripes, RGB uint8."""
    generator = np.random.default_rng(index)
    coarse = generator.integers(0, 256, (HEIGHT // 40, WIDTH // 40, 3), dtype=np.uint8)
    return coarse.repeat(40, axis=0).repeat(40, axis=1)


def our_engine(loaded: LoadedModel) -> FrameEngine:
    """An engine that keeps no encoded frames."""
    return FrameEngine(
        loaded,
        RECENT,
        pointer_span=NUM_PAST,
        budget=CacheBudget(memory_bytes=1),
        post_process=PostProcess(),
        next_version=lambda: 0,
    )


def our_frames(loaded: LoadedModel, past: Memories) -> Callable[[], list[Tensor]]:
    """Follows the objects into the next frame."""
    engine = our_engine(loaded)
    score = MaskScore(iou=0.9, presence=5.0, stability=0.9)

    def entry(row: int, frame: int) -> MemoryEntry:
        side = loaded.config.mask_side
        return MemoryEntry(
            frame=frame,
            written=past.features[row, frame],
            pointer=past.pointers[row, frame],
            logits=torch.zeros(side, side, dtype=torch.float16),
            score=score,
            box=None,
        )

    banks = [
        MemoryBank(
            conditioning={0: entry(row, 0)}, recent=tuple(entry(row, index) for index in range(1, NUM_PAST))
        )
        for row in range(len(past.pointers))
    ]
    indices = iter(range(NUM_PAST, 1000))

    @torch.inference_mode()
    def follow() -> list[Tensor]:
        nonlocal banks
        index = next(indices)
        frame = Frame(index=index, pts_s=None, image=picture(index))
        found = engine.track(engine.encode(frame), Size(HEIGHT, WIDTH), index, banks, is_backward=False)
        banks = [bank.with_tracked(one.entry) for bank, one in zip(banks, found, strict=True)]
        return [one.logits for one in found]

    return follow


def peak_mb() -> float:
    """Highest memory of this process so far."""
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def random_model(config: ModelConfig) -> LoadedModel:
    """A model of random weights that keep activations near one, drawn in place."""
    keep_freed_memory()
    model, generator = build_empty(config).eval(), torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, weight in sorted(model.named_parameters()):
            deviation = 1 / weight[0].numel() ** 0.5 if weight.dim() > 1 else 0.1
            weight.normal_(float("norm" in name and name.endswith("weight")), deviation, generator=generator)
        for buffer in model.buffers():
            buffer.normal_(generator=generator)
    policy = PrecisionPolicy(device=torch.device("cpu"), dtype=torch.float32)
    return LoadedModel(
        model=model,
        config=config,
        device=policy.device,
        precision=policy,
        name="sam2.1-tiny, random weights",
        weights_sha256=None,
    )


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=SIDE)
    parser.add_argument("--objects", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=1)
    arguments = parser.parse_args()
    config = sam21("tiny").resized(arguments.side)
    follow = our_frames(random_model(config), Memories(config, arguments.objects))
    before = peak_mb()
    for _ in range(arguments.rounds):
        follow()
    side = "" if arguments.side == SIDE else f" --side {arguments.side}"
    document: dict[str, object] = {
        "objects": arguments.objects,
        "frames": arguments.rounds,
        "peak_mib": peak_mb(),
        "peak_mib_before_the_first_frame": before,
        "facts": run_facts(
            command=f"python benchmarks/sam2_memory.py --objects {arguments.objects}{side}",
            model=f"sam2.1-tiny, random weights, {arguments.side} px",
            threads=str(torch.get_num_threads()),
        ),
    }
    write_json(RESULTS / "sam2_peak.json", document)
    print(document)


if __name__ == "__main__":
    main()
