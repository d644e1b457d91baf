"""SAM 2.1 on a graphics card beside transformers, and how far from the floor; without a card it says so and stops.

    python benchmarks/gpu.py [--sizes tiny large] [--objects 1 10] [--frames 60]      # needs a card
    python benchmarks/gpu.py --device cpu --sizes tiny --side 256 --frames 3 --alone  # what can be counted without one

Random weights, the objects clicked on frame 0; frames are timed from the 16th on, when memory is full, everything included:
pixels in, run-length masks out. The peer is transformers' Sam2Video, as it comes and compiled. The floor is the time of the
multiplications alone on an H200: 0.9 ms for tiny, 2.9 ms for large. Besides, for one frame: torch operations, and reads of a
value by the host, each of which makes a card wait; without a card copies to the host are not seen, so that their number is
a lower bound. Results: results/gpu_<device>.json.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

import numpy as np
import torch
from sam2_memory import RESULTS, picture, random_model
from torch.utils._python_dispatch import TorchDispatchMode

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.models.config import ModelConfig, sam21
from masklet.models.precision import PrecisionPolicy
from masklet.weights.load import LoadedModel

FLOOR_MS = {"tiny": 0.9, "large": 2.9}
NUM_PAST = 16
NO_CARD = "There is no graphics card here, so nothing was measured; --device cpu --alone counts operations."


class Counted(TorchDispatchMode):
    """Counts torch operations, and those by which the host reads a value or copies from the device."""

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__()
        self.num_operations = self.num_reads = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        """Count one and run it."""
        found = func(*args, **(kwargs or {}))
        self.num_operations += 1
        name = func.overloadpacket.__name__
        is_copy = name == "_to_copy" and args[0].device.type != "cpu" and found.device.type == "cpu"
        self.num_reads += name in ("_local_scalar_dense", "nonzero") or is_copy
        return found


def on_device(config: ModelConfig, device: torch.device) -> LoadedModel:
    """A model of random weights there, in the precision the library chooses."""
    loaded = random_model(config)
    policy = PrecisionPolicy.choose(device)
    return LoadedModel(
        model=loaded.model.to(device),
        config=config,
        device=device,
        precision=policy,
        name=f"{config.name}, random weights",
        weights_sha256=None,
    )


def synchronized(device: torch.device) -> float:
    """The time, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def clicks(num_objects: int) -> list[tuple[float, float]]:
    """Where the objects are clicked, x and y."""
    generator = np.random.default_rng(0)
    return [tuple(pair) for pair in (generator.random((num_objects, 2)) * (1280, 720)).tolist()]


def ours(loaded: LoadedModel, num_objects: int, num_frames: int) -> dict[str, float]:
    """Milliseconds of a frame, and counts of the last one."""
    clip = np.stack([picture(index) for index in range(NUM_PAST + num_frames + 1)])
    counted, times = Counted(), list[float]()
    with masklet.VideoSession(loaded, clip) as session:
        for object_id, (x, y) in enumerate(clicks(num_objects), 1):
            session.prompt(object_id, 0, masklet.PromptSet(clicks=[masklet.Click(x, y)]))
        frames = session.track()
        for _ in range(NUM_PAST):
            next(frames)
        before = synchronized(loaded.device)
        for _ in range(num_frames):
            next(frames)
            now = synchronized(loaded.device)
            times.append(now - before)
            before = now
        with counted:
            next(frames)
    return {
        "ms_per_frame": round(1000 * statistics.median(times), 3),
        "operations": counted.num_operations,
        "reads_by_the_host": counted.num_reads,
    }


def peer(loaded: LoadedModel, num_objects: int, num_frames: int, *, is_compiled: bool) -> dict[str, float]:
    """Milliseconds of a frame of transformers' model with the same weights, and of the first frames, where it compiles."""
    from sam2_peer import reference_model
    from transformers import Sam2VideoInferenceSession

    from masklet.predictors.preprocess import to_pixels

    state = {name: tensor.cpu() for name, tensor in loaded.model.state_dict().items()}
    dtype = loaded.precision.dtype
    model = reference_model(loaded.config, state).to(loaded.device, dtype)
    if is_compiled:
        model.forward = torch.compile(model.forward)
    side = loaded.config.image_size
    cpu = torch.device("cpu")
    pixels = torch.cat(
        [to_pixels(picture(index), loaded.config, cpu) for index in range(NUM_PAST + num_frames)]
    )
    session = Sam2VideoInferenceSession(
        video=pixels.to(dtype),
        video_height=side,
        video_width=side,
        dtype=dtype,
        inference_device=loaded.device,
        video_storage_device=loaded.device,
    )
    for object_id, (x, y) in enumerate(clicks(num_objects), 1):
        point = torch.tensor([[[[x * side / 1280, y * side / 720]]]])
        said = {"point_coords": point, "point_labels": torch.ones(1, 1, 1, dtype=torch.int32)}
        said = {name: value.to(loaded.device) for name, value in said.items()}
        session.add_point_inputs(session.obj_id_to_idx(object_id), 0, said)
        session.obj_with_new_inputs.append(object_id)
    times: list[float] = []
    with torch.inference_mode():
        began = before = synchronized(loaded.device)
        for index in range(NUM_PAST + num_frames):
            model(session, frame_idx=index)
            now = synchronized(loaded.device)
            if index == NUM_PAST - 1:
                first_s = now - began
            if index >= NUM_PAST:
                times.append(now - before)
            before = now
    return {"ms_per_frame": round(1000 * statistics.median(times), 3), "first_frames_s": round(first_s, 2)}


def measured(loaded: LoadedModel, num_objects: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Ours, and unless it runs alone the peer, plain and compiled."""
    row: dict[str, Any] = {"ours": ours(loaded, num_objects, arguments.frames)}
    if not arguments.alone:
        row["transformers"] = peer(loaded, num_objects, arguments.frames, is_compiled=False)
        if loaded.device.type == "cuda":
            row["transformers_compiled"] = peer(loaded, num_objects, arguments.frames, is_compiled=True)
    return row


def measure(arguments: argparse.Namespace, device: torch.device) -> list[dict[str, Any]]:
    """Every size with every number of objects."""
    rows: list[dict[str, Any]] = []
    for size in arguments.sizes:
        loaded = on_device(sam21(size).resized(arguments.side), device)
        for num_objects in arguments.objects:
            row = {"size": size, "objects": num_objects, **measured(loaded, num_objects, arguments)}
            if device.type == "cuda" and size in FLOOR_MS and (arguments.side, num_objects) == (1024, 1):
                row["h200_floor_ms"] = FLOOR_MS[size]
                row["share_of_h200_floor"] = round(FLOOR_MS[size] / row["ours"]["ms_per_frame"], 3)
            print(row, flush=True)
            rows.append(row)
    return rows


def main() -> None:
    """Measure and write, where there is a card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", nargs="+", default=["tiny", "large"])
    parser.add_argument("--objects", nargs="+", type=int, default=[1, 10])
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--alone", action="store_true", help="without transformers")
    arguments = parser.parse_args()
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(NO_CARD)
        return
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "none"
    facts = run_facts(
        command=f"python benchmarks/gpu.py --device {device} --side {arguments.side}",
        model="SAM 2.1, random weights",
        card=card,
    )
    rows = measure(arguments, device)
    write_json(RESULTS / f"gpu_{device.type}.json", {"rows": rows, "facts": facts})


if __name__ == "__main__":
    main()
