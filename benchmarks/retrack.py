"""Tracking again after a correction: frames that were encoded once are taken from the cache.

    OMP_NUM_THREADS=1 python benchmarks/retrack.py [--frames 48] [--corrected 12] [--rounds 3]

The embedded model follows one object through the sample clip; then it is clicked again on one frame and followed again from
there. Compared are own CPU and wall seconds per frame of both passes, the decoding of the video included in both, in the same
process and turn; and the whole of the correction - click and re-tracking until every mask is in force - with the whole first
pass. The cache's budget is the usual one; what the session holds is written too. Results: results/retrack.json.
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from speed import CLICKS, CLIP, RESULTS

import masklet
from masklet.evaluation.report import run_facts, write_json
from masklet.predictors.features import CacheBudget


def timed_pass(session: masklet.VideoSession, start: int, stop: int) -> dict[str, float]:
    """CPU and wall seconds of tracking, and how many frames it told."""
    own, wall = time.process_time(), time.perf_counter()
    told = sum(1 for _ in session.track(start, stop))
    return {"cpu_s": time.process_time() - own, "wall_s": time.perf_counter() - wall, "frames": told}


def one_round(model: masklet.LoadedModel, frames: int, corrected: int) -> dict[str, dict[str, float]]:
    """Track, correct, track again."""
    click = masklet.PromptSet(clicks=[masklet.Click(*CLICKS[4])])
    with masklet.VideoSession(model, CLIP) as session:
        session.prompt(object_id=1, frame=0, prompts=click)
        first = timed_pass(session, 0, frames)
        own, wall = time.process_time(), time.perf_counter()
        found = session.result_at(corrected)
        rows, columns = found.masks[1].nonzero()
        x, y = (float(columns.mean()), float(rows.mean())) if len(rows) else CLICKS[4]
        session.prompt(object_id=1, frame=corrected, prompts=masklet.PromptSet(clicks=[masklet.Click(x, y)]))
        said = {"cpu_s": time.process_time() - own, "wall_s": time.perf_counter() - wall, "frames": 1}
        again = timed_pass(session, corrected, frames)
        held = session.num_bytes / 2**20
    return {"first": first, "click": said, "again": again, "held": {"mb": round(held, 1)}}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--frames", type=int, default=48)
    parser.add_argument("--corrected", type=int, default=12, help="frame that is clicked again")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    model = masklet.load_model("compact", device="cpu")
    one_round(model, 4, 2)
    rounds = [one_round(model, arguments.frames, arguments.corrected) for _ in range(arguments.rounds)]

    def median_ratio(clock: str, *, is_whole: bool) -> float:
        shares = []
        for one in rounds:
            first, again = one["first"], one["again"]
            extra = one["click"][clock] if is_whole else 0.0
            scale = 1.0 if is_whole else again["frames"] / first["frames"]
            shares.append(first[clock] * scale / (again[clock] + extra))
        return round(statistics.median(shares), 2)

    document: dict[str, object] = {
        "times_faster_per_frame_cpu": median_ratio("cpu_s", is_whole=False),
        "times_faster_per_frame_wall": median_ratio("wall_s", is_whole=False),
        "whole_correction_times_faster_cpu": median_ratio("cpu_s", is_whole=True),
        "whole_correction_times_faster_wall": median_ratio("wall_s", is_whole=True),
        "budget_mb": CacheBudget().memory_bytes / 2**20,
        "rounds": rounds,
        "facts": run_facts(
            command=f"python benchmarks/retrack.py --frames {arguments.frames} --corrected {arguments.corrected}",
            model="compact",
            threads=str(torch.get_num_threads()),
        ),
    }
    write_json(RESULTS / "retrack.json", document)
    print({name: value for name, value in document.items() if name != "facts"})


if __name__ == "__main__":
    main()
