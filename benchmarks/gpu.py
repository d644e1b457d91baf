"""SAM 2.1 on a graphics card beside transformers, and how far from the floor; without a card it says so and stops.

    python benchmarks/gpu.py [--seconds 560]                                   # needs a card; say it again until all is done
    python benchmarks/gpu.py --device cpu --sizes tiny --objects 1 --side 256 --frames 3 --who ours ours_streamed   # counts

One part is one size, one number of objects and one of: ``ours``; ``ours_compiled`` (``SessionOptions.compilation``: frames encoded
ahead in a stream of their own, compiled functions, recorded frames, masks packed on the card), twice in two processes with one
folder of compiled code, so that the second tells what a second run waits for; ``ours_streamed``, the same without the compiler;
``transformers``, its Sam2Video as it comes; ``transformers_compiled``, its four large parts through torch.compile. Every part runs in
a process of its own, is written to the results when it is done and is not done again (``--again`` does them anew); after
``--seconds`` no further part is begun, and one that takes longer than the rest of them is stopped and left for the next call.

Random weights, the objects clicked on frame 0; frames are timed together from the 20th on, when memory is full, and frames go on
after the last that is timed. Ours is everything from pixels to run-length masks; the peer is given resized frames on the card and
gives small masks. The floor is the time of the multiplications alone on an H200: 0.9 ms for tiny, 2.9 ms for large. Counts are of
one frame in the thread that tracks: torch operations, and values the host waits for; without a card copies are not seen.
Results: results/gpu_<device>.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sam2_memory import RESULTS, picture, random_model
from torch.utils._python_dispatch import TorchDispatchMode

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.models.config import ModelConfig, sam21
from masklet.models.precision import PrecisionPolicy
from masklet.predictors.compilation import Compilation
from masklet.predictors.options import SessionOptions
from masklet.weights.load import LoadedModel

FLOOR_MS = {"tiny": 0.9, "large": 2.9}
NUM_WARM = 20
"""Frames before the timed ones: memory is full after 16, and what is compiled for a full memory runs a few times."""
NUM_AFTER = 20
"""Frames after the timed ones, so that encoding ahead has as much to do at their end as at their beginning."""
WHO = ("ours", "ours_compiled", "transformers_compiled", "transformers", "ours_streamed")
NO_CARD = (
    "There is no graphics card here, so nothing was measured; see --help for what can be counted without one."
)


class Counted(TorchDispatchMode):
    """Counts torch operations, and those at which the host waits for a value or a copy."""

    def __init__(self) -> None:
        """Begin at nothing."""
        super().__init__()
        self.num_operations = self.num_waits = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401
        """Count one and run it."""
        given = kwargs or {}
        found = func(*args, **given)
        self.num_operations += 1
        name = func.overloadpacket.__name__
        waits = name in ("_local_scalar_dense", "nonzero", "equal")
        if name in ("_to_copy", "to", "copy_"):
            source = args[1] if name == "copy_" else args[0]
            is_free = given.get("non_blocking", False) or True in args[2:]
            waits = source.device.type != found.device.type and not is_free
        self.num_waits += waits
        return found


def on_device(config: ModelConfig, device: torch.device) -> LoadedModel:
    """A model of random weights there, in the precision the library chooses."""
    loaded = random_model(config)
    return LoadedModel(
        model=loaded.model.to(device),
        config=config,
        device=device,
        precision=PrecisionPolicy.choose(device),
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


def ours(
    loaded: LoadedModel, num_objects: int, num_frames: int, compilation: Compilation | None
) -> dict[str, Any]:
    """Milliseconds of a frame, seconds until memory is full, and counts of one frame."""
    # a few pictures over and over: an hour of noise would fill the machine's memory
    pictures = [picture(index) for index in range(8)]
    clip = np.stack([pictures[index % 8] for index in range(NUM_WARM + num_frames + NUM_AFTER)])
    counted = Counted()
    options = SessionOptions(compilation=compilation)
    with masklet.VideoSession(loaded, clip, options=options) as session:
        for object_id, (x, y) in enumerate(clicks(num_objects), 1):
            session.prompt(object_id, 0, masklet.PromptSet(clicks=[masklet.Click(x, y)]))
        began = synchronized(loaded.device)
        frames = session.track()
        for _ in range(NUM_WARM):
            next(frames)
        first = synchronized(loaded.device)
        for _ in range(num_frames):
            next(frames)
        took = time.perf_counter() - first
        with counted:
            next(frames)
    row: dict[str, Any] = {
        "ms_per_frame": round(1000 * took / num_frames, 3),
        "first_frames_s": round(first - began, 2),
        "operations": counted.num_operations,
        "waits_of_the_host": counted.num_waits,
    }
    if loaded.device.type == "cuda":
        row["peak_mib"] = round(torch.cuda.max_memory_allocated(loaded.device) / 2**20)
    return row


def compile_parts(model: Any) -> None:  # noqa: ANN401 - transformers' class
    """Let torch.compile have the parts of transformers' model that do the work; sessions are no tensors."""
    for name in ("vision_encoder", "memory_attention", "memory_encoder", "mask_decoder"):
        part = getattr(model, name)
        part.forward = torch.compile(part.forward)


