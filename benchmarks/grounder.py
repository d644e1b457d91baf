"""How well the embedded detector sees its classes: IoU of classes and recall of boxes on held-out photos.

    python benchmarks/grounder.py --data DATA [--teacher mobilenet_v2_deeplab_voc.safetensors] [--limit N]

Against people's masks: COCO instances of the twenty classes (everything is outlined there, so precision is counted too),
one person of COCO person photos, the person of fashion photos and of portraits, and pets (a cat taken for a dog is wrong
for boxes by name but cannot be told from the masks, so either counts). Against the teacher: its own class map. Written to
results/grounder.json.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Box
from masklet.grounding.base import box_iou
from masklet.grounding.embedded import EmbeddedGrounder
from masklet.grounding.head_file import read_head
from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.training.grounder_photos import NamedPhoto, read_held_out_photos
from masklet.training.grounder_targets import GRID, instances, taught_probabilities
from masklet.training.grounder_teacher import load_teacher, teach

RESULTS = Path(__file__).parent / "results"
SOURCES = ("coco", "coco-person", "ccp", "human", "pets")
NAMES = ("background", *VOC_CLASSES)
PETS = tuple(1 + VOC_CLASSES.index(name) for name in ("cat", "dog"))


class Counts:
    """Cells shared by, and joined of, two maps; by name."""

    def __init__(self) -> None:
        self.shared: dict[str, float] = defaultdict(float)
        self.joined: dict[str, float] = defaultdict(float)

    def add(self, name: str, ours: np.ndarray, theirs: np.ndarray) -> None:
        """Count two boolean maps."""
        self.shared[name] += float((ours & theirs).sum())
        self.joined[name] += float((ours | theirs).sum())

    def ious(self) -> dict[str, float]:
        """IoU by name over all photos."""
        return {
            name: round(self.shared[name] / self.joined[name], 4) for name in self.joined if self.joined[name]
        }


class Boxes:
    """Boxes found and missed, by source."""

    def __init__(self) -> None:
        self.wanted: dict[str, int] = defaultdict(int)
        self.hit: dict[str, int] = defaultdict(int)
        self.given: dict[str, int] = defaultdict(int)
        self.right: dict[str, int] = defaultdict(int)

    def add(
        self, source: str, wanted: list[tuple[tuple[str, ...], Box]], found: list[tuple[str, Box]]
    ) -> None:
        """Match boxes by name at IoU 0.5."""
        self.wanted[source] += len(wanted)
        self.given[source] += len(found)
        self.hit[source] += sum(
            any(name in names and box_iou(box, one) >= 0.5 for name, one in found) for names, box in wanted
        )
        self.right[source] += sum(
            any(name in names and box_iou(box, one) >= 0.5 for names, box in wanted) for name, one in found
        )

    def table(self) -> dict[str, dict[str, float]]:
        """Recall, and precision where every object is outlined."""
        rows = {}
        for source, number in self.wanted.items():
            rows[source] = {"objects": number, "recall": round(self.hit[source] / max(1, number), 4)}
            if source == "coco":
                rows[source]["precision"] = round(self.right[source] / max(1, self.given[source]), 4)
        return rows


def class_map(probabilities: np.ndarray) -> np.ndarray:
    """The surest class of each cell of the 48 x 48 grid."""
    small = [cv2.resize(one, (GRID, GRID), interpolation=cv2.INTER_AREA) for one in probabilities]
    return np.argmax(small, axis=0)


def measure_people(photo: NamedPhoto, ours: np.ndarray, counts: Counts) -> None:
    """Classes against people's masks, where these say all there is to say about a class."""
    found = list(instances(photo, np.ones((len(NAMES), GRID, GRID), np.float32)))
    if photo.source == "coco":
        for channel in range(1, len(NAMES)):
            covers = [one.covers >= 0.5 for one in found if one.channel == channel]
            if covers or (ours == channel).any():
                theirs = np.any(covers, axis=0) if covers else np.zeros_like(ours, bool)
                counts.add(f"coco {NAMES[channel]}", ours == channel, theirs)
                counts.add("coco all classes", ours == channel, theirs)
    elif photo.source == "pets" and found:
        counts.add("pets cat or dog", np.isin(ours, PETS), found[0].covers >= 0.5)
    elif photo.source in ("ccp", "human") and found:
        theirs = np.any([one.covers >= 0.5 for one in found], axis=0)
        counts.add(f"{photo.source} person", ours == 1 + VOC_CLASSES.index("person"), theirs)


def wanted_boxes(photo: NamedPhoto) -> list[tuple[tuple[str, ...], Box]]:
    """Names that count as right, and box, of every outlined object of our classes."""
    wanted: list[tuple[tuple[str, ...], Box]] = []
    for one, index in zip(
        instances(photo, np.ones((len(NAMES), GRID, GRID), np.float32)), _rows(photo), strict=True
    ):
        rows, columns = np.nonzero(photo.mask(index))
        if one.channel and len(rows):
            names = ("cat", "dog") if photo.source == "pets" else (NAMES[one.channel],)
            wanted.append((names, Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)))
    return wanted


def _rows(photo: NamedPhoto) -> list[int]:
    if photo.source == "ccp":
        return [index for index, name in enumerate(photo.names) if name == "person"]
    return [0] if photo.source == "pets" else list(range(len(photo.counts)))


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--teacher", type=Path, default=None)
    parser.add_argument("--limit", type=int, default=None, help="the most photos of each source")
    parser.add_argument("--head", type=Path, default=None, help="another head than the one in the package")
    parser.add_argument("--out", type=Path, default=RESULTS / "grounder.json")
    asked = parser.parse_args()
    grounder = EmbeddedGrounder(head=None if asked.head is None else read_head(asked.head))
    teacher = None if asked.teacher is None else load_teacher(asked.teacher)
    people, taught, boxes, seen = Counts(), Counts(), Boxes(), defaultdict(int)
    for photo in read_held_out_photos(asked.data):
        if photo.source not in SOURCES or (asked.limit is not None and seen[photo.source] >= asked.limit):
            continue
        seen[photo.source] += 1
        image = photo.image()
        ours = class_map(grounder.look(image).probabilities)
        measure_people(photo, ours, people)
        if teacher is not None:
            theirs = taught_probabilities(teach(teacher, image).numpy()).argmax(axis=0)
            for channel in np.union1d(np.unique(ours), np.unique(theirs)):
                taught.add(NAMES[channel], ours == channel, theirs == channel)
        found = [(one.label, one.box) for one in grounder.find(image, VOC_CLASSES)]
        boxes.add(photo.source, wanted_boxes(photo), found)
    values = {
        "photos": dict(seen),
        "iou_with_people": people.ious(),
        "iou_with_teacher": taught.ious(),
        "boxes_at_0.5": boxes.table(),
    }
    print(values)
    write_json(
        asked.out,
        {**values, "run": run_facts(command="python benchmarks/grounder.py --data DATA --teacher FILE")},
    )


if __name__ == "__main__":
    main()
