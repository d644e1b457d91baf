"""Whether memory stays bounded on a long video: frames are generated on the fly, and nothing of them is kept but masks.

    nice -n 10 python benchmarks/long_video.py --frames 108000 --stretch 1000 --baseline 1000   # an hour at 30 frames/s

One object is followed through a clip of a disc over a moving pattern. After every stretch of frames the peak of the process
is noted and the figures so far are written. The figure is the highest peak over that after ``--baseline`` frames. With
``--state`` the session is saved after every stretch too, and a run that was stopped goes on; a resumed process has its own
peak. With ``--side`` the model's input is small and a frame takes a tenth of the time; budgets of encoded frames and memories
(``--budget-mb``) must then be small as well, so that they are full at the baseline as they are at full size. The disc must
be large (``--radius``) to be seen at such a size. Results: results/long_video.json.

    python benchmarks/long_video.py --results-only --frames 108000 --radius 90

stores the true masks of an hour as a session does, without a network: what the results alone add. Results:
results/long_results.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Size
from masklet.masks import rle
from masklet.predictors.features import CacheBudget
from masklet.predictors.options import RESULT_BYTES, SessionOptions
from masklet.predictors.shelf import ResultShelf
from masklet.tracking.bank import MaskScore
from masklet.tracking.results import Results, StoredMask
from masklet.tracking.state import ObjectState
from masklet.video.source import ClosingSource, Frame
from masklet.weights.load import LoadedModel

RESULTS = Path(__file__).parent / "results"
HEIGHT, WIDTH, FPS = 360, 640, 30.0
TILE = 192  # pixels after which the pattern repeats


class Generated(ClosingSource):
    """A disc that wanders over a pattern that drifts; frame n is the same whenever it is asked for."""

    name, fps = "generated", FPS
    size = Size(HEIGHT, WIDTH)

    def __init__(self, num_frames: int, radius: int) -> None:
        self._num_frames, self._radius = num_frames, radius
        self._rows, self._columns = np.arange(HEIGHT + TILE), np.arange(WIDTH + TILE)
        kinds = np.arange(12)
        colours = np.stack([60 + 40 * (kinds % 2), 80 + 20 * (kinds % 3), np.full(12, 90)], 1)
        across, down = self._columns // 32 % 6, self._rows // 32 % 6
        self._pattern = colours.astype(np.uint8)[across[None] + down[:, None]]

    @property
    def num_frames(self) -> int | None:
        """Exact number of frames."""
        return self._num_frames

    def centre(self, index: int) -> tuple[float, float]:
        """Where the disc is, x and y."""
        return WIDTH * (0.5 + 0.35 * np.sin(index / 47)), HEIGHT * (0.5 + 0.3 * np.sin(index / 31 + 1))

    def read(self, index: int) -> Frame:
        """One frame."""
        top, left, radius = -index % TILE, index % TILE, self._radius
        image = self._pattern[top : top + HEIGHT, left : left + WIDTH].copy()
        x, y = self.centre(index)
        near = np.s_[
            max(0, int(y) - radius) : min(HEIGHT, int(y) + radius + 2),
            max(0, int(x) - radius) : min(WIDTH, int(x) + radius + 2),
        ]
        rows, columns = self._rows[near[0], None], self._columns[None, near[1]]
        image[near][(columns - x) ** 2 + (rows - y) ** 2 < radius**2] = (230, 170, 40)
        return Frame(index=index, pts_s=index / FPS, image=image)

    def pts_s(self, index: int) -> float | None:
        """When a frame is shown."""
        return index / FPS

    def __iter__(self) -> Iterator[Frame]:
        """Frames in order."""
        return (self.read(index) for index in range(self._num_frames))


def peak_mb() -> float:
    """Highest memory of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def growth_bytes_per_frame(stretches: list[dict[str, float]], baseline: int) -> float | None:
    """Slope of the peak over the frames after the baseline (least squares)."""
    later = [one for one in stretches if one["frames"] >= baseline]
    if len(later) < 2:
        return None
    frames, peaks = ([one[name] for one in later] for name in ("frames", "peak_mb"))
    return round(float(np.polyfit(frames, peaks, 1)[0]) * 2**20, 1)