def peer(loaded: LoadedModel, num_objects: int, num_frames: int, *, is_compiled: bool) -> dict[str, Any]:
    """Milliseconds of a frame of transformers' model with the same weights, and of the first frames, where it compiles."""
    from sam2_peer import reference_model
    from transformers import Sam2VideoInferenceSession

    from masklet.predictors.preprocess import to_pixels

    state = {name: tensor.cpu() for name, tensor in loaded.model.state_dict().items()}
    dtype = loaded.precision.dtype
    model = reference_model(loaded.config, state).to(loaded.device, dtype)
    if is_compiled:
        compile_parts(model)
    side, cpu = loaded.config.image_size, torch.device("cpu")
    pictures = [to_pixels(picture(index), loaded.config, cpu) for index in range(8)]
    pixels = torch.cat([pictures[index % 8] for index in range(NUM_WARM + num_frames)])
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
    with torch.inference_mode():
        began = first = synchronized(loaded.device)
        for index in range(NUM_WARM + num_frames):
            if index == NUM_WARM:
                first = synchronized(loaded.device)
            model(session, frame_idx=index)
        took = synchronized(loaded.device) - first
    return {
        "ms_per_frame": round(1000 * took / num_frames, 3),
        "first_frames_s": round(first - began, 2),
    }


