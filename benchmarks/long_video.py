"""Whether memory stays bounded on a long video: frames are generated on the fly, and nothing of them is kept but masks.

    nice -n 10 python benchmarks/long_video.py --frames 108000 --state long.session    # an hour at 30 frames/s
    nice -n 10 python benchmarks/long_video.py --frames 108000 --state long.session    # goes on where it was stopped

One object is followed through a clip of a disc over a moving pattern. Every stretch of frames the session is saved and the
peak of the process is noted, so that a run can be stopped and resumed; a resumed process has its own peak. The figure is
the highest peak over that of the first process after ``--baseline`` frames. Results: results/long_video.json.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Size
from masklet.predictors.features import CacheBudget
from masklet.predictors.options import SessionOptions
from masklet.video.source import ClosingSource, Frame
from masklet.weights.load import LoadedModel

RESULTS = Path(__file__).parent / "results"
HEIGHT, WIDTH, FPS, RADIUS = 360, 640, 30.0, 40


class Generated(ClosingSource):
    """A disc that wanders over a pattern that drifts; frame n is the same whenever it is asked for."""

    name, fps = "generated", FPS
    size = Size(HEIGHT, WIDTH)

    def __init__(self, num_frames: int) -> None:
        self._num_frames = num_frames
        self._rows, self._columns = np.arange(HEIGHT), np.arange(WIDTH)
        kinds = np.arange(12)
        self._colours = np.stack([60 + 40 * (kinds % 2), 80 + 20 * (kinds % 3), np.full(12, 90)], 1).astype(
            np.uint8
        )

    @property
    def num_frames(self) -> int | None:
        """Exact number of frames."""
        return self._num_frames

    def centre(self, index: int) -> tuple[float, float]:
        """Where the disc is, x and y."""
        return WIDTH * (0.5 + 0.35 * np.sin(index / 47)), HEIGHT * (0.5 + 0.3 * np.sin(index / 31 + 1))

    def read(self, index: int) -> Frame:
        """One frame."""
        across, down = (self._columns + index) // 32 % 6, (self._rows - index) // 32 % 6
        image = self._colours[across[None] + down[:, None]]
        x, y = self.centre(index)
        near = np.s_[
            max(0, int(y) - RADIUS) : int(y) + RADIUS + 2, max(0, int(x) - RADIUS) : int(x) + RADIUS + 2
        ]
        rows, columns = self._rows[near[0], None], self._columns[None, near[1]]
        image[near][(columns - x) ** 2 + (rows - y) ** 2 < RADIUS**2] = (230, 170, 40)
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


def open_session(
    model: LoadedModel, source: Generated, state: Path | None, budget_mb: float | None
) -> masklet.VideoSession:
    """A saved session, or a new one with the disc clicked on frame 0."""
    options = None
    if budget_mb is not None:
        num_bytes = int(budget_mb * 2**20)
        options = SessionOptions(features=CacheBudget(memory_bytes=num_bytes), archive_bytes=num_bytes)
    if state is not None and state.exists():
        return masklet.VideoSession.load(state, model, source, options=options)
    session = masklet.VideoSession(model, source, options=options)
    x, y = source.centre(0)
    session.prompt(object_id=1, frame=0, prompts=masklet.PromptSet(clicks=[masklet.Click(x, y)]))
    return session


def read_stretches(path: Path | None) -> list[dict[str, float]]:
    """What was noted before."""
    return json.loads(path.read_text(encoding="utf-8")) if path is not None and path.exists() else []


def run(arguments: argparse.Namespace) -> list[dict[str, float]]:
    """Follow the disc stretch by stretch, from where the last run stopped."""
    source = Generated(arguments.frames)
    notes = None if arguments.state is None else arguments.state.with_suffix(".json")
    stretches = read_stretches(notes)
    model = masklet.load_model(arguments.model, device="cpu", image_size=arguments.side)
    with open_session(model, source, arguments.state, arguments.budget_mb) as session:
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
                    "cpu_s_per_frame": round((time.process_time() - began) / (stop - done), 4),
                    "present": round(found / (stop - done), 4),
                    "centre_on_mask": round(right / (stop - done), 4),
                }
            )
            done = stop
            if arguments.state is not None and notes is not None:
                session.save(arguments.state)
                notes.write_text(json.dumps(stretches), encoding="utf-8")
            print(stretches[-1], flush=True)
    return stretches


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="compact")
    parser.add_argument("--side", type=int, help="side of the model's input; its usual one if not given")
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--stretch", type=int, default=250)
    parser.add_argument(
        "--baseline", type=int, default=500, help="frames after which the peak is compared with"
    )
    parser.add_argument(
        "--budget-mb", type=float, help="of encoded frames and of memories; the usual ones if not given"
    )
    parser.add_argument("--state", type=Path, help="where to save the session, to go on later")
    parser.add_argument("--out", type=Path, default=RESULTS / "long_video.json")
    arguments = parser.parse_args()
    stretches = run(arguments)
    before = [one["peak_mb"] for one in stretches if one["frames"] <= arguments.baseline]
    baseline = max(before) if before else stretches[0]["peak_mb"]
    highest = max(one["peak_mb"] for one in stretches)
    document = {
        "frames": arguments.frames,
        "baseline_frames": arguments.baseline,
        "peak_mb_at_baseline": baseline,
        "peak_mb": highest,
        "ratio": round(highest / baseline, 3),
        "stretches": stretches,
        "facts": run_facts(
            command=f"python benchmarks/long_video.py --frames {arguments.frames}", model=arguments.model
        ),
    }
    write_json(arguments.out, document)
    print("ratio", document["ratio"])


if __name__ == "__main__":
    main()
