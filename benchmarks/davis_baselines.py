"""What tracking costs nothing: the first mask repeated, and the first mask warped by optical flow.

Run: python benchmarks/davis_baselines.py --data davis-dev.tar
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path

import cv2
import numpy as np

from masklet.evaluation.datasets import Clip, read_packed_clips
from masklet.evaluation.report import run_facts, vos_document, vos_table, write_json
from masklet.evaluation.vos import StartPrompt, Track, evaluate_vos
from masklet.masks.arrays import BoolArray, ByteArray

RESULT = Path(__file__).parent / "results" / "davis_baselines.json"


def repeat_first(clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, BoolArray]]:
    """Each object stays where it was prompted."""
    masks = first_masks(starts)
    for _ in range(clip.num_frames):
        yield masks


def warp_by_flow(clip: Clip, starts: Mapping[int, StartPrompt]) -> Iterator[Mapping[int, BoolArray]]:
    """Each mask moves with the dense flow (DIS, medium) from one frame to the next.

    A pixel of the new frame looks up where it was by the flow from the new frame back to the old one. Masks
    are kept as soft maps between frames, so that rounding does not add up, and cut at one half.
    """
    flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    soft = {object_id: mask.astype(np.float32) for object_id, mask in first_masks(starts).items()}
    columns, rows = np.meshgrid(np.arange(clip.size.width), np.arange(clip.size.height))
    grid = np.stack([columns, rows], axis=-1).astype(np.float32)
    previous: ByteArray | None = None
    for index, frame in enumerate(clip.frames()):
        grey = np.asarray(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), dtype=np.uint8)
        if previous is not None:
            sources = grid + np.asarray(flow.calc(grey, previous, None))
            for object_id, start in starts.items():
                if index > start.frame:
                    soft[object_id] = warped(soft[object_id], sources)
        previous = grey
        yield {object_id: values > 0.5 for object_id, values in soft.items()}


def first_masks(starts: Mapping[int, StartPrompt]) -> dict[int, BoolArray]:
    """The prompted mask of each object."""
    return {i: start.prompts.mask.mask for i, start in starts.items() if start.prompts.mask is not None}


def warped(values: np.ndarray, sources_xy: np.ndarray) -> np.ndarray:
    """The map looked up at the points (h, w, 2), linearly; 0 outside."""
    return np.asarray(cv2.remap(values, sources_xy, None, cv2.INTER_LINEAR))


def main() -> None:
    """Score both baselines on a packed tar of clips, print and write the tables."""
    parser = argparse.ArgumentParser(description="Baselines of mask tracking on a packed tar of clips.")
    parser.add_argument("--data", type=Path, required=True, help="packed tar of clips")
    parser.add_argument("--_")
    parser.add_argument("--out", type=Path, default=RESULT, help="where to write the result")
    options = parser.parse_args()
    tracks: dict[str, Track] = {
        "first mask repeated": repeat_first,
        "first mask warped (DIS flow)": warp_by_flow,
    }
    reports = {name: evaluate_vos(track, read_packed_clips(options.data)) for name, track in tracks.items()}
    for name, report in reports.items():
        print(vos_table(report, title=name))
    command = f"python benchmarks/davis_baselines.py --data {options.data.name}"
    facts = run_facts(command=command, data=options.data.name)
    write_json(
        options.out, {"run": facts, "results": {name: vos_document(one) for name, one in reports.items()}}
    )


if __name__ == "__main__":
    main()
