"""Find all like this: precision and recall from one example each, on held-out photos.

    python benchmarks/similar.py --data DATA [--limit N] [--sources coco leaves nuclei]

For every photo with at least two outlined objects of one class, the object of median area is the example: once by its
mask, once by its box. The others are to be found on the same photo; one is found when a mask has IoU 0.5 with it. The
example itself counts neither way. On leaves and nuclei every object is of one class; on COCO a class is a name, and its
photos are told apart by the size of the example. The thresholds were chosen on leaves and nuclei for training. ``cut_out`` says what
could be found at best: the part of the objects that one click in their middle cuts out. Written to results/similar.json.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from masklet import Click, ImagePredictor, PromptSet
from masklet.evaluation.report import run_facts, write_json
from masklet.pipeline.similar import SimilarFinder
from masklet.training.grounder_photos import NamedPhoto, read_held_out_photos

RESULTS = Path(__file__).parent / "results"
LEAST_OBJECTS = 2
MATCH = 0.5
SMALL = 0.005
"""Part of a photo below which an example is called small: 22 x 22 pixels of these photos."""


@dataclass
class Tally:
    """What was wanted, given and right."""

    photos: int = 0
    wanted: int = 0
    given: int = 0
    right: int = 0
    cut_out: int = 0

    def row(self) -> dict[str, float]:
        """Precision and recall over all objects."""
        return {
            "photos": self.photos,
            "objects": self.wanted,
            "precision": round(self.right / max(1, self.given), 4),
            "recall": round(self.right / max(1, self.wanted), 4),
            "cut_out": round(self.cut_out / max(1, self.wanted), 4),
        }


def iou(first: np.ndarray, second: np.ndarray) -> float:
    """IoU of two masks."""
    joined = np.count_nonzero(first | second)
    return np.count_nonzero(first & second) / joined if joined else 0.0


def groups_of(photo: NamedPhoto) -> list[list[np.ndarray]]:
    """Masks of the objects that look alike, group by group."""
    by_name: dict[str, list[np.ndarray]] = defaultdict(list)
    for index, name in enumerate(photo.names):
        mask = photo.mask(index).astype(bool)
        if mask.any():
            by_name[name].append(mask)
    return [masks for masks in by_name.values() if len(masks) >= LEAST_OBJECTS]


def count(tally: Tally, found: list[np.ndarray], example: np.ndarray, others: list[np.ndarray]) -> None:
    """Match what was found with what there is, one to one, best first."""
    left = list(others)
    tally.photos += 1
    tally.wanted += len(others)
    for mask in found:
        if iou(mask, example) >= MATCH:
            continue
        tally.given += 1
        best = max(range(len(left)), key=lambda one: iou(mask, left[one]), default=None)
        if best is not None and iou(mask, left[best]) >= MATCH:
            tally.right += 1
            del left[best]


def num_cut_out(predictor: ImagePredictor, image: np.ndarray, objects: list[np.ndarray]) -> int:
    """How many objects one click in their middle cuts out: no search can find more with this model."""
    clicks: list[PromptSet] = []
    for mask in objects:
        distance = cv2.distanceTransform(np.pad(mask, 1).astype(np.uint8), cv2.DIST_L2, 5)[1:-1, 1:-1]
        row, column = np.unravel_index(int(distance.argmax()), distance.shape)
        clicks.append(PromptSet([Click(float(column), float(row))]))
    answers = predictor.predict_objects(predictor.embed(image), clicks, multimask=True)
    return sum(
        int(max(iou(found, mask) for found in answer.masks) >= MATCH)
        for answer, mask in zip(answers, objects, strict=True)
    )


def kind_of(source: str, example: np.ndarray) -> str:
    """The source, on COCO with the size of the example."""
    if source != "coco":
        return source
    return f"coco, {'at least' if example.mean() >= SMALL else 'below'} {100 * SMALL:g} % of the photo"


def prompts_of(example: np.ndarray) -> dict[str, PromptSet]:
    """The example by its mask and by its box."""
    rows, columns = np.nonzero(example)
    x0, y0, x1, y1 = float(columns.min()), float(rows.min()), columns.max() + 1.0, rows.max() + 1.0
    return {"mask": PromptSet(mask=example), "box": PromptSet(box=(x0, y0, x1, y1))}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--limit", type=int, default=None, help="the most groups of each source")
    parser.add_argument("--sources", nargs="+", default=["coco", "leaves", "nuclei"])
    parser.add_argument("--out", type=Path, default=RESULTS / "similar.json")
    asked = parser.parse_args()
    predictor = ImagePredictor(second_look=False)
    finder = SimilarFinder(predictor)
    tallies: dict[str, Tally] = defaultdict(Tally)
    seen: dict[str, int] = defaultdict(int)
    for photo in read_held_out_photos(asked.data):
        if photo.source not in asked.sources:
            continue
        for masks in groups_of(photo):
            if asked.limit is not None and seen[photo.source] >= asked.limit:
                break
            seen[photo.source] += 1
            example, *others = sorted(
                masks, key=lambda one: abs(one.sum() - np.median([m.sum() for m in masks]))
            )
            num_possible = num_cut_out(predictor, photo.image(), others)
            for kind, prompt in prompts_of(example).items():
                found = [one.mask for one in finder.find(photo.image(), [prompt])]
                tally = tallies[f"{kind_of(photo.source, example)}, by {kind}"]
                count(tally, found, example, others)
                tally.cut_out += num_possible
        write(asked.out, tallies, limit=asked.limit)
    for name, tally in tallies.items():
        print(name, tally.row())


def write(out: Path, tallies: dict[str, Tally], *, limit: int | None) -> None:
    """What was counted so far; a run that is broken off leaves what it had."""
    asked = "" if limit is None else f" --limit {limit}"
    facts = run_facts(command=f"python benchmarks/similar.py --data DATA{asked}", model="compact")
    write_json(out, {"one_example": {name: tally.row() for name, tally in tallies.items()}, "run": facts})


if __name__ == "__main__":
    main()
