"""How well the embedded detector sees its classes: IoU of classes and recall of boxes on held-out photos.

    python benchmarks/grounder.py --data DATA [--teacher mobilenet_v2_deeplab_voc.safetensors] [--limit N]

Against people's masks: COCO instances of the twenty classes (everything is outlined there, so precision is counted too),
one person of COCO person photos, the person of fashion photos and of portraits, and pets (a cat taken for a dog is wrong
for boxes by name but cannot be told from the masks, so either counts). Boxes are counted by size too: by the pixels of
an object's mask as COCO counts them (small below 32 x 32, large from 96 x 96), and by the part of the photo that its box
covers. How many boxes the promptable model can give at all is counted on the COCO photos: the best of its automatic masks,
and of its three masks for one click in the middle. Against the teacher: its own class map. Written to results/grounder.json.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from masklet.evaluation.report import run_facts, write_json
from masklet.geometry import Box
from masklet.grounding.base import box_iou
from masklet.grounding.embedded import SIDES, EmbeddedGrounder
from masklet.grounding.network_file import read_network
from masklet.grounding.vocabulary import VOC_CLASSES
from masklet.masks import rle
from masklet.predictors.auto import AutoMasks
from masklet.predictors.image import ImagePredictor
from masklet.prompts import Click, PromptSet
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An outlined object: names that count as right, its box, pixels of its mask, and of its photo."""

    names: tuple[str, ...]
    box: Box
    area: int
    photo_area: int

    @property
    def sizes(self) -> tuple[str, str]:
        """Its size in COCO's sense, and by the part of the photo."""
        coco = "small" if self.area < 32**2 else "medium" if self.area < 96**2 else "large"
        part = self.box.area / self.photo_area
        return coco, "below 1 %" if part < 0.01 else "1 to 5 %" if part < 0.05 else "5 % and more"


class Boxes:
    """Boxes found and missed, by source and by size."""

    def __init__(self) -> None:
        self.wanted: dict[str, int] = defaultdict(int)
        self.hit: dict[str, int] = defaultdict(int)
        self.given: dict[str, int] = defaultdict(int)
        self.right: dict[str, int] = defaultdict(int)
        self.by_size: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, source: str, wanted: list[Wanted], found: list[tuple[str, Box]]) -> None:
        """Match boxes by name at IoU 0.5."""
        self.wanted[source] += len(wanted)
        self.given[source] += len(found)
        for one in wanted:
            is_hit = any(name in one.names and box_iou(one.box, box) >= 0.5 for name, box in found)
            self.hit[source] += is_hit
            for group in ("coco", "all sources") if source == "coco" else ("all sources",):
                for size in one.sizes:
                    self.by_size[f"{group}, {size}"][0] += is_hit
                    self.by_size[f"{group}, {size}"][1] += 1
        self.right[source] += sum(
            any(name in one.names and box_iou(one.box, box) >= 0.5 for one in wanted) for name, box in found
        )

    def sizes(self) -> dict[str, dict[str, float]]:
        """Recall by size, of COCO alone and of all sources."""
        return {
            name: {"objects": number, "recall": round(hit / number, 4)}
            for name, (hit, number) in sorted(self.by_size.items())
        }

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


class Reach:
    """How many boxes of COCO objects the promptable model can give, whatever their class."""

    def __init__(self) -> None:
        self.automatic = AutoMasks("compact")
        self.predictor = ImagePredictor(self.automatic.model)
        self.counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])

    def add(self, image: np.ndarray, wanted: list[Wanted]) -> None:
        """Count the objects of one photo."""
        boxes = [one.box for one in self.automatic.generate(image)]
        embedding = self.predictor.embed(image)
        for one in wanted:
            x0, y0, x1, y1 = one.box.xyxy
            click = PromptSet([Click((x0 + x1) / 2, (y0 + y1) / 2)])
            masks = self.predictor.predict_objects(embedding, [click], multimask=True)[0].masks
            clicked = [box for mask in masks if (box := rle.bounding_box(rle.encode(mask))) is not None]
            for name in ("all", one.sizes[1]):
                self.counts[name][0] += 1
                self.counts[name][1] += any(box_iou(one.box, box) >= 0.5 for box in boxes)
                self.counts[name][2] += any(box_iou(one.box, box) >= 0.5 for box in clicked)

    def table(self) -> dict[str, dict[str, float]]:
        """Recall by the part of the photo."""
        return {
            name: {
                "objects": number,
                "best_automatic_mask": round(automatic / number, 4),
                "best_mask_of_one_click": round(clicked / number, 4),
            }
            for name, (number, automatic, clicked) in sorted(self.counts.items())
        }


def wanted_boxes(photo: NamedPhoto) -> list[Wanted]:
    """Every outlined object of our classes."""
    wanted: list[Wanted] = []
    for one, index in zip(
        instances(photo, np.ones((len(NAMES), GRID, GRID), np.float32)), _rows(photo), strict=True
    ):
        rows, columns = np.nonzero(photo.mask(index))
        if one.channel and len(rows):
            names = ("cat", "dog") if photo.source == "pets" else (NAMES[one.channel],)
            box = Box(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            photo_area = photo.size_hw[0] * photo.size_hw[1]
            wanted.append(Wanted(names=names, box=box, area=len(rows), photo_area=photo_area))
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
    parser.add_argument(
        "--file", type=Path, default=None, help="another detector than the one in the package"
    )
    parser.add_argument("--name", choices=tuple(SIDES), default="embedded", help="how long it looks")
    parser.add_argument("--out", type=Path, default=RESULTS / "grounder.json")
    asked = parser.parse_args()
    grounder = EmbeddedGrounder(None if asked.file is None else read_network(asked.file), name=asked.name)
    teacher = None if asked.teacher is None else load_teacher(asked.teacher)
    people, taught, boxes, seen, reach = Counts(), Counts(), Boxes(), defaultdict(int), Reach()
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
        wanted = wanted_boxes(photo)
        boxes.add(photo.source, wanted, found)
        if photo.source == "coco":
            reach.add(image, wanted)
    limit = "" if asked.limit is None else f" --limit {asked.limit}"
    values = {
        "photos": dict(seen),
        "iou_with_people": people.ious(),
        "iou_with_teacher": taught.ious(),
        "boxes_at_0.5": boxes.table(),
        "boxes_at_0.5_by_size": boxes.sizes(),
        "boxes_of_the_promptable_model_at_0.5": reach.table(),
    }
    print(values)
    write_json(
        asked.out,
        {
            **values,
            "run": run_facts(command=f"python benchmarks/grounder.py --data DATA --teacher FILE{limit}"),
        },
    )


if __name__ == "__main__":
    main()