def open_session(
    model: LoadedModel,
    source: Generated,
    state: Path | None,
    *,
    budget_mb: float | None,
    results_mb: float | None,
) -> masklet.VideoSession:
    """A saved session, or a new one with the disc clicked on frame 0."""
    options = None
    if budget_mb is not None:
        num_bytes = int(budget_mb * 2**20)
        options = SessionOptions(
            features=CacheBudget(memory_bytes=num_bytes),
            archive_bytes=num_bytes,
            result_bytes=RESULT_BYTES if results_mb is None else int(results_mb * 2**20),
        )
    if state is not None and state.exists():
        return masklet.VideoSession.load(state, model, source, options=options)
    session = masklet.VideoSession(model, source, options=options)
    x, y = source.centre(0)
    session.prompt(object_id=1, frame=0, prompts=masklet.PromptSet(clicks=[masklet.Click(x, y)]))
    return session


def store_results(arguments: argparse.Namespace) -> None:
    """Store an hour of true masks, read frames at random, drop and give back all: memory, disk and times."""
    source, shelf = Generated(arguments.frames, arguments.radius), ResultShelf(RESULT_BYTES)
    state = ObjectState(results=Results(shelf))
    state.prompts[0] = masklet.PromptSet(clicks=[masklet.Click(*source.centre(0))])
    rows, columns = np.arange(HEIGHT)[:, None], np.arange(WIDTH)[None]
    notes: list[dict[str, float]] = []
    before, num_count_bytes = resident_mb(), 0
    for index in range(arguments.frames):
        x, y = source.centre(index)
        mask = (columns - x) ** 2 + (rows - y) ** 2 < arguments.radius**2
        score = MaskScore(iou=0.9 + np.sin(index) / 20, presence=5 + np.cos(index), stability=0.95)
        coded = rle.encode(mask)
        num_count_bytes += len(coded.counts)
        state.results[index] = StoredMask(
            rle=coded,
            score=score,
            area=int(mask.sum()),
            is_prompted=index == 0,
            is_backward=False,
            is_kept=True,
            version=index + 1,
        )
        if (index + 1) % (arguments.frames // 12) == 0:
            notes.append({"frames": index + 1, "growth_mb": round(resident_mb() - before, 2)})
    frames = np.random.default_rng(0).integers(0, arguments.frames, 300).tolist()
    began = time.process_time()
    for index in frames:
        state.results[index]
    read_ms = 1000 * (time.process_time() - began) / len(frames)
    began = time.process_time()
    dropped = state.drop_dependents(arguments.frames // 2)
    state.results.put_back(dropped)
    edit_ms = 1000 * (time.process_time() - began)
    document: dict[str, object] = {
        "frames": arguments.frames,
        "growth_mb": notes[-1]["growth_mb"],
        "growth_bytes_per_frame": round(notes[-1]["growth_mb"] * 2**20 / arguments.frames, 1),
        "in_memory_mb": round(shelf.memory_bytes / 2**20, 2),
        "on_disk_mb": round(shelf.disk_bytes / 2**20, 2),
        "run_lengths_mb": round(num_count_bytes / 2**20, 2),
        "read_at_random_ms": round(read_ms, 3),
        "drop_and_give_back_all_ms": round(edit_ms, 2),
        "after_the_edit_mb": round(resident_mb() - before, 2),
        "stretches": notes,
        "facts": run_facts(
            command=f"python benchmarks/long_video.py --results-only --frames {arguments.frames} "
            f"--radius {arguments.radius}"
        ),
    }
    write_json(RESULTS / "long_results.json", document)
    print({name: value for name, value in document.items() if name != "facts"})


def resident_mb() -> float:
    """Memory of this process now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * 4096 / 2**20


def read_stretches(path: Path | None) -> list[dict[str, float]]:
    """What was noted before."""
    return json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else []


def run(arguments: argparse.Namespace, facts: dict[str, object]) -> list[dict[str, float]]:
    """Follow the disc stretch by stretch, from where the last run stopped."""
    source = Generated(arguments.frames, arguments.radius)
    notes = None if arguments.state is None else arguments.state.with_suffix(".json")
    stretches = read_stretches(notes)
    model = masklet.load_model(arguments.model, device="cpu", image_size=arguments.side)
    with open_session(
        model, source, arguments.state, budget_mb=arguments.budget_mb, results_mb=arguments.results_mb
    ) as session:
        done = int(stretches[-1]["frames"]) if stretches else 0
        while done < arguments.frames:
            stop = min(done + arguments.stretch, arguments.frames)
            began, found, right = time.process_time(), 0, 0
            for frame in session.track(done, stop):
                x, y = source.centre(frame.index)
                found += int(frame.presence[1] > 0.5)
                right += int(bool(frame.masks[1][int(y), int(x)]))
            stretches.append(
                {
                    "frames": stop,
                    "peak_mb": round(peak_mb(), 1),
                    "session_mb": round(session.num_bytes / 2**20, 2),
                    "results_mb": round(session._shelf.memory_bytes / 2**20, 2),
                    "results_on_disk_mb": round(session._shelf.disk_bytes / 2**20, 4),
                    "cpu_s_per_frame": round((time.process_time() - began) / (stop - done), 4),
                    "present": round(found / (stop - done), 4),
                    "centre_on_mask": round(right / (stop - done), 4),
                }
            )
            done = stop
            if arguments.state is not None and notes is not None:
                session.save(arguments.state)
                notes.write_text(json.dumps(stretches), encoding="utf-8")
            write(arguments, stretches, facts)
            print(stretches[-1], flush=True)
    return stretches


def facts_of(arguments: argparse.Namespace) -> dict[str, object]:
    """What is run here, as it is at the start of a run."""
    options = " ".join(
        f"--{name} {getattr(arguments, name.replace('-', '_'))}"
        for name in ("frames", "stretch", "baseline", "side", "radius", "budget-mb")
        if getattr(arguments, name.replace("-", "_")) is not None
    )
    command = f"python benchmarks/long_video.py --model {arguments.model} {options}"
    return run_facts(command=command, model=arguments.model, threads=str(torch.get_num_threads()))


def write(
    arguments: argparse.Namespace, stretches: list[dict[str, float]], facts: dict[str, object]
) -> float:
    """Write the figures so far; returns the ratio."""
    before = [one["peak_mb"] for one in stretches if one["frames"] <= arguments.baseline]
    baseline = max(before) if before else stretches[0]["peak_mb"]
    highest = max(one["peak_mb"] for one in stretches)
    ratio = round(highest / baseline, 3)
    document = {
        "frames": stretches[-1]["frames"],
        "of_frames": arguments.frames,
        "baseline_frames": arguments.baseline,
        "model_side_px": arguments.side,
        "peak_mb_at_baseline": baseline,
        "peak_mb": highest,
        "ratio": ratio,
        "growth_bytes_per_frame": growth_bytes_per_frame(stretches, arguments.baseline),
        "stretches": stretches,
        "facts": facts,
    }
    write_json(arguments.out, document)
    return ratio


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--side", type=int, help="side of the model's input; its usual one if not given")
    parser.add_argument("--radius", type=int, default=40, help="of the disc, in pixels of the frame")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--stretch", type=int, default=250)
    parser.add_argument(
        "--baseline", type=int, default=500, help="frames after which the peak is compared with"
    )
    parser.add_argument(
        "--budget-mb",
        type=float,
        help="of encoded frames and of memories; the usual ones if not given",
    )
    parser.add_argument("--results-mb", type=float, help="with --budget-mb: of packed results in memory")
    parser.add_argument("--state", type=Path, help="where to save the session, to go on later")
    parser.add_argument("--out", type=Path, default=RESULTS / "long_video.json")
    parser.add_argument("--results-only", action="store_true", help="store true masks, without a network")
    arguments = parser.parse_args()
    if arguments.results_only:
        store_results(arguments)
        return
    facts = facts_of(arguments)
    print("ratio", write(arguments, run(arguments, facts), facts))


if __name__ == "__main__":
    main()
