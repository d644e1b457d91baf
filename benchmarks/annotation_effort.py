"""Clicks and seconds for masks over whole clips: every frame clicked anew, against track and correct.

    python benchmarks/annotation_effort.py data/davis-dev.tar --clips bear rollerblade --frames 24

Both simulated annotators work to the same target on the same frames; results/annotation_effort.json holds both, the
costs that were assumed, and the quality each reached.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import masklet
from masklet.evaluation.annotation_effort import Effort, EffortProtocol, frame_by_frame, track_and_correct
from masklet.evaluation.datasets import read_packed_clips, thinned
from masklet.evaluation.report import run_facts, write_json
from masklet.evaluation.subjects import ClickSubject, InteractiveSubject

RESULTS = Path(__file__).parent / "results"


def totals(found: Sequence[Effort]) -> dict[str, float]:
    """Sums and means over clips; each frame weighs the same."""
    frames = sum(one.num_frames for one in found)
    return {
        "frames": frames,
        "clicks": sum(one.num_clicks for one in found),
        "clicks_per_frame": round(sum(one.num_clicks for one in found) / frames, 3),
        "frames_worked_on": sum(one.num_opened for one in found),
        "seconds_per_frame": round(sum(one.seconds for one in found) / frames, 3),
        "mean_iou": round(sum(one.mean_iou * one.num_frames for one in found) / frames, 4),
        "share_good": round(sum(one.share_good * one.num_frames for one in found) / frames, 4),
    }


def main() -> None:
    """Run both annotators on every clip."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clips_file", type=Path)
    parser.add_argument("--clips", nargs="*", help="names of clips; all when left out")
    parser.add_argument("--model", default="compact")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--step", type=int, default=2)
    parser.add_argument("--target", type=float, default=0.8)
    parser.add_argument("--max-clicks", type=int, default=5)
    arguments = parser.parse_args()
    model = masklet.load_model(arguments.model)
    protocol = EffortProtocol(target=arguments.target, max_clicks=arguments.max_clicks)
    by_frame: list[Effort] = []
    tracked: list[Effort] = []
    started = time.perf_counter()
    for whole in read_packed_clips(arguments.clips_file):
        if arguments.clips and whole.name not in arguments.clips:
            continue
        clip = thinned(whole, most=arguments.frames, step=arguments.step)
        for object_id in clip.object_ids:
            first = frame_by_frame(ClickSubject(model), clip, object_id, protocol)
            second = track_and_correct(InteractiveSubject(model), clip, object_id, protocol)
            by_frame.extend([first] if first else [])
            tracked.extend([second] if second else [])
            print(clip.name, first, second, sep="\n  ", flush=True)
    ways = {"frame_by_frame": totals(by_frame), "track_and_correct": totals(tracked)}
    ratio = ways["frame_by_frame"]["seconds_per_frame"] / ways["track_and_correct"]["seconds_per_frame"]
    chosen = f"--clips {' '.join(arguments.clips)} " if arguments.clips else ""
    command = (
        f"python benchmarks/annotation_effort.py {arguments.clips_file.name} {chosen}--frames {arguments.frames} "
        f"--step {arguments.step} --target {arguments.target} --max-clicks {arguments.max_clicks}"
    )
    values = {
        **run_facts(command=command, model=model.name, data=arguments.clips_file.name),
        "protocol": asdict(protocol),
        "frames_step": arguments.step,
        "minutes": round((time.perf_counter() - started) / 60, 1),
        **ways,
        "times_faster": round(ratio, 2),
        "clips": {
            "frame_by_frame": [asdict(o) for o in by_frame],
            "track_and_correct": [asdict(o) for o in tracked],
        },
    }
    write_json(RESULTS / "annotation_effort.json", values)
    print(ways, f"{ratio:.2f} times faster")


if __name__ == "__main__":
    main()