def one_part(who: str, size: str, num_objects: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure one part in this process."""
    loaded = on_device(sam21(size).resized(arguments.side), torch.device(arguments.device))
    num_frames = max(3, arguments.frames // max(1, num_objects // 5))
    if who.startswith("transformers"):
        return peer(loaded, num_objects, num_frames, is_compiled=who.endswith("compiled"))
    compilation = None
    if who == "ours_streamed":
        compilation = Compilation(backend="none")
    elif who == "ours_compiled":
        compilation = Compilation(folder=arguments.folder)
    return ours(loaded, num_objects, num_frames, compilation)


def in_its_own_process(part: str, arguments: argparse.Namespace, seconds: float, folder: str) -> Any:  # noqa: ANN401 - JSON
    """What a part measures; an error in words where it failed; None where time was up."""
    command = [sys.executable, __file__, "--part", part, "--device", arguments.device, "--folder", folder]
    command += ["--side", str(arguments.side), "--frames", str(arguments.frames)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1:] or [f"exit status {done.returncode}"]}
    found = json.loads(done.stdout.splitlines()[-1])
    said = [line for line in done.stderr.splitlines() if "Compiled frames failed" in line]
    return found | ({"gave_up": said[:1]} if said else {})


def measured(part: str, arguments: argparse.Namespace, end: float) -> Any:  # noqa: ANN401 - JSON
    """A part; of what is compiled a first and a second run."""
    with tempfile.TemporaryDirectory() as folder:
        found = in_its_own_process(part, arguments, end - time.monotonic(), folder)
        if found is None or "failed" in found or not part.endswith("ours_compiled"):
            return found
        again = in_its_own_process(part, arguments, end - time.monotonic(), folder)
    return None if again is None else {"first_run": found, **again}


def compared(rows: dict[str, Any]) -> dict[str, Any]:
    """Ratios of what is there: to the floor, to the peer and to one object."""
    took = {part: row["ms_per_frame"] for part, row in rows.items() if "ms_per_frame" in row}
    ratios: dict[str, Any] = {}
    for part, milliseconds in took.items():
        size, count, who = part.split("/")
        if not who.startswith("ours"):
            continue
        found = ratios[part] = {}
        for other in ("transformers", "transformers_compiled"):
            if f"{size}/{count}/{other}" in took:
                found[f"times_faster_than_{other}"] = round(took[f"{size}/{count}/{other}"] / milliseconds, 2)
        if count != "1" and f"{size}/1/{who}" in took:
            found["times_one_object"] = round(milliseconds / took[f"{size}/1/{who}"], 2)
        if count == "1" and size in FLOOR_MS and rows[part]["side"] == 1024 and rows[part]["card"] != "none":
            found["share_of_h200_floor"] = round(FLOOR_MS[size] / milliseconds, 3)
    return ratios


def main() -> None:
    """Measure what is not measured yet, and write it, where there is a card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--sizes", nargs="+", default=["tiny", "large"])
    parser.add_argument("--objects", nargs="+", type=int, default=[1, 10, 50])
    parser.add_argument("--who", nargs="+", choices=WHO, default=list(WHO[:4]))
    parser.add_argument("--frames", type=int, default=100, help="timed with few objects; fewer with many")
    parser.add_argument("--side", type=int, default=1024)
    parser.add_argument("--seconds", type=float, default=560.0, help="for the whole call")
    parser.add_argument("--again", action="store_true", help="also what is measured already")
    parser.add_argument("--part", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part is not None:
        size, count, who = arguments.part.split("/")
        print(json.dumps(one_part(who, size, int(count), arguments)))
        return
    device = torch.device(arguments.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print(NO_CARD)
        return
    measure_all(arguments, device)


def measure_all(arguments: argparse.Namespace, device: torch.device) -> None:
    """Part by part, as long as there is time."""
    path, end = RESULTS / f"gpu_{device.type}.json", time.monotonic() + arguments.seconds
    rows: dict[str, Any] = {}
    if path.exists() and not arguments.again:
        rows = json.loads(path.read_text()).get("parts", {})
    wanted = [
        f"{size}/{count}/{who}"
        for size in arguments.sizes
        for count in arguments.objects
        for who in arguments.who
    ]
    card = torch.cuda.get_device_name(device) if device.type == "cuda" else "none"
    for part in wanted:
        # a part on another card, at another size or of an older commit is not told apart: use --again then
        if part in rows or time.monotonic() > end:
            continue
        found = measured(part, arguments, end)
        if found is None:
            print(f"{part}: no time left; say it again", flush=True)
            continue
        print(part, found, flush=True)
        rows[part] = {**found, "card": card, "side": arguments.side}
        facts = run_facts(
            command=f"python benchmarks/gpu.py --device {device} --side {arguments.side}",
            model="SAM 2.1, random weights",
            card=card,
        )
        write_json(path, {"parts": rows, "ratios": compared(rows), "facts": facts})
    missing = [part for part in wanted if part not in rows]
    print("all parts are measured" if not missing else f"still to do: {' '.join(missing)}")


if __name__ == "__main__":
    main()
